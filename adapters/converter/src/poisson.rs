//! `rate_to_poisson`: Poisson spikes at given rates.
//!
//! The number of spikes of a neuron in the step `(t, t+dt]` is Poisson with mean `rate(t) · dt`, independent of all others. It
//! is found by inversion of the distribution function at a random number that is a function of (seed, population's name,
//! neuron, step) alone: windows and ranks do not matter. Probabilities are exact to the 52 bits of the random number.

use std::ops::Range;

use couple_network::random::{Key, philox4x32};
use couple_ports::time::Span;
use ndarray::ArrayView2;

use crate::BadRate;

/// The largest mean number of spikes of a neuron in a step.
pub const MOST_MEAN: f64 = 1000.0;

/// The spikes of a range of neurons.
pub struct Poisson {
    key: Key,
    neurons: Range<u32>,
    /// Seconds in a step.
    step: f64,
}

impl Poisson {
    /// For the neurons `neurons` of `population`, on a grid of `step`.
    pub fn new(seed: u64, population: &str, neurons: Range<u32>, step: Span) -> Self {
        Poisson { key: Key::new(seed, &["rate_to_poisson", population]), neurons, step: step.ns() as f64 * 1e-9 }
    }

    /// Calls `each` with (neuron, step, count) for the steps after step `from`, whose rates (Hz) are the rows of `rates`, a
    /// column for each neuron: row k is the rate at the beginning of step `from + k + 1`.
    pub fn spikes(
        &self,
        from: i64,
        rates: ArrayView2<'_, f64>,
        mut each: impl FnMut(u32, i64, u32),
    ) -> Result<(), BadRate> {
        for (step, row) in (from + 1..).zip(rates.outer_iter()) {
            for (neuron, &rate) in self.neurons.clone().zip(row) {
                let mean = rate * self.step;
                if !(0.0..=MOST_MEAN).contains(&mean) {
                    return Err(BadRate { neuron, step, rate });
                }
                let count = if mean > 0.0 { count(mean, self.uniform(neuron, step)) } else { 0 };
                if count > 0 {
                    each(neuron, step, count);
                }
            }
        }
        Ok(())
    }

    /// Uniform in (0, 1), for a neuron and a step.
    fn uniform(&self, neuron: u32, step: i64) -> f64 {
        let step = step as u64;
        let words = philox4x32([step as u32, (step >> 32) as u32, neuron, 0], self.key.words());
        let word = u64::from(words[0]) | u64::from(words[1]) << 32;
        ((word >> 12) as f64 + 0.5) / (1u64 << 52) as f64
    }
}

