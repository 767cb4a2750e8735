//! Cross-checks of synthetic runs: what is measured, told and drawn.

#![allow(clippy::unwrap_used, reason = "a failure here is a failure of the test")]

mod common;

use std::path::Path;
use std::process::Command;

use common::{Run, events, ms, signal};
use serde_json::{Value, json};

/// Spikes as (neuron, µs).
type Spikes = [(u32, u32)];

/// The folder of a cross-check: 10 ms of a population of 4 neurons on each simulator.
fn checked(runs: &[(&str, &Spikes)], others: &[Value]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut participants = Vec::new();
    for (simulator, spikes) in runs {
        let run = Run::new();
        let mut writer = run.journal("ctx.0", &[(1, "E", 4)]);
        let spikes: Vec<_> = spikes.iter().map(|&(neuron, us)| (neuron, us * 1000)).collect();
        writer.add(1, ms(0), ms(10), &events(&spikes));
        writer.publish(ms(10)).unwrap();
        writer.finish().unwrap();
        drop(writer);
        std::fs::create_dir(folder.path().join(simulator)).unwrap();
        std::fs::rename(run.path().join("journal"), folder.path().join(simulator).join("journal")).unwrap();
        let assumptions = [format!("IF_curr_exp: as {simulator} does it")];
        participants.push(json!({ "simulator": simulator, "status": "done", "assumptions": assumptions }));
    }
    participants.extend_from_slice(others);
    let manifest = json!({ "file": "net.toml", "moved": ["E"], "participants": participants });
    std::fs::write(folder.path().join("crosscheck.json"), manifest.to_string()).unwrap();
    folder
}

