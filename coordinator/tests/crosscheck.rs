//! `couple crosscheck`: the same network on several simulators in turn. Simulators that are not set up are left out,
//! and the tests say so.

#![allow(clippy::unwrap_used, reason = "how a test fails")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use couple::setup::{brian2, nest, neuron};
use serde_json::Value;
use tempfile::TempDir;

/// Skips the test where the programs that `couple` starts have not been built.
macro_rules! needs_programs {
    () => {
        let couple = Path::new(env!("CARGO_BIN_EXE_couple"));
        if !["couple-native", "couple-recorder"].iter().all(|name| couple.with_file_name(name).is_file()) {
            println!("skipped: {} needs couple-native and couple-recorder: cargo build --workspace", module_path!());
            return;
        }
    };
}

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/crosscheck/config.toml")
}

/// A small network without a recording, on the component `a`.
const SMALL: &str = r#"
[run]
name = "small"
duration = "50 ms"
[component.a]
simulator = "native"
[population.E]
component = "a"
size = 4
cell = "IF_curr_exp"
params = { i_offset = 1.0 }
"#;

/// Cross-checks of one test, in a folder of its own.
struct Checks {
    folder: TempDir,
}

impl Checks {
    fn new() -> Self {
        Checks { folder: TempDir::new().unwrap() }
    }
    fn crosscheck(&self, file: &Path, on: &str, more: &[&str]) -> Output {
        let mut couple = Command::new(env!("CARGO_BIN_EXE_couple"));
        couple.arg("crosscheck").arg(file).args(["--on", on, "--label", "x"]).args(more);
        couple.current_dir(self.folder.path()).output().unwrap()
    }
    fn with(&self, config: &str, on: &str, more: &[&str]) -> Output {
        let file = self.folder.path().join("net.toml");
        fs::write(&file, config).unwrap();
        self.crosscheck(Path::new("net.toml"), on, more)
    }
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("runs/x").join(name)
    }
    fn json(&self, name: &str) -> Value {
        serde_json::from_slice(&fs::read(self.path(name)).unwrap()).unwrap()
    }
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

#[test]
fn native_and_nest_agree_in_every_bit() {
    needs_programs!();
    if nest::installed().is_none() {
        println!("skipped: {} needs NEST: run `couple setup nest`", module_path!());
        return;
    }
    let checks = Checks::new();
    let short = ["--set", "run.duration=\"200 ms\"", "--variables", "v", "--interval", "0.5 ms"];
    let output = checks.crosscheck(&example(), "native,nest", &short);
    assert_eq!(code(&output), 0, "{}", text(&output));
    assert!(text(&output).contains("equal in every bit: native, nest"), "{}", text(&output));
    let report = checks.json("report.json");
    assert_eq!((&report["equal"], &report["reference"]), (&true.into(), &"native".into()));
    let pairs = report["populations"].as_array().unwrap();
    assert!(pairs.iter().all(|p| p["trains"][1]["spikes"].as_u64().unwrap() > 50), "{report}");
    // Both populations, 400 samples of each neuron.
    let samples = |v: &Value| v["overall"]["samples"].as_u64().unwrap();
    assert_eq!(report["variables"].as_array().unwrap().iter().map(samples).sum::<u64>(), 400 * 500);
    assert!(fs::read_to_string(checks.path("crosscheck.svg")).unwrap().contains("native (reference)"));
    // They are runs as any other.
    let record = checks.json("nest/record.json");
    assert_eq!((&record["outcome"]["status"], &record["reason"]), (&"done".into(), &"cross-check on nest".into()));
    assert_eq!(record["components"][0]["simulator"], "nest");
}

#[test]
fn others_differ_by_their_methods_and_no_more() {
    needs_programs!();
    let installed = [("neuron", neuron::installed()), ("brian2", brian2::installed())];
    let mut on = vec!["native"];
    for (name, found) in installed {
        match found {
            Some(_) => on.push(name),
            None => println!("skipped: {} leaves out {name}: run `couple setup {name}`", module_path!()),
        }
    }
    if on.contains(&"neuron") {
        on.push("neuron-cvode");
    }
    let checks = Checks::new();
    // Threads make no difference, and NEURON is asked for none.
    let short = ["--set", "run.duration=\"100 ms\"", "--set", "component.ctx.threads=2", "--variables", "v"];
    let output = checks.crosscheck(&example(), &on.join(","), &short);
    if on.len() == 1 {
        return;
    }
    let report = checks.json("report.json");
    let done = report["participants"].as_array().unwrap().iter().all(|p| p["status"] == "done");
    assert!(done && [0, 5].contains(&code(&output)), "{}", text(&output));
    let variables = report["variables"].as_array().unwrap();
    let v = |simulator: &str| variables.iter().find(|v| v["simulator"] == simulator && v["population"] == "E").unwrap();
    let before = |simulator: &str| v(simulator)["before"]["max"].as_f64().unwrap();
    if on.contains(&"neuron") {
        // The first-order step is off by tenths of a millivolt, the variable one is not; neither agrees in every bit.
        assert_eq!(code(&output), 5, "{}", text(&output));
        assert!((0.01..1.0).contains(&before("neuron")), "{}", text(&output));
        assert!((1e-12..0.01).contains(&before("neuron-cvode")), "{}", text(&output));
        assert!(text(&output).contains("neuron: IF_curr_exp: implicit Euler"), "{}", text(&output));
    }
    if on.contains(&"brian2") {
        assert!(before("brian2") < 1e-9, "{}", text(&output));
    }
    let rates = |position: usize| {
        let rate = |p: &Value| p["trains"][position]["rate_hz"].as_f64().unwrap();
        report["populations"].as_array().unwrap().iter().map(rate).collect::<Vec<_>>()
    };
    for (position, name) in on.iter().enumerate().skip(1) {
        for (rate, reference) in rates(position).into_iter().zip(rates(0)) {
            assert!((rate / reference - 1.0).abs() < 0.25, "{name}: {rate} Hz, {reference} Hz");
        }
    }
}

