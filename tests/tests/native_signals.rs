//! Analog signals of native components: potentials, currents and thresholds in closed loops, with spikes besides, give the same
//! spikes in one component as in several, whatever the ranks, threads and windows.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use couple_tests::programs::{Runs, text};
use couple_tests::workspace;

/// Where E, I and X live, and how they are divided.
struct Layout {
    placement: [&'static str; 3],
    ranks: u32,
    threads: u32,
    /// Ranks of the converters.
    map_ranks: u32,
    window: Option<&'static str>,
}

const WHOLE: Layout = Layout { placement: ["a", "a", "a"], ranks: 1, threads: 1, map_ranks: 1, window: None };

fn network(layout: &Layout) -> String {
    let scenario = workspace().join("tests/scenarios/signals");
    let template = std::fs::read_to_string(scenario.join("network.toml")).unwrap();
    let mut names = layout.placement.to_vec();
    names.sort_unstable();
    names.dedup();
    let Layout { ranks, threads, .. } = layout;
    let component = |name: &&str| {
        format!(
            "[component.{name}]\nsimulator = \"native\"\nstep = \"0.1 ms\"\nranks = {ranks}\nthreads = {threads}\n\n"
        )
    };
    template
        .replace("@components@", &names.iter().map(component).collect::<String>())
        .replace("@window@", &layout.window.map_or(String::new(), |w| format!("window = \"{w}\"")))
        .replace("@map_ranks@", &layout.map_ranks.to_string())
        .replace("@E@", layout.placement[0])
        .replace("@I@", layout.placement[1])
        .replace("@X@", layout.placement[2])
        .replace("matrix.csv", &scenario.join("matrix.csv").display().to_string())
}

#[test]
fn split_is_whole() {
    let runs = Runs::default();
    runs.run("whole", &network(&WHOLE), &[]);
    for population in ["E", "I", "X"] {
        let spikes = runs.spikes("whole", population);
        assert!((60..6000).contains(&spikes), "{spikes} spikes of {population} say little");
    }
    for (label, layout) in [
        ("two", Layout { placement: ["a", "b", "b"], ..WHOLE }),
        ("three", Layout { placement: ["a", "b", "c"], ..WHOLE }),
        ("three-one-step", Layout { placement: ["a", "b", "c"], threads: 2, window: Some("0.1 ms"), ..WHOLE }),
        ("whole-three-ranks", Layout { ranks: 3, threads: 2, map_ranks: 2, ..WHOLE }),
        ("two-by-two", Layout { placement: ["a", "b", "a"], ranks: 2, map_ranks: 3, ..WHOLE }),
        (
            "three-by-three",
            Layout { placement: ["a", "b", "c"], ranks: 3, map_ranks: 2, window: Some("0.1 ms"), ..WHOLE },
        ),
    ] {
        runs.run(label, &network(&layout), &[]);
        runs.assert_same("whole", label);
    }
}

#[test]
fn every_signal_counts() {
    // Without one of its signals the network has other spikes: none of them is lost on the way.
    let runs = Runs::default();
    let whole = network(&WHOLE);
    runs.run("whole", &whole, &[]);
    let blocks: Vec<&str> = whole.split("\n\n").collect();
    let connections: Vec<usize> = (0..blocks.len()).filter(|i| blocks[*i].starts_with("[[connection]]")).collect();
    assert_eq!(connections.len(), 9);
    for (number, left_out) in connections.into_iter().enumerate() {
        // What feeds a converter cannot be left out: nothing would be connected to it.
        if [".x\"", "half"].iter().any(|of_converter| blocks[left_out].contains(of_converter)) {
            continue;
        }
        let rest: Vec<&str> =
            blocks.iter().enumerate().filter(|(i, _)| *i != left_out).map(|(_, block)| *block).collect();
        let label = format!("without-{number}");
        runs.run(&label, &rest.join("\n\n"), &[]);
        let output = runs.couple(&["compare", "whole", &label]);
        assert_eq!(output.status.code(), Some(5), "without {}: {}", blocks[left_out], text(&output));
    }
}

#[test]
fn a_threshold_that_cannot_be_ends_the_run_with_neuron_and_time() {
    let runs = Runs::default();
    let config = network(&WHOLE).replace("v_reset = -90.0", "v_reset = -64.0");
    std::fs::write(runs.folder().join("reset.toml"), config).unwrap();
    let output = runs.couple(&["run", "--quiet", "--label", "reset", "--out", ".", "reset.toml"]);
    let said = text(&output);
    assert_eq!(output.status.code(), Some(3), "{said}");
    for part in ["of `E` at ", "`v_thresh` is -", "above `v_reset`"] {
        assert!(said.contains(part), "{part} is not in: {said}");
    }
}
