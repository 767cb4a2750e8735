use super::*;
use crate::description::Connector;
use crate::testing::{STEP, component, network, projection};

const ONE_MS: Span = Span::from_ns(1_000_000);

fn poisson(rate: f64, start: Span, duration: Span) -> Network {
    let mut network = network([1000, 10], false, Connector::AllToAll { allow_self_connections: true });
    network.populations[0].model = Model::SpikeSourcePoisson { rate, start, duration };
    network
}

fn array(size: u32, spike_times: Vec<Vec<Span>>) -> Network {
    let mut network = network([size, 10], false, Connector::AllToAll { allow_self_connections: true });
    network.populations[0].model = Model::SpikeSourceArray { spike_times };
    network
}

fn spikes(network: &Network, range: Range<u32>, from: Span, to: Span) -> Vec<(Time, u32, u32)> {
    let mut spikes = Vec::new();
    Stimulus::new(network, 0, range).expect("a valid source").between(
        Time::ZERO + from,
        Time::ZERO + to,
        |index, time, count| spikes.push((time, index, count)),
    );
    spikes
}

#[test]
fn poisson_is_the_same_in_parts() {
    for rate in [300.0, 5000.0] {
        let network = poisson(rate, Span::ZERO, Span::MAX);
        let whole = spikes(&network, 0..1000, Span::ZERO, ONE_MS * 5);
        assert!(whole.is_sorted());
        let mut parts = Vec::new();
        // Ranges that begin and end anywhere in blocks and chunks; windows in any order.
        for range in [0..1, 1..3, 3..259, 259..260, 260..1000] {
            for (from, to) in [(2, 5), (0, 1), (1, 2)] {
                parts.extend(spikes(&network, range.clone(), ONE_MS * from, ONE_MS * to));
            }
        }
        parts.sort_unstable();
        assert_eq!(parts, whole);
        let mut stepwise = Vec::new();
        let stimulus = Stimulus::new(&network, 0, 0..1000).expect("a valid source");
        (1..=50).for_each(|k| stimulus.step(k, |index, count| stepwise.push((Time::ZERO + STEP * k, index, count))));
        assert_eq!(stepwise, whole);
    }
}

#[test]
fn poisson_has_its_distribution() {
    for rate in [500.0, 1000.0, 20_000.0, 300_000.0] {
        let mean = rate * 1e-4;
        let network = poisson(rate, Span::ZERO, Span::MAX);
        let mut counts = vec![0.0; 500];
        let steps = 200;
        for (_, _, count) in spikes(&network, 0..1000, Span::ZERO, STEP * steps) {
            counts[count as usize] += 1.0;
        }
        let draws = steps as f64 * 1000.0;
        counts[0] = draws - counts.iter().sum::<f64>();
        let (mut chi, mut classes, mut expected, mut seen, mut ln_p) = (0.0, 0.0, 0.0, 0.0, -mean);
        for (k, count) in counts.iter().enumerate() {
            expected += draws * f64::exp(ln_p);
            seen += count;
            if expected >= 10.0 {
                chi += (seen - expected) * (seen - expected) / expected;
                (expected, seen, classes) = (0.0, 0.0, classes + 1.0);
            }
            ln_p += mean.ln() - (k as f64 + 1.0).ln();
        }
        let freedom: f64 = classes - 1.0;
        assert!((chi - freedom).abs() < 4.5 * (2.0 * freedom).sqrt(), "{rate} Hz: chi² {chi} for {freedom}");
    }
}

#[test]
fn poisson_keeps_to_its_time() {
    let network = poisson(20_000.0, ONE_MS, ONE_MS);
    let drawn = spikes(&network, 0..1000, Span::ZERO, ONE_MS * 4);
    assert_eq!(drawn.first().map(|s| s.0), Some(Time::ZERO + ONE_MS + STEP));
    assert_eq!(drawn.last().map(|s| s.0), Some(Time::ZERO + ONE_MS * 2));
    assert!(spikes(&poisson(0.0, Span::ZERO, Span::MAX), 0..1000, Span::ZERO, ONE_MS).is_empty());
}

#[test]
fn neurons_and_steps_are_independent() {
    let network = poisson(3000.0, Span::ZERO, Span::MAX);
    let stimulus = Stimulus::new(&network, 0, 0..1000).expect("a valid source");
    let mut last = vec![0.0; 1000];
    let (mut in_time, mut in_space, mut n) = (0.0, 0.0, 0.0);
    for k in 1..=100 {
        let mut now = vec![0.0; 1000];
        stimulus.step(k, |index, count| now[index as usize] = f64::from(count));
        now.iter_mut().for_each(|c| *c -= 0.3);
        in_time += now.iter().zip(&last).map(|(a, b)| a * b).sum::<f64>();
        in_space += now.windows(2).map(|w| w[0] * w[1]).sum::<f64>();
        n += 1000.0;
        last = now;
    }
    let sd = 0.3 * f64::sqrt(n);
    assert!((in_time / sd).abs() < 4.5 && (in_space / sd).abs() < 4.5, "{} {}", in_time / sd, in_space / sd);
}

