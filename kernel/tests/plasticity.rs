//! Plastic synapses: what they do, and that it does not depend on threads, ranks, components or windows.

mod networks;

use couple_kernel::{Engine, Part};
use couple_network::description::*;
use couple_ports::time::{Span, Time};
use networks::plastic::{make_plastic, pair, stdp, tsodyks_markram};
use networks::*;

const CELLS: [Cell; 4] = [Cell::IfCurrExp, Cell::IfCurrAlpha, Cell::IfCurrDelta, Cell::IfCondExp];

fn plastic(cell: Cell, components: usize, place: [ComponentId; 3]) -> Network {
    let mut network = mixed(cell, components, place);
    network.duration = Span::from_ns(200_000_000);
    make_plastic(&mut network);
    network
}

fn assert_same(a: &(Vec<Spike>, Weights), b: &(Vec<Spike>, Weights), what: &str) {
    assert!(a.0 == b.0, "{what}: {} and {} spikes, not the same", a.0.len(), b.0.len());
    for (id, (x, y)) in a.1.iter().zip(&b.1).enumerate() {
        let differ = x.iter().zip(y).find(|(x, y)| (x.0, x.1, x.2.to_bits()) != (y.0, y.1, y.2.to_bits()));
        assert!(x.len() == y.len() && differ.is_none(), "{what}: weights of projection {id}: {differ:?}");
    }
}

#[test]
fn the_engine_does_what_plain_synapses_do() {
    for cell in CELLS {
        let network = plastic(cell, 1, [0; 3]);
        let (spikes, weights) = simulate_plainly_with_weights(&network);
        let found = simulate_with_weights(&network, &[(1, 1)], network.duration);
        assert!(spikes == found.0, "{cell:?}: {} and {} spikes", spikes.len(), found.0.len());
        for population in 0..3 {
            let count = spikes.iter().filter(|s| s.1 == population).count();
            assert!(count > 20, "{cell:?}: population {population} is silent ({count} spikes): the test says little");
        }
        for (id, (plain, found)) in weights.iter().zip(&found.1).enumerate() {
            let p = &network.projections[id];
            assert_eq!(plain.len(), found.len(), "projection {id}");
            let largest = p.weight_bound();
            for (a, b) in plain.iter().zip(found) {
                assert!((a.0, a.1) == (b.0, b.1), "projection {id}: {a:?} {b:?}");
                assert!((a.2 - b.2).abs() < 1e-12 * largest, "projection {id}: {a:?} {b:?}");
            }
            if let Plasticity::Stdp(_) = p.plasticity {
                let Value::Constant(start) = p.weight else { continue };
                let changed = found.iter().filter(|w| (w.2 - start).abs() > 0.01 * largest).count();
                assert!(changed > found.len() / 4, "{cell:?}: projection {id} has hardly learnt: {changed}");
            }
        }
    }
}

#[test]
fn threads_and_ranks_do_not_matter() {
    for cell in [Cell::IfCurrExp, Cell::IfCondExp] {
        let network = plastic(cell, 1, [0; 3]);
        let whole = simulate_with_weights(&network, &[(1, 1)], network.duration);
        for (ranks, threads) in [(1, 2), (1, 3), (2, 1), (3, 2)] {
            for window in [1, 3] {
                let found = simulate_with_weights(&network, &[(ranks, threads)], STEP * window);
                assert_same(&whole, &found, &format!("{cell:?}, {ranks} ranks, {threads} threads, window {window}"));
            }
        }
    }
}

#[test]
fn components_and_windows_do_not_matter() {
    let whole = plastic(Cell::IfCurrExp, 1, [0; 3]);
    let whole = simulate_with_weights(&whole, &[(1, 1)], whole.duration);
    for place in [[0, 1, 0], [0, 0, 1], [1, 0, 2]] {
        let network = plastic(Cell::IfCurrExp, 3, place);
        for window in 1..=3 {
            let found = simulate_with_weights(&network, &[(2, 1), (1, 2), (1, 1)], STEP * window);
            assert_same(&whole, &found, &format!("{place:?}, windows of {window} steps"));
        }
    }
}