/// Exit code, standard output and standard error.
fn crosscheck(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let mut program = Command::new(env!("CARGO_BIN_EXE_couple-recorder"));
    let output = program.arg("crosscheck").arg(folder).args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// The potential of neuron 1 of E, every ms, beside what the folder holds already.
fn with_potential(folder: &Path, simulator: &str, values: &[f64]) {
    let run = Run::new();
    let mut writer = run.journal_with("v.0", &[], vec![signal(7, ("E", "v", "mV"), 4, (1, 1), 1000)]);
    for (window, value) in values.iter().enumerate() {
        let (from, to) = (ms(window as i64), ms(window as i64 + 1));
        writer.add_samples(7, from, to, &[*value]);
        writer.publish(to).unwrap();
    }
    drop(writer);
    std::fs::rename(run.file("v.0"), folder.join(simulator).join("journal/v.0.journal")).unwrap();
}

#[test]
fn potentials_are_compared_before_and_after_the_first_spike_that_differs() {
    let other: &Spikes = &[(0, 1000), (1, 2000), (0, 5100), (3, 6000)];
    let folder = checked(&[("native", A), ("nest", A), ("brian2", other)], &[]);
    let values = [-65.0, -64.0, -63.0, -62.0, -61.0, -60.0];
    with_potential(folder.path(), "native", &values);
    with_potential(folder.path(), "nest", &values);
    // Off by 0.5 at 2 ms, by 3 at 6 ms; the spikes differ from 5 ms on.
    with_potential(folder.path(), "brian2", &[-65.0, -63.5, -63.0, -62.0, -61.0, -57.0]);
    let (code, out, _) = crosscheck(folder.path(), &[]);
    let lines: Vec<_> = out.lines().skip_while(|line| !line.starts_with("variables beside")).skip(2).take(2).collect();
    let words: Vec<Vec<_>> = lines.iter().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(words[0], ["E.v", "mV", "nest", "0", "0", "0", "0", "-"]);
    // Four samples before 5 ms: 0.5/2. Six in all: sqrt((0.25 + 9)/6).
    assert_eq!(words[1], ["mV", "brian2", "0.5000", "0.2500", "3.0000", "1.2416", "2", "ms,", "neuron", "1"]);
    assert_eq!(code, 5);
    let picture = std::fs::read_to_string(folder.path().join("crosscheck.svg")).unwrap();
    assert!(picture.contains("max |dv|"), "{picture}");
    let (_, out, _) = crosscheck(folder.path(), &["--json"]);
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(report["variables"][1]["before"], json!({ "samples": 4, "max": 0.5, "rms": 0.25 }));
}

#[test]
fn a_difference_of_potentials_alone_is_one() {
    let folder = checked(&[("native", A), ("nest", A)], &[]);
    with_potential(folder.path(), "native", &[-65.0]);
    with_potential(folder.path(), "nest", &[-65.0 - 1e-13]);
    let (code, out, _) = crosscheck(folder.path(), &[]);
    assert!(code == 5 && out.contains("different from native: nest"), "{out}");
}

const A: &Spikes = &[(0, 1000), (1, 2000), (0, 5000), (3, 6000)];

#[test]
fn equal_runs() {
    let folder = checked(&[("native", A), ("nest", A)], &[]);
    let (code, out, _) = crosscheck(folder.path(), &[]);
    assert_eq!(code, 0, "{out}");
    assert!(out.ends_with("equal in every bit: native, nest\n") && !out.contains("as native does it"), "{out}");
    let picture = std::fs::read_to_string(folder.path().join("crosscheck.svg")).unwrap();
    // Three neurons that spike, four spikes, on each of the two.
    assert_eq!(picture.matches("v4.5").count(), 8, "{picture}");
    assert_eq!(std::fs::read_to_string(folder.path().join("report.txt")).unwrap() + "\n", out);
}

#[test]
fn what_differs_is_measured_and_told() {
    // All later by 0.1 ms, one lost, one too many.
    let late: &Spikes = &[(0, 1100), (1, 2100), (3, 6100), (2, 9000)];
    let failed = json!({ "simulator": "neuron", "status": "failed", "reason": "ended with code 1" });
    let left_out = json!({ "simulator": "arbor", "status": "left_out", "reason": "not supported" });
    let folder = checked(&[("native", A), ("nest", A), ("brian2", late)], &[failed, left_out]);
    let (code, out, _) = crosscheck(folder.path(), &[]);
    assert_eq!(code, 5, "{out}");
    let expected = "\
net.toml on native, nest, brian2

population  simulator  spikes  rate (Hz)  CV of ISI
E           native          4    100.000          -
            nest            4    100.000          -
            brian2          4    100.000          -

spikes beside those of native, paired within 1 ms
population  simulator  identical  paired  unpaired  median dt (ms)  median |dt|  max |dt|  first difference  first unpaired
E           nest             all     all         0               0            0         0                 -               -
            brian2         0.0 %  75.0 %     -1 +1            +0.1          0.1       0.1    1 ms, neuron 0  5 ms, neuron 0

arbor does not take part: not supported

the run on neuron failed: ended with code 1

how they compute these cells
  native: IF_curr_exp: as native does it
  brian2: IF_curr_exp: as brian2 does it

different from native: brian2; equal to it in every bit: nest
  brian2 first parts where neuron 0 of E spikes at 1 ms only on native; its nearest spike on brian2 is at 1.1 ms
";
    assert_eq!(out, expected);
    let (code, out, _) = crosscheck(folder.path(), &["--json", "--tolerance-ms", "0.05"]);
    let report: Value = serde_json::from_str(&out).unwrap();
    let pair = &report["populations"][0]["pairs"][1];
    assert_eq!((code, &pair["paired"], &pair["unpaired"]), (5, &json!(0), &json!([4, 4])));
    assert_eq!((&report["equal"], &report["reference"]), (&json!(false), &json!("native")));
    assert_eq!(report["participants"][3]["reason"], "ended with code 1");
}

#[test]
fn a_part_of_the_time_can_be_drawn() {
    let folder = checked(&[("native", A), ("nest", A)], &[]);
    assert_eq!(crosscheck(folder.path(), &["--from", "1.5", "--to", "5 ms"]).0, 0);
    let picture = std::fs::read_to_string(folder.path().join("crosscheck.svg")).unwrap();
    assert_eq!(picture.matches("v4.5").count(), 4);
    let (code, _, error) = crosscheck(folder.path(), &["--from", "5", "--to", "5"]);
    assert!(code == 2 && error.contains("nothing to draw"), "{error}");
}

#[test]
fn folders_that_are_none() {
    let folder = tempfile::tempdir().unwrap();
    let (code, _, error) = crosscheck(folder.path(), &[]);
    assert!(code == 2 && error.contains("crosscheck.json"), "{error}");
    std::fs::write(folder.path().join("crosscheck.json"), "{}").unwrap();
    let (code, _, error) = crosscheck(folder.path(), &[]);
    assert!(code == 2 && error.contains("is not what couple crosscheck wrote"), "{error}");
    let nobody = checked(&[], &[json!({ "simulator": "arbor", "status": "left_out" })]);
    let (code, _, error) = crosscheck(nobody.path(), &[]);
    assert!(code == 2 && error.contains("no simulator"), "{error}");
    let gone = checked(&[("native", A), ("nest", A)], &[]);
    std::fs::remove_dir_all(gone.path().join("nest")).unwrap();
    let (code, _, error) = crosscheck(gone.path(), &[]);
    assert!(code == 2 && error.contains("nest"), "{error}");
}
