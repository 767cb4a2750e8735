//! `STDPMechanism` with `SpikePairRule`: all pairs of presynaptic and postsynaptic spikes count.
//!
//! With W = (w - w_min) / (w_max - w_min), held between 0 and 1 (Morrison, Diesmann & Gerstner 2008, Biol Cybern 98:459;
//! Gütig et al. 2003, J Neurosci 23:3697):
//!
//! ```text
//!   postsynaptic spike at the synapse:   W += A_plus  (1 - W)^mu_plus   K_plus      K_plus:  trace of presynaptic spikes
//!   presynaptic spike:                   W -= A_minus  W^mu_minus       K_minus     K_minus: trace of postsynaptic spikes
//! ```
//!
//! Potentiation by a postsynaptic spike is applied when the next presynaptic one comes, before its depression: a weight
//! has an effect only then. The order of the operations is that of NEST's `stdp_synapse`, for `w_min` = 0.

use couple_network::description::Stdp;

use super::history::History;

#[derive(Clone, Copy)]
struct State {
    /// Time of the last presynaptic spike in ms.
    last: f64,
    k_plus: f64,
    /// Postsynaptic spikes that reached the synapses up to this step have acted.
    done: i64,
}

/// The rule, and the state of each source: all its synapses of a projection have the same.
pub(super) struct Pairs {
    tau_plus: f64,
    potentiation: f64,
    depression: f64,
    mu_plus: f64,
    mu_minus: f64,
    /// In the model's unit.
    low: f64,
    range: f64,
    states: Vec<State>,
}

impl Pairs {
    pub(super) fn new(stdp: Stdp, weight_unit: f64, sources: usize) -> Self {
        let (low, high) = (stdp.w_min * weight_unit, stdp.w_max * weight_unit);
        // NEST has the ratio of the two, and multiplies.
        let depression = if stdp.a_plus > 0.0 { stdp.a_minus / stdp.a_plus * stdp.a_plus } else { stdp.a_minus };
        Pairs {
            tau_plus: stdp.tau_plus,
            potentiation: stdp.a_plus,
            depression,
            mu_plus: stdp.mu_plus,
            mu_minus: stdp.mu_minus,
            low,
            range: high - low,
            states: vec![State { last: 0.0, k_plus: 0.0, done: 0 }; sources],
        }
    }

    /// Lets the postsynaptic spikes act on `weight` that have reached the synapse up to step `until`.
    pub(super) fn potentiate(
        &self,
        source: u32,
        until: i64,
        delay: i64,
        history: &History,
        neuron: usize,
        weight: &mut f64,
    ) {
        let state = &self.states[source as usize];
        for past in history.between(neuron, state.done - delay, until - delay) {
            let apart = state.last - (past.time + history.delay(delay));
            let k_plus = state.k_plus * (apart / self.tau_plus).exp();
            let part = (*weight - self.low) / self.range;
            let part = part + self.potentiation * (1.0 - part).powf(self.mu_plus) * k_plus;
            *weight = self.weight(if part < 1.0 { part } else { 1.0 });
        }
    }

    /// A presynaptic spike of `source` in `step` finds `weight`; [`Self::fired`] follows when all synapses have had it.
    pub(super) fn presynaptic(
        &self,
        source: u32,
        step: i64,
        delay: i64,
        history: &History,
        neuron: usize,
        weight: &mut f64,
    ) {
        self.potentiate(source, step, delay, history, neuron, weight);
        let k_minus = history.trace(neuron, step, delay);
        let part = (*weight - self.low) / self.range;
        let part = part - self.depression * part.powf(self.mu_minus) * k_minus;
        *weight = self.weight(if part > 0.0 { part } else { 0.0 });
    }

    /// The weight within its bounds that is nearest to `weight`.
    pub(super) fn hold(&self, weight: f64) -> f64 {
        let end = self.low + self.range;
        weight.clamp(self.low.min(end), self.low.max(end))
    }

    fn weight(&self, part: f64) -> f64 {
        part * self.range + self.low
    }

    /// Ends a presynaptic spike of `source` in `step`, at `now` ms.
    pub(super) fn fired(&mut self, source: u32, step: i64, now: f64) {
        let state = &mut self.states[source as usize];
        state.k_plus = state.k_plus * ((state.last - now) / self.tau_plus).exp() + 1.0;
        *state = State { last: now, k_plus: state.k_plus, done: step };
    }

    /// Notes that [`Self::potentiate`] has been called for all synapses of `source`.
    pub(super) fn caught_up(&mut self, source: u32, until: i64) {
        let state = &mut self.states[source as usize];
        state.done = state.done.max(until);
    }
}
