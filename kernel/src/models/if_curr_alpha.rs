//! `IF_curr_alpha`: leaky integrate-and-fire with alpha-shaped synaptic currents.
//!
//! ```text
//!   dV/dt = −(V − v_rest)/tau_m + (I_exc + I_inh + i_offset)/cm
//!   dI_x/dt = D_x − I_x/tau_syn_x;   dD_x/dt = −D_x/tau_syn_x;   a spike of weight w:  D_x += w·e/tau_syn_x
//!   V ≥ v_thresh:  spike;  V = v_reset for tau_refrac, while the currents go on
//! ```
//!
//! so that the current of one spike is `w · t/tau_syn · exp(1 − t/tau_syn)`, with its peak `w` at `t = tau_syn`.
//!
//! Parameters: `v_rest`, `v_reset`, `v_thresh` (mV), `cm` (nF), `tau_m`, `tau_refrac`, `tau_syn_E`, `tau_syn_I` (ms),
//! `i_offset` (nA; one for each neuron if wanted). State: `v` (mV), `isyn_exc`, `isyn_inh` (nA). Weights: nA.
//!
//! Method: exact integration on the grid (Rotter & Diesmann 1999), in the order of operations of NEST's
//! `iaf_psc_alpha`: V relative to v_rest, `P_0·i_offset + P_dI·D_exc + P_I·I_exc + P_dI·D_inh + P_I·I_inh +
//! expm1(−h/tau_m)·V + V` from left to right. Source: Diesmann, Gewaltig, Rotter & Aertsen 2001, Neurocomputing 38:565.

use couple_ports::time::Span;

use super::propagators::{Propagator, expm1};
use super::signals::{Drive, Parameter, Thresholds, Variable};
use super::vector::{CHUNK, take, vectorised};
use super::{Definition, Input, ParameterError};

/// One synaptic current's constants.
#[derive(Clone, Copy)]
struct Current {
    /// From D to V.
    p_derivative: f64,
    /// From I to V.
    p_current: f64,
    decay: f64,
    /// From D to I.
    rise: f64,
    /// D of a unit spike.
    kick: f64,
}

impl Current {
    fn new(tau_syn: f64, tau_m: f64, c_m: f64, h: f64) -> Self {
        let (p_derivative, p_current) = Propagator::new(tau_syn, tau_m, c_m).alpha(h);
        let decay = (-h / tau_syn).exp();
        Current { p_derivative, p_current, decay, rise: h * decay, kick: std::f64::consts::E / tau_syn }
    }
}

/// What all neurons of a population share.
#[derive(Clone, Copy)]
struct Shared {
    v_rest: f64,
    v_reset: f64,
    v_thresh: f64,
    /// expm1(−h/tau_m)
    p_v: f64,
    exc: Current,
    inh: Current,
    refractory: i64,
}

/// A population of `IF_curr_alpha`.
pub struct IfCurrAlpha {
    shared: Shared,
    /// Relative to `v_rest`.
    v: Vec<f64>,
    exc: Vec<f64>,
    exc_derivative: Vec<f64>,
    inh: Vec<f64>,
    inh_derivative: Vec<f64>,
    wait: Vec<i64>,
    drive: Drive,
    thresholds: Thresholds,
}

impl IfCurrAlpha {
    pub(super) fn new(definition: &impl Definition, step: Span) -> Result<Self, ParameterError> {
        let h = super::step_ms(step);
        let v_rest = definition.constant("v_rest")?;
        let (v_reset, v_thresh) = (definition.constant("v_reset")?, definition.constant("v_thresh")?);
        super::reset_below_threshold(v_reset, v_thresh)?;
        let (tau_m, c_m) = (super::positive(definition, "tau_m")?, 1000.0 * super::positive(definition, "cm")?);
        let p_v = expm1(-h / tau_m);
        let p_0 = -tau_m / c_m * p_v;
        let shared = Shared {
            v_rest,
            v_reset: v_reset - v_rest,
            v_thresh: v_thresh - v_rest,
            p_v,
            exc: Current::new(super::positive(definition, "tau_syn_E")?, tau_m, c_m, h),
            inh: Current::new(super::positive(definition, "tau_syn_I")?, tau_m, c_m, h),
            refractory: super::refractory_steps(definition.constant("tau_refrac")?, step)?,
        };
        let n = definition.size();
        let v = super::initial_or(definition, "v", v_rest)?;
        Ok(IfCurrAlpha {
            v: v.into_iter().map(|v| v - v_rest).collect(),
            exc: super::scaled(super::initial_or(definition, "isyn_exc", 0.0)?, 1000.0),
            exc_derivative: vec![0.0; n],
            inh: super::scaled(super::initial_or(definition, "isyn_inh", 0.0)?, 1000.0),
            inh_derivative: vec![0.0; n],
            wait: vec![0; n],
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
                [&mut self.exc[part.clone()], &mut self.exc_derivative[part.clone()]],
                [&mut self.inh[part.clone()], &mut self.inh_derivative[part.clone()]],
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
        exc: [&mut [f64]; 2],
        inh: [&mut [f64]; 2],
        wait: &mut [i64],
        drive: &[f64],
        exc_in: &mut [i64],
        inh_in: &mut [i64],
        units: [f64; 2],
    ) -> bool {
        let n = v.len();
        let [exc, exc_derivative] = exc;
        let [inh, inh_derivative] = inh;
        let (exc, exc_derivative) = (&mut exc[..n], &mut exc_derivative[..n]);
        let (inh, inh_derivative) = (&mut inh[..n], &mut inh_derivative[..n]);
        let (wait, drive) = (&mut wait[..n], &drive[..n]);
        let (exc_in, inh_in) = (&mut exc_in[..n], &mut inh_in[..n]);
        let mut reached = 0u64;
        for i in 0..n {
            let moved = drive[i]
                + c.exc.p_derivative * exc_derivative[i]
                + c.exc.p_current * exc[i]
                + c.inh.p_derivative * inh_derivative[i]
                + c.inh.p_current * inh[i]
                + c.p_v * v[i]
                + v[i];
            let now = if wait[i] == 0 { moved } else { v[i] };
            wait[i] -= i64::from(wait[i] != 0);
            exc[i] = c.exc.rise * exc_derivative[i] + c.exc.decay * exc[i];
            exc_derivative[i] = exc_derivative[i] * c.exc.decay + c.exc.kick * take(&mut exc_in[i], units[0]);
            inh[i] = c.inh.rise * inh_derivative[i] + c.inh.decay * inh[i];
            inh_derivative[i] = inh_derivative[i] * c.inh.decay + c.inh.kick * take(&mut inh_in[i], units[1]);
            v[i] = now;
            reached |= u64::from(now >= c.v_thresh);
        }
        reached != 0
    }
}
