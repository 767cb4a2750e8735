//! Where output goes, and what happens when it cannot go there.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

const CONFIG: &str = r#"
[run]
name = "output"
duration = "1 ms"
[component.a]
simulator = "native"
[population.E]
component = "a"
size = 4
cell = "IF_curr_exp"
"#;

fn folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("a.toml"), CONFIG).unwrap();
    fs::create_dir(folder.path().join("runs")).unwrap();
    folder
}

fn couple(folder: &Path, arguments: &[&str], output: Stdio) -> Output {
    let mut couple = Command::new(env!("CARGO_BIN_EXE_couple"));
    couple.args(arguments).current_dir(folder).stdin(Stdio::null()).stdout(output).stderr(Stdio::piped());
    couple.spawn().unwrap().wait_with_output().unwrap()
}

/// The writing end of a pipe that nobody reads.
fn unread() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

#[test]
fn a_reader_that_leaves_is_no_fault() {
    let folder = folder();
    for command in ["check", "plan", "graph"] {
        let output = couple(folder.path(), &[command, "a.toml"], unread());
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), errors.as_ref()), (Some(0), ""), "{command}");
    }
}

#[test]
fn a_full_disk_is_told() {
    let folder = folder();
    for arguments in [["check", "a.toml"], ["plan", "a.toml"], ["graph", "a.toml"]] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let output = couple(folder.path(), &arguments, full.into());
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {errors}");
        assert!(errors.contains("No space left"), "{arguments:?}: {errors}");
    }
}

#[test]
fn labels_and_places_that_cannot_be() {
    let folder = folder();
    let long = "x".repeat(201);
    for (label, said) in [("-x", "cannot be a label"), ("a/b", "cannot be a label"), (&long, "200 bytes")] {
        let output = couple(folder.path(), &["run", "a.toml", "--label", label], Stdio::null());
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && errors.contains(said), "{label}: {errors}");
    }
    let output = couple(folder.path(), &["run", "a.toml", "--out", "a.toml"], Stdio::null());
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && errors.contains("--out"), "{errors}");
}

#[test]
fn the_kept_configuration_gives_the_same_spikes() {
    if !Path::new(env!("CARGO_BIN_EXE_couple")).with_file_name("couple-native").is_file() {
        println!("skipped: the_kept_configuration_gives_the_same_spikes needs couple-native: cargo build --workspace");
        return;
    }
    let folder = folder();
    let noisy = r#"
[population.noise]
component = "a"
size = 4
cell = "SpikeSourcePoisson"
params = { rate = 500.0 }
[[record]]
population = ["noise"]
variables = ["spikes"]
"#;
    fs::write(folder.path().join("a.toml"), format!("{CONFIG}{noisy}")).unwrap();
    let done = |arguments: &[&str]| {
        let output = couple(folder.path(), arguments, Stdio::piped());
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let shown = done(&["run", "a.toml", "--label", "first", "--set", "run.duration=100 ms", "--set", "run.seed=5"]);
    assert_eq!(shown, fs::read_to_string(folder.path().join("runs/first/summary.txt")).unwrap());
    done(&["run", "runs/first/config.toml", "--label", "again"]);
    let said = done(&["compare", "first", "again"]);
    assert!(said.contains("equal") && !said.contains(" 0 spikes"), "{said}");
}
