//! Analog signals: which rows of samples a window has, and what is seen of a signal between its samples.
//!
//! Samples are stamped with the ends of the sender's steps: row `k` is the signal at `k * step`. A window `(start, end]`
//! has the rows whose stamps lie in it. Row 0 is the initial value, which is also what is seen before time 0.
//!
//! ```
//! use couple_ports::control::Interpolation;
//! use couple_ports::samples::{self, Rows};
//! use couple_ports::time::{Span, Time};
//! let step = Span::from_ns(100);
//! assert_eq!(samples::rows(Time::ZERO, Time::from_ns(300), step), 3);
//! let rows = Rows { values: &[0.0, 1.0, 4.0], columns: 1, first: 0, step };
//! let mut seen = [0.0];
//! rows.see(Time::from_ns(150), Interpolation::Hold, &mut seen);
//! assert_eq!(seen, [1.0]);
//! rows.see(Time::from_ns(150), Interpolation::Linear, &mut seen);
//! assert_eq!(seen, [2.5]);
//! ```

use crate::control::Interpolation;
use crate::time::{Span, Time};

/// How many rows a window `(start, end]` has; `every` is positive.
pub fn rows(start: Time, end: Time, every: Span) -> u64 {
    let number = |time: Time| time.ns().div_euclid(every.ns());
    u64::try_from(number(end).saturating_sub(number(start))).unwrap_or(0)
}

/// The number of the first row behind `start`.
pub fn first_row(start: Time, every: Span) -> i64 {
    start.ns().div_euclid(every.ns()).saturating_add(1)
}

/// The stamp of a row.
pub fn stamp(row: i64, every: Span) -> Time {
    Time::from_ns(row.saturating_mul(every.ns()))
}

/// Consecutive rows of samples.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    /// Row by row.
    pub values: &'a [f64],
    /// Values in each row.
    pub columns: usize,
    /// Number of the first row.
    pub first: i64,
    /// From one row to the next.
    pub step: Span,
}

impl Rows<'_> {
    /// The number of the last row that [`Rows::see`] looks at for `time`.
    pub fn last_needed(time: Time, step: Span, interpolation: Interpolation) -> i64 {
        let time = time.ns().max(0);
        match interpolation {
            Interpolation::Hold => time.div_euclid(step.ns()),
            Interpolation::Linear => time.div_euclid(step.ns()) + i64::from(time.rem_euclid(step.ns()) != 0),
        }
    }

    /// What is seen of the signal at `time`; the rows around it must be there.
    ///
    /// Held: the last sample up to that time. Linear: `s0 + (s1 - s0) * ((time - t0) / step)` between the samples around
    /// it, and exactly the sample at its stamp.
    pub fn see(&self, time: Time, interpolation: Interpolation, seen: &mut [f64]) {
        let time = time.ns().max(0);
        let (row, behind) = (time.div_euclid(self.step.ns()), time.rem_euclid(self.step.ns()));
        let before = self.row(row);
        if behind == 0 || interpolation == Interpolation::Hold {
            seen.copy_from_slice(before);
            return;
        }
        let part = behind as f64 / self.step.ns() as f64;
        for ((seen, s0), s1) in seen.iter_mut().zip(before).zip(self.row(row + 1)) {
            *seen = s0 + (s1 - s0) * part;
        }
    }

    fn row(&self, number: i64) -> &[f64] {
        let at = (number - self.first) as usize * self.columns;
        &self.values[at..at + self.columns]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ns(ns: i64) -> Time {
        Time::from_ns(ns)
    }

    #[test]
    fn windows_are_open_on_the_left() {
        let step = Span::from_ns(10);
        assert_eq!(rows(ns(0), ns(10), step), 1);
        assert_eq!(rows(ns(10), ns(10), step), 0);
        assert_eq!(rows(ns(10), ns(19), step), 0);
        assert_eq!(rows(ns(5), ns(30), step), 3);
        assert_eq!(rows(ns(30), ns(5), step), 0);
        assert_eq!((first_row(ns(0), step), first_row(ns(9), step), first_row(ns(10), step)), (1, 1, 2));
        assert_eq!(stamp(3, step), ns(30));
    }

    /// The samples of a sender that has reached a time, by whole steps.
    fn samples_up_to(time: Time, step: Span) -> i64 {
        (time.ns() + step.ns() - 1) / step.ns()
    }

    /// The definition, sample by sample.
    fn by_definition(samples: &[f64], step: i64, time: i64, interpolation: Interpolation) -> f64 {
        let stamped = |k: usize| k as i64 * step;
        let Some(before) = (0..samples.len()).rev().find(|k| stamped(*k) <= time) else { return samples[0] };
        if stamped(before) == time || interpolation == Interpolation::Hold {
            return samples[before];
        }
        let (s0, s1) = (samples[before], samples[before + 1]);
        s0 + (s1 - s0) * ((time - stamped(before)) as f64 / (stamped(before + 1) - stamped(before)) as f64)
    }

    proptest! {
        #[test]
        fn each_row_belongs_to_one_window(cuts in proptest::collection::vec(0i64..5000, 2..20), every in 1i64..400) {
            let mut cuts = cuts;
            cuts.sort_unstable();
            let every = Span::from_ns(every);
            let mut next = first_row(ns(cuts[0]), every);
            for pair in cuts.windows(2) {
                let (start, end) = (ns(pair[0]), ns(pair[1]));
                for row in 0..rows(start, end, every) as i64 {
                    prop_assert_eq!(first_row(start, every) + row, next);
                    prop_assert!(stamp(next, every) > start && stamp(next, every) <= end);
                    next += 1;
                }
            }
            prop_assert!(stamp(next, every) > ns(cuts[cuts.len() - 1]));
        }

        #[test]
        fn what_is_seen_is_the_definition(
            samples in proptest::collection::vec(-1e3f64..1e3, 2..40),
            step in 1i64..1000,
            part in 0.0f64..1.0,
            before in any::<bool>(),
            linear in any::<bool>(),
        ) {
            let interpolation = if linear { Interpolation::Linear } else { Interpolation::Hold };
            let last = (samples.len() as i64 - 1) * step;
            let time = if before { -((part * 500.0) as i64) } else { (part * last as f64) as i64 };
            let rows = Rows { values: &samples, columns: 1, first: 0, step: Span::from_ns(step) };
            let mut seen = [f64::NAN];
            rows.see(ns(time), interpolation, &mut seen);
            prop_assert_eq!(seen[0].to_bits(), by_definition(&samples, step, time, interpolation).to_bits());
            let needed = Rows::last_needed(ns(time), Span::from_ns(step), interpolation);
            prop_assert!(needed >= 0 && needed < samples.len() as i64);
        }

        /// A sender is always at the end of one of its steps: when it has reached a time, the sample behind is there.
        #[test]
        fn the_sample_behind_is_there(step in 1i64..30, time in 0i64..2000, more in 0i64..5, linear in any::<bool>()) {
            let interpolation = if linear { Interpolation::Linear } else { Interpolation::Hold };
            let step = Span::from_ns(step);
            let reached = samples_up_to(ns(time), step) + more;
            let last = Rows::last_needed(ns(time), step, interpolation);
            prop_assert!(last <= reached && stamp(last, step) - ns(time) < step);
        }
    }
}
