//! How far the spikes of one population differ between simulators.

use couple_ports::time::Span;
use serde::Serialize;

use crate::Spike;
use crate::compare::{Difference, Side};
use crate::error::Result;
use crate::pairing::{self, Match};
use crate::spikes::Spikes;
use crate::statistics::of_train;

/// One population on all simulators.
#[derive(Debug, Serialize)]
pub struct PopulationCheck {
    /// Its name.
    pub population: String,
    /// Number of its neurons.
    pub neurons: Option<u64>,
    /// What each simulator made of it, the reference first.
    pub trains: Vec<Train>,
    /// Each other simulator beside the reference.
    pub pairs: Vec<Pair>,
}

/// What a simulator made of a population.
#[derive(Debug, Serialize)]
pub struct Train {
    /// The simulator.
    pub simulator: String,
    /// Number of spikes.
    pub spikes: u64,
    /// Mean rate of a neuron in Hz.
    pub rate_hz: Option<f64>,
    /// Mean coefficient of variation of the inter-spike intervals.
    pub cv_isi: Option<f64>,
}

/// A simulator (B) beside the reference (A).
#[derive(Debug, Serialize)]
pub struct Pair {
    /// The simulator.
    pub simulator: String,
    /// True when nothing differs at all.
    pub equal: bool,
    /// Spikes that both have at the same time.
    pub identical: u64,
    /// Spikes that have a partner within the tolerance.
    pub paired: u64,
    /// Spikes without one, of the reference and of the simulator.
    pub unpaired: [u64; 2],
    /// Median of (simulator's time - reference's time) of paired spikes, in ms: a constant shift, such as another
    /// convention for the time stamp, stands out here.
    pub median_shift_ms: Option<f64>,
    /// Median of its magnitude in ms.
    pub median_distance_ms: Option<f64>,
    /// Largest magnitude in ms.
    pub max_distance_ms: Option<f64>,
    /// The first spike that only one of them has at that very time. `A` is the reference.
    pub first_difference: Option<Difference>,
    /// The first spike without a partner within the tolerance.
    pub first_unpaired: Option<Difference>,
}

/// Compares a population of all runs with the first.
pub fn population(name: &str, runs: &[(String, Spikes)], tolerance: Span) -> Result<PopulationCheck> {
    let (mut trains, mut pairs) = (Vec::new(), Vec::new());
    let mut reference: Vec<Spike> = Vec::new();
    let sizes: Vec<_> = runs.iter().map(|(_, run)| run.population(name).map(|p| p.size)).collect();
    for (position, (simulator, run)) in runs.iter().enumerate() {
        let mut train = run.read(name)?;
        let complete = run.population(name).and_then(|p| p.complete);
        let figures = of_train(name, sizes[position].flatten(), complete, &train);
        trains.push(Train {
            simulator: simulator.clone(),
            spikes: figures.spikes,
            rate_hz: figures.rate_hz,
            cv_isi: figures.cv_isi,
        });
        pairing::by_neuron(&mut train);
        if position == 0 {
            reference = train;
        } else {
            let mut pair = beside(name, simulator, &reference, &train, tolerance);
            // A population that one of them lacks, or has in another size, is no equal one.
            pair.equal &= sizes[position] == sizes[0];
            pairs.push(pair);
        }
    }
    let neurons = sizes.into_iter().flatten().flatten().next();
    Ok(PopulationCheck { population: name.to_string(), neurons, trains, pairs })
}

/// Compares two trains, sorted by neuron.
fn beside(population: &str, simulator: &str, a: &[Spike], b: &[Spike], tolerance: Span) -> Pair {
    let exact = Paired::of(a, b, Span::ZERO);
    let near = Paired::of(a, b, tolerance);
    let difference =
        |first: Option<(Spike, Side)>| first.map(|(spike, side)| Difference::of(population, spike, side, [a, b]));
    let mut distances: Vec<i64> = near.shifts.iter().map(|shift| shift.abs()).collect();
    distances.sort_unstable();
    let mut shifts = near.shifts;
    shifts.sort_unstable();
    Pair {
        simulator: simulator.to_string(),
        equal: exact.first.is_none(),
        identical: exact.shifts.len() as u64,
        paired: shifts.len() as u64,
        unpaired: near.alone,
        median_shift_ms: median(&shifts),
        median_distance_ms: median(&distances),
        max_distance_ms: distances.last().map(|&ns| Span::from_ns(ns).ms()),
        first_difference: difference(exact.first),
        first_unpaired: difference(near.first),
    }
}

