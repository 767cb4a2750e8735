#![allow(clippy::unwrap_used, reason = "what a test expects")]

use super::*;

fn spike(time_ns: i64, index: u32) -> Spike {
    Spike { time_ns, index, count: 1 }
}

/// Two sources: neuron 0 reaches places 0 (twice) and 2; neuron 1 place 1 by two delays; and one with a single synapse.
fn table(grid_ns: i64) -> Table {
    let mut table = Table::new(4, grid_ns).unwrap();
    let columns = Columns {
        pre: &[1, 0, 0, 1, 0],
        place: &[1, 2, 0, 1, 0],
        weight: &[0.5, 2.0, 0.25, -1.0, 0.125],
        delay_ns: &[20, 10, 10, 30, 10],
    };
    assert_eq!(table.add_source(3, columns).unwrap(), 0);
    let one = Columns { pre: &[0], place: &[2], weight: &[8.0], delay_ns: &[10] };
    assert_eq!(table.add_source(1, one).unwrap(), 1);
    table
}

#[test]
fn arrivals_are_summed_by_time_and_place() {
    let mut table = table(1);
    table.add_spikes(0, &[spike(5, 0), spike(5, 1), spike(6, 2)]).unwrap();
    table.add_spikes(1, &[Spike { time_ns: 5, index: 0, count: 3 }]).unwrap();
    let arrivals = table.take(34).clone();
    assert_eq!(arrivals.time_ns, [15, 25]);
    assert_eq!(arrivals.first, [0, 2, 3]);
    assert_eq!(arrivals.place, [0, 2, 1]);
    assert_eq!(arrivals.sum, [0.375, 26.0, 0.5]);
    assert_eq!(table.take(35).sum, [-1.0]);
    assert_eq!(*table.take(100), Arrivals { first: vec![0], ..Arrivals::default() });
}

#[test]
fn arrivals_between_two_steps_count_as_of_the_later_one() {
    let mut table = table(100);
    table.add_spikes(0, &[spike(90, 0), spike(91, 0), spike(190, 0)]).unwrap();
    assert_eq!(table.take(100).sum, [0.375, 2.0]);
    assert_eq!(table.take(200).sum, [2.0 * 0.375, 4.0]);
    assert_eq!(table.taken_ns, 200);
}

#[test]
fn the_order_of_spikes_cannot_be_told() {
    let mut spikes: Vec<Spike> = (0..40).map(|i| spike(i % 7, (i % 2) as u32)).collect();
    let sums = |spikes: &[Spike]| {
        let mut table = table(1);
        spikes.iter().for_each(|&s| table.add_spikes(0, &[s]).unwrap());
        table.take(1000).clone()
    };
    let forth = sums(&spikes);
    spikes.reverse();
    assert_eq!(sums(&spikes), forth);
}

#[test]
fn many_places_come_in_order_too() {
    let n = 1000;
    let mut table = Table::new(n, 1).unwrap();
    let place: Vec<u32> = (0..n).rev().collect();
    let columns = Columns {
        pre: &vec![0; n as usize],
        place: &place,
        weight: &vec![1.0; n as usize],
        delay_ns: &vec![1; n as usize],
    };
    table.add_source(1, columns).unwrap();
    table.add_spikes(0, &[spike(0, 0)]).unwrap();
    assert_eq!(table.take(1).place, (0..n).collect::<Vec<_>>());
}

#[test]
fn bad_input_is_refused() {
    let mut table = table(1);
    let columns = |pre, place, weight, delay_ns| Columns { pre, place, weight, delay_ns };
    assert!(table.add_source(1, columns(&[1], &[0], &[1.0], &[1])).unwrap_err().contains("neuron 1"));
    assert!(table.add_source(1, columns(&[0], &[4], &[1.0], &[1])).unwrap_err().contains("place 4"));
    assert!(table.add_source(1, columns(&[0], &[0], &[f64::NAN], &[1])).unwrap_err().contains("NaN"));
    assert!(table.add_source(1, columns(&[0], &[0], &[1.0], &[0])).unwrap_err().contains("0 ns"));
    assert!(table.add_spikes(0, &[spike(0, 3)]).unwrap_err().contains("neuron 3"));
    assert!(table.add_spikes(2, &[]).unwrap_err().contains("source 2"));
    table.take(15);
    assert!(table.add_spikes(0, &[spike(5, 0)]).unwrap_err().contains("taken already"));
    assert!(Table::new(1, 0).unwrap_err().contains("grid"));
}

const TSODYKS: Plasticity = Plasticity {
    kind: 0,
    unit: 1e-12,
    u: 0.4,
    tau_rec: 30.0,
    tau_facil: 12.0,
    tau_plus: 17.0,
    tau_minus: 23.0,
    a_plus: 0.05,
    a_minus: 0.06,
    w_min: 0.1,
    w_max: 2.0,
    mu_plus: 0.6,
    mu_minus: 0.4,
};
const STDP: Plasticity = Plasticity { kind: 1, ..TSODYKS };
const MS: i64 = 1_000_000;

