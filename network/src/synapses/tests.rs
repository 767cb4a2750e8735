use std::collections::HashMap;

use proptest::prelude::*;

use super::*;
use crate::description::{Delay, Distribution, Value, round_delay};
use crate::testing::{STEP, network};

/// Every kind of connector, for populations of `from` and `to` neurons.
fn connector(from: u32, to: u32) -> impl Strategy<Value = Connector> {
    let pairs = u64::from(from.saturating_sub(1)) * u64::from(to);
    prop_oneof![
        any::<bool>().prop_map(|s| Connector::AllToAll { allow_self_connections: s }),
        (prop_oneof![Just(0.0), Just(1.0), 0.0..1.0], any::<bool>())
            .prop_map(|(p, s)| Connector::FixedProbability { p, allow_self_connections: s }),
        (0..=from - 1, any::<bool>(), any::<bool>()).prop_map(|(n, r, s)| Connector::FixedNumberPre {
            n,
            with_replacement: r,
            allow_self_connections: s
        }),
        (0..=to - 1, any::<bool>(), any::<bool>()).prop_map(|(n, r, s)| Connector::FixedNumberPost {
            n,
            with_replacement: r,
            allow_self_connections: s
        }),
        (0..=pairs, any::<bool>(), any::<bool>()).prop_map(|(n, r, s)| Connector::FixedTotalNumber {
            n,
            with_replacement: r,
            allow_self_connections: s
        }),
        proptest::collection::vec((0..from, 0..to), 0..100).prop_map(|pairs| Connector::FromList { pairs }),
    ]
}

/// A network with one projection, and cuts that divide its postsynaptic neurons.
fn divided() -> impl Strategy<Value = (Network, Vec<u32>)> {
    (2_u32..40, 2_u32..40, any::<bool>())
        .prop_flat_map(|(from, to, recurrent)| {
            let to = if recurrent { from } else { to };
            let cuts = proptest::collection::vec(0..=to, 0..5);
            (Just((from, to, recurrent)), connector(from, to), cuts, any::<u64>())
        })
        .prop_map(|((from, to, recurrent), connector, mut cuts, seed)| {
            let mut network = network([from, to], recurrent, connector);
            network.seed = seed;
            cuts.extend([0, to]);
            cuts.sort_unstable();
            (network, cuts)
        })
}

proptest! {
    #[test]
    fn the_parts_make_the_whole((network, cuts) in divided()) {
        prop_assert_eq!(validate(&network, 0), Ok(()));
        let to = network.populations[network.projections[0].to].size;
        let whole = draw(&network, 0, 0..to);
        let parts = || cuts.windows(2).map(|cut| cut[0]..cut[1]);
        let union: Vec<Synapse> = parts().flat_map(|part| draw(&network, 0, part)).collect();
        prop_assert_eq!(&union, &whole);
        prop_assert!(whole.is_sorted_by_key(|s| s.post));
        for part in parts() {
            let drawn = draw(&network, 0, part.clone());
            prop_assert!(drawn.iter().all(|s| part.contains(&s.post)));
            prop_assert_eq!(count(&network, 0, part.clone()), drawn.len() as u64);
            let mut sources: Vec<u32> = drawn.iter().map(|s| s.pre).collect();
            sources.sort_unstable();
            sources.dedup();
            let needed: Vec<u32> = needed_sources(&network, 0, &[(0, part)]).iter().collect();
            prop_assert_eq!(needed, sources);
        }
    }

    #[test]
    fn connectors_keep_their_promise((network, _) in divided()) {
        let p = &network.projections[0];
        let (from, to) = (network.populations[p.from].size, network.populations[p.to].size);
        let whole = draw(&network, 0, 0..to);
        let pairs = Pairs::new(&network, p);
        prop_assert!(whole.iter().all(|s| s.pre < from && s.post < to));
        prop_assert!(!pairs.no_self || whole.iter().all(|s| s.pre != s.post));
        let mut times = HashMap::new();
        whole.iter().for_each(|s| *times.entry((s.pre, s.post)).or_insert(0) += 1);
        let distinct = times.values().all(|n| *n == 1);
        let onto = |post| whole.iter().filter(|s| s.post == post).count() as u32;
        let of = |pre| whole.iter().filter(|s| s.pre == pre).count() as u32;
        match &p.connector {
            Connector::AllToAll { .. } => {
                prop_assert!(distinct && (0..to).all(|post| onto(post) == pairs.sources()));
            }
            Connector::FixedProbability { p, .. } => {
                prop_assert!(distinct);
                prop_assert!(*p > 0.0 || whole.is_empty());
                prop_assert!(*p < 1.0 || (0..to).all(|post| onto(post) == pairs.sources()));
            }
            Connector::FixedNumberPre { n, with_replacement, .. } => {
                prop_assert!((distinct || *with_replacement) && (0..to).all(|post| onto(post) == *n));
            }
            Connector::FixedNumberPost { n, with_replacement, .. } => {
                prop_assert!((distinct || *with_replacement) && (0..from).all(|pre| of(pre) == *n));
            }
            Connector::FixedTotalNumber { n, with_replacement, .. } => {
                prop_assert!((distinct || *with_replacement) && whole.len() as u64 == *n);
            }
            Connector::FromList { pairs } => {
                let mut sorted = pairs.clone();
                sorted.sort_by_key(|(_, post)| *post);
                prop_assert_eq!(whole.iter().map(|s| (s.pre, s.post)).collect::<Vec<_>>(), sorted);
            }
            Connector::OneToOne => unreachable!("not drawn here"),
        }
    }

    #[test]
    fn weights_and_delays_lie_on_their_grids((network, _) in divided()) {
        let (p, grid) = (&network.projections[0], crate::weights::ProjectionGrid::new(&network, 0));
        for s in draw(&network, 0, 0..network.populations[p.to].size) {
            prop_assert_eq!(s.weight, grid.receptor.weight(s.raw));
            prop_assert_eq!(grid.snap(s.weight), s.weight);
            prop_assert!((0.0..=1.0).contains(&s.weight));
            prop_assert_eq!(s.delay, STEP * i64::from(s.delay_steps));
            prop_assert!(p.delay.min(STEP) <= s.delay && s.delay <= p.delay.max(STEP));
        }
    }

    #[test]
    fn delays_are_rounded_as_everywhere(ms in 0.0..50.0_f64, ns in 1_i64..1_000_000) {
        let step = Span::from_ns(ns * 1000);
        prop_assert_eq!(step * i64::from(row::steps_of(ms, step.ns() as f64)), round_delay(ms, step));
    }
}

