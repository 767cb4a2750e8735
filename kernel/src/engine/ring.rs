//! Input that is on its way: a ring of future steps for each receptor of each population of a thread.
//!
//! ```text
//!             slot 0          slot 1          slot 2          …
//!          ┌───────────────┬───────────────┬───────────────┐
//!          │ n0 n1 n2 …    │ n0 n1 n2 …    │ n0 n1 n2 …    │      i64, multiples of the receptor's grid
//!          └───────────────┴───────────────┴───────────────┘
//!   step s ↔ slot s mod slots;   a synapse is an offset:  delay_steps · neurons + target
//! ```
//!
//! Sums of integers do not depend on the order of addition, which is why spikes may come in any order.

use crate::models::Input;

/// The ring of one receptor.
pub(super) struct Ring {
    sums: Vec<i64>,
    neurons: usize,
    slots: usize,
    /// What one unit is worth in the model.
    unit: f64,
}

impl Ring {
    /// For `neurons` neurons, holding inputs up to `ahead` steps after the present one.
    pub(super) fn new(neurons: usize, ahead: usize, unit: f64) -> Self {
        let slots = ahead + 1;
        Ring { sums: vec![0; slots * neurons], neurons, slots, unit }
    }

    /// Where the slot of step `step` begins.
    #[inline]
    pub(super) fn base(&self, step: i64) -> usize {
        (step as u64 % self.slots as u64) as usize * self.neurons
    }

    /// The input that arrives at `step`.
    #[inline]
    pub(super) fn input(&mut self, step: i64) -> Input<'_> {
        let base = self.base(step);
        Input { sums: &mut self.sums[base..base + self.neurons], unit: self.unit }
    }

    /// Adds `amount` units at `offset` from `base`.
    #[inline(always)]
    pub(super) fn add(&mut self, base: usize, offset: u32, amount: i64) {
        let at = base + offset as usize;
        let at = if at >= self.sums.len() { at - self.sums.len() } else { at };
        self.sums[at] = self.sums[at].wrapping_add(amount);
    }

    /// Bytes in memory.
    pub(super) fn bytes(&self) -> usize {
        self.sums.len() * size_of::<i64>()
    }
}

#[cfg(test)]
mod tests {
    use super::Ring;

    #[test]
    fn input_arrives_once_at_its_step() {
        let (neurons, ahead) = (3, 5);
        let mut ring = Ring::new(neurons, ahead, 0.5);
        for step in 0..40_i64 {
            for delay in 1..=ahead as u32 {
                let base = ring.base(step);
                ring.add(base, delay * neurons as u32 + 1, i64::from(delay));
            }
            let input = ring.input(step + 1);
            // From each of the last steps one delay has come due.
            let due: i64 = (1..=ahead as i64).filter(|delay| step + 1 - delay >= 0).sum();
            assert_eq!(input.sums, [0, due, 0]);
            input.sums.fill(0);
        }
    }
}
