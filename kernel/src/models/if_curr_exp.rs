//! `IF_curr_exp`: leaky integrate-and-fire with exponentially decaying synaptic currents.
//!
//! ```text
//!   dV/dt = −(V − v_rest)/tau_m + (I_exc + I_inh + i_offset)/cm
//!   dI_x/dt = −I_x/tau_syn_x;      a spike of weight w:  I_x += w
//!   V ≥ v_thresh:  spike;  V = v_reset for tau_refrac, while the currents go on decaying
//! ```
//!
//! Parameters: `v_rest`, `v_reset`, `v_thresh` (mV), `cm` (nF), `tau_m`, `tau_refrac`, `tau_syn_E`, `tau_syn_I` (ms),
//! `i_offset` (nA; one for each neuron if wanted). State: `v` (mV), `isyn_exc`, `isyn_inh` (nA). Weights: nA.
//!
//! Method: exact integration on the grid (Rotter & Diesmann 1999), in the order of operations of NEST's `iaf_psc_exp`:
//! V relative to v_rest, `V·P_V + I_exc·P_exc + I_inh·P_inh + i_offset·P_0` from left to right, then decay, then the
//! step's input, then the threshold. Source: Tsodyks, Uziel & Markram 2000, J Neurosci 20:RC50.

use couple_ports::time::Span;

use super::propagators::Propagator;
use super::signals::{Drive, Parameter, Thresholds, Variable};
use super::vector::{CHUNK, take, vectorised};
use super::{Definition, Input, ParameterError};

/// What all neurons of a population share.
#[derive(Clone, Copy)]
struct Shared {
    v_rest: f64,
    v_reset: f64,
    v_thresh: f64,
    p_v: f64,
    p_exc: f64,
    p_inh: f64,
    decay_exc: f64,
    decay_inh: f64,
    refractory: i64,
}

/// A population of `IF_curr_exp`.
pub struct IfCurrExp {
    shared: Shared,
    /// Relative to `v_rest`.
    v: Vec<f64>,
    exc: Vec<f64>,
    inh: Vec<f64>,
    /// Steps left in which V is held.
    wait: Vec<i64>,
    drive: Drive,
    thresholds: Thresholds,
}

impl IfCurrExp {
    pub(super) fn new(definition: &impl Definition, step: Span) -> Result<Self, ParameterError> {
        let h = super::step_ms(step);
        let v_rest = definition.constant("v_rest")?;
        let (v_reset, v_thresh) = (definition.constant("v_reset")?, definition.constant("v_thresh")?);
        super::reset_below_threshold(v_reset, v_thresh)?;
        let (tau_m, c_m) = (super::positive(definition, "tau_m")?, 1000.0 * super::positive(definition, "cm")?);
        let (tau_exc, tau_inh) = (super::positive(definition, "tau_syn_E")?, super::positive(definition, "tau_syn_I")?);
        let p_v = (-h / tau_m).exp();
        let p_0 = tau_m / c_m * (1.0 - p_v);
        let shared = Shared {
            v_rest,
            v_reset: v_reset - v_rest,
            v_thresh: v_thresh - v_rest,
            p_v,
            p_exc: Propagator::new(tau_exc, tau_m, c_m).exponential(h),
            p_inh: Propagator::new(tau_inh, tau_m, c_m).exponential(h),
            decay_exc: (-h / tau_exc).exp(),
            decay_inh: (-h / tau_inh).exp(),
            refractory: super::refractory_steps(definition.constant("tau_refrac")?, step)?,
        };
        let v = super::initial_or(definition, "v", v_rest)?;
        Ok(IfCurrExp {
            v: v.into_iter().map(|v| v - v_rest).collect(),
            exc: super::scaled(super::initial_or(definition, "isyn_exc", 0.0)?, 1000.0),
            inh: super::scaled(super::initial_or(definition, "isyn_inh", 0.0)?, 1000.0),
            wait: vec![0; definition.size()],
            drive: Drive::new(definition.each("i_offset")?, p_0),
            thresholds: Thresholds::new(shared.v_thresh),
            shared,
        })
    }

    pub(super) fn advance(&mut self, inputs: [Input<'_>; 2], fired: &mut Vec<u32>) {
        let [exc_in, inh_in] = inputs;
        let units = [exc_in.unit, inh_in.unit];
        let n = self.v.len();
        for start in (0..n).step_by(CHUNK) {
            let part = start..(start + CHUNK).min(n);
            let v = &mut self.v[part.clone()];
            let wait = &mut self.wait[part.clone()];
            let any = propagate(
                &self.shared,
                v,
                &mut self.exc[part.clone()],
                &mut self.inh[part.clone()],
                wait,
                &self.drive.added[part.clone()],
                &mut exc_in.sums[part.clone()],
                &mut inh_in.sums[part],
                units,
            );
            if any {
                let held = (self.shared.v_reset, self.shared.refractory);
                self.thresholds.fire((v, wait), held, start, fired);
            }
        }
    }

    pub(super) fn read(&self, variable: Variable, out: &mut Vec<f64>) -> bool {
        match variable {
            Variable::V => out.extend(self.v.iter().map(|v| v + self.shared.v_rest)),
            Variable::IsynExc => variable.append(&self.exc, out),
            Variable::IsynInh => variable.append(&self.inh, out),
            _ => return false,
        }
        true
    }

    pub(super) fn set(&mut self, parameter: Parameter, values: &[f64]) {
        if !self.drive.set(parameter, values) {
            let v_rest = self.shared.v_rest;
            self.thresholds.set(values.iter().map(|v_thresh| v_thresh - v_rest));
            self.shared.v_thresh = self.thresholds.lowest;
        }
    }

    pub(super) fn check_threshold(&self, v_thresh: f64) -> Result<(), ParameterError> {
        let v_reset = self.shared.v_reset + self.shared.v_rest;
        super::threshold_above_reset(v_reset, v_thresh)
    }
}

vectorised! {
    /// One step without the reset; true when a neuron reaches the threshold.
    fn propagate(
        c: &Shared,
        v: &mut [f64],
        exc: &mut [f64],
        inh: &mut [f64],
        wait: &mut [i64],
        drive: &[f64],
        exc_in: &mut [i64],
        inh_in: &mut [i64],
        units: [f64; 2],
    ) -> bool {
        let n = v.len();
        let (exc, inh, wait, drive) = (&mut exc[..n], &mut inh[..n], &mut wait[..n], &drive[..n]);
        let (exc_in, inh_in) = (&mut exc_in[..n], &mut inh_in[..n]);
        let mut reached = 0u64;
        for i in 0..n {
            let moved = v[i] * c.p_v + exc[i] * c.p_exc + inh[i] * c.p_inh + drive[i];
            let now = if wait[i] == 0 { moved } else { v[i] };
            wait[i] -= i64::from(wait[i] != 0);
            exc[i] = exc[i] * c.decay_exc + take(&mut exc_in[i], units[0]);
            inh[i] = inh[i] * c.decay_inh + take(&mut inh_in[i], units[1]);
            v[i] = now;
            reached |= u64::from(now >= c.v_thresh);
        }
        reached != 0
    }
}