#[test]
fn one_to_one() {
    let network = network([6, 6], false, Connector::OneToOne);
    let pairs: Vec<_> = draw(&network, 0, 2..5).iter().map(|s| (s.pre, s.post)).collect();
    assert_eq!(pairs, [(2, 2), (3, 3), (4, 4)]);
    assert_eq!(count(&network, 0, 2..5), 3);
}

#[test]
fn lists_keep_their_weights_and_delays() {
    let pairs = vec![(0, 2), (1, 0), (2, 2), (0, 0)];
    let mut network = network([3, 3], false, Connector::FromList { pairs });
    let ms = |ms: f64| Span::from_ms(ms).expect("a whole number of nanoseconds");
    network.projections[0].weight = Value::List(vec![0.5, 0.25, 1.0, 0.75]);
    network.projections[0].delay = Delay::List(vec![ms(1.0), ms(0.2), ms(0.3), ms(0.4)]);
    assert_eq!(validate(&network, 0), Ok(()));
    let rows =
        |post| draw(&network, 0, post).iter().map(|s| (s.pre, s.post, s.weight, s.delay_steps)).collect::<Vec<_>>();
    assert_eq!(rows(0..3), [(1, 0, 0.25, 2), (0, 0, 0.75, 4), (0, 2, 0.5, 10), (2, 2, 1.0, 3)]);
    assert_eq!(rows(2..3), [(0, 2, 0.5, 10), (2, 2, 1.0, 3)]);
}

#[test]
fn who_is_connected_does_not_depend_on_weights() {
    let connector = Connector::FixedProbability { p: 0.3, allow_self_connections: true };
    let drawn = network([50, 50], false, connector);
    let mut constant = drawn.clone();
    constant.projections[0].weight = Value::Constant(1.0);
    constant.projections[0].delay = Delay::Constant(STEP);
    let pairs = |network: &Network| draw(network, 0, 0..50).iter().map(|s| (s.pre, s.post)).collect::<Vec<_>>();
    assert_eq!(pairs(&drawn), pairs(&constant));
}

/// How far the numbers of `counts` scatter around their mean, as a chi-square in standard deviations.
fn scatter(counts: &[f64], expected: f64, variance: f64) -> f64 {
    let freedom = counts.len() as f64;
    let chi: f64 = counts.iter().map(|c| (c - expected).powi(2) / variance).sum();
    (chi - freedom) / (2.0 * freedom).sqrt()
}

