//! MOOSE as a program of a user's own (`examples/moose`). Needs an interpreter with MOOSE, which `COUPLE_MOOSE_PYTHON`
//! names, and says so when there is none.

#![allow(clippy::unwrap_used, reason = "how a test fails")]

use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

fn couple(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_couple")).args(arguments).current_dir(folder).output().unwrap()
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn moose_passes_on_each_spike_in_its_very_step() {
    let Ok(python) = std::env::var("COUPLE_MOOSE_PYTHON") else {
        println!("skipped: {} needs COUPLE_MOOSE_PYTHON; examples/moose/README.md makes one", module_path!());
        return;
    };
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/moose/config.toml");
    let (python, config) = (format!("component.moose.python={python}"), config.display().to_string());
    let folder = TempDir::new().unwrap();
    for (label, window) in [("long", "run.window=1.0"), ("short", "run.window=0.1")] {
        let run =
            ["run", "--quiet", "--label", label, "--out", ".", "--set", &python, "--set", window, config.as_str()];
        let output = couple(folder.path(), &run);
        assert!(output.status.success(), "{}", text(&output));
        let record = std::fs::read_to_string(folder.path().join(label).join("record.json")).unwrap();
        let record: serde_json::Value = serde_json::from_str(&record).unwrap();
        let spikes = |name: &str| {
            let one = record["populations"].as_array().unwrap().iter().find(|p| p["name"] == name).unwrap();
            one["spikes"].as_u64().unwrap()
        };
        assert!(spikes("M") > 500 && spikes("M") == spikes("R"), "{} and {}", spikes("M"), spikes("R"));
        assert_eq!((spikes("plus"), spikes("minus")), (0, 0), "a stamp differs");
    }
    let output = couple(folder.path(), &["compare", "long", "short"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
}