#[test]
fn spikes_from_far_ahead_meet_the_postsynaptic_spikes_of_their_time() {
    let network = plastic(Cell::IfCurrExp, 2, [0, 1, 0]);
    let _watchdog = Watchdog::new();
    let whole = simulate_with_weights(&network, &[(1, 1), (1, 1)], STEP * 3);
    let mut engine = Engine::build(&network, Part { component: 1, rank: 0, ranks: 1, threads: 2 }).unwrap();
    for (time, population, index) in whole.0.iter().filter(|s| s.1 != 1) {
        engine.deliver(*population, *index, *time).unwrap();
    }
    let mut found = Vec::new();
    engine.run(Time::ZERO + network.duration, &mut |p, index, time| found.push((time, p, index))).unwrap();
    let expected: Vec<Spike> = whole.0.iter().copied().filter(|s| s.1 == 1).collect();
    assert!(expected == found);
    assert_eq!(engine.weights(1), whole.1[1]);
}

#[test]
fn one_pair_changes_the_weight_by_the_formula() {
    let weight = |pre: &[i64], post: &[i64], rule| {
        let (spikes, weights) = simulate_with_weights(&pair(pre, post, 10, rule), &[(1, 1)], STEP * 1000);
        assert_eq!(spikes.len(), post.len());
        weights[1][0].2
    };
    let rule = stdp(0.0, 1.0, (0.1, 0.2), (0.0, 0.0));
    let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} {b}");
    // The postsynaptic spike of 15 ms is at the synapse at 16 ms, 6 ms after the presynaptic one.
    close(weight(&[100], &[150], rule), 0.5 + 0.1 * (-6.0_f64 / 20.0).exp());
    // That of 5 ms at 6 ms, 4 ms before it.
    close(weight(&[100], &[50], rule), 0.5 - 0.2 * (-4.0_f64 / 25.0).exp());
    // At the same time at the synapse: no depression, and no potentiation by this spike.
    close(weight(&[100], &[90], rule), 0.5);
    // All pairs count; those with a later spike of the other side only.
    let both = 0.5 + 0.1 * ((-6.0_f64 / 20.0).exp()) - 0.2 * (-14.0_f64 / 25.0).exp();
    close(weight(&[100, 300], &[150], rule), both);
    let multiplicative = stdp(0.0, 2.0, (0.1, 0.2), (1.0, 1.0));
    close(weight(&[100], &[150], multiplicative), 0.5 + 0.1 * (2.0 - 0.5) * (-6.0_f64 / 20.0).exp());
    close(weight(&[100], &[50], multiplicative), 0.5 - 0.2 * 0.5 * (-4.0_f64 / 25.0).exp());
    let held = stdp(0.4, 0.55, (1.0, 1.0), (0.0, 0.0));
    close(weight(&[100], &[110], held), 0.55);
    close(weight(&[100], &[80], held), 0.4);
}

#[test]
fn resources_are_used_and_recover() {
    let rule = tsodyks_markram(0.5, 100.0, 50.0);
    // A neuron that does not reach its threshold: the steps of its potential are what arrives.
    let network = pair(&[100, 200, 400], &[], 10, rule);
    let mut engine = Engine::build(&network, Part { component: 0, rank: 0, ranks: 1, threads: 1 }).unwrap();
    let rest = |v: f64, to: f64| -65.0 + (v + 65.0) * to;
    let mut steps = Vec::new();
    let mut before = None;
    for k in 1..=500 {
        engine.run(Time::ZERO + STEP * k, &mut |_, _, _| ()).unwrap();
        let v = engine.membrane_potential(0)[0];
        if let Some(before) = before {
            let jump = v - rest(before, (-0.1_f64 / 20.0).exp());
            if jump.abs() > 1e-9 {
                steps.push((k, jump));
            }
        }
        before = Some(v);
    }
    let (x2, u2) = (1.0 - 0.5 * (-0.1_f64).exp(), 0.5 + 0.5 * 0.5 * (-0.2_f64).exp());
    let (x3, u3) = (1.0 - (1.0 - x2 * (1.0 - u2)) * (-0.2_f64).exp(), 0.5 + u2 * 0.5 * (-0.4_f64).exp());
    let expected = [(110, 0.25), (210, 0.5 * x2 * u2), (410, 0.5 * x3 * u3)];
    assert_eq!(steps.len(), 3, "{steps:?}");
    for (found, expected) in steps.iter().zip(&expected) {
        assert!(found.0 == expected.0 && (found.1 - expected.1).abs() < 1e-9, "{steps:?} {expected:?}");
    }
}