#[test]
fn every_pair_is_as_likely() {
    let (size, repetitions) = (12_u32, 4000);
    let pairs = f64::from(size) * f64::from(size - 1);
    let (s, total) = (false, 40);
    for (connector, expected) in [
        (Connector::FixedProbability { p: 0.3, allow_self_connections: s }, 0.3),
        (Connector::FixedNumberPre { n: 4, with_replacement: false, allow_self_connections: s }, 4.0 / 11.0),
        (Connector::FixedNumberPre { n: 4, with_replacement: true, allow_self_connections: s }, 4.0 / 11.0),
        (Connector::FixedNumberPost { n: 4, with_replacement: false, allow_self_connections: s }, 4.0 / 11.0),
        (Connector::FixedTotalNumber { n: total, with_replacement: false, allow_self_connections: s }, 40.0 / pairs),
        (Connector::FixedTotalNumber { n: total, with_replacement: true, allow_self_connections: s }, 40.0 / pairs),
    ] {
        let mut network = network([size, size], true, connector);
        let mut counts = vec![0.0; (size * size) as usize];
        for seed in 0..repetitions {
            network.seed = seed;
            for_each(&network, 0, 0..size, |s| counts[(s.post * size + s.pre) as usize] += 1.0);
        }
        let of_pairs: Vec<f64> = (0..size * size)
            .filter(|i| i / size != i % size)
            .map(|i| counts[i as usize] / repetitions as f64)
            .collect();
        // A pair's count is nearly binomial (with replacement: Poisson).
        let replaced = matches!(
            network.projections[0].connector,
            Connector::FixedNumberPre { with_replacement: true, .. }
                | Connector::FixedTotalNumber { with_replacement: true, .. }
        );
        let variance = if replaced { expected } else { expected * (1.0 - expected) } / repetitions as f64;
        let z = scatter(&of_pairs, expected, variance);
        assert!(z.abs() < 4.5, "{:?}: {z}", network.projections[0].connector);
    }
}

/// Whether numbers of synapses per neuron vary as they should, and not just their means.
#[test]
fn total_numbers_are_divided_as_by_chance() {
    let (size, n, repetitions) = (7_u32, 60, 4000);
    for with_replacement in [true, false] {
        let connector = Connector::FixedTotalNumber { n, with_replacement, allow_self_connections: true };
        let mut network = network([20, size], false, connector);
        let mut counts = Vec::new();
        for seed in 0..repetitions {
            network.seed = seed;
            counts.push(count(&network, 0, 3..4) as f64);
        }
        let p = 1.0 / f64::from(size);
        let all = 20.0 * f64::from(size);
        let correction = if with_replacement { 1.0 } else { (all - n as f64) / (all - 1.0) };
        let variance = n as f64 * p * (1.0 - p) * correction;
        assert!(scatter(&counts, n as f64 * p, variance).abs() < 4.5, "with replacement: {with_replacement}");
    }
}

#[test]
fn golden_synapses() {
    use std::fmt::Write;
    let (s, r) = (false, true);
    let mut text = String::new();
    for connector in [
        Connector::FixedProbability { p: 0.1, allow_self_connections: s },
        Connector::FixedNumberPre { n: 3, with_replacement: r, allow_self_connections: s },
        Connector::FixedNumberPre { n: 3, with_replacement: false, allow_self_connections: s },
        Connector::FixedNumberPost { n: 2, with_replacement: r, allow_self_connections: s },
        Connector::FixedNumberPost { n: 2, with_replacement: false, allow_self_connections: s },
        Connector::FixedTotalNumber { n: 500, with_replacement: r, allow_self_connections: s },
        Connector::FixedTotalNumber { n: 500, with_replacement: false, allow_self_connections: s },
    ] {
        writeln!(text, "{connector:?}").expect("a String takes everything");
        for s in draw(&network([100, 100], true, connector), 0, 50..100).iter().take(6) {
            writeln!(text, "  {} {} {} {}", s.pre, s.post, s.raw, s.delay_steps).expect("a String takes everything");
        }
    }
    assert_eq!(text, include_str!("golden.txt"), "now:\n{text}");
}

