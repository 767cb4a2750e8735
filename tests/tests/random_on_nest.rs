//! Law: moving a population from one simulator to another changes no spike. Random networks are run by the real programs,
//! native and whole, and with their populations dealt out to native and NEST components. `COUPLE_RANDOM_NETWORKS` makes
//! more networks than the few by default.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;

use couple::config::parse;
use couple::setup::nest;
use couple_network::description::Simulator;
use couple_tests::local::{Manner, planned};
use couple_tests::programs::Runs;
use couple_tests::sketch::{Layout, STEPS, Sketch, layout, sketch};
use couple_tests::written::config;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

/// Two to three components, one at least of which is NEST; NEST with one or two threads or processes.
fn placements() -> impl Strategy<Value = Layout> {
    let simulator = prop_oneof![2 => Just(Simulator::Nest), 1 => Just(Simulator::Native)];
    let component = (simulator, prop_oneof![4 => Just(1u32), 1 => Just(2)], 1u32..=2);
    let components = (prop::collection::vec(component, 1..=2), 1u32..=2).prop_map(|(mut components, threads)| {
        components.push((Simulator::Nest, 1, threads));
        components
    });
    (components, prop::collection::vec(any::<u8>(), 6)).prop_map(|(components, placement)| Layout {
        components,
        placement,
        script_ranks: 1,
        steps: None,
    })
}

/// Random networks without ports and without signals, not all of which NEST has, the same in each test run.
fn sketches() -> impl Iterator<Item = (Sketch, Layout)> {
    let mut runner = TestRunner::deterministic();
    let all = (sketch(), placements());
    std::iter::repeat_with(move || {
        let (sketch, layout) = all.new_tree(&mut runner).unwrap().current();
        (Sketch { ports: vec![], signals: vec![], duration: 5 * sketch.duration, ..sketch }, layout)
    })
}

/// How many networks to make.
fn number(default: usize) -> usize {
    std::env::var("COUPLE_RANDOM_NETWORKS").ok().and_then(|n| n.parse().ok()).unwrap_or(default)
}

#[test]
fn random_networks_on_nest() {
    if nest::installed().is_none() {
        println!("skipped: random networks on NEST need it: run `couple setup nest`");
        return;
    }
    let networks = number(6);
    let mut spikes = 0;
    for (number, (sketch, layout)) in sketches().take(networks).enumerate() {
        let runs = Runs::default();
        runs.run("whole", &config(&sketch.network(&Layout::whole())), &[]);
        runs.run("dealt", &config(&sketch.network(&layout)), &[]);
        let of_p0 = runs.spikes("whole", "p0");
        println!("network {number}: {of_p0} spikes of p0, {:?}", layout.components);
        runs.assert_same("whole", "dealt");
        spikes += of_p0;
    }
    assert!(spikes > 100, "{spikes} spikes say little");
}

/// Components with steps of their own: populations stay on the grids that they have.
#[test]
fn random_networks_with_mixed_steps_on_nest() {
    if nest::installed().is_none() {
        println!("skipped: random networks on NEST need it: run `couple setup nest`");
        return;
    }
    let networks = number(4);
    let mixed = sketches().enumerate().map(|(number, (sketch, layout))| {
        let steps = (0..3).map(|component| STEPS[(number + component * (1 + number / 3)) % 3]).collect();
        (sketch, Layout { steps: Some(steps), ..layout })
    });
    // Loops can have no window with some steps: such networks are refused.
    let possible = mixed.filter(|(sketch, layout)| planned(&sketch.network(layout), &Manner::PLAIN).is_ok());
    for (sketch, layout) in possible.take(networks) {
        let mut native = layout.clone();
        native.components.iter_mut().for_each(|component| *component = (Simulator::Native, 1, 1));
        let runs = Runs::default();
        runs.run("native", &config(&sketch.network(&native)), &[]);
        runs.run("dealt", &config(&sketch.network(&layout)), &[]);
        runs.assert_same("native", "dealt");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    /// What is written as a configuration is read as the same description.
    #[test]
    fn a_configuration_says_what_was_meant(sketch in sketch(), layout in layout()) {
        let mut network = sketch.network(&layout);
        let step = network.components.last().unwrap().step;
        network.connections.iter_mut().for_each(|connection| connection.delay = connection.delay.max(step));
        for component in network.components.iter_mut().filter(|c| c.simulator == Simulator::Script) {
            component.command = vec!["true".to_owned(), "a \"word\"".to_owned()];
        }
        let text = config(&network);
        match parse(Path::new("random.toml"), &text, &[]) {
            Ok(loaded) => assert!(loaded.network == network, "{text}\n{:#?}\n{network:#?}", loaded.network),
            Err(errors) => panic!("{errors:?}\n{text}"),
        }
    }
}
