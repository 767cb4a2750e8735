//! `TsodyksMarkramSynapse`: each spike releases a part of the resources, which then recover.
//!
//! For the spikes n of a source, h apart (Tsodyks, Pawelzik & Markram 1998, Neural Comput 10:821; Maass & Markram 2002,
//! Neural Netw 15:155):
//!
//! ```text
//!   u(n+1) = U + u(n) (1 - U) exp(-h / tau_facil)                   u(1) = U
//!   x(n+1) = 1 + (x(n) - x(n) u(n) - 1) exp(-h / tau_rec)           x(1) = 1
//!   weight of spike n = x(n) u(n) w
//! ```
//!
//! The order of the operations is that of NEST's `tsodyks2_synapse`.

use couple_network::description::TsodyksMarkram;

#[derive(Clone, Copy)]
struct State {
    u: f64,
    x: f64,
    /// Time of the last spike in ms; negative before the first.
    last: f64,
}

/// The state of each source: all its synapses of a projection have the same.
pub(super) struct Resources {
    parameters: TsodyksMarkram,
    states: Vec<State>,
}

impl Resources {
    pub(super) fn new(parameters: TsodyksMarkram, sources: usize) -> Self {
        Resources { parameters, states: vec![State { u: parameters.u, x: 1.0, last: -1.0 }; sources] }
    }

    /// The part of the weight that a spike of `source` at `now` ms has.
    pub(super) fn release(&mut self, source: u32, now: f64) -> f64 {
        let TsodyksMarkram { u, tau_rec, tau_facil } = self.parameters;
        let state = &mut self.states[source as usize];
        if state.last >= 0.0 {
            let h = now - state.last;
            let x_decay = (-h / tau_rec).exp();
            let u_decay = if tau_facil == 0.0 { 0.0 } else { (-h / tau_facil).exp() };
            state.x = 1.0 + (state.x - state.x * state.u - 1.0) * x_decay;
            state.u = u + state.u * (1.0 - u) * u_decay;
        }
        state.last = now;
        state.x * state.u
    }
}
