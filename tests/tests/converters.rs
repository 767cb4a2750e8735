//! Converters in real runs: closed loops through them have the same spikes however they are divided, and what cannot be
//! converted ends the run with its reason.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use couple::setup::nest;
use couple_tests::programs::{Runs, text};
use couple_tests::workspace;

/// The scenario with the converters of rates and those of spikes on these components.
fn network(rate: &str, poisson: &str, ranks: u32, window: Option<&str>) -> String {
    let template = std::fs::read_to_string(workspace().join("tests/scenarios/converters/network.toml")).unwrap();
    let mut names = vec![rate, poisson];
    names.dedup();
    let component =
        |name: &&str| format!("[component.{name}]\nsimulator = \"converter\"\nstep = \"0.5 ms\"\nranks = {ranks}\n\n");
    template
        .replace("@components@", &names.iter().map(component).collect::<String>())
        .replace("@RATE@", rate)
        .replace("@POISSON@", poisson)
        .replace("@ranks@", &ranks.to_string())
        .replace("@window@", &window.map_or(String::new(), |w| format!("window = \"{w}\"")))
}

#[test]
fn a_closed_loop_through_converters_has_the_same_spikes_everywhere() {
    let runs = Runs::default();
    runs.run("whole", &network("c", "c", 1, None), &[]);
    let (neurons, background, alarm) =
        (runs.spikes("whole", "E"), runs.spikes("whole", "background"), runs.spikes("whole", "alarm"));
    // The background is no faster than its offset and the scaled rates allow, nor slower than its offset.
    let offset = 400.0 * 40.0 * 0.5;
    let expected = offset + 8.0 * neurons as f64;
    assert!(neurons > 200 && alarm > 10, "{neurons} spikes of neurons and {alarm} alarms say little");
    assert!(background as f64 > offset, "{background} spikes of the background, {offset} without a loop");
    // Spikes of the last moments have not yet had their effect.
    let deviation = 5.0 * expected.sqrt();
    let late = 8.0 * 0.06 * neurons as f64;
    assert!((background as f64 - expected).abs() < deviation + late, "{background} instead of {expected}");
    for (label, rate, poisson, ranks, window) in [
        ("two", "c", "d", 1, None),
        ("one-step-windows", "c", "c", 1, Some("0.5 ms")),
        ("two-ranks", "c", "c", 2, None),
        ("three-ranks", "c", "d", 3, Some("0.5 ms")),
    ] {
        runs.run(label, &network(rate, poisson, ranks, window), &[]);
        runs.assert_same("whole", label);
    }
    runs.run("other", &network("c", "c", 1, None), &["run.seed=12"]);
    assert_eq!(runs.couple(&["compare", "whole", "other"]).status.code(), Some(5), "another seed, other spikes");
}

#[test]
fn the_neurons_of_the_loop_can_be_moved_to_nest() {
    if nest::installed().is_none() {
        println!("skipped: the loop on NEST needs it: run `couple setup nest`");
        return;
    }
    let runs = Runs::default();
    let native = network("c", "c", 2, None);
    runs.run("native", &native, &[]);
    runs.run("nest", &native, &["component.net.simulator=nest"]);
    runs.assert_same("native", "nest");
}

#[test]
fn a_negative_rate_ends_the_run_with_name_neuron_and_time() {
    let runs = Runs::default();
    // Without spikes the level falls to its offset.
    let config = network("c", "c", 2, None).replace("offset = 400.0", "offset = -1.0");
    std::fs::write(runs.folder().join("negative.toml"), config).unwrap();
    let output = runs.couple(&["run", "--quiet", "--label", "negative", "--out", ".", "negative.toml"]);
    let said = text(&output);
    assert_eq!(output.status.code(), Some(3), "{said}");
    for part in ["`background.rate`", "-1 Hz", "neuron ", " ms", "zero or more"] {
        assert!(said.contains(part), "{part} is not in: {said}");
    }
}

#[test]
fn a_sample_that_overflows_ends_the_run_with_name_neuron_and_time() {
    let runs = Runs::default();
    let config = network("c", "c", 1, None).replace("gain = 8.0", "gain = 1e308");
    std::fs::write(runs.folder().join("overflow.toml"), config).unwrap();
    let output = runs.couple(&["run", "--quiet", "--label", "overflow", "--out", ".", "overflow.toml"]);
    let said = text(&output);
    assert_eq!(output.status.code(), Some(3), "{said}");
    for part in ["`level.y`", "inf", "index ", " ms", "finite"] {
        assert!(said.contains(part), "{part} is not in: {said}");
    }
}