#[test]
fn golden_poisson() {
    let drawn = spikes(&poisson(300.0, Span::ZERO, Span::MAX), 500..520, Span::ZERO, STEP * 10);
    let text: Vec<_> = drawn.iter().map(|(time, index, count)| format!("{time} {index} {count}")).collect();
    assert_eq!(text, GOLDEN, "{text:?}");
}

#[test]
fn golden_renewal() {
    let text = |model| {
        let drawn = spikes(&renewal(model), 50..60, Span::ZERO, ONE_MS * 20);
        drawn.iter().map(|(time, index, _)| format!("{time} {index}")).collect::<Vec<_>>().join(", ")
    };
    assert_eq!(
        text(gamma(3.0, 150.0)),
        "1.5 ms 58, 3.1 ms 52, 3.2 ms 55, 4.8 ms 54, 9.7 ms 57, 11.7 ms 56, 14.3 ms 50, 16.4 ms 57"
    );
    assert_eq!(
        text(inhomogeneous(&[3.0, 1.0], &[0.007, 0.01], &[0, 10])),
        "1.3 ms 50, 3.4 ms 53, 3.7 ms 59, 8 ms 56, 8.7 ms 58, 10.8 ms 58, 11.2 ms 53, 11.6 ms 53, 13.7 ms 52, 14.1 ms 56, 14.6 ms 52, 15.2 ms 50, 15.2 ms 52, 15.7 ms 50, 17 ms 57, 18.3 ms 55, 20 ms 55"
    );
    assert_eq!(
        text(refractory(50.0, ONE_MS * 10)),
        "1.5 ms 55, 1.7 ms 58, 2.7 ms 54, 3.2 ms 52, 4.8 ms 56, 5.4 ms 57, 9.3 ms 50, 12.5 ms 58, 13.2 ms 53, 13.2 ms 55, 14.2 ms 52, 14.7 ms 59, 15.4 ms 54, 16.5 ms 51, 18.9 ms 56"
    );
}

const GOLDEN: [&str; 9] = [
    "0.1 ms 506 1",
    "0.1 ms 510 1",
    "0.1 ms 516 1",
    "0.4 ms 501 1",
    "0.5 ms 500 1",
    "0.7 ms 512 1",
    "0.8 ms 502 1",
    "0.9 ms 509 1",
    "1 ms 516 1",
];

#[test]
fn given_times_come_as_given() {
    let ms = |list: &[i64]| list.iter().map(|t| ONE_MS * *t).collect::<Vec<_>>();
    let network = array(3, vec![ms(&[1, 2, 2, 5]), ms(&[]), ms(&[2, 3])]);
    assert_eq!(validate(&network, 0), Ok(()));
    let at = |t| Time::ZERO + ONE_MS * t;
    let all = [(at(1), 0, 1), (at(2), 0, 2), (at(2), 2, 1), (at(3), 2, 1), (at(5), 0, 1)];
    assert_eq!(spikes(&network, 0..3, Span::ZERO, ONE_MS * 10), all);
    // The window is open on the left and closed on the right.
    assert_eq!(spikes(&network, 0..3, ONE_MS, ONE_MS * 3), all[1..4]);
    assert_eq!(spikes(&network, 2..3, Span::ZERO, ONE_MS * 3), [(at(2), 2, 1), (at(3), 2, 1)]);
    let stimulus = Stimulus::new(&network, 0, 0..3).expect("a valid source");
    let mut step = Vec::new();
    stimulus.step(20, |index, count| step.push((index, count)));
    assert_eq!(step, [(0, 2), (2, 1)]);
    let shared = array(3, vec![ms(&[4])]);
    assert_eq!(spikes(&shared, 1..3, Span::ZERO, ONE_MS * 4), [(at(4), 1, 1), (at(4), 2, 1)]);
}

