//! `IF_cond_alpha`: leaky integrate-and-fire with alpha-shaped synaptic conductances.
//!
//! ```text
//!   cm dV/dt = −g_L (V − v_rest) − g_exc (V − e_rev_E) − g_inh (V − e_rev_I) + i_offset,     g_L = cm / tau_m
//!   dg_x/dt = D_x − g_x/tau_syn_x;   dD_x/dt = −D_x/tau_syn_x;   a spike of weight w:  D_x += w·e/tau_syn_x
//!   V ≥ v_thresh:  spike;  V = v_reset for tau_refrac, while the conductances go on
//! ```
//!
//! so that the conductance of one spike has its peak `w` at `t = tau_syn`.
//!
//! Parameters: `v_rest`, `v_reset`, `v_thresh`, `e_rev_E`, `e_rev_I` (mV), `cm` (nF), `tau_m`, `tau_refrac`,
//! `tau_syn_E`, `tau_syn_I` (ms), `i_offset` (nA; one for each neuron if wanted). State: `v` (mV), `gsyn_exc`,
//! `gsyn_inh` (µS). Weights: µS, positive for both receptors.
//!
//! Method: Runge–Kutta–Fehlberg 4(5) with an error below 1e-3 (the `rkf45` module); the right-hand side takes V no higher
//! than the threshold. Threshold first, input after it, as NEST's `iaf_cond_alpha` does. Source: Meffin, Burkitt &
//! Grayden 2004, J Comput Neurosci 16:159.

use couple_ports::time::Span;

use super::adaptive::{Adaptive, Given, Membrane, conductances, threshold};
use super::signals::Variable;
use super::{Definition, ParameterError};

/// What all neurons of a population share; mV, ms, pF, nS. The state is V, D_exc, g_exc, D_inh, g_inh.
pub struct IfCondAlpha {
    v_rest: f64,
    v_reset: f64,
    v_thresh: f64,
    e_rev: [f64; 2],
    tau_syn: [f64; 2],
    c_m: f64,
    g_l: f64,
    refractory: i64,
}

impl IfCondAlpha {
    pub(super) fn population(definition: &impl Definition, step: Span) -> Result<Adaptive<Self, 5>, ParameterError> {
        let (v_reset, v_thresh) = (definition.constant("v_reset")?, definition.constant("v_thresh")?);
        super::reset_below_threshold(v_reset, v_thresh)?;
        let (cm, tau_m) = (super::positive(definition, "cm")?, super::positive(definition, "tau_m")?);
        let membrane = IfCondAlpha {
            v_rest: definition.constant("v_rest")?,
            v_reset,
            v_thresh,
            e_rev: [definition.constant("e_rev_E")?, definition.constant("e_rev_I")?],
            tau_syn: [super::positive(definition, "tau_syn_E")?, super::positive(definition, "tau_syn_I")?],
            c_m: 1000.0 * cm,
            g_l: cm / tau_m * 1000.0,
            refractory: super::refractory_steps(definition.constant("tau_refrac")?, step)?,
        };
        let v = super::initial_or(definition, "v", membrane.v_rest)?;
        let [exc, inh] = conductances(definition)?;
        let zero = || vec![0.0; definition.size()];
        let initial = [v, zero(), exc, zero(), inh];
        Ok(Adaptive::new(membrane, super::step_ms(step), initial, definition.each("i_offset")?))
    }
}

impl Membrane<5> for IfCondAlpha {
    const TOLERANCE: f64 = 1e-3;
    const STATE: [Option<Variable>; 5] =
        [Some(Variable::V), None, Some(Variable::GsynExc), None, Some(Variable::GsynInh)];

    fn v_thresh(&self) -> f64 {
        self.v_thresh
    }

    fn check_threshold(&self, v_thresh: f64) -> Result<(), ParameterError> {
        super::threshold_above_reset(self.v_reset, v_thresh)
    }

    #[inline(always)]
    fn derivative(&self, [v, d_exc, g_exc, d_inh, g_inh]: [f64; 5], held: bool, given: Given) -> [f64; 5] {
        let v = if given.v_thresh < v { given.v_thresh } else { v };
        let v = if held { self.v_reset } else { v };
        let i_exc = g_exc * (v - self.e_rev[0]);
        let i_inh = g_inh * (v - self.e_rev[1]);
        let i_l = self.g_l * (v - self.v_rest);
        let dv = (-i_l - i_exc - i_inh + given.current + given.offset) / self.c_m;
        [
            if held { 0.0 } else { dv },
            -d_exc / self.tau_syn[0],
            d_exc - g_exc / self.tau_syn[0],
            -d_inh / self.tau_syn[1],
            d_inh - g_inh / self.tau_syn[1],
        ]
    }

    #[inline(always)]
    fn end(&self, _: f64, y: &mut [f64; 5], wait: &mut i64, input: [f64; 2], given: Given) -> bool {
        let fires = threshold(&mut y[0], wait, given.v_thresh, self.v_reset, self.refractory);
        y[1] += input[0] * (std::f64::consts::E / self.tau_syn[0]);
        y[3] += input[1] * (std::f64::consts::E / self.tau_syn[1]);
        fires
    }
}
