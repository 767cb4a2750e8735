//! Law: a run's spikes are a function of the description and the seed alone. Random networks are run whole, split over
//! components, on several ranks and threads, in other windows, over other transports and with ranks held up at random.
//! All runs must have the same spikes, bit for bit. `PROPTEST_CASES` makes more networks than the few by default.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;

use couple_network::description::Model;
use couple_network::description::Network;
use couple_network::stimulus::Stimulus;
use couple_network::{cells, stimulus, synapses};
use couple_ports::time::Time;
use couple_tests::local::{Carry, Manner, Spike, run};
use couple_tests::sketch::{Layout, STEPS, Sketch, layout, sketch};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;

fn config(cases: u32) -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(cases);
    ProptestConfig { cases, max_shrink_iters: 400, failure_persistence: None, ..ProptestConfig::default() }
}

prop_compose! {
    fn manner()(
        window in prop::option::of(0.0..1.0f64),
        carry in prop::sample::select(&[Carry::Thread, Carry::Rings, Carry::SmallRings][..]),
        pauses in prop::option::of(any::<u64>()),
        cores in prop::sample::select(&[2u32, 4][..]),
    ) -> Manner {
        Manner { window, carry, pauses, cores, slow_end: false }
    }
}

/// The description passes what `couple check` asks of it, so that a failure is one of the run.
fn assert_valid(network: &Network) {
    for (id, population) in network.populations.iter().enumerate() {
        match &population.model {
            Model::Cell { cell, params, initial } => {
                cells::validate_params(*cell, population.size, params).unwrap();
                cells::validate_initial(*cell, population.size, initial).unwrap();
            }
            Model::Port => {}
            _ => stimulus::validate(network, id).unwrap(),
        }
    }
    (0..network.projections.len()).for_each(|id| synapses::validate(network, id).unwrap());
}

/// The first difference and how many spikes there are of each population.
fn difference(a: &[Spike], b: &[Spike]) -> String {
    let counts = |spikes: &[Spike]| {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        spikes.iter().for_each(|spike| *counts.entry(spike.0.clone()).or_default() += 1);
        counts
    };
    let by_time = |spikes: &[Spike]| {
        let mut spikes = spikes.to_vec();
        spikes.sort_by(|x, y| (x.1, &x.0, x.2).cmp(&(y.1, &y.0, y.2)));
        spikes
    };
    let (x, y) = (by_time(a), by_time(b));
    let first = x.iter().zip(&y).position(|(x, y)| x != y).unwrap_or(x.len().min(y.len()));
    format!("at {first}: {:?} and {:?}\n{:?}\n{:?}", x.get(first), y.get(first), counts(a), counts(b))
}

/// What follows from the description alone is there: recorded sources spike as they must, and ports get all that their
/// population sent, a delay later.
fn assert_explained(network: &Network, spikes: &[Spike]) {
    let end = Time::ZERO + network.duration;
    let of = |name: &str| -> Vec<(Time, u32)> { spikes.iter().filter(|s| s.0 == name).map(|s| (s.1, s.2)).collect() };
    for id in network.recorded_spikes() {
        let population = &network.populations[id];
        if population.model.is_stimulus() {
            let mut expected = Vec::new();
            Stimulus::new(network, id, 0..population.size).unwrap().between(Time::ZERO, end, |index, time, count| {
                expected.extend(std::iter::repeat_n((time, index), count as usize));
            });
            expected.sort_unstable();
            assert!(of(&population.name) == expected, "the source {} spikes otherwise", population.name);
        }
    }
    for connection in network.connections.iter().filter(|c| network.recorded_spikes().any(|r| r == c.from)) {
        let sent = of(&network.populations[connection.from].name).into_iter();
        let expected = sent.map(|(time, index)| (time + connection.delay, index)).filter(|(time, _)| *time <= end);
        let port = &network.populations[connection.to].name;
        assert!(of(&format!("→ {port}")) == expected.collect::<Vec<_>>(), "{port} gets something else");
    }
}