#[test]
fn wrong_sources_are_refused() {
    use StimulusError::*;
    let lists = |times: &[i64]| array(1, vec![times.iter().map(|t| Span::from_ns(*t)).collect()]);
    let check = |network: &Network| validate(network, 0);
    assert!(matches!(check(&lists(&[0])), Err(NotAfterStart { .. })));
    assert!(matches!(check(&lists(&[200_000, 100_000])), Err(NotSorted { .. })));
    assert!(matches!(check(&lists(&[170_000])), Err(OffGrid { nearest, .. }) if nearest == STEP * 2));
    assert!(matches!(check(&array(3, vec![vec![], vec![]])), Err(ListCount { found: 2, size: 3 })));
    assert!(matches!(check(&poisson(-1.0, Span::ZERO, ONE_MS)), Err(Rate(_))));
    assert!(matches!(check(&poisson(1e8, Span::ZERO, ONE_MS)), Err(RateTooHigh { .. })));
    assert!(matches!(check(&poisson(1e-7, Span::ZERO, ONE_MS)), Err(RateTooLow { .. })));
    assert!(matches!(check(&poisson(1.0, -ONE_MS, ONE_MS)), Err(Negative { name: "start", .. })));
    assert_eq!(check(&poisson(1e7, Span::ZERO, ONE_MS)), Ok(()));
    let network = network([3, 3], false, Connector::OneToOne);
    assert!(matches!(check(&network), Err(NotAStimulus(_))));
    assert!(matches!(Stimulus::new(&lists(&[]), 0, 0..2), Err(OutOfRange { .. })));
}

#[test]
fn targets_on_another_grid() {
    let with_target = |step| {
        let mut network = poisson(1.0, Span::ZERO, ONE_MS);
        network.components.push(component("other", Span::from_ns(step)));
        network.populations[1].component = 1;
        network.projections = vec![projection(0, 1, Connector::AllToAll { allow_self_connections: true })];
        network
    };
    assert_eq!(validate(&with_target(25_000), 0), Ok(()));
    assert!(matches!(validate(&with_target(200_000), 0), Err(StimulusError::StepsDiffer { .. })));
    let mut array = with_target(200_000);
    array.populations[0].model = Model::SpikeSourceArray { spike_times: vec![vec![STEP * 3]] };
    assert!(matches!(validate(&array, 0), Err(StimulusError::OffGrid { component, .. }) if component == "other"));
}

fn renewal(model: Model) -> Network {
    let mut network = network([200, 10], false, Connector::AllToAll { allow_self_connections: true });
    network.populations[0].model = model;
    network
}

fn gamma(alpha: f64, beta: f64) -> Model {
    Model::SpikeSourceGamma { alpha, beta, start: Span::ZERO, duration: Span::MAX }
}

fn refractory(rate: f64, tau_refrac: Span) -> Model {
    Model::SpikeSourcePoissonRefractory { rate, tau_refrac, start: Span::ZERO, duration: Span::MAX }
}

/// With times in ms.
fn inhomogeneous(a: &[f64], b: &[f64], tbins: &[i64]) -> Model {
    let tbins = tbins.iter().map(|t| ONE_MS * *t).collect();
    let (start, duration) = (Span::ZERO, Span::MAX);
    Model::SpikeSourceInhGamma { a: a.to_vec(), b: b.to_vec(), tbins, start, duration }
}

#[test]
fn renewal_processes_are_the_same_in_parts_and_in_any_order() {
    let inhomogeneous = inhomogeneous(&[3.0, 0.7], &[0.004, 0.01], &[0, 20]);
    for model in [gamma(2.5, 500.0), refractory(150.0, ONE_MS * 2), gamma(0.5, 20_000.0), inhomogeneous] {
        let network = renewal(model);
        let whole = spikes(&network, 0..200, Span::ZERO, ONE_MS * 50);
        assert!(whole.is_sorted() && whole.len() > 500);
        let mut parts = Vec::new();
        for range in [0..1, 1..77, 77..200] {
            for (from, to) in [(20, 50), (0, 10), (10, 20)] {
                parts.extend(spikes(&network, range.clone(), ONE_MS * from, ONE_MS * to));
            }
        }
        parts.sort_unstable();
        assert_eq!(parts, whole);
        // One stimulus asked for steps forth and back, some of them twice.
        let stimulus = Stimulus::new(&network, 0, 0..200).expect("a valid source");
        let mut stepwise: Vec<(Time, u32, u32)> = Vec::new();
        for k in (301..=500).chain([7]).chain(201..=300).chain(1..=200) {
            stepwise.retain(|(time, ..)| *time != Time::ZERO + STEP * k);
            stimulus.step(k, |index, count| stepwise.push((Time::ZERO + STEP * k, index, count)));
        }
        stepwise.sort_unstable();
        assert_eq!(stepwise, whole);
    }
}

/// Mean rate in Hz in each of ten parts of a second, and the intervals in ms.
fn statistics(model: Model) -> (Vec<f64>, Vec<f64>) {
    let network = renewal(model);
    let second = ONE_MS * 1000;
    let (mut rates, mut last, mut intervals) = (vec![0.0; 10], vec![None; 200], Vec::new());
    for (time, index, count) in spikes(&network, 0..200, Span::ZERO, second) {
        let ms = (time - Time::ZERO).ms();
        rates[((ms - 0.05) / 100.0) as usize] += f64::from(count) * 10.0 / 200.0;
        if let Some(before) = last[index as usize].replace(ms) {
            intervals.push(ms - before);
        }
    }
    (rates, intervals)
}

