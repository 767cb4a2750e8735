//! `IF_cond_exp_gsfa_grr`: leaky integrate-and-fire with exponential synaptic conductances, spike-frequency adaptation and a
//! relative refractory period, both by conductances.
//!
//! ```text
//!   cm dV/dt = −g_L (V − v_rest) − g_exc (V − e_rev_E) − g_inh (V − e_rev_I)
//!              − g_s (V − e_rev_sfa) − g_r (V − e_rev_rr) + i_offset,     g_L = cm / tau_m
//!   dg_x/dt = −g_x/tau_syn_x;   a spike of weight w:  g_x += w;      dg_s/dt = −g_s/tau_sfa;   dg_r/dt = −g_r/tau_rr
//!   V ≥ v_thresh:  spike;  g_s += q_sfa;  g_r += q_rr;  V = v_reset for tau_refrac, while the conductances go on
//! ```
//!
//! Parameters: `v_rest`, `v_reset`, `v_thresh`, `e_rev_E`, `e_rev_I`, `e_rev_sfa`, `e_rev_rr` (mV), `cm` (nF), `tau_m`,
//! `tau_refrac`, `tau_syn_E`, `tau_syn_I`, `tau_sfa`, `tau_rr` (ms), `q_sfa`, `q_rr` (nS), `i_offset` (nA; one for each
//! neuron if wanted). State: `v` (mV), `gsyn_exc`, `gsyn_inh` (µS), `g_s`, `g_r` (nS). Weights: µS, positive for both
//! receptors.
//!
//! Method: Runge–Kutta–Fehlberg 4(5) with an error below 1e-3 (the `rkf45` module), as NEST's `iaf_cond_exp_sfa_rr`
//! does. Source: Muller, Buesing, Schemmel & Meier 2007, Neural Comput 19:2958.

use couple_ports::time::Span;

use super::adaptive::{Adaptive, Given, Membrane, conductances, threshold};
use super::signals::Variable;
use super::{Definition, ParameterError};

/// What all neurons of a population share; mV, ms, pF, nS. The state is V, g_exc, g_inh, g_s, g_r.
pub struct IfCondExpGsfaGrr {
    v_rest: f64,
    v_reset: f64,
    v_thresh: f64,
    /// Of g_exc, g_inh, g_s, g_r, as `tau`.
    e_rev: [f64; 4],
    tau: [f64; 4],
    c_m: f64,
    g_l: f64,
    q_sfa: f64,
    q_rr: f64,
    refractory: i64,
}

impl IfCondExpGsfaGrr {
    pub(super) fn population(definition: &impl Definition, step: Span) -> Result<Adaptive<Self, 5>, ParameterError> {
        let (v_reset, v_thresh) = (definition.constant("v_reset")?, definition.constant("v_thresh")?);
        super::reset_below_threshold(v_reset, v_thresh)?;
        let (cm, tau_m) = (super::positive(definition, "cm")?, super::positive(definition, "tau_m")?);
        let all =
            [("e_rev_E", "tau_syn_E"), ("e_rev_I", "tau_syn_I"), ("e_rev_sfa", "tau_sfa"), ("e_rev_rr", "tau_rr")];
        let (mut e_rev, mut tau) = ([0.0; 4], [0.0; 4]);
        for (i, (e_rev_name, tau_name)) in all.into_iter().enumerate() {
            e_rev[i] = definition.constant(e_rev_name)?;
            tau[i] = super::positive(definition, tau_name)?;
        }
        let membrane = IfCondExpGsfaGrr {
            v_rest: definition.constant("v_rest")?,
            v_reset,
            v_thresh,
            e_rev,
            tau,
            c_m: 1000.0 * cm,
            g_l: cm / tau_m * 1000.0,
            q_sfa: definition.constant("q_sfa")?,
            q_rr: definition.constant("q_rr")?,
            refractory: super::refractory_steps(definition.constant("tau_refrac")?, step)?,
        };
        let start = |name, default| super::initial_or(definition, name, default);
        let [exc, inh] = conductances(definition)?;
        let initial = [start("v", membrane.v_rest)?, exc, inh, start("g_s", 0.0)?, start("g_r", 0.0)?];
        Ok(Adaptive::new(membrane, super::step_ms(step), initial, definition.each("i_offset")?))
    }
}

impl Membrane<5> for IfCondExpGsfaGrr {
    const TOLERANCE: f64 = 1e-3;
    const STATE: [Option<Variable>; 5] =
        [Some(Variable::V), Some(Variable::GsynExc), Some(Variable::GsynInh), Some(Variable::GS), Some(Variable::GR)];

    fn v_thresh(&self) -> f64 {
        self.v_thresh
    }

    fn check_threshold(&self, v_thresh: f64) -> Result<(), ParameterError> {
        super::threshold_above_reset(self.v_reset, v_thresh)
    }

    #[inline(always)]
    fn derivative(&self, [v, g_exc, g_inh, g_s, g_r]: [f64; 5], held: bool, given: Given) -> [f64; 5] {
        let i_l = self.g_l * (v - self.v_rest);
        let i_exc = g_exc * (v - self.e_rev[0]);
        let i_inh = g_inh * (v - self.e_rev[1]);
        let i_sfa = g_s * (v - self.e_rev[2]);
        let i_rr = g_r * (v - self.e_rev[3]);
        let dv = (-i_l + given.current + given.offset - i_exc - i_inh - i_sfa - i_rr) / self.c_m;
        [
            if held { 0.0 } else { dv },
            -g_exc / self.tau[0],
            -g_inh / self.tau[1],
            -g_s / self.tau[2],
            -g_r / self.tau[3],
        ]
    }

    #[inline(always)]
    fn end(&self, _: f64, y: &mut [f64; 5], wait: &mut i64, input: [f64; 2], given: Given) -> bool {
        y[1] += input[0];
        y[2] += input[1];
        let fires = threshold(&mut y[0], wait, given.v_thresh, self.v_reset, self.refractory);
        if fires {
            y[3] += self.q_sfa;
            y[4] += self.q_rr;
        }
        fires
    }
}
