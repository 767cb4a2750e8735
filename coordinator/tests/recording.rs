//! Recorded variables of real runs: the same bits however the run is split, readable after a crash.

#![allow(clippy::unwrap_used, reason = "how a test fails")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

/// Neurons that fire at each other, on the component `ctx`, with spikes and variables recorded.
const CONFIG: &str = r#"
[run]
name = "recording"
duration = "100 ms"
[component.ctx]
simulator = "native"
[population.noise]
component = "ctx"
size = 20
cell = "SpikeSourcePoisson"
params = { rate = 2000.0 }
[population.E]
component = "ctx"
size = 20
cell = "IF_cond_exp"
[[projection]]
from = "noise"
to = "E"
connector = { type = "OneToOne" }
synapse = { weight = 0.02, delay = "0.3 ms" }
[[projection]]
from = "E"
to = "E"
connector = { type = "FixedProbability", p = 0.3 }
synapse = { weight = 0.004, delay = "1.5 ms" }
[[record]]
population = "E"
variables = ["spikes", "v"]
[[record]]
population = "E"
variables = ["gsyn_exc"]
interval = "0.7 ms"
"#;

/// A program that takes part and is killed at 50 ms; E waits for it.
const KILLED: &str = r#"
[component.bad]
simulator = "script"
command = ["@participant@", "is-killed", "50"]
[population.pong]
component = "bad"
size = 1
[[projection]]
from = "pong"
to = "E"
connector = { type = "AllToAll" }
synapse = { weight = 0.0, delay = "1 ms" }
"#;

/// Runs of one test, in a folder of its own; `None` where the programs that `couple` starts have not been built.
struct Runs(TempDir);

impl Runs {
    fn new() -> Option<Self> {
        let couple = Path::new(env!("CARGO_BIN_EXE_couple"));
        let built = ["couple-native", "couple-recorder"].iter().all(|name| couple.with_file_name(name).is_file());
        if !built {
            println!("skipped: {} needs couple-native and couple-recorder: cargo build --workspace", module_path!());
        }
        built.then(|| Runs(TempDir::new().unwrap()))
    }
    fn couple(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_couple")).args(arguments).current_dir(self.0.path()).output().unwrap()
    }
    fn run(&self, label: &str, config: &str, more: &[&str]) -> i32 {
        fs::write(self.0.path().join("net.toml"), config).unwrap();
        let output = self.couple(&[&["run", "net.toml", "--quiet", "--label", label], more].concat());
        output.status.code().unwrap()
    }
    fn path(&self, label: &str, name: &str) -> PathBuf {
        self.0.path().join("runs").join(label).join(name)
    }
    /// What `couple show` says of a variable.
    fn variable(&self, label: &str, name: &str) -> Value {
        let output = self.couple(&["show", label, "--json"]);
        let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
        shown["signals"].as_array().unwrap().iter().find(|signal| signal["variable"] == name).unwrap().clone()
    }
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn the_same_bits_however_the_run_is_split() {
    let Some(runs) = Runs::new() else { return };
    assert_eq!(runs.run("one", CONFIG, &[]), 0);
    assert_eq!(runs.run("ranks", CONFIG, &["--set", "component.ctx.ranks=3"]), 0);
    assert_eq!(runs.run("windows", CONFIG, &["--set", "run.window=\"0.1 ms\"", "--set", "component.ctx.threads=2"]), 0);
    for other in ["ranks", "windows"] {
        let output = runs.couple(&["compare", "one", other]);
        assert!(output.status.success(), "{other}: {}", text(&output));
        // 1000 rows of v and 142 of gsyn_exc, of 20 neurons.
        assert!(text(&output).contains("22840 samples of 2 variables"), "{}", text(&output));
        for name in ["spikes.h5", "report_v.h5", "report_gsyn_exc.h5"] {
            let [a, b] = ["one", other].map(|label| fs::read(runs.path(label, name)).unwrap());
            assert!(a == b, "{name} of {other}");
        }
    }
    let (v, g) = (runs.variable("one", "v"), runs.variable("one", "gsyn_exc"));
    assert_eq!((&v["neurons"], &v["samples"], &v["unit"]), (&20.into(), &1000.into(), &"mV".into()));
    assert_eq!((&g["interval_ms"], &g["samples"], &g["unit"]), (&0.7.into(), &142.into(), &"uS".into()));
    assert!(v["max"].as_f64().unwrap() <= -50.0 && g["max"].as_f64().unwrap() > 0.0, "{v} {g}");
}

#[test]
fn after_a_crash_the_variables_are_there_up_to_the_last_window() {
    let Some(runs) = Runs::new() else { return };
    let couple = Path::new(env!("CARGO_BIN_EXE_couple"));
    let participant = couple.with_file_name("examples").join("participant");
    let config = format!("{CONFIG}{KILLED}").replace("@participant@", &participant.to_string_lossy());
    assert_eq!(runs.run("killed", &config, &["--set", "component.ctx.ranks=2"]), 3);
    assert_eq!(runs.run("whole", CONFIG, &[]), 0);
    let samples = runs.variable("killed", "v")["samples"].as_u64().unwrap();
    // It is killed before 50 ms is sent; what it sent before reaches 1 ms further.
    assert!((490..=510).contains(&samples), "{samples}");
    let until = format!("{} ms", samples / 10);
    for [a, b] in [["killed", "whole"], ["killed/report_v.h5", "whole/report_v.h5"]] {
        let output = runs.couple(&["compare", a, b, "--until", &until]);
        assert!(output.status.success() && text(&output).contains("equal: "), "{a}: {}", text(&output));
    }
}
