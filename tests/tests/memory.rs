//! What the planner says a native component takes is what the kernel takes, or less: a run that fits is never refused.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;

use couple::config::parse;
use couple::plan::footprints;
use couple_kernel::engine::{Engine, Part};

fn predicted_and_taken(sets: &[&str]) -> (u64, u64) {
    let text = std::fs::read_to_string(couple_tests::workspace().join("configs/quickstart.toml")).unwrap();
    let sets: Vec<String> = ["component.right.threads=2", "population.I.component=left", "population.E.size=4000"]
        .iter()
        .chain(sets)
        .map(|set| (*set).to_owned())
        .collect();
    let loaded = parse(Path::new("quickstart.toml"), &text, &sets).unwrap_or_else(|wrong| panic!("{wrong:?}"));
    let part = Part { component: 0, rank: 0, ranks: 1, threads: 1 };
    let engine = Engine::build(&loaded.network, part).unwrap();
    // The kernel counts synapses and input that waits, not the states of neurons.
    let states = footprints(&loaded.network)[0].neurons * 40;
    (footprints(&loaded.network)[0].bytes - states, engine.bytes())
}

#[test]
fn what_is_predicted_is_taken() {
    for sets in [
        &[][..],
        &["projection.0.synapse.weight={ distribution = \"normal_clipped\", mu = 0.1, sigma = 0.01, low = 0.0 }"],
        &["projection.0.synapse.delay=\"100 ms\""],
    ] {
        let (predicted, taken) = predicted_and_taken(sets);
        assert!(predicted <= taken + taken / 100, "{sets:?}: predicted {predicted} bytes, taken {taken}");
        assert!(predicted >= taken / 2, "{sets:?}: predicted {predicted} bytes, taken {taken}");
    }
}
