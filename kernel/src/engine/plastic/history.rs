//! The spikes of postsynaptic neurons, as far back as synapses need them.

use std::collections::VecDeque;

use super::Clock;

/// A spike of a postsynaptic neuron.
#[derive(Clone, Copy, Debug)]
pub(super) struct Past {
    pub(super) step: i64,
    /// The time of it in ms.
    pub(super) time: f64,
    /// The trace right after it: each spike adds one, and it decays with `tau_minus`.
    pub(super) trace: f64,
}

/// The spikes of a block's neurons, with a trace of one time constant.
pub(super) struct History {
    target: usize,
    tau_minus: f64,
    inverse: f64,
    clock: Clock,
    spikes: Vec<VecDeque<Past>>,
}

impl History {
    /// The spikes of `neuron` after step `after` and up to `until`.
    pub(super) fn between(&self, neuron: usize, after: i64, until: i64) -> impl Iterator<Item = &Past> {
        let past = &self.spikes[neuron];
        // Most are wanted soon after they happened: from the back.
        let newer = past.iter().rev().take_while(|p| p.step > after).count();
        past.range(past.len() - newer..).take_while(move |p| p.step <= until)
    }

    /// A delay in ms.
    pub(super) fn delay(&self, steps: i64) -> f64 {
        self.clock.delay(steps)
    }

    /// The trace of `neuron` as it is at a synapse with `delay` in `step`, without a spike that gets there just then.
    pub(super) fn trace(&self, neuron: usize, step: i64, delay: i64) -> f64 {
        let time = self.clock.stamp(step) - self.clock.delay(delay);
        let before = self.spikes[neuron].iter().rev().find(|p| p.step < step - delay);
        before.map_or(0.0, |p| p.trace * ((p.time - time) * self.inverse).exp())
    }

    fn add(&mut self, neuron: u32, step: i64) {
        let past = &mut self.spikes[neuron as usize];
        let time = self.clock.stamp(step);
        let trace = past.back().map_or(0.0, |p| p.trace * ((p.time - time) * self.inverse).exp()) + 1.0;
        past.push_back(Past { step, time, trace });
    }
}

/// The histories of a thread: one for each target population and time constant.
#[derive(Default)]
pub(in crate::engine) struct Histories {
    all: Vec<History>,
    /// Spikes kept, and how many may be before some are forgotten.
    kept: usize,
    limit: usize,
}

impl Histories {
    /// The history of the population at position `target`, of `neurons` neurons.
    pub(super) fn of(&mut self, target: usize, tau_minus: f64, neurons: usize, clock: Clock) -> usize {
        let same = |h: &History| h.target == target && h.tau_minus == tau_minus;
        self.all.iter().position(same).unwrap_or_else(|| {
            let spikes = vec![VecDeque::new(); neurons];
            self.all.push(History { target, tau_minus, inverse: 1.0 / tau_minus, clock, spikes });
            self.all.len() - 1
        })
    }

    pub(super) fn get(&self, id: usize) -> &History {
        &self.all[id]
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// Notes that neurons of the population at position `target` have fired in `step`.
    pub(in crate::engine) fn add(&mut self, target: usize, step: i64, fired: &[u32]) {
        for history in self.all.iter_mut().filter(|h| h.target == target) {
            fired.iter().for_each(|neuron| history.add(*neuron, step));
            self.kept += fired.len();
        }
    }

    pub(super) fn are_full(&self) -> bool {
        self.kept > self.limit
    }

    /// Forgets the spikes of a history up to `step`, but for the last of each neuron: its trace is still needed.
    pub(super) fn forget_before(&mut self, id: usize, step: i64) {
        for past in &mut self.all[id].spikes {
            while past.get(1).is_some_and(|next| next.step < step) {
                past.pop_front();
                self.kept -= 1;
            }
        }
    }

    /// Settles how many spikes may be kept before the next search, which visits `synapses` synapses: few searches for
    /// each spike, and not more memory than the synapses take.
    pub(super) fn set_limit(&mut self, synapses: usize) {
        self.limit = (2 * self.kept).max(synapses / 2);
    }
}
