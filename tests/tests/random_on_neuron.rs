//! Law: how a network is dealt out to NEURON processes changes no spike. Random networks are run by the real programs,
//! whole and split over components and ranks, by both integrators. `COUPLE_RANDOM_NETWORKS` makes more networks than the
//! few by default.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use couple::setup::neuron;
use couple_network::description::{Cvode, Network, Simulator};
use couple_tests::programs::Runs;
use couple_tests::sketch::{Layout, Sketch, sketch};
use couple_tests::written::config;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

/// One to three components, some of two processes.
fn placements() -> impl Strategy<Value = Layout> {
    let component = prop_oneof![2 => Just(1u32), 1 => Just(2)].prop_map(|ranks| (Simulator::Neuron, ranks, 1));
    (prop::collection::vec(component, 1..=3), prop::collection::vec(any::<u8>(), 6))
        .prop_map(|(components, placement)| Layout { components, placement, script_ranks: 1, steps: None })
}

/// Random networks without ports and without signals, the same in each test run.
fn sketches() -> impl Iterator<Item = (Sketch, Layout)> {
    let mut runner = TestRunner::deterministic();
    let all = (sketch(), placements());
    std::iter::repeat_with(move || {
        let (sketch, layout) = all.new_tree(&mut runner).unwrap().current();
        (Sketch { ports: vec![], signals: vec![], duration: 5 * sketch.duration, ..sketch }, layout)
    })
}

fn number(default: usize) -> usize {
    std::env::var("COUPLE_RANDOM_NETWORKS").ok().and_then(|n| n.parse().ok()).unwrap_or(default)
}

#[test]
fn random_networks_on_neuron() {
    if neuron::installed().is_none() {
        println!("skipped: random networks on NEURON need it: run `couple setup neuron`");
        return;
    }
    let mut spikes = 0;
    for (number, (sketch, layout)) in sketches().take(number(6)).enumerate() {
        let runs = Runs::default();
        let variable = number % 2 == 1;
        let written = |layout: &Layout| {
            let mut network: Network = sketch.network(layout);
            let cvode = variable.then_some(Cvode { atol: 1e-5, condition_order: 2 });
            network.components.iter_mut().filter(|c| c.simulator == Simulator::Neuron).for_each(|c| c.cvode = cvode);
            config(&network)
        };
        let whole = Layout { components: vec![(Simulator::Neuron, 1, 1)], ..Layout::whole() };
        runs.run("whole", &written(&whole), &[]);
        runs.run("dealt", &written(&layout), &[]);
        let of_p0 = runs.spikes("whole", "p0");
        println!("network {number}: {of_p0} spikes of p0, {:?}, variable step: {variable}", layout.components);
        runs.assert_same("whole", "dealt");
        spikes += of_p0;
    }
    assert!(spikes > 100, "{spikes} spikes say little");
}
