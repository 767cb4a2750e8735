//! Plastic synapses on NEST and native, in one component, split and spanning: the same spikes everywhere. Needs the
//! managed environment (`couple setup nest`), and says so when it is not there.

#![allow(clippy::unwrap_used, reason = "how a test fails")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use couple::setup::nest;
use tempfile::TempDir;

/// Simulator of E, that of I where it lives apart, ranks, threads, window.
type Layout = (&'static str, Option<&'static str>, u32, u32, Option<&'static str>);

fn config((e, i, ranks, threads, window): Layout) -> String {
    let component = |name: &str, simulator: &str| {
        format!("[component.{name}]\nsimulator = \"{simulator}\"\nranks = {ranks}\nthreads = {threads}\n")
    };
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/nest/plastic.toml");
    fs::read_to_string(file)
        .unwrap()
        .replace("@components@", &(component("a", e) + &i.map_or(String::new(), |i| component("b", i))))
        .replace("@window@", &window.map_or(String::new(), |w| format!("window = \"{w}\"")))
        .replace("@E@", "a")
        .replace("@I@", if i.is_some() { "b" } else { "a" })
}

fn couple(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_couple")).args(arguments).current_dir(folder).output().unwrap()
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn run(folder: &Path, label: &str, config: &str) {
    let file = format!("{label}.toml");
    fs::write(folder.join(&file), config).unwrap();
    let output = couple(folder, &["run", "--quiet", "--label", label, "--out", ".", &file]);
    assert!(output.status.success(), "{label}: {}", text(&output));
}

fn compare(folder: &Path, a: &str, b: &str) -> (Option<i32>, String) {
    let output = couple(folder, &["compare", a, b]);
    (output.status.code(), text(&output))
}

#[test]
fn plastic_networks_have_the_same_spikes_on_native_and_nest_whole_and_split() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let native = config(("native", None, 1, 1, None));
    run(folder, "native", &native);
    run(folder, "split", &config(("native", Some("native"), 2, 2, Some("0.1 ms"))));
    assert_eq!(compare(folder, "native", "split").0, Some(0), "{}", compare(folder, "native", "split").1);
    // Does the plasticity matter at all?
    let fixed = native.replace("A_plus = 0.", "A_plus = 0.000");
    assert_ne!(fixed, native);
    run(folder, "fixed", &fixed);
    assert_eq!(compare(folder, "native", "fixed").0, Some(5));
    if nest::installed().is_none() {
        println!("skipped: the layouts with NEST need `couple setup nest`");
        return;
    }
    let layouts: [(&str, Layout); 6] = [
        ("nest", ("nest", None, 1, 1, None)),
        ("nest-threads", ("nest", None, 1, 2, None)),
        ("nest-ranks", ("nest", None, 2, 1, Some("0.1 ms"))),
        ("nest-nest", ("nest", Some("nest"), 1, 2, None)),
        ("nest-native", ("nest", Some("native"), 1, 1, None)),
        ("native-nest", ("native", Some("nest"), 1, 1, None)),
    ];
    for (label, layout) in layouts {
        run(folder, label, &config(layout));
        let (code, told) = compare(folder, "native", label);
        assert_eq!(code, Some(0), "{label}: {told}");
    }
}
