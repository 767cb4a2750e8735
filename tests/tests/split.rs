//! Law: a run's spikes are a function of the description and the seed alone. The same network is run whole and split
//! over components, ranks, threads, windows and transports, with feedback loops and mixed delays, and compared bit for bit.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use couple_tests::{program, workspace};
use tempfile::TempDir;

/// Where the three populations live, and how many processes and threads simulate them.
struct Layout {
    /// Component of E, I and X.
    placement: [&'static str; 3],
    ranks: u32,
    threads: u32,
    /// `None`: the planner's choice, which is the min-delay.
    window: Option<&'static str>,
}

const WHOLE: Layout = Layout { placement: ["a", "a", "a"], ranks: 1, threads: 1, window: None };

fn config(layout: &Layout) -> String {
    let template = std::fs::read_to_string(workspace().join("tests/scenarios/split/network.toml")).unwrap();
    let mut components: Vec<_> = layout.placement.to_vec();
    components.sort_unstable();
    components.dedup();
    let component = |name: &&str| {
        format!(
            "[component.{name}]\nsimulator = \"native\"\nstep = \"0.1 ms\"\nranks = {}\nthreads = {}\n",
            layout.ranks, layout.threads
        )
    };
    let window = layout.window.map_or(String::new(), |w| format!("window = \"{w}\""));
    template
        .replace("@window@", &window)
        .replace("@components@", &components.iter().map(component).collect::<String>())
        .replace("@E@", layout.placement[0])
        .replace("@I@", layout.placement[1])
        .replace("@X@", layout.placement[2])
}

fn couple(arguments: &[&str], folder: &Path) -> Output {
    Command::new(program("couple")).args(arguments).current_dir(folder).output().unwrap()
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn run(folder: &Path, label: &str, config: &str) -> PathBuf {
    let file = format!("{label}.toml");
    std::fs::write(folder.join(&file), config).unwrap();
    let output = couple(&["run", "--quiet", "--label", label, "--out", ".", &file], folder);
    assert!(output.status.success(), "{label}: {}\n{config}", text(&output));
    folder.join(label)
}

fn assert_same(folder: &Path, a: &str, b: &str) {
    let output = couple(&["compare", a, b], folder);
    assert_eq!(output.status.code(), Some(0), "{a} and {b}: {}", text(&output));
}

fn check(layouts: &[(&str, Layout)]) {
    let folder = TempDir::new().unwrap();
    let whole = run(folder.path(), "whole", &config(&WHOLE));
    assert!(whole.join("spikes.h5").exists());
    for (label, layout) in layouts {
        run(folder.path(), label, &config(layout));
        assert_same(folder.path(), "whole", label);
    }
}

#[test]
fn two_components() {
    check(&[
        ("two", Layout { placement: ["a", "b", "b"], ranks: 1, threads: 1, window: None }),
        ("one-step-windows", Layout { placement: ["a", "b", "b"], ranks: 1, threads: 1, window: Some("0.1 ms") }),
        ("two-threads", Layout { placement: ["a", "a", "b"], ranks: 1, threads: 2, window: None }),
    ]);
}

#[test]
fn three_components() {
    check(&[
        ("three", Layout { placement: ["a", "b", "c"], ranks: 1, threads: 1, window: None }),
        ("three-one-step", Layout { placement: ["a", "b", "c"], ranks: 1, threads: 2, window: Some("0.1 ms") }),
    ]);
}

#[test]
fn several_ranks() {
    check(&[
        ("whole-two-ranks", Layout { placement: ["a", "a", "a"], ranks: 2, threads: 1, window: None }),
        ("whole-three-ranks", Layout { placement: ["a", "a", "a"], ranks: 3, threads: 1, window: Some("0.1 ms") }),
        ("two-by-two", Layout { placement: ["a", "b", "a"], ranks: 2, threads: 1, window: None }),
        ("two-by-three", Layout { placement: ["a", "b", "b"], ranks: 3, threads: 2, window: None }),
        ("three-by-two", Layout { placement: ["a", "b", "c"], ranks: 2, threads: 1, window: None }),
    ]);
}

#[test]
fn on_nest() {
    let folder = TempDir::new().unwrap();
    run(folder.path(), "whole", &config(&WHOLE));
    let three = config(&Layout { placement: ["a", "b", "c"], ..WHOLE });
    let moved = |config: &str, names: &[&str]| {
        names.iter().fold(config.to_owned(), |config, name| {
            let native = format!("[component.{name}]\nsimulator = \"native\"");
            assert!(config.contains(&native));
            config.replace(&native, &format!("[component.{name}]\nsimulator = \"nest\""))
        })
    };
    for (label, config) in [
        ("nest-alone", moved(&config(&WHOLE), &["a"])),
        ("nest-in-the-middle", moved(&three, &["b"])),
        ("native-in-the-middle", moved(&three, &["a", "c"])),
    ] {
        run(folder.path(), label, &config);
        assert_same(folder.path(), "whole", label);
    }
}

#[test]
fn another_seed_is_another_network() {
    let folder = TempDir::new().unwrap();
    run(folder.path(), "one", &config(&WHOLE));
    run(folder.path(), "other", &config(&WHOLE).replace("seed = 42", "seed = 43"));
    let output = couple(&["compare", "one", "other"], folder.path());
    assert_eq!(output.status.code(), Some(5), "{}", text(&output));
}