#[test]
fn impossible_projections_are_refused() {
    use SynapseError::*;
    let check = |sizes, recurrent, connector| validate(&network(sizes, recurrent, connector), 0);
    let (t, f) = (true, false);
    let pre = |n, with_replacement, allow_self_connections| Connector::FixedNumberPre {
        n,
        with_replacement,
        allow_self_connections,
    };
    let post = |n, with_replacement, allow_self_connections| Connector::FixedNumberPost {
        n,
        with_replacement,
        allow_self_connections,
    };
    let total = |n, with_replacement, allow_self_connections| Connector::FixedTotalNumber {
        n,
        with_replacement,
        allow_self_connections,
    };
    assert!(matches!(check([3, 4], f, Connector::OneToOne), Err(SizesDiffer { .. })));
    for p in [-0.1, 1.1, f64::NAN] {
        let connector = Connector::FixedProbability { p, allow_self_connections: t };
        assert!(matches!(check([3, 4], f, connector), Err(NotAProbability(_))));
    }
    assert!(matches!(check([3, 4], f, pre(4, f, t)), Err(TooFewPartners { available: 3, .. })));
    assert!(matches!(check([3, 3], t, pre(3, f, f)), Err(TooFewPartners { available: 2, .. })));
    assert!(matches!(check([3, 4], f, post(5, f, t)), Err(TooFewPartners { available: 4, .. })));
    assert!(matches!(check([1, 1], t, pre(1, t, f)), Err(NoPairs { .. })));
    assert!(matches!(check([3, 4], f, total(13, f, t)), Err(TooFewPairs { available: 12, .. })));
    assert!(matches!(check([3, 3], t, total(7, f, f)), Err(TooFewPairs { available: 6, .. })));
    assert!(matches!(check([1, 1], t, total(1, t, f)), Err(NoPairs { .. })));
    for (sizes, recurrent, fine) in
        [([3, 4], f, pre(3, f, t)), ([3, 4], f, pre(9, t, t)), ([3, 3], t, total(6, f, f)), ([3, 4], f, post(4, f, f))]
    {
        assert_eq!(check(sizes, recurrent, fine.clone()), Ok(()), "{fine:?}");
    }
    let bad_row = check([3, 4], f, Connector::FromList { pairs: vec![(2, 3), (3, 0)] });
    assert!(matches!(&bad_row, Err(IndexOutOfRange { row: 1, role: "presynaptic", index: 3, size: 3, .. })));
    assert!(bad_row.is_err_and(|e| e.to_string().contains("`A` has 3 neurons (0 to 2)")));
}

#[test]
fn wrong_weights_and_delays_are_refused() {
    use crate::description::{Cell, Receptor};
    use SynapseError::{DelayOffGrid, DelayTooLong, DelayTooShort, ListWithoutPairs, Weight, WeightSign};
    let all = Connector::AllToAll { allow_self_connections: true };
    let check = |cell, receptor, weight: Value, delay: Delay| {
        let mut network = network([3, 3], false, all.clone());
        network.populations[1].model = crate::testing::cells(cell);
        let p = &mut network.projections[0];
        (p.receptor, p.weight, p.delay) = (receptor, weight, delay);
        validate(&network, 0)
    };
    let (curr, cond) = (Cell::IfCurrExp, Cell::IfCondExp);
    let (exc, inh) = (Receptor::Excitatory, Receptor::Inhibitory);
    let normal = |mu| Value::Random(Distribution::Normal { mu, sigma: 0.1 });
    let step = || Delay::Constant(STEP);
    assert!(matches!(check(curr, exc, Value::Constant(-1.0), step()), Err(WeightSign { .. })));
    assert!(matches!(check(curr, inh, Value::Constant(1.0), step()), Err(WeightSign { .. })));
    assert!(matches!(check(cond, inh, Value::Constant(-1.0), step()), Err(WeightSign { .. })));
    assert!(check(curr, exc, normal(0.5), step()).is_err_and(|e| e.to_string().contains("normal_clipped")));
    for (cell, receptor, weight) in
        [(curr, exc, 1.0), (curr, inh, -1.0), (cond, inh, 1.0), (curr, inh, 0.0), (Cell::IfCurrDelta, inh, -0.5)]
    {
        assert_eq!(check(cell, receptor, Value::Constant(weight), step()), Ok(()));
    }
    assert_eq!(check(curr, exc, normal(1.1), step()), Ok(()));
    let one = || Value::Constant(1.0);
    assert!(matches!(check(curr, exc, Value::Constant(f64::NAN), step()), Err(Weight(_))));
    assert!(matches!(check(curr, exc, Value::List(vec![1.0]), step()), Err(ListWithoutPairs("weight"))));
    assert!(matches!(check(curr, exc, one(), Delay::Constant(Span::ZERO)), Err(DelayTooShort { .. })));
    let off = check(curr, exc, one(), Delay::Constant(Span::from_ns(170_000)));
    assert!(matches!(off, Err(DelayOffGrid { nearest, .. }) if nearest == STEP * 2));
    let long = Delay::Random(Distribution::Uniform { low: 1.0, high: 1e9 });
    assert!(matches!(check(curr, exc, one(), long), Err(DelayTooLong { .. })));
    let nonsense = Delay::Random(Distribution::Normal { mu: 1.0, sigma: -1.0 });
    assert!(matches!(check(curr, exc, one(), nonsense), Err(SynapseError::Delay(_))));
}
