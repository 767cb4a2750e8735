//! The result is a function of the description: it does not depend on threads, ranks, components or windows.

mod networks;

use couple_network::description::*;
use couple_ports::time::{Span, Time};
use networks::*;
use proptest::prelude::*;

const CELLS: [Cell; 4] = [Cell::IfCurrExp, Cell::IfCurrAlpha, Cell::IfCurrDelta, Cell::IfCondExp];

/// The first difference, so that a failure can be read.
fn assert_same(expected: &[Spike], found: &[Spike], what: &str) {
    let differ = expected.iter().zip(found).position(|(a, b)| a != b);
    let first = differ.unwrap_or(expected.len().min(found.len()));
    assert!(
        expected == found,
        "{what}: {} and {} spikes; the first difference is spike {first}: {:?} and {:?}",
        expected.len(),
        found.len(),
        expected.get(first),
        found.get(first)
    );
}

#[test]
fn the_engine_does_what_a_plain_simulator_does() {
    for cell in CELLS {
        let network = mixed(cell, 1, [0; 3]);
        let plain = simulate_plainly(&network);
        for population in 0..3 {
            let count = plain.iter().filter(|s| s.1 == population).count();
            assert!(count > 20, "{cell:?}: population {population} is silent ({count} spikes): the test says little");
        }
        assert_same(&plain, &simulate(&network, &[(1, 1)], network.duration), &format!("{cell:?}"));
    }
}

#[test]
fn threads_and_ranks_do_not_matter() {
    for cell in CELLS {
        let network = mixed(cell, 1, [0; 3]);
        let whole = simulate(&network, &[(1, 1)], network.duration);
        for ranks in 1..=3 {
            for threads in 1..=3 {
                // The shortest delay within the network is 0.3 ms.
                let found = simulate(&network, &[(ranks, threads)], STEP * 3);
                assert_same(&whole, &found, &format!("{cell:?}, {ranks} ranks, {threads} threads"));
            }
        }
    }
}

#[test]
fn components_and_windows_do_not_matter() {
    let whole = simulate(&mixed(Cell::IfCurrExp, 1, [0; 3]), &[(1, 1)], Span::from_ns(100_000_000));
    for place in [[0, 1, 0], [0, 0, 1], [1, 0, 2]] {
        let network = mixed(Cell::IfCurrExp, 3, place);
        for window in 1..=3 {
            let found = simulate(&network, &[(2, 1), (1, 2), (1, 1)], STEP * window);
            assert_same(&whole, &found, &format!("{place:?}, windows of {window} steps"));
        }
    }
}

#[test]
fn a_window_longer_than_the_delay_is_refused_and_says_where() {
    let network = mixed(Cell::IfCurrExp, 2, [0, 1, 0]);
    let mut engine =
        couple_kernel::Engine::build(&network, couple_kernel::Part { component: 1, rank: 0, ranks: 1, threads: 1 })
            .unwrap();
    engine.run(Time::from_ns(2_000_000), &mut |_, _, _| ()).unwrap();
    // Population a reaches b with 0.7 ms.
    engine.deliver(0, 3, Time::from_ns(1_400_000)).unwrap();
    let error = engine.deliver(0, 3, Time::from_ns(1_300_000)).unwrap_err().to_string();
    for part in ["neuron 3", "`a`", "1.3 ms", "0.7 ms", "2 ms"] {
        assert!(error.contains(part), "{part} is not in: {error}");
    }
    assert!(engine.deliver(0, 37, Time::from_ns(2_000_000)).unwrap_err().to_string().contains("37 neurons"));
    assert!(engine.run(Time::from_ns(1_000_000), &mut |_, _, _| ()).is_err(), "time does not run backwards");
    assert!(engine.run(Time::from_ns(2_050_000), &mut |_, _, _| ()).is_err(), "ends between steps");
}

#[test]
fn spikes_from_far_ahead_arrive_at_their_time() {
    // All spikes of the sender are handed over at the start: nothing is lost, nothing comes early.
    let network = mixed(Cell::IfCurrExp, 2, [0, 1, 0]);
    let _watchdog = Watchdog::new();
    let whole = simulate(&network, &[(1, 1), (1, 1)], STEP * 3);
    let mut engine =
        couple_kernel::Engine::build(&network, couple_kernel::Part { component: 1, rank: 0, ranks: 1, threads: 2 })
            .unwrap();
    for (time, population, index) in whole.iter().filter(|s| s.1 != 1) {
        engine.deliver(*population, *index, *time).unwrap();
    }
    let mut found = Vec::new();
    engine
        .run(Time::ZERO + network.duration, &mut |population, index, time| found.push((time, population, index)))
        .unwrap();
    let expected: Vec<Spike> = whole.into_iter().filter(|s| s.1 == 1).collect();
    assert_same(&expected, &found, "spikes handed over long before");
}

