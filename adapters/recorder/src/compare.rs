//! Are two recordings equal, and if not, where do they differ first?

pub mod signals;

use couple_ports::time::{Span, Time};
use serde::Serialize;

use crate::error::Result;
use crate::pairing::{self, Match};
use crate::spikes::Spikes;
use crate::{Population, Spike, plural};
use signals::{SampleDifference, SignalComparison};

/// What counts as equal.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Spikes of a neuron that are at most this far apart are the same spike.
    pub tolerance: Span,
    /// Compares spikes up to this time only.
    pub until: Option<Time>,
}

/// The outcome of a comparison.
#[derive(Debug, Serialize)]
pub struct Comparison {
    /// True when nothing differs.
    pub equal: bool,
    /// Spikes compared, of A and of B.
    pub spikes: [u64; 2],
    /// The earliest difference in time, over all populations.
    pub first: Option<Difference>,
    /// The earliest sample that differs, over all analog variables.
    pub first_sample: Option<SampleDifference>,
    /// Each population that is in A or in B.
    pub populations: Vec<PopulationComparison>,
    /// Each analog variable that is in A or in B.
    pub signals: Vec<SignalComparison>,
    /// Up to which time (in ms) A and B are recorded without a gap, where they differ in it.
    pub complete_ms: Option<[Option<f64>; 2]>,
}

/// The outcome for one population.
#[derive(Debug, Serialize)]
pub struct PopulationComparison {
    /// Its name.
    pub population: String,
    /// The recording that lacks the population altogether.
    pub missing_in: Option<Side>,
    /// Number of neurons in A and B, where both say it and it differs.
    pub sizes: Option<[u64; 2]>,
    /// Spikes compared, of A and of B.
    pub spikes: [u64; 2],
    /// Spikes without a partner in the other recording, of A and of B.
    pub unmatched: [u64; 2],
    /// The earliest spike without a partner.
    pub first: Option<Difference>,
}

/// A spike that only one of the recordings has.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// Its population.
    pub population: String,
    /// Its time in ms.
    pub time_ms: f64,
    /// Its neuron.
    pub neuron: u64,
    /// The recording that has it.
    pub only_in: Side,
    /// The time in ms of the same neuron's nearest spike in the other recording.
    pub nearest_ms: Option<f64>,
}

/// One of the two recordings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Side {
    /// The first one.
    A,
    /// The second one.
    B,
}

impl PopulationComparison {
    /// True when nothing differs.
    pub fn equal(&self) -> bool {
        self.missing_in.is_none() && self.sizes.is_none() && self.first.is_none()
    }
}