/// A synapse from neuron 0 with this delay, presynaptic and postsynaptic spikes in turns of a ms: what arrives.
fn plastic(rule: Plasticity, delay: i64, pre: &[i64], post: &[i64]) -> Vec<f64> {
    let mut table = Table::new(1, 1).unwrap();
    let columns = Columns { pre: &[0], place: &[0], weight: &[1.0], delay_ns: &[delay] };
    assert_eq!(table.add_plastic(1, columns, &[0], rule).unwrap(), 0);
    let mut arrived = vec![];
    for start in (0..300 * MS).step_by(MS as usize) {
        let of = |times: &[i64]| -> Vec<Spike> {
            times.iter().filter(|&&t| t > start && t <= start + MS).map(|&t| spike(t, 0)).collect()
        };
        arrived.extend_from_slice(&table.take(start + MS).sum);
        table.add_posts(&of(post));
        table.add_spikes(0, &of(pre)).unwrap();
    }
    arrived
}

/// The same from each pair of spikes.
fn every_pair(delay: i64, pre: &[i64], post: &[i64]) -> Vec<f64> {
    let Plasticity { w_min, w_max, a_plus, a_minus, mu_plus, mu_minus, tau_plus, tau_minus, .. } = STDP;
    let sum = |others: &[i64], at: i64, tau: f64| -> f64 {
        others.iter().filter(|&&t| t < at).map(|&t| ((t - at) as f64 / 1e6 / tau).exp()).sum()
    };
    // At the synapse: presynaptic spikes when they are, postsynaptic ones a delay later; of one time, the latter first.
    let mut events: Vec<(i64, bool)> = pre.iter().map(|&t| (t, true)).collect();
    events.extend(post.iter().map(|&p| (p + delay, false)));
    events.sort_unstable();
    let late: Vec<i64> = post.iter().map(|&p| p + delay).collect();
    let (mut part, mut arrived) = ((1.0 - w_min) / (w_max - w_min), vec![]);
    for (at, presynaptic) in events {
        if presynaptic {
            part = f64::max(part - a_minus * part.powf(mu_minus) * sum(&late, at, tau_minus), 0.0);
            arrived.push(part * (w_max - w_min) + w_min);
        } else {
            part = f64::min(part + a_plus * (1.0 - part).powf(mu_plus) * sum(pre, at, tau_plus), 1.0);
        }
    }
    arrived
}

#[test]
fn stdp_is_the_sum_over_all_pairs() {
    // Some meet at the synapse at the same time.
    let pre: Vec<i64> = (0..40).map(|i| (3 + 7 * i + i * i % 5) * MS).collect();
    let post: Vec<i64> = (0..60).map(|i| (1 + 4 * i + i * i % 3) * MS).collect();
    for delay in [MS, 2 * MS, 9 * MS] {
        let pre: Vec<i64> = pre.iter().copied().filter(|t| t + delay < 290 * MS).collect();
        let (found, expected) = (plastic(STDP, delay, &pre, &post), every_pair(delay, &pre, &post));
        assert_eq!(found.len(), expected.len());
        for (f, e) in found.iter().zip(&expected) {
            assert!((f - e).abs() < 1e-9, "{delay}: {found:?} {expected:?}");
        }
        assert!(expected.iter().any(|w| *w < 0.9) || expected.iter().any(|w| *w > 1.1), "{expected:?}");
    }
}

#[test]
fn resources_are_used_up_and_recover() {
    let pre: Vec<i64> = [5, 8, 9, 30, 31, 90].map(|t| t * MS).to_vec();
    let found = plastic(TSODYKS, 2 * MS, &pre, &[]);
    let (mut u, mut x) = (0.4, 1.0);
    for (i, f) in found.iter().enumerate() {
        if i > 0 {
            let h = (pre[i] - pre[i - 1]) as f64 / 1e6;
            (u, x) = (0.4 + u * 0.6 * (-h / 12.0).exp(), 1.0 + (x - x * u - 1.0) * (-h / 30.0).exp());
        }
        assert!((f - u * x).abs() < 1e-11, "{i}: {f} {}", u * x);
    }
    assert_eq!(found.len(), pre.len());
}

/// What no synapse needs any more is forgotten, and it makes no difference.
#[test]
fn forgetting_changes_nothing() {
    let run = |limit: usize| {
        let mut table = Table::new(1, 1).unwrap();
        let columns = Columns { pre: &[0], place: &[0], weight: &[1.0], delay_ns: &[3 * MS] };
        table.add_plastic(1, columns, &[0], STDP).unwrap();
        let mut sums = vec![];
        for t in 1..400 {
            sums.extend_from_slice(&table.take(t * MS).sum);
            table.add_posts(&[spike(t * MS, 0)]);
            if t % 50 == 0 {
                table.add_spikes(0, &[spike(t * MS, 0)]).unwrap();
            }
            table.histories[0].limit(limit);
        }
        (sums, table.histories[0].kept())
    };
    let ((all, many), (some, few)) = (run(usize::MAX), run(5));
    assert_eq!((all.len(), many > 300, few < 20), (7, true, true));
    for (a, b) in all.iter().zip(&some) {
        assert!((a - b).abs() < 1e-12, "{all:?} {some:?}");
    }
}
