//! The detailed cell in the circuit: it spikes, its spikes are heard in layer 5, and windows make no difference.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;
use std::process::{Command, Output};

use couple::setup::neuron;
use couple_tests::programs::text;
use couple_tests::{program, workspace};
use tempfile::TempDir;

fn couple(arguments: &[&str], folder: &Path) -> Output {
    Command::new(program("couple")).args(arguments).current_dir(folder).output().unwrap()
}

fn run(folder: &Path, label: &str, sets: &[&str]) {
    let config = workspace().join("examples/pyramidal/config.toml");
    let mut arguments = vec!["run", "--quiet", "--label", label, "--set", "run.duration=300 ms"];
    sets.iter().for_each(|set| arguments.extend(["--set", set]));
    let config = config.to_string_lossy().into_owned();
    arguments.push(&config);
    let output = couple(&arguments, folder);
    assert!(output.status.success(), "{label}: {}", text(&output));
}

/// Exit code of `couple compare`: 0 equal, 5 different.
fn compare(folder: &Path, a: &str, b: &str) -> Option<i32> {
    couple(&["compare", a, b], folder).status.code()
}

fn spikes(folder: &Path, label: &str, population: &str) -> u64 {
    let record = std::fs::read_to_string(folder.join("runs").join(label).join("record.json")).unwrap();
    let record: serde_json::Value = serde_json::from_str(&record).unwrap();
    let populations = record["populations"].as_array().unwrap();
    populations.iter().find(|p| p["name"] == population).unwrap()["spikes"].as_u64().unwrap()
}

#[test]
fn the_cell_takes_part_in_the_circuit() {
    if neuron::installed().is_none() {
        println!("skipped: the pyramidal cell needs NEURON: run `couple setup neuron`");
        return;
    }
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    run(folder, "a", &[]);
    assert!(spikes(folder, "a", "P") > 0);
    for report in ["report_soma.h5", "report_tuft.h5"] {
        assert!(folder.join("runs/a").join(report).is_file(), "{report} is missing");
    }
    // The circuit's ranks and threads are no matter, potentials included.
    run(folder, "b", &["component.ctx.ranks=2"]);
    assert_eq!(compare(folder, "a", "b"), Some(0));
    // The cell is heard: where nobody listens to it, layer 5 and with it the circuit does otherwise.
    run(folder, "c", &["back=0"]);
    assert_eq!(compare(folder, "a", "c"), Some(5));
}
