//! `spikes_to_rate`: the rates of trains of spikes.
//!
//! ```text
//!   exponential:  rate(t) = Σ exp(−(t − tᵢ)/tau) / tau   over the spikes tᵢ ≤ t
//!   window:       rate(t) = (number of spikes in (t − width, t]) / width
//! ```
//!
//! A spike counts from the time on at which it arrives, also between two steps. Spikes are taken in order of time, so that the
//! sums have the same bits whatever the window and the order of arrival.

use std::collections::VecDeque;

use couple_network::description::RateKernel;
use couple_ports::time::{Span, Time};
use ndarray::Array2;

/// The rates of a number of trains.
pub struct Rates {
    kernel: Kernel,
    step: Span,
    /// Spikes of the window at hand: (time, train).
    arrived: Vec<(Time, u32)>,
}

enum Kernel {
    Exponential {
        /// s
        tau: f64,
        /// What is left of a rate after a step.
        decay: f64,
        rates: Vec<f64>,
    },
    Window {
        width: Span,
        /// The spikes that count, in order of time.
        recent: Vec<VecDeque<Time>>,
    },
}

impl Rates {
    /// The rates of `trains` trains, on a grid of `step`; no spike has come so far.
    pub fn new(kernel: RateKernel, trains: usize, step: Span) -> Self {
        let kernel = match kernel {
            RateKernel::Exponential { tau } => {
                let decay = libm::exp(-step.ms() / tau);
                Kernel::Exponential { tau: tau * 1e-3, decay, rates: vec![0.0; trains] }
            }
            RateKernel::Window { width } => Kernel::Window { width, recent: vec![VecDeque::new(); trains] },
        };
        Rates { kernel, step, arrived: Vec::new() }
    }

    /// Takes a spike of a train at `time`, within the window at hand.
    pub fn spike(&mut self, train: u32, time: Time) {
        self.arrived.push((time, train));
    }

    /// The rates in Hz at the end of each of the steps in `(start, end]`, a row for each step.
    pub fn window(&mut self, start: Time, end: Time) -> Array2<f64> {
        // Spikes of equal time and train are alike.
        self.arrived.sort_unstable();
        let steps = (end - start).steps(self.step);
        let trains = match &self.kernel {
            Kernel::Exponential { rates, .. } => rates.len(),
            Kernel::Window { recent, .. } => recent.len(),
        };
        let mut out = Array2::zeros((steps as usize, trains));
        let mut arrived = self.arrived.iter().peekable();
        for (k, mut row) in (1..).zip(out.outer_iter_mut()) {
            let now = start + self.step * k;
            let mut next = || arrived.next_if(|(time, _)| *time <= now);
            match &mut self.kernel {
                Kernel::Exponential { tau, decay, rates } => {
                    rates.iter_mut().for_each(|rate| *rate *= *decay);
                    while let Some(&(time, train)) = next() {
                        let since = (now - time).ns() as f64 * 1e-9;
                        rates[train as usize] += libm::exp(-since / *tau) / *tau;
                    }
                    row.iter_mut().zip(rates).for_each(|(out, rate)| *out = *rate);
                }
                Kernel::Window { width, recent } => {
                    while let Some(&(time, train)) = next() {
                        recent[train as usize].push_back(time);
                    }
                    for (out, recent) in row.iter_mut().zip(recent) {
                        while recent.front().is_some_and(|time| *time <= now - *width) {
                            recent.pop_front();
                        }
                        *out = recent.len() as f64 / (width.ns() as f64 * 1e-9);
                    }
                }
            }
        }
        self.arrived.clear();
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Span = Span::from_ns(1_000_000);
    const TRAINS: u32 = 3;

    /// Spikes on and off the grid, some at the same time.
    fn spikes() -> Vec<(u32, Time)> {
        let mut numbers = 1u64;
        let mut next = |n: u64| {
            numbers = numbers.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (numbers >> 33) % n
        };
        let mut all: Vec<_> = (0..600)
            .map(|i| {
                let time = if i % 3 == 0 { 1_000_000 * (1 + next(300)) } else { 1 + next(300_000_000) };
                (next(u64::from(TRAINS)) as u32, Time::from_ns(time as i64))
            })
            .collect();
        all.push(all[0]);
        all
    }

    fn run(kernel: RateKernel, window: i64, order: impl Fn(&mut Vec<(u32, Time)>)) -> Vec<f64> {
        let mut all = spikes();
        order(&mut all);
        let mut rates = Rates::new(kernel, TRAINS as usize, MS);
        let (mut now, end, mut out) = (Time::ZERO, Time::ZERO + MS * 300, Vec::new());
        while now < end {
            let stop = (now + MS * window).min(end);
            all.iter().filter(|(_, t)| *t > now && *t <= stop).for_each(|(train, t)| rates.spike(*train, *t));
            out.extend(rates.window(now, stop));
            now = stop;
        }
        out
    }

    const KERNELS: [RateKernel; 2] =
        [RateKernel::Exponential { tau: 20.0 }, RateKernel::Window { width: Span::from_ns(25_000_000) }];

    #[test]
    fn rates_are_those_of_the_definition() {
        for kernel in KERNELS {
            let found = run(kernel, 1, |_| ());
            let mut largest = 0.0f64;
            for (at, found) in found.iter().enumerate() {
                let (row, train) = (at / TRAINS as usize, (at % TRAINS as usize) as u32);
                let now = Time::ZERO + MS * (row as i64 + 1);
                let of_train = spikes().into_iter().filter(|(n, t)| *n == train && *t <= now);
                let expected: f64 = match kernel {
                    RateKernel::Exponential { tau } => {
                        of_train.map(|(_, t)| (-(now - t).ms() / tau).exp() / tau * 1000.0).sum()
                    }
                    RateKernel::Window { width } => {
                        of_train.filter(|(_, t)| *t > now - width).count() as f64 / (width.ms() * 1e-3)
                    }
                };
                assert!((found - expected).abs() <= 1e-9 * (1.0 + expected), "{found} instead of {expected} at {now}");
                largest = largest.max(expected);
            }
            assert!(largest > 100.0, "the test says little");
        }
    }

    #[test]
    fn windows_and_the_order_of_arrival_do_not_matter() {
        for kernel in KERNELS {
            let bits = |values: Vec<f64>| values.into_iter().map(f64::to_bits).collect::<Vec<_>>();
            let whole = bits(run(kernel, 300, |_| ()));
            for window in [1, 4, 77] {
                assert_eq!(bits(run(kernel, window, |_| ())), whole);
            }
            assert_eq!(bits(run(kernel, 10, |all| all.reverse())), whole);
            assert_eq!(bits(run(kernel, 10, |all| all.sort_unstable())), whole);
        }
    }

    #[test]
    fn a_spike_at_the_edge_of_the_window_counts_once() {
        let mut rates = Rates::new(RateKernel::Window { width: MS * 5 }, 1, MS);
        rates.spike(0, Time::ZERO + MS);
        let found = rates.window(Time::ZERO, Time::ZERO + MS * 10);
        // In (t − 5 ms, t]: at 1, 2, 3, 4 and 5 ms.
        assert_eq!(found.column(0).to_vec(), [200.0, 200.0, 200.0, 200.0, 200.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        let mut rates = Rates::new(RateKernel::Exponential { tau: 4.0 }, 1, MS);
        rates.spike(0, Time::ZERO + MS);
        let found = rates.window(Time::ZERO, Time::ZERO + MS * 2);
        assert_eq!(found[[0, 0]], 250.0);
        assert_eq!(found[[1, 0]], 250.0 * libm::exp(-0.25));
    }
}
