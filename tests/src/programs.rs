//! Runs of the real programs: `couple run` in a folder of the test.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::program;

/// No run of these tests takes nearly so long.
const WATCHDOG: Duration = Duration::from_secs(240);

/// A folder and the runs in it.
pub struct Runs {
    folder: TempDir,
}

impl Default for Runs {
    fn default() -> Self {
        Runs { folder: TempDir::new().unwrap() }
    }
}

impl Runs {
    /// Where the runs are.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// `couple` with these arguments, in the folder; ended when it takes too long.
    pub fn couple(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(program("couple"));
        command.args(arguments).current_dir(self.folder()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let (mut child, begun) = (command.spawn().unwrap(), Instant::now());
        // What it prints fits into a pipe: all calls here are quiet or short.
        while child.try_wait().unwrap().is_none() {
            if begun.elapsed() > WATCHDOG {
                child.kill().unwrap();
                panic!("couple {arguments:?} hangs: {}", text(&child.wait_with_output().unwrap()));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        child.wait_with_output().unwrap()
    }

    /// Runs a configuration, which must succeed; gives the run's folder.
    pub fn run(&self, label: &str, config: &str, sets: &[&str]) -> PathBuf {
        let file = format!("{label}.toml");
        std::fs::write(self.folder().join(&file), config).unwrap();
        let mut arguments = vec!["run", "--quiet", "--label", label, "--out", "."];
        sets.iter().for_each(|set| arguments.extend(["--set", set]));
        arguments.push(&file);
        let output = self.couple(&arguments);
        let folder = self.folder().join(label);
        let logs = || {
            let logs = std::fs::read_dir(folder.join("logs")).into_iter().flatten().flatten();
            logs.map(|log| std::fs::read_to_string(log.path()).unwrap_or_default()).collect::<Vec<_>>().join("\n")
        };
        assert!(output.status.success(), "{label}: {}\n{}\n{config}", text(&output), logs());
        folder
    }

    /// Fails unless two runs have the same spikes.
    pub fn assert_same(&self, a: &str, b: &str) {
        let output = self.couple(&["compare", a, b]);
        let config = || std::fs::read_to_string(self.folder().join(b).join("config.toml")).unwrap_or_default();
        assert_eq!(output.status.code(), Some(0), "{a} and {b}: {}\n{}", text(&output), config());
    }

    /// The record of a run.
    pub fn record(&self, label: &str) -> serde_json::Value {
        let record = std::fs::read_to_string(self.folder().join(label).join("record.json")).unwrap();
        serde_json::from_str(&record).unwrap()
    }

    /// Spikes that a population sent or had recorded.
    pub fn spikes(&self, label: &str, population: &str) -> u64 {
        let record = self.record(label);
        let populations = record["populations"].as_array().unwrap();
        let found = populations.iter().find(|p| p["name"] == population).unwrap();
        found["spikes"].as_u64().unwrap_or_else(|| panic!("`{population}` has no spikes in the record"))
    }
}

/// All that a program printed.
pub fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
