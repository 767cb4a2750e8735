//! Renewal processes: spikes at intervals that are drawn independently of each other, from a distribution that may change
//! in time.
//!
//! Each neuron's process is in equilibrium when it begins: the first interval is what is left of one that has begun before. An
//! interval is a function of (seed, population's name, index, its number), so the spikes are; a stimulus remembers
//! how far it has come only so as not to draw everything anew for each step, and begins again when asked for
//! earlier spikes.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use couple_ports::time::{Span, Time};

use super::inhomogeneous::Stretches;
use crate::random::{Key, Stream};

/// The distribution of intervals, in ns.
#[derive(Clone, Debug)]
pub(super) enum Law {
    /// A dead time and an exponential.
    Refractory { dead: f64, mean_rest: f64 },
    /// Gamma.
    Gamma { shape: f64, scale: f64 },
    /// Gamma that changes in time.
    Inhomogeneous(Stretches),
}

impl Law {
    /// When the spike comes that follows on one at `last`.
    fn next(&self, last: f64, stream: &mut Stream) -> f64 {
        match self {
            Law::Refractory { dead, mean_rest } => last + dead + mean_rest * stream.exponential(),
            Law::Gamma { shape, scale } => last + scale * stream.gamma(*shape),
            Law::Inhomogeneous(stretches) => stretches.next(last, last, stream.exponential()),
        }
    }

    /// The time to the first spike from a moment at which the process has been running for long: a uniform part of an
    /// interval, where an interval is met the more often the longer it is.
    fn first(&self, stream: &mut Stream) -> f64 {
        let part = stream.open();
        match self {
            Law::Refractory { dead, mean_rest } => {
                // With the probability of being in the dead time, the interval's end is anywhere within its length.
                let met = stream.open() * (dead + mean_rest) < *dead;
                if met { part * dead } else { dead - mean_rest * libm::log(part) }
            }
            Law::Gamma { shape, scale } => part * scale * stream.gamma(shape + 1.0),
            Law::Inhomogeneous(stretches) => {
                // What has passed of an interval has the same distribution as what is left.
                let (shape, scale) = stretches.first();
                let age = part * scale * stream.gamma(shape + 1.0);
                stretches.next(-age, 0.0, stream.exponential())
            }
        }
    }
}

/// A neuron's next spike, in ns since the process began, and the number of the interval that leads to it.
#[derive(Clone, Copy)]
struct Train {
    next: f64,
    number: u64,
}

struct Trains {
    /// Steps up to this one are past.
    done: i64,
    /// No spike comes before.
    earliest: f64,
    trains: Vec<Train>,
}

pub(super) struct Renewal {
    key: Key,
    law: Law,
    /// Spikes fall in `(active.start, active.end]`.
    active: Range<Time>,
    first: u32,
    trains: Mutex<Trains>,
}

impl Renewal {
    pub(super) fn new(seed: u64, population: &str, law: Law, active: Range<Time>, range: Range<u32>) -> Self {
        let key = Key::new(seed, &["stimulus", population]);
        let mut renewal = Renewal {
            key,
            law,
            active,
            first: range.start,
            trains: Mutex::new(Trains { done: 0, earliest: 0.0, trains: Vec::new() }),
        };
        let beginning = range.map(|index| renewal.beginning(index)).collect();
        renewal.trains = Mutex::new(Trains { done: 0, earliest: 0.0, trains: beginning });
        renewal
    }

    /// The draws of a neuron's interval.
    fn stream(&self, index: u32, number: u64) -> Stream {
        Stream::new(self.key, u64::from(index) | number << 32)
    }

    fn beginning(&self, index: u32) -> Train {
        Train { next: self.law.first(&mut self.stream(index, 0)), number: 0 }
    }

    /// Calls `each` with (index, count) for the neurons that spike in step `k` of length `step`.
    pub(super) fn step(&self, k: i64, step: Span, mut each: impl FnMut(u32, u32)) {
        let end = Time::ZERO + step * k;
        if end <= self.active.start || end - step >= self.active.end {
            return;
        }
        let mut state = self.trains.lock().unwrap_or_else(PoisonError::into_inner);
        if k <= state.done {
            for (train, index) in state.trains.iter_mut().zip(self.first..) {
                *train = self.beginning(index);
            }
            state.earliest = 0.0;
        }
        // What lies between the last step asked for and this one passes unseen.
        if k - 1 > state.done.max(0) || k <= state.done {
            self.advance(&mut state, end - step, |_, _| {});
        }
        state.done = k;
        self.advance(&mut state, end, &mut each);
    }

    /// Calls `each` for the spikes up to `end`, and has the trains go past them.
    fn advance(&self, state: &mut Trains, end: Time, mut each: impl FnMut(u32, u32)) {
        let until = (end.min(self.active.end) - self.active.start).ns() as f64;
        if state.earliest > until {
            return;
        }
        state.earliest = f64::INFINITY;
        for (train, index) in state.trains.iter_mut().zip(self.first..) {
            let mut count = 0;
            while train.next <= until {
                count += 1;
                train.number += 1;
                train.next = self.law.next(train.next, &mut self.stream(index, train.number));
            }
            if count > 0 {
                each(index, count);
            }
            state.earliest = state.earliest.min(train.next);
        }
    }
}