fn assert_same(sketch: &Sketch, reference: &[Spike], layout: &Layout, manner: &Manner) {
    let network = sketch.network(layout);
    let found = run(&network, manner).unwrap();
    assert!(found == reference, "{}\n{layout:?}\n{manner:?}", difference(reference, &found));
}

proptest! {
    #![proptest_config(config(200))]

    /// Whole, and split in two ways.
    #[test]
    fn a_split_network_has_the_spikes_of_the_whole(
        sketch in sketch(),
        layouts in (layout(), layout()),
        manners in (manner(), manner(), manner()),
    ) {
        let network = sketch.network(&Layout::whole());
        assert_valid(&network);
        let reference = run(&network, &Manner::PLAIN).unwrap();
        assert_explained(&network, &reference);
        assert_same(&sketch, &reference, &Layout::whole(), &manners.0);
        assert_same(&sketch, &reference, &layouts.0, &manners.1);
        assert_same(&sketch, &reference, &layouts.1, &manners.2);
    }

    /// Components with different steps: populations stay where they are, and all else varies.
    #[test]
    fn mixed_steps_have_one_result(
        sketch in sketch(),
        placed in layout(),
        steps in prop::collection::vec(prop::sample::select(&STEPS[..]), 6),
        numbers in prop::collection::vec((1u32..=3, 1u32..=3), 10),
        manners in (manner(), manner()),
    ) {
        let mut layout = Layout { steps: Some(steps), ..placed };
        let mut numbers = numbers.into_iter();
        layout.components.iter_mut().for_each(|c| (c.1, c.2) = (1, 1));
        let network = sketch.network(&layout);
        assert_valid(&network);
        let Ok(reference) = run(&network, &Manner::PLAIN) else {
            return Ok(()); // a loop without any window: refused
        };
        for manner in [manners.0, manners.1] {
            layout.components.iter_mut().for_each(|c| (c.1, c.2) = numbers.next().unwrap());
            if couple_tests::local::planned(&sketch.network(&layout), &manner).is_err() {
                continue; // the ranks of a component add loops of their own
            }
            assert_same(&sketch, &reference, &layout, &manner);
        }
    }
}

proptest! {
    #![proptest_config(config(60))]

    /// The order in which projections and components are listed says nothing.
    #[test]
    fn the_order_of_the_description_does_not_matter(sketch in sketch(), layout in layout(), manner in manner()) {
        let mut network = sketch.network(&layout);
        let reference = run(&network, &Manner::PLAIN).unwrap();
        network.projections.reverse();
        network.recordings.reverse();
        network.components.reverse();
        let last = network.components.len() - 1;
        network.populations.iter_mut().for_each(|population| population.component = last - population.component);
        let found = run(&network, &manner).unwrap();
        assert!(found == reference, "{}\n{manner:?}", difference(&reference, &found));
    }
}

/// The random networks are worth comparing: most of them spike, and spikes and signals have effects.
#[test]
fn random_networks_are_lively() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut silent, mut indifferent, mut with_signals, mut unmoved) = (0, 0, 0, 0);
    for _ in 0..100 {
        let sketch = sketch().new_tree(&mut runner).unwrap().current();
        let network = sketch.network(&Layout::whole());
        let spikes = run(&network, &Manner::PLAIN).unwrap();
        let unconnected = Network { projections: vec![], ..network.clone() };
        silent += u32::from(spikes.len() < 20);
        indifferent += u32::from(run(&unconnected, &Manner::PLAIN).unwrap() == spikes);
        if !network.signals.is_empty() {
            let without = Network { signals: vec![], ..network };
            with_signals += 1;
            unmoved += u32::from(run(&without, &Manner::PLAIN).unwrap() == spikes);
        }
        assert!(spikes.iter().all(|spike| spike.1 <= Time::ZERO + sketch.span()));
    }
    assert!(silent < 25 && indifferent < 25, "{silent} silent, {indifferent} indifferent to their synapses");
    assert!(with_signals > 20 && 2 * unmoved < with_signals, "{unmoved} of {with_signals} not moved by their signals");
}