/// The outcome of pairing.
struct Paired {
    /// B's time less A's in ns, of each pair.
    shifts: Vec<i64>,
    alone: [u64; 2],
    first: Option<(Spike, Side)>,
}

impl Paired {
    fn of(a: &[Spike], b: &[Spike], tolerance: Span) -> Self {
        let mut paired = Paired { shifts: Vec::new(), alone: [0; 2], first: None };
        pairing::pair(a, b, tolerance, |found| match found {
            Match::Pair(x, y) => paired.shifts.push((y.time - x.time).ns()),
            Match::Alone(spike, side) => {
                paired.alone[side as usize] += 1;
                if paired.first.is_none_or(|(earliest, _)| spike < earliest) {
                    paired.first = Some((spike, side));
                }
            }
        });
        paired
    }
}

/// The median of sorted nanoseconds, in ms.
fn median(sorted: &[i64]) -> Option<f64> {
    let upper = *sorted.get(sorted.len() / 2)?;
    let lower = if sorted.len().is_multiple_of(2) { sorted[sorted.len() / 2 - 1] } else { upper };
    Some((lower + upper) as f64 / 2e6)
}

#[cfg(test)]
mod tests {
    use couple_ports::time::Time;

    use super::*;
    use crate::Population;

    /// Spikes at (µs, neuron).
    fn run(name: &str, spikes: &[(i64, u64)]) -> (String, Spikes) {
        let population =
            Population { name: "E".to_string(), size: Some(10), spikes: 0, complete: Some(Time::from_ns(100_000_000)) };
        let spikes = spikes.iter().map(|&(us, index)| Spike { time: Time::from_ns(us * 1000), index }).collect();
        (name.to_string(), Spikes::from_memory([(population, spikes)]))
    }

    #[test]
    fn a_constant_shift_stands_out() {
        let reference = run("a", &[(1_000, 1), (5_000, 1), (9_000, 2), (50_000, 3)]);
        let late = run("b", &[(1_100, 1), (5_100, 1), (9_100, 2), (53_000, 3)]);
        let check = population("E", &[reference, late], Span::from_ns(1_000_000)).unwrap();
        let pair = &check.pairs[0];
        assert_eq!((pair.equal, pair.identical, pair.paired, pair.unpaired), (false, 0, 3, [1, 1]));
        assert_eq!(
            (pair.median_shift_ms, pair.median_distance_ms, pair.max_distance_ms),
            (Some(0.1), Some(0.1), Some(0.1))
        );
        let (first, lost) = (pair.first_difference.as_ref().unwrap(), pair.first_unpaired.as_ref().unwrap());
        assert_eq!((first.time_ms, first.neuron, first.nearest_ms), (1.0, 1, Some(1.1)));
        assert_eq!((lost.time_ms, lost.neuron, lost.only_in, lost.nearest_ms), (50.0, 3, Side::A, Some(53.0)));
        assert_eq!(check.trains[0].rate_hz, Some(4.0));
    }

    #[test]
    fn equal_is_equal_in_every_bit() {
        let spikes = [(1_000, 1), (2_000, 0)];
        let runs = [run("a", &spikes), run("b", &spikes), run("c", &[(1_000, 1), (2_001, 0)])];
        let check = population("E", &runs, Span::from_ns(1_000_000)).unwrap();
        assert_eq!(check.pairs.iter().map(|p| p.equal).collect::<Vec<_>>(), [true, false]);
        assert_eq!(check.pairs[1].max_distance_ms, Some(0.001));
    }

    #[test]
    fn shifts_of_both_signs_do_not_hide_each_other() {
        let runs = [run("a", &[(1_000, 1), (2_000, 2)]), run("b", &[(1_200, 1), (1_800, 2)])];
        let pair = &population("E", &runs, Span::from_ns(1_000_000)).unwrap().pairs[0];
        assert_eq!((pair.median_shift_ms, pair.median_distance_ms), (Some(0.0), Some(0.2)));
    }

    #[test]
    fn a_population_that_is_missing_differs() {
        let empty = ("b".to_string(), Spikes::from_memory([]));
        let check = population("E", &[run("a", &[]), empty], Span::ZERO).unwrap();
        assert!(!check.pairs[0].equal && check.pairs[0].first_difference.is_none());
    }
}