#[test]
fn renewal_processes_have_their_distributions() {
    // (model, mean rate, coefficient of variation of the intervals)
    let cases = [
        (gamma(4.0, 400.0), 100.0, 0.5),
        (gamma(1.0, 80.0), 80.0, 1.0),
        (inhomogeneous(&[4.0], &[0.0025], &[0]), 100.0, 0.5),
        (inhomogeneous(&[4.0; 3], &[0.0025; 3], &[0, 333, 700]), 100.0, 0.5),
        (gamma(10.0, 600.0), 60.0, 0.1_f64.sqrt()),
        (refractory(100.0, ONE_MS * 5), 100.0, 0.5),
        (refractory(100.0, Span::ZERO), 100.0, 1.0),
    ];
    for (model, rate, variation) in cases {
        let name = format!("{model:?}");
        let (rates, intervals) = statistics(model);
        // From the first moment on, as the process begins in equilibrium; four standard deviations at least.
        for part in rates {
            assert!((part - rate).abs() < 4.0 * (rate * 10.0 / 200.0).sqrt(), "{name}: {part} Hz");
        }
        let mean = intervals.iter().sum::<f64>() / intervals.len() as f64;
        let variance = intervals.iter().map(|i| (i - mean).powi(2)).sum::<f64>() / intervals.len() as f64;
        assert!((mean * rate / 1000.0 - 1.0).abs() < 0.05, "{name}: mean interval {mean} ms");
        assert!((variance.sqrt() / mean - variation).abs() < 0.05, "{name}: variation {}", variance.sqrt() / mean);
    }
    let (_, intervals) = statistics(refractory(150.0, ONE_MS * 5));
    assert!(intervals.iter().all(|i| *i >= 4.9), "no two spikes within the dead time, but for the grid");
}

#[test]
fn inhomogeneous_process_follows_its_parameters() {
    // From 100 Hz to 50 Hz at half a second, both as regular; a little after the change all intervals are new ones.
    let (rates, _) = statistics(inhomogeneous(&[4.0, 4.0], &[0.0025, 0.005], &[0, 500]));
    for (part, rate) in [(&rates[..5], 100.0), (&rates[6..], 50.0)] {
        let mean = part.iter().sum::<f64>() / part.len() as f64;
        assert!((mean - rate).abs() < 2.5, "{rates:?}");
    }
    // With shape 1 it is a Poisson process, whose rate changes at once.
    let (rates, _) = statistics(inhomogeneous(&[1.0, 1.0], &[0.1, 0.005], &[0, 500]));
    assert!((rates[4] - 10.0).abs() < 3.0 && (rates[5] - 200.0).abs() < 15.0, "{rates:?}");
}

#[test]
fn renewal_processes_keep_to_their_time_and_may_be_silent() {
    let (start, duration) = (ONE_MS * 3, ONE_MS * 4);
    let network = renewal(Model::SpikeSourceGamma { alpha: 2.0, beta: 4000.0, start, duration });
    let times = spikes(&network, 0..200, Span::ZERO, ONE_MS * 20);
    let inside = |time: Time| time > Time::ZERO + start && time <= Time::ZERO + start + duration;
    assert!(times.len() > 100 && times.iter().all(|(time, ..)| inside(*time)));
    for model in [gamma(2.0, 0.0), refractory(0.0, ONE_MS)] {
        assert!(spikes(&renewal(model), 0..200, Span::ZERO, ONE_MS * 100).is_empty());
    }
}

#[test]
fn impossible_renewal_processes_are_refused() {
    let check = |model| validate(&renewal(model), 0).map_err(|e| e.to_string());
    assert_eq!(check(gamma(2.0, 100.0)), Ok(()));
    assert!(check(refractory(100.0, ONE_MS * 10)).is_err_and(|e| e.contains("must be shorter")));
    assert!(check(refractory(1.0, -ONE_MS)).is_err_and(|e| e.contains("tau_refrac")));
    assert!(check(gamma(0.0, 1.0)).is_err_and(|e| e.contains("alpha")));
    assert!(check(gamma(1.0, -1.0)).is_err_and(|e| e.contains("beta")));
    assert!(check(inhomogeneous(&[1.0], &[0.1, 0.1], &[0])).is_err_and(|e| e.contains("1, 2 and 1 values")));
    assert!(check(inhomogeneous(&[1.0; 2], &[0.1; 2], &[5, 5])).is_err_and(|e| e.contains("ascending")));
    assert!(check(inhomogeneous(&[1.0], &[0.0], &[0])).is_err_and(|e| e.contains("b is 0")));
    assert!(check(gamma(1.0, 1e9)).is_err_and(|e| e.contains("more than")));
}
