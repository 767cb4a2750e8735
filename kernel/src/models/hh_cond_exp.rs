//! `HH_cond_exp`: Hodgkin–Huxley cell with the channels of Traub & Miles and exponentially decaying synaptic conductances.
//!
//! ```text
//!   cm dV/dt = −gbar_Na m³h (V − e_rev_Na) − gbar_K n⁴ (V − e_rev_K) − g_leak (V − e_rev_leak)
//!              − g_exc (V − e_rev_E) − g_inh (V − e_rev_I) + i_offset
//!   dx/dt = α_x (1 − x) − β_x x  for x = m, h, n;  with U = V − v_offset, in mV and 1/ms:
//!     α_m = 0.32 (13 − U)/(exp((13 − U)/4) − 1)      β_m = 0.28 (U − 40)/(exp((U − 40)/5) − 1)
//!     α_h = 0.128 exp((17 − U)/18)                   β_h = 4/(1 + exp((40 − U)/5))
//!     α_n = 0.032 (15 − U)/(exp((15 − U)/5) − 1)     β_n = 0.5 exp((10 − U)/40)
//!   dg_x/dt = −g_x/tau_syn_x;      a spike of weight w:  g_x += w
//!   spike: in the first step in which V falls and is at least v_offset + 30 mV, at least 2 ms after the last one
//! ```
//!
//! Parameters: `v_offset`, `e_rev_Na`, `e_rev_K`, `e_rev_leak`, `e_rev_E`, `e_rev_I` (mV), `gbar_Na`, `gbar_K`,
//! `g_leak` (µS), `cm` (nF), `tau_syn_E`, `tau_syn_I` (ms), `i_offset` (nA; one for each neuron if wanted). State: `v`
//! (mV), `m`, `h`, `n`, `gsyn_exc`, `gsyn_inh` (µS). Weights: µS, positive for both receptors.
//!
//! Method: Runge–Kutta–Fehlberg 4(5) with an error below 1e-3 (the `rkf45` module), as NEST's `hh_cond_exp_traub` does.
//! Sources: Traub & Miles 1991, Neuronal Networks of the Hippocampus; Brette et al. 2007, J Comput Neurosci 23:349.

use couple_ports::time::Span;

use super::adaptive::{Adaptive, Given, Membrane, conductances};
use super::signals::Variable;
use super::{Definition, ParameterError};

/// How long a neuron is deaf for its own peaks after one, in ms.
const PAUSE: f64 = 2.0;

/// What all neurons of a population share; mV, ms, pF, nS. The state is V, m, h, n, g_exc, g_inh.
pub struct HhCondExp {
    v_offset: f64,
    g_na: f64,
    g_k: f64,
    g_l: f64,
    e_na: f64,
    e_k: f64,
    e_l: f64,
    e_rev: [f64; 2],
    tau_syn: [f64; 2],
    c_m: f64,
    pause: i64,
}

impl HhCondExp {
    pub(super) fn population(definition: &impl Definition, step: Span) -> Result<Adaptive<Self, 6>, ParameterError> {
        let membrane = HhCondExp {
            v_offset: definition.constant("v_offset")?,
            g_na: 1000.0 * super::not_negative(definition, "gbar_Na")?,
            g_k: 1000.0 * super::not_negative(definition, "gbar_K")?,
            g_l: 1000.0 * super::not_negative(definition, "g_leak")?,
            e_na: definition.constant("e_rev_Na")?,
            e_k: definition.constant("e_rev_K")?,
            e_l: definition.constant("e_rev_leak")?,
            e_rev: [definition.constant("e_rev_E")?, definition.constant("e_rev_I")?],
            tau_syn: [super::positive(definition, "tau_syn_E")?, super::positive(definition, "tau_syn_I")?],
            c_m: 1000.0 * super::positive(definition, "cm")?,
            pause: super::refractory_steps(PAUSE, step)?,
        };
        let start = |name, default| super::initial_or(definition, name, default);
        let [exc, inh] = conductances(definition)?;
        let initial = [start("v", membrane.e_l)?, start("m", 0.0)?, start("h", 1.0)?, start("n", 0.0)?, exc, inh];
        Ok(Adaptive::new(membrane, super::step_ms(step), initial, definition.each("i_offset")?))
    }
}

impl Membrane<6> for HhCondExp {
    const TOLERANCE: f64 = 1e-3;
    const STATE: [Option<Variable>; 6] = [
        Some(Variable::V),
        Some(Variable::M),
        Some(Variable::H),
        Some(Variable::N),
        Some(Variable::GsynExc),
        Some(Variable::GsynInh),
    ];

    fn v_thresh(&self) -> f64 {
        f64::INFINITY
    }

    fn check_threshold(&self, _: f64) -> Result<(), ParameterError> {
        Ok(())
    }

    #[inline(always)]
    fn derivative(&self, [v, m, h, n, g_exc, g_inh]: [f64; 6], _: bool, given: Given) -> [f64; 6] {
        let i_na = self.g_na * m * m * m * h * (v - self.e_na);
        let i_k = self.g_k * n * n * n * n * (v - self.e_k);
        let i_l = self.g_l * (v - self.e_l);
        let i_exc = g_exc * (v - self.e_rev[0]);
        let i_inh = g_inh * (v - self.e_rev[1]);
        let u = v - self.v_offset;
        let alpha_n = 0.032 * (15.0 - u) / (((15.0 - u) / 5.0).exp() - 1.0);
        let beta_n = 0.5 * ((10.0 - u) / 40.0).exp();
        let alpha_m = 0.32 * (13.0 - u) / (((13.0 - u) / 4.0).exp() - 1.0);
        let beta_m = 0.28 * (u - 40.0) / (((u - 40.0) / 5.0).exp() - 1.0);
        let alpha_h = 0.128 * ((17.0 - u) / 18.0).exp();
        let beta_h = 4.0 / (1.0 + ((40.0 - u) / 5.0).exp());
        [
            (-i_na - i_k - i_l - i_exc - i_inh + given.current + given.offset) / self.c_m,
            alpha_m - (alpha_m + beta_m) * m,
            alpha_h - (alpha_h + beta_h) * h,
            alpha_n - (alpha_n + beta_n) * n,
            -g_exc / self.tau_syn[0],
            -g_inh / self.tau_syn[1],
        ]
    }

    #[inline(always)]
    fn end(&self, before: f64, y: &mut [f64; 6], wait: &mut i64, input: [f64; 2], _: Given) -> bool {
        y[4] += input[0];
        y[5] += input[1];
        if *wait > 0 {
            *wait -= 1;
            return false;
        }
        let fires = y[0] >= self.v_offset + 30.0 && before > y[0];
        if fires {
            *wait = self.pause;
        }
        fires
    }
}
