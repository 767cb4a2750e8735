//! The cortical microcircuit on NEST and the native kernel together, on NEST alone and on the native kernel alone: the same
//! spikes, and the rates that the example's README shows.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;
use std::process::Command;

use couple_tests::{program, workspace};
use tempfile::TempDir;

/// The table's columns: published, NEST alone, native and NEST, native alone.
const COLUMNS: [&str; 3] = ["nest", "split", "native"];

fn couple(arguments: &[&str], folder: &Path) -> String {
    let output = Command::new(program("couple")).args(arguments).current_dir(folder).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {}{error}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn run(folder: &Path, label: &str, sets: &[String]) {
    let config = workspace().join("examples/microcircuit/config.toml");
    let mut arguments = vec!["run", "--quiet", "--label", label];
    sets.iter().for_each(|set| arguments.extend(["--set", set]));
    let config = config.to_string_lossy().into_owned();
    arguments.push(&config);
    couple(&arguments, folder);
}

/// (population, rate) as `couple show` prints them.
fn rates(folder: &Path, label: &str) -> Vec<(String, String)> {
    let shown = couple(&["show", label], folder);
    let row = |line: &str| {
        let fields: Vec<_> = line.split_whitespace().collect();
        let rate = fields.get(4)?.parse::<f64>().is_ok().then(|| fields[4].to_owned())?;
        Some((fields[0].to_owned(), rate))
    };
    shown.lines().filter_map(row).collect()
}

#[test]
fn the_same_spikes_on_nest_and_native_and_both() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    run(folder, "split", &[]);
    run(folder, "native", &["component.l4.simulator=native".to_owned()]);
    // On one NEST process: with everything on `l4`, the other component is left out.
    let populations = ["L23E", "L23I", "L5E", "L5I", "L6E", "L6I"];
    let to_l4 = populations.iter().flat_map(|p| [format!("population.{p}"), format!("population.ext_{p}")]);
    let alone: Vec<_> = to_l4.map(|p| format!("{p}.component=l4")).collect();
    run(folder, "nest", &alone);

    couple(&["compare", "nest", "split"], folder);
    couple(&["compare", "nest", "native"], folder);

    let readme = std::fs::read_to_string(workspace().join("examples/microcircuit/README.md")).unwrap();
    for (column, label) in COLUMNS.iter().enumerate() {
        let rates = rates(folder, label);
        assert_eq!(rates.len(), 8, "{rates:?}");
        for (population, rate) in rates {
            let row = readme.lines().find(|line| line.starts_with(&format!("| {population} |"))).unwrap();
            let fields: Vec<_> = row.split('|').map(str::trim).collect();
            assert_eq!(fields[4 + column], rate, "{label}, {population}");
        }
    }
}
