//! Arbor as a component: its spikes against those of the same recipe by itself, in long and in short windows. Needs the
//! managed environment (`couple setup arbor`), and says so when it is not there.

#![allow(clippy::unwrap_used, reason = "how a test fails")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use couple::setup::arbor;
use tempfile::TempDir;

/// Skips the test where Arbor has not been set up.
macro_rules! needs_arbor {
    () => {
        if arbor::installed().is_none() {
            println!("skipped: {} needs Arbor: run `couple setup arbor`", module_path!());
            return;
        }
    };
}

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/arbor").join(name)
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn couple(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_couple")).args(arguments).current_dir(folder).output().unwrap()
}

fn start(folder: &Path, label: &str, config: &str) -> Output {
    let file = format!("{label}.toml");
    fs::write(folder.join(&file), config).unwrap();
    couple(folder, &["run", "--quiet", "--label", label, "--out", ".", &file])
}

fn config(script: &str, window: &str, delay: &str) -> String {
    let template = fs::read_to_string(file("config.toml")).unwrap();
    template.replace("@script@", script).replace("@window@", window).replace("@delay@", delay)
}

/// The script compares what it sends with the spikes of its recipe by itself.
#[test]
fn arbor_sends_the_spikes_that_it_has_alone() {
    needs_arbor!();
    let folder = TempDir::new().unwrap();
    let model = file("model.py").display().to_string();
    for (label, window) in [("long", ""), ("short", "window = \"0.1 ms\"")] {
        let output = start(folder.path(), label, &config(&model, window, "1.5 ms"));
        let log = fs::read_to_string(folder.path().join(label).join("logs/cells.0.log")).unwrap_or_default();
        assert!(output.status.success(), "{}{log}", text(&output));
    }
    let output = couple(folder.path(), &["compare", "long", "short"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let record = fs::read_to_string(folder.path().join("long/record.json")).unwrap();
    let record: serde_json::Value = serde_json::from_str(&record).unwrap();
    let receivers = record["populations"].as_array().unwrap().iter().find(|p| p["name"] == "E").unwrap();
    assert!(receivers["spikes"].as_u64().unwrap() > 50, "{receivers}");
}

#[test]
fn errors_of_a_script_are_told() {
    needs_arbor!();
    let folder = TempDir::new().unwrap();
    let model = fs::read_to_string(file("model.py")).unwrap();
    let (recipe, _) = model.split_once("# What leaves").unwrap();
    let cases = [
        ("ca.port(\"B\", range(6))", "`B` is no population of component `cells`; those are: A"),
        ("ca.port(\"A\", range(5))", "`A` has size 6 in the configuration, but is given 5 cells"),
        ("ca.port(\"A\", [1, 2, 3, 4, 5, 5])", "`A` has a cell twice"),
        ("ca.port(\"A\", range(5, 11))\nca.run(Recipe())", "a cell that the recipe's 10 do not include"),
        ("ca.run(Recipe())", "no cells for population `A`"),
        (
            "ca.port(\"A\", range(6))\nRecipe.connections_on = lambda *_: []\nca.run(Recipe())",
            "the recipe has no connections, and Arbor 0.12 records no spikes then",
        ),
        ("ca.port(\"A\", range(6))", "ended without calling couple.arbor.run()"),
    ];
    for (number, (lines, expected)) in cases.iter().enumerate() {
        let (name, label) = (format!("broken{number}.py"), format!("broken{number}"));
        fs::write(folder.path().join(&name), format!("{recipe}{lines}\n")).unwrap();
        let output = start(folder.path(), &label, &config(&name, "", "1.5 ms"));
        assert_eq!(output.status.code(), Some(3), "{lines}: {}", text(&output));
        assert!(text(&output).contains(expected), "{lines}: {}", text(&output));
    }
}