/// Compares two recordings, one population at a time.
pub fn compare(a: &Spikes, b: &Spikes, options: Options) -> Result<Comparison> {
    let mut names: Vec<&str> = a.populations().iter().chain(b.populations()).map(|p| p.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let mut populations = Vec::with_capacity(names.len());
    for name in names {
        populations.push(compare_population(name, a, b, options)?);
    }
    let first = populations.iter().filter_map(|p| p.first.as_ref()).min_by(|x, y| x.time_ms.total_cmp(&y.time_ms));
    let complete_ms = differing_ends(a, b, options.until);
    let signals = signals::compare(a.signals(), b.signals(), options)?;
    let samples = signals.iter().filter_map(|s| s.first.as_ref());
    let spikes_equal = complete_ms.is_none() && populations.iter().all(PopulationComparison::equal);
    Ok(Comparison {
        equal: spikes_equal && signals.iter().all(SignalComparison::equal),
        first_sample: samples.min_by(|x, y| x.time_ms.total_cmp(&y.time_ms)).cloned(),
        spikes: [0, 1].map(|side| populations.iter().map(|p| p.spikes[side]).sum()),
        first: first.cloned(),
        complete_ms,
        populations,
        signals,
    })
}

/// The ends of the recordings, when both are known and differ before `until`.
fn differing_ends(a: &Spikes, b: &Spikes, until: Option<Time>) -> Option<[Option<f64>; 2]> {
    let (end_a, end_b) = (a.complete()?, b.complete()?);
    let cut = |end: Time| until.map_or(end, |until| end.min(until));
    (cut(end_a) != cut(end_b)).then(|| [Some(end_a.ms()), Some(end_b.ms())])
}

fn compare_population(name: &str, a: &Spikes, b: &Spikes, options: Options) -> Result<PopulationComparison> {
    let (in_a, in_b) = (a.population(name), b.population(name));
    let missing_in = match (in_a, in_b) {
        (None, _) => Some(Side::A),
        (_, None) => Some(Side::B),
        _ => None,
    };
    let sizes = match (in_a.and_then(size), in_b.and_then(size)) {
        (Some(x), Some(y)) if x != y => Some([x, y]),
        _ => None,
    };
    let mut trains = [a.read(name)?, b.read(name)?];
    if let Some(until) = options.until {
        trains.iter_mut().for_each(|train| train.truncate(train.partition_point(|s| s.time <= until)));
    }
    let spikes = [0, 1].map(|side| trains[side].len() as u64);
    let mut outcome = PopulationComparison {
        population: name.to_string(),
        missing_in,
        sizes,
        spikes,
        unmatched: [0; 2],
        first: None,
    };
    if trains[0] != trains[1] {
        match_trains(&mut outcome, trains, options.tolerance);
    }
    Ok(outcome)
}

fn size(population: &Population) -> Option<u64> {
    population.size
}

/// Pairs the spikes and notes those that stay alone.
fn match_trains(outcome: &mut PopulationComparison, mut trains: [Vec<Spike>; 2], tolerance: Span) {
    trains.iter_mut().for_each(|train| pairing::by_neuron(train));
    let [a, b] = &trains;
    let mut first: Option<(Spike, Side)> = None;
    pairing::pair(a, b, tolerance, |found| {
        let Match::Alone(spike, side) = found else { return };
        outcome.unmatched[side as usize] += 1;
        if first.is_none_or(|(earliest, _)| spike < earliest) {
            first = Some((spike, side));
        }
    });
    outcome.first = first.map(|(spike, side)| Difference::of(&outcome.population, spike, side, [a, b]));
}

impl Difference {
    /// A spike that only `only_in` has; the trains are sorted by neuron.
    pub(crate) fn of(population: &str, spike: Spike, only_in: Side, [a, b]: [&[Spike]; 2]) -> Self {
        let other = if only_in == Side::A { b } else { a };
        Difference {
            population: population.to_string(),
            time_ms: spike.time.ms(),
            neuron: spike.index,
            only_in,
            nearest_ms: pairing::nearest(other, spike).map(|s| s.time.ms()),
        }
    }
}

/// The comparison as text.
pub fn report(comparison: &Comparison) -> String {
    let mut lines = Vec::new();
    if comparison.equal {
        let (spikes, count) = (comparison.spikes[0], comparison.populations.len());
        let mut text = format!("equal: {} in {}", plural(spikes, "spike"), plural(count as u64, "population"));
        if !comparison.signals.is_empty() {
            let samples = comparison.signals.iter().map(|s| s.samples).sum();
            let variables = plural(comparison.signals.len() as u64, "variable");
            text += &format!(", {} of {variables}", plural(samples, "sample"));
        }
        lines.push(text);
        return lines.join("\n");
    }
    lines.push("different".to_string());
    if let Some(first) = &comparison.first {
        lines.push(format!("  first difference: {}", sentence(first)));
    }
    if let Some(first) = &comparison.first_sample {
        lines.push(format!("  first sample that differs: {}", signals::sentence(first)));
    }
    if let Some([Some(a), Some(b)]) = comparison.complete_ms {
        lines.push(format!("  A is recorded up to {a} ms, B up to {b} ms; --until compares a part"));
    }
    for p in comparison.populations.iter().filter(|p| !p.equal()) {
        let name = &p.population;
        if let Some(side) = p.missing_in {
            lines.push(format!("  population {name} is missing in {side:?}"));
        }
        if let Some([a, b]) = p.sizes {
            lines.push(format!("  population {name}: {a} neurons in A, {b} in B"));
        }
        if p.first.is_some() && p.missing_in.is_none() {
            let ([a, b], [only_a, only_b]) = (p.spikes, p.unmatched);
            lines.push(format!(
                "  population {name}: {} in A, {} in B; {only_a} only in A, {only_b} only in B",
                plural(a, "spike"),
                plural(b, "spike"),
            ));
            lines.extend(p.first.iter().map(|first| format!("    first: {}", sentence(first))));
        }
    }
    lines.extend(comparison.signals.iter().flat_map(signals::report));
    lines.join("\n")
}

fn sentence(d: &Difference) -> String {
    let Difference { population, time_ms, neuron, only_in, nearest_ms } = d;
    let other = if *only_in == Side::A { Side::B } else { Side::A };
    let tail = match nearest_ms {
        Some(ms) => format!("its nearest spike in {other:?} is at {ms} ms"),
        None => format!("in {other:?} it never spikes"),
    };
    format!("{population}, {time_ms} ms, neuron {neuron}: only in {only_in:?}; {tail}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recording(populations: &[(&str, &[(i64, u64)])]) -> Spikes {
        Spikes::from_memory(populations.iter().map(|(name, spikes)| {
            let population =
                Population { name: name.to_string(), size: Some(10), spikes: 0, complete: Some(Time::from_ns(1000)) };
            (population, spikes.iter().map(|&(t, index)| Spike { time: Time::from_ns(t), index }).collect())
        }))
    }

    fn outcome(a: &[(&str, &[(i64, u64)])], b: &[(&str, &[(i64, u64)])], tolerance: i64) -> Comparison {
        let options = Options { tolerance: Span::from_ns(tolerance), until: None };
        compare(&recording(a), &recording(b), options).unwrap()
    }

    #[test]
    fn equal_whatever_the_order() {
        let c = outcome(&[("E", &[(1, 2), (1, 1), (5, 2)])], &[("E", &[(5, 2), (1, 1), (1, 2)])], 0);
        assert!(c.equal && c.first.is_none());
        assert_eq!(c.spikes, [3, 3]);
    }

    #[test]
    fn earliest_difference_over_populations_and_neurons() {
        let c = outcome(
            &[("E", &[(10, 2), (30, 0)]), ("I", &[(7, 3), (8, 1)])],
            &[("E", &[(10, 2), (31, 0)]), ("I", &[(7, 3), (9, 1)])],
            0,
        );
        let first = c.first.unwrap();
        assert_eq!((first.population.as_str(), first.neuron, first.only_in), ("I", 1, Side::A));
        assert_eq!((first.time_ms, first.nearest_ms), (8e-6, Some(9e-6)));
        assert_eq!(c.populations[0].unmatched, [1, 1]);
    }

    #[test]
    fn a_multiple_spike_is_counted() {
        let c = outcome(&[("E", &[(10, 2), (10, 2)])], &[("E", &[(10, 2)])], 0);
        assert!(!c.equal);
        assert_eq!(c.populations[0].unmatched, [1, 0]);
    }

    #[test]
    fn tolerance_pairs_within_a_neuron_only() {
        let (a, b) = ([(10, 1), (20, 1)], [(12, 1), (19, 1)]);
        assert!(outcome(&[("E", &a)], &[("E", &b)], 2).equal);
        assert!(!outcome(&[("E", &a)], &[("E", &b)], 1).equal);
        assert!(!outcome(&[("E", &[(10, 1)])], &[("E", &[(10, 2)])], 5).equal);
    }

    #[test]
    fn missing_populations_and_sizes() {
        let c = outcome(&[("E", &[(1, 1)]), ("I", &[])], &[("E", &[(1, 1)])], 0);
        assert!(!c.equal);
        assert_eq!(c.populations[1].missing_in, Some(Side::B));
        assert!(report(&c).contains("population I is missing in B"), "{}", report(&c));
    }

    #[test]
    fn only_a_part() {
        let (a, b) = (recording(&[("E", &[(1, 1), (5, 2)])]), recording(&[("E", &[(1, 1), (6, 2)])]));
        let until = |t| Options { until: Some(Time::from_ns(t)), ..Options::default() };
        assert!(compare(&a, &b, until(4)).unwrap().equal);
        assert!(!compare(&a, &b, until(5)).unwrap().equal);
    }
}
