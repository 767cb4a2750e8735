//! `IF_curr_delta`: leaky integrate-and-fire; each input spike shifts the potential.
//!
//! ```text
//!   dV/dt = −(V − v_rest)/tau_m + i_offset/cm;       a spike of weight w:  V += w
//!   V ≥ v_thresh:  spike;  V = v_reset for tau_refrac; input in that time is lost
//! ```
//!
//! Parameters: `v_rest`, `v_reset`, `v_thresh` (mV), `cm` (nF), `tau_m`, `tau_refrac` (ms), `i_offset` (nA; one for
//! each neuron if wanted). State: `v` (mV). Weights: mV, the same for both receptors.
//!
//! Method: exact integration on the grid (Rotter & Diesmann 1999), in the order of operations of NEST's
//! `iaf_psc_delta` with `refractory_input` off: V relative to v_rest, `P_0·i_offset + P_V·V + input`.

use couple_ports::time::Span;

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
    refractory: i64,
}

/// A population of `IF_curr_delta`.
pub struct IfCurrDelta {
    shared: Shared,
    /// Relative to `v_rest`.
    v: Vec<f64>,
    wait: Vec<i64>,
    drive: Drive,
    thresholds: Thresholds,
}

impl IfCurrDelta {
    pub(super) fn new(definition: &impl Definition, step: Span) -> Result<Self, ParameterError> {
        let h = super::step_ms(step);
        let v_rest = definition.constant("v_rest")?;
        let (v_reset, v_thresh) = (definition.constant("v_reset")?, definition.constant("v_thresh")?);
        super::reset_below_threshold(v_reset, v_thresh)?;
        let (tau_m, c_m) = (super::positive(definition, "tau_m")?, 1000.0 * super::positive(definition, "cm")?);
        let p_v = (-h / tau_m).exp();
        let p_0 = 1.0 / c_m * (1.0 - p_v) * tau_m;
        let shared = Shared {
            v_rest,
            v_reset: v_reset - v_rest,
            v_thresh: v_thresh - v_rest,
            p_v,
            refractory: super::refractory_steps(definition.constant("tau_refrac")?, step)?,
        };
        let v = super::initial_or(definition, "v", v_rest)?;
        Ok(IfCurrDelta {
            v: v.into_iter().map(|v| v - v_rest).collect(),
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
            let (exc_in, inh_in) = (&mut exc_in.sums[part.clone()], &mut inh_in.sums[part.clone()]);
            if propagate(&self.shared, v, wait, &self.drive.added[part], exc_in, inh_in, units) {
                let held = (self.shared.v_reset, self.shared.refractory);
                self.thresholds.fire((v, wait), held, start, fired);
            }
        }
    }

    pub(super) fn read(&self, variable: Variable, out: &mut Vec<f64>) -> bool {
        if variable != Variable::V {
            return false;
        }
        out.extend(self.v.iter().map(|v| v + self.shared.v_rest));
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
        wait: &mut [i64],
        drive: &[f64],
        exc_in: &mut [i64],
        inh_in: &mut [i64],
        units: [f64; 2],
    ) -> bool {
        let n = v.len();
        let (wait, drive) = (&mut wait[..n], &drive[..n]);
        let (exc_in, inh_in) = (&mut exc_in[..n], &mut inh_in[..n]);
        let mut reached = 0u64;
        for i in 0..n {
            let input = take(&mut exc_in[i], units[0]) + take(&mut inh_in[i], units[1]);
            let moved = drive[i] + c.p_v * v[i] + input;
            let now = if wait[i] == 0 { moved } else { v[i] };
            wait[i] -= i64::from(wait[i] != 0);
            v[i] = now;
            reached |= u64::from(now >= c.v_thresh);
        }
        reached != 0
    }
}