#[test]
fn what_is_not_recorded_is_recorded_for_the_comparison() {
    needs_programs!();
    let checks = Checks::new();
    // Only one runs: that is no comparison.
    let output = checks.with(SMALL, "native,arbor", &["--variables", "v"]);
    assert_eq!(code(&output), 2, "{}", text(&output));
    let said = text(&output);
    assert!(said.contains("arbor does not take part: ") && said.contains("only native ran"), "{said}");
    let report = checks.json("report.json");
    assert_eq!(report["populations"][0]["population"], "E");
    assert!(report["populations"][0]["trains"][0]["spikes"].as_u64().unwrap() >= 4, "{report}");
    assert!(checks.path("native/report_v.h5").is_file());
}

#[test]
fn keys_of_the_simulator_before_are_left_out() {
    needs_programs!();
    let checks = Checks::new();
    let neuron = SMALL.replace("\"native\"", "\"neuron\"\ncvode = { atol = 1e-4 }\npython = \"python3\"");
    let output = checks.with(&neuron, "native,arbor", &[]);
    assert!(text(&output).contains("only native ran"), "{}", text(&output));
    let config = fs::read_to_string(checks.path("native/config.toml")).unwrap();
    assert!(config.contains("simulator = \"native\"") && !config.contains("cvode"), "{config}");
}

#[test]
fn a_simulator_that_cannot_take_part_is_told_with_the_line() {
    needs_programs!();
    let checks = Checks::new();
    let each = SMALL.replace("\"native\"", "\"nest\"").replace("i_offset = 1.0", "tau_m = [10.0, 11.0, 12.0, 13.0]");
    let output = checks.with(&each, "native,arbor", &[]);
    let said = text(&output);
    assert!(code(&output) == 2 && said.contains("native does not take part: net.toml:"), "{said}");
    assert!(said.contains("one `tau_m` for all neurons") && said.contains("arbor does not take part"), "{said}");
}

#[test]
fn a_run_that_fails_is_told_with_its_message() {
    needs_programs!();
    let checks = Checks::new();
    // The program stays where it is, and fails on each simulator.
    let port = r#"
[component.robot]
simulator = "script"
command = ["sh", "-c", "echo out of battery >&2; exit 7"]
[population.eyes]
component = "robot"
size = 4
[[connection]]
from = "E"
to = "eyes"
delay = "1 ms"
"#;
    let output = checks.with(&format!("{SMALL}{port}"), "native", &["--json"]);
    assert_eq!(code(&output), 3, "{}", text(&output));
    let manifest = checks.json("crosscheck.json");
    let (status, reason) = (&manifest["participants"][0]["status"], manifest["participants"][0]["reason"].as_str());
    assert!(status == "failed" && reason.unwrap().contains("out of battery"), "{manifest}");
    assert!(reason.unwrap().contains("component `robot` (rank 0) ended with code 7"), "{manifest}");
    assert_eq!(manifest["moved"], serde_json::json!(["E"]));
    let record = checks.json("native/record.json");
    assert_eq!(record["components"][1]["simulator"], "script");
}

#[test]
fn what_was_done_before_an_interruption_is_kept() {
    needs_programs!();
    let checks = Checks::new();
    let file = checks.folder.path().join("net.toml");
    // The second run never ends by itself.
    let endless = SMALL.replace("50 ms", "100000 s") + "[[record]]\npopulation = \"E\"\n";
    fs::write(&file, endless).unwrap();
    let mut couple = Command::new(env!("CARGO_BIN_EXE_couple"));
    couple.arg("crosscheck").arg(&file).args(["--on", "arbor,native", "--label", "x"]);
    let mut child = couple.current_dir(checks.folder.path()).spawn().unwrap();
    // Once the journal is there, signals are caught.
    let journal = checks.path("native/journal/a.0.journal");
    while !journal.is_file() {
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    rustix::process::kill_process(rustix::process::Pid::from_child(&child), rustix::process::Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let manifest = checks.json("crosscheck.json");
    let told = |position: usize, field: &str| manifest["participants"][position][field].as_str().unwrap().to_string();
    assert_eq!((told(0, "status"), told(1, "reason")), ("left_out".into(), "interrupted".into()));
    assert_eq!(checks.json("native/record.json")["outcome"]["status"], "interrupted");
}

#[test]
fn wrong_input() {
    let checks = Checks::new();
    let said = |config: &str, on: &str, more: &[&str]| {
        let output = checks.with(config, on, more);
        assert_eq!(code(&output), 2, "{}", text(&output));
        assert!(!checks.folder.path().join("runs").exists());
        text(&output)
    };
    assert!(said(SMALL, "native,nest,native", &[]).contains("`native` is asked for twice"));
    assert!(said(SMALL, "native,genesis", &[]).contains("genesis"));
    assert!(said(SMALL, "native", &["--variables", "colour"]).contains("has a variable `colour`"));
    assert!(said(SMALL, "native", &["--tolerance-ms", "soon"]).contains("soon"));
    assert!(said(SMALL, "native", &["--tolerance-ms=-1"]).contains("not negative"));
    assert!(said(SMALL, "native", &["--from", "5", "--to", "5 ms"]).contains("--from is before --to"));
    assert!(said(&SMALL.replace("size = 4", "size = 0"), "native", &[]).contains("size"));
    let source = SMALL.replace("IF_curr_exp", "SpikeSourcePoisson").replace("i_offset", "rate");
    assert!(said(&source, "native", &[]).contains("nothing can be moved"));
}
