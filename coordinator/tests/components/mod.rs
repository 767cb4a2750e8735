//! Runs of `couple` in a folder of the test, for tests of simulators as components.

#![allow(dead_code, reason = "not every test uses all of it")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// A file beside the tests.
pub fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name)
}

/// All that a program printed.
pub fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Runs of one test, in a folder of its own.
pub struct Runs {
    pub folder: TempDir,
}

impl Runs {
    pub fn new() -> Self {
        Runs { folder: TempDir::new().unwrap() }
    }
    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join(name), text).unwrap();
    }
    /// `couple` with these arguments, in the folder.
    pub fn couple(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_couple"));
        command.args(arguments).current_dir(self.folder.path()).output().unwrap()
    }
    pub fn start(&self, label: &str, config: &str) -> Output {
        let file = format!("{label}.toml");
        self.write(&file, config);
        self.couple(&["run", "--quiet", "--label", label, "--out", ".", &file])
    }
    /// All logs of a run.
    pub fn log(&self, label: &str) -> String {
        let logs = fs::read_dir(self.folder.path().join(label).join("logs")).into_iter().flatten().flatten();
        logs.map(|l| fs::read_to_string(l.path()).unwrap_or_default()).collect::<Vec<_>>().join("\n")
    }
    /// Runs a configuration, which must succeed.
    pub fn run(&self, label: &str, config: &str) {
        let output = self.start(label, config);
        assert!(output.status.success(), "{label}: {}\n{}", text(&output), self.log(label));
    }
    /// A component of the configuration must fail, and all of `words` be said.
    pub fn fails(&self, label: &str, config: &str, words: &[&str]) {
        let output = self.start(label, config);
        let said = text(&output);
        assert_eq!(output.status.code(), Some(3), "{label}: {said}");
        for word in words {
            assert!(said.contains(word), "{label}: `{word}` is not in\n{said}");
        }
    }
    fn compare(&self, a: &str, b: &str, code: i32) {
        let output = self.couple(&["compare", a, b]);
        assert_eq!(output.status.code(), Some(code), "{a} and {b}: {}", text(&output));
    }
    pub fn assert_same(&self, a: &str, b: &str) {
        self.compare(a, b, 0);
    }
    pub fn assert_different(&self, a: &str, b: &str) {
        self.compare(a, b, 5);
    }
    /// Recorded spikes of a population.
    pub fn spikes(&self, label: &str, population: &str) -> u64 {
        let record = fs::read_to_string(self.folder.path().join(label).join("record.json")).unwrap();
        let record: serde_json::Value = serde_json::from_str(&record).unwrap();
        let one = record["populations"].as_array().unwrap().iter().find(|p| p["name"] == population);
        one.and_then(|p| p["spikes"].as_u64()).unwrap()
    }
}