/// The smallest number whose distribution function with this mean is above `u`.
fn count(mean: f64, u: f64) -> u32 {
    // exp(−m) ≥ 1 − m: most steps of most neurons end here.
    if u < 1.0 - mean {
        return 0;
    }
    // What lies further than that from the mean has less probability than the least random number there is.
    let far = 12.0 * mean.sqrt();
    let first = (mean - far).max(0.0).floor();
    let last = mean + far + 40.0;
    let mut k = first;
    let ln_p = if k == 0.0 { -mean } else { k * libm::log(mean) - mean - libm::lgamma(k + 1.0) };
    let mut p = libm::exp(ln_p);
    let mut below = p;
    while u >= below && k < last {
        k += 1.0;
        p *= mean / k;
        below += p;
    }
    k as u32
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;

    const MS: Span = Span::from_ns(1_000_000);

    /// How often each count came, of `steps` steps of 100 neurons, and the probability of each.
    fn counts(mean: f64, steps: usize) -> Vec<u64> {
        let poisson = Poisson::new(7, "p", 0..100, MS);
        let rates = Array2::from_elem((steps, 100), mean * 1000.0);
        let mut seen = vec![0u64; 1200];
        let mut spiking = 0;
        poisson
            .spikes(0, rates.view(), |_, _, count| {
                seen[count as usize] += 1;
                spiking += 1;
            })
            .expect("rates");
        seen[0] = 100 * steps as u64 - spiking;
        seen
    }

    /// P(k) by its logarithm, apart from how draws find it.
    fn probability(mean: f64, k: usize) -> f64 {
        let ln_factorial: f64 = (1..=k).map(|i| (i as f64).ln()).sum();
        (k as f64 * mean.ln() - mean - ln_factorial).exp()
    }

    #[test]
    fn counts_have_the_poisson_distribution() {
        for (mean, steps) in
            [(0.001, 20_000), (0.1, 5000), (1.0, 5000), (4.5, 5000), (30.0, 3000), (200.0, 2000), (990.0, 2000)]
        {
            let seen = counts(mean, steps);
            let all = (100 * steps) as f64;
            // Classes of at least ten expected; the rest is one class.
            let (mut chi, mut classes, mut expected, mut found) = (0.0, 0, 0.0, 0.0);
            let (mut rest, mut rest_found) = (all, all);
            for (k, n) in seen.iter().enumerate() {
                expected += all * probability(mean, k);
                found += *n as f64;
                if expected >= 10.0 && rest - expected >= 10.0 {
                    chi += (found - expected).powi(2) / expected;
                    (rest, rest_found) = (rest - expected, rest_found - found);
                    (expected, found, classes) = (0.0, 0.0, classes + 1);
                }
            }
            chi += (rest_found - rest).powi(2) / rest;
            // Chi-square has mean `classes` and variance 2 · `classes`: five standard deviations, with a fixed seed.
            let bound = f64::from(classes) + 5.0 * (2.0 * f64::from(classes)).sqrt();
            assert!(classes >= 1 && chi < bound, "mean {mean}: chi-square {chi} in {classes} + 1 classes");
            let mean_found = seen.iter().enumerate().map(|(k, n)| k as f64 * *n as f64).sum::<f64>() / all;
            assert!((mean_found - mean).abs() < 5.0 * (mean / all).sqrt(), "{mean_found} instead of {mean}");
        }
    }

    #[test]
    fn neurons_and_steps_are_independent() {
        let poisson = Poisson::new(7, "p", 0..200, MS);
        let mut spikes = Array2::<f64>::zeros((2000, 200));
        let rates = Array2::from_elem((2000, 200), 300.0);
        poisson
            .spikes(0, rates.view(), |n, k, count| spikes[[k as usize - 1, n as usize]] = f64::from(count))
            .expect("rates");
        let mean = 0.3;
        let correlation = |lag: usize, shift: usize| {
            let pairs = (0..2000 - lag).flat_map(|k| (0..200 - shift).map(move |n| (k, n)));
            let (sum, all) = pairs.fold((0.0, 0.0), |(sum, all), (k, n)| {
                (sum + (spikes[[k, n]] - mean) * (spikes[[k + lag, n + shift]] - mean), all + 1.0)
            });
            // In standard deviations.
            sum / all / mean * f64::sqrt(all)
        };
        for (lag, shift) in [(1, 0), (2, 0), (10, 0), (0, 1), (0, 2), (1, 1)] {
            assert!(correlation(lag, shift).abs() < 5.0, "{lag} steps, {shift} neurons: {}", correlation(lag, shift));
        }
        assert!(correlation(0, 0) > 100.0);
    }

    #[test]
    fn windows_and_ranks_do_not_matter() {
        let rates = Array2::from_shape_fn((300, 7), |(k, n)| 100.0 * n as f64 + 5.0 * (k % 60) as f64);
        let whole = collect(0..7, &rates, 300);
        assert!(whole.len() > 300 && whole.iter().any(|(_, _, count)| *count > 1));
        for window in [1, 7, 299] {
            assert_eq!(collect(0..7, &rates, window), whole);
        }
        let mut halves = collect(0..4, &rates, 10);
        halves.extend(collect(4..7, &rates, 3));
        halves.sort_unstable_by_key(|(n, k, _)| (*k, *n));
        assert_eq!(halves, whole);
        let other = Poisson::new(8, "p", 0..7, MS);
        let mut spikes = Vec::new();
        other.spikes(0, rates.view(), |n, k, count| spikes.push((n, k, count))).expect("rates");
        assert_ne!(spikes, whole, "the seed matters");
    }

    fn collect(neurons: Range<u32>, rates: &Array2<f64>, window: usize) -> Vec<(u32, i64, u32)> {
        let poisson = Poisson::new(7, "p", neurons.clone(), MS);
        let mut spikes = Vec::new();
        for start in (0..rates.nrows()).step_by(window) {
            let rows = start..(start + window).min(rates.nrows());
            let part = rates.slice(ndarray::s![rows, neurons.start as usize..neurons.end as usize]);
            poisson.spikes(start as i64, part, |n, k, count| spikes.push((n, k, count))).expect("rates");
        }
        spikes
    }

    /// A change here changes everyone's spikes.
    #[test]
    fn draws_stay_what_they_are() {
        let golden = |mean: f64| -> Vec<u32> {
            // Steps beyond 32 bits, too.
            let from = 1 << 33;
            let poisson = Poisson::new(42, "background", 5..8, MS);
            let rates = Array2::from_elem((4, 3), mean * 1000.0);
            let mut counts = vec![0; 12];
            let place = |neuron: u32, step: i64| 3 * (step - from - 1) as usize + neuron as usize - 5;
            poisson.spikes(from, rates.view(), |n, k, count| counts[place(n, k)] = count).expect("rates");
            counts
        };
        assert_eq!(golden(0.5), [0, 0, 0, 1, 0, 1, 0, 1, 0, 1, 0, 2]);
        assert_eq!(golden(20.0), [17, 17, 21, 24, 20, 26, 16, 23, 16, 23, 19, 26]);
        assert_eq!(golden(900.0), [880, 879, 906, 928, 898, 937, 876, 919, 871, 921, 894, 943]);
    }

    #[test]
    fn what_is_no_rate_is_refused_with_neuron_and_step() {
        let poisson = Poisson::new(7, "p", 3..6, MS);
        for bad in [-1e-9, f64::NAN, f64::INFINITY, 1_000_001.0] {
            let mut rates = Array2::from_elem((5, 3), 1.0);
            rates[[2, 1]] = bad;
            let error = poisson.spikes(10, rates.view(), |_, _, _| ()).expect_err("it is no rate");
            assert_eq!((error.neuron, error.step), (4, 13));
        }
        assert!(poisson.spikes(0, Array2::from_elem((5, 3), 1e6).view(), |_, _, _| ()).is_ok());
    }
}