#[test]
fn a_spike_between_two_steps_counts_at_the_second() {
    // Population a is on a finer grid than b, which it reaches with 0.7 ms.
    let mut network = mixed(Cell::IfCurrDelta, 2, [0, 1, 0]);
    network.components[0].step = Span::from_ns(25_000);
    let source = (0..37).find(|i| build(&network, 1).needed(0).contains(*i)).unwrap();
    let potentials = |stamp: i64| {
        let mut engine = build(&network, 1);
        engine.deliver(0, source, Time::from_ns(stamp)).unwrap();
        let mut trace = Vec::new();
        for step in 1..=25 {
            engine.run(Time::ZERO + STEP * step, &mut |_, _, _| ()).unwrap();
            trace.push(engine.membrane_potential(1));
        }
        trace
    };
    let (on, between, late, next) =
        (potentials(1_300_000), potentials(1_325_000), potentials(1_400_000), potentials(1_425_000));
    assert_eq!(between, late);
    assert_ne!(on, between);
    assert_ne!(late, next);
    let first = on.iter().zip(&between).position(|(a, b)| a != b).unwrap();
    assert_eq!(first + 1, 20, "a spike at 1.3 ms acts at 2.0 ms");
}

fn build(network: &Network, component: ComponentId) -> couple_kernel::Engine {
    let part = couple_kernel::Part { component, rank: 0, ranks: 1, threads: 1 };
    couple_kernel::Engine::build(network, part).expect("it builds")
}

#[test]
fn stimuli_are_reported_when_asked_for() {
    let network = mixed(Cell::IfCurrExp, 1, [0; 3]);
    let collect = |ranks: u32| {
        let mut all = Vec::new();
        for rank in 0..ranks {
            let part = couple_kernel::Part { component: 0, rank, ranks, threads: 1 };
            let mut engine = couple_kernel::Engine::build(&network, part).unwrap();
            engine.report_stimulus(4).unwrap();
            engine.report_stimulus(5).unwrap();
            for k in 1..=20 {
                // Cells of other ranks stay unheard: only stimuli are looked at.
                engine.run(Time::ZERO + Span::from_ns(5_000_000) * k, &mut |p, i, t| all.push((t, p, i))).unwrap();
            }
        }
        all.retain(|s| s.1 >= 4);
        all.sort_unstable();
        all
    };
    let whole = collect(1);
    assert_eq!(whole.iter().filter(|s| s.1 == 5).count(), 3 * 19);
    assert!(whole.iter().filter(|s| s.1 == 4).count() > 200);
    assert_same(&whole, &collect(2), "stimuli on two ranks");
}

fn connectors() -> impl Strategy<Value = Connector> {
    let flags = (any::<bool>(), any::<bool>());
    prop_oneof![
        any::<bool>().prop_map(|allow_self_connections| Connector::AllToAll { allow_self_connections }),
        (0.0..1.0, any::<bool>())
            .prop_map(|(p, allow_self_connections)| Connector::FixedProbability { p, allow_self_connections }),
        (1..60u64, flags).prop_map(|(n, (_, allow_self_connections))| Connector::FixedTotalNumber {
            n,
            with_replacement: true,
            allow_self_connections
        }),
        (1..6u32, flags).prop_map(|(n, (with_replacement, allow_self_connections))| {
            Connector::FixedNumberPre { n, with_replacement, allow_self_connections }
        }),
        (1..6u32, flags).prop_map(|(n, (with_replacement, allow_self_connections))| Connector::FixedNumberPost {
            n,
            with_replacement,
            allow_self_connections
        }),
    ]
}

fn delays() -> impl Strategy<Value = Delay> {
    prop_oneof![
        (1..50i64).prop_map(|steps| Delay::Constant(STEP * steps)),
        (0.1..2.0f64, 0.0..3.0f64)
            .prop_map(|(low, spread)| Delay::Random(Distribution::Uniform { low, high: low + spread })),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn any_network_is_simulated_alike_everywhere(
        seed in any::<u64>(),
        cell in prop::sample::select(CELLS.to_vec()),
        sizes in prop::collection::vec(7..20u32, 2..4),
        wires in prop::collection::vec((connectors(), delays(), 0..16usize, any::<bool>()), 1..5),
        split in any::<bool>(),
        ranks in 1..4u32,
        threads in 1..4usize,
    ) {
        let mut network = mixed(cell, if split { 2 } else { 1 }, [0; 3]);
        network.seed = seed;
        network.duration = Span::from_ns(30_000_000);
        let weight = network.projections[1].weight.clone();
        network.populations.truncate(0);
        network.projections.truncate(0);
        for (i, size) in sizes.iter().enumerate() {
            let component = if split { i % 2 } else { 0 };
            let mut population = mixed(cell, 2, [component; 3]).populations[0].clone();
            population.name = format!("p{i}");
            population.size = *size;
            network.populations.push(population);
            network.populations.push(poisson(&format!("drive {i}"), component, *size, 1500.0));
            let drive = (2 * i + 1, 2 * i);
            let delay = Delay::Constant(STEP);
            network.projections.push(projection(drive, Connector::OneToOne, weight.clone(), delay, Receptor::Excitatory));
        }
        for (k, (connector, delay, pair, source_is_drive)) in wires.into_iter().enumerate() {
            let (from, to) = (pair / 4 % sizes.len(), pair % sizes.len());
            let from = 2 * from + usize::from(source_is_drive);
            let mut p = projection((from, 2 * to), connector, weight.clone(), delay, Receptor::Excitatory);
            p.name = format!("wire {k}");
            network.projections.push(p);
        }
        let plain = simulate_plainly(&network);
        let parts = vec![(ranks, threads); network.components.len()];
        let found = simulate(&network, &parts, STEP);
        assert_same(&plain, &found, "random network");
    }
}
