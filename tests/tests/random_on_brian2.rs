//! Law: how a network is dealt out to Brian2 processes changes no spike. Random networks are run by the real programs,
//! whole and split over components and ranks. `COUPLE_RANDOM_NETWORKS` makes more networks than the few by default.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use couple::setup::brian2;
use couple_network::description::Simulator;
use couple_tests::programs::Runs;
use couple_tests::sketch::{Layout, Sketch, sketch};
use couple_tests::written::config;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

/// One to three components, some of two processes.
fn placements() -> impl Strategy<Value = Layout> {
    let component = prop_oneof![2 => Just(1u32), 1 => Just(2)].prop_map(|ranks| (Simulator::Brian2, ranks, 1));
    (prop::collection::vec(component, 1..=3), prop::collection::vec(any::<u8>(), 6))
        .prop_map(|(components, placement)| Layout { components, placement, script_ranks: 1, steps: None })
}

/// Random networks without ports, the same in each test run.
fn sketches() -> impl Iterator<Item = (Sketch, Layout)> {
    let mut runner = TestRunner::deterministic();
    let all = (sketch(), placements());
    std::iter::repeat_with(move || {
        let (sketch, layout) = all.new_tree(&mut runner).unwrap().current();
        (Sketch { ports: vec![], duration: 5 * sketch.duration, ..sketch }, layout)
    })
}

fn number(default: usize) -> usize {
    std::env::var("COUPLE_RANDOM_NETWORKS").ok().and_then(|n| n.parse().ok()).unwrap_or(default)
}

#[test]
fn random_networks_on_brian2() {
    if brian2::installed().is_none() {
        println!("skipped: random networks on Brian2 need it: run `couple setup brian2`");
        return;
    }
    let mut spikes = 0;
    for (number, (sketch, layout)) in sketches().take(number(4)).enumerate() {
        let runs = Runs::default();
        let written = |layout: &Layout| config(&sketch.network(layout));
        let whole = Layout { components: vec![(Simulator::Brian2, 1, 1)], ..Layout::whole() };
        runs.run("whole", &written(&whole), &[]);
        runs.run("dealt", &written(&layout), &[]);
        let of_p0 = runs.spikes("whole", "p0");
        println!("network {number}: {of_p0} spikes of p0, {:?}", layout.components);
        runs.assert_same("whole", "dealt");
        spikes += of_p0;
    }
    assert!(spikes > 100, "{spikes} spikes say little");
}
