//! `EIF_cond_exp_isfa_ista` and `EIF_cond_alpha_isfa_ista`: exponential integrate-and-fire with an adaptation current (AdEx)
//! and synaptic conductances.
//!
//! ```text
//!   cm dV/dt = −g_L (V − v_rest) + g_L delta_T exp((V − v_thresh)/delta_T) − g_exc (V − e_rev_E)
//!              − g_inh (V − e_rev_I) − w + i_offset,     g_L = cm / tau_m
//!   tau_w dw/dt = a (V − v_rest) − w
//!   exp:    dg_x/dt = −g_x/tau_syn_x;   a spike of weight s:  g_x += s
//!   alpha:  dg_x/dt = D_x − g_x/tau_syn_x;   dD_x/dt = −D_x/tau_syn_x;   a spike of weight s:  D_x += s·e/tau_syn_x
//!   V ≥ v_spike:  spike;  w += b;  V = v_reset for tau_refrac, while w and the conductances go on
//! ```
//!
//! With `delta_T` = 0 there is no exponential, and the threshold is `v_thresh`.
//!
//! Parameters: `v_rest`, `v_reset`, `v_thresh`, `v_spike`, `delta_T`, `e_rev_E`, `e_rev_I` (mV), `cm` (nF), `tau_m`,
//! `tau_refrac`, `tau_w`, `tau_syn_E`, `tau_syn_I` (ms), `a` (nS), `b` (nA), `i_offset` (nA; one for each neuron if
//! wanted). State: `v` (mV), `w` (nA), `gsyn_exc`, `gsyn_inh` (µS). Weights: µS, positive for both receptors.
//!
//! Method: Runge–Kutta–Fehlberg 4(5) with an error below 1e-6, absolute and of the way that a variable goes (the
//! `rkf45` module); the threshold is looked at after
//! each step of the integration, also those within a step of the grid, so that a cell without a refractory period can fire
//! more than once in one step. The right-hand side takes V no higher than `v_spike`. As NEST's `aeif_cond_exp` and
//! `aeif_cond_alpha` do. Source: Brette & Gerstner 2005, J Neurophysiol 94:3637.

use couple_ports::time::Span;

use super::adaptive::{Adaptive, Given, Membrane, conductances};
use super::signals::Variable;
use super::{Definition, ParameterError};

/// What all neurons of a population share; mV, ms, pF, nS, pA.
struct Shared {
    v_rest: f64,
    v_reset: f64,
    v_thresh: f64,
    v_spike: f64,
    delta_t: f64,
    e_rev: [f64; 2],
    tau_syn: [f64; 2],
    c_m: f64,
    g_l: f64,
    a: f64,
    b: f64,
    tau_w: f64,
    refractory: i64,
}

impl Shared {
    fn new(definition: &impl Definition, step: Span) -> Result<Self, ParameterError> {
        let (cm, tau_m) = (super::positive(definition, "cm")?, super::positive(definition, "tau_m")?);
        let shared = Shared {
            v_rest: definition.constant("v_rest")?,
            v_reset: definition.constant("v_reset")?,
            v_thresh: definition.constant("v_thresh")?,
            v_spike: definition.constant("v_spike")?,
            delta_t: definition.constant("delta_T")?,
            e_rev: [definition.constant("e_rev_E")?, definition.constant("e_rev_I")?],
            tau_syn: [super::positive(definition, "tau_syn_E")?, super::positive(definition, "tau_syn_I")?],
            c_m: 1000.0 * cm,
            g_l: cm / tau_m * 1000.0,
            a: definition.constant("a")?,
            b: 1000.0 * definition.constant("b")?,
            tau_w: super::positive(definition, "tau_w")?,
            refractory: super::refractory_steps(definition.constant("tau_refrac")?, step)?,
        };
        if shared.delta_t < 0.0 {
            return Err(super::range("delta_T", shared.delta_t, "zero or more"));
        }
        if shared.v_spike < shared.v_thresh {
            return Err(super::range("v_spike", shared.v_spike, "no lower than `v_thresh`"));
        }
        if shared.v_reset >= shared.peak(shared.v_thresh) {
            return Err(super::range("v_reset", shared.v_reset, "below `v_spike`"));
        }
        Ok(shared)
    }

    /// The potential at which a neuron with this threshold fires.
    #[inline(always)]
    fn peak(&self, v_thresh: f64) -> f64 {
        if self.delta_t > 0.0 { self.v_spike } else { v_thresh }
    }

    fn check_threshold(&self, v_thresh: f64) -> Result<(), ParameterError> {
        if v_thresh > self.v_spike {
            return Err(super::range("v_thresh", v_thresh, "no higher than `v_spike`"));
        }
        super::threshold_above_reset(self.v_reset, self.peak(v_thresh))
    }

    /// dV/dt and dw/dt.
    #[inline(always)]
    fn slopes(&self, v: f64, w: f64, [g_exc, g_inh]: [f64; 2], held: bool, given: Given) -> (f64, f64) {
        let v = if self.v_spike < v { self.v_spike } else { v };
        let v = if held { self.v_reset } else { v };
        let i_exc = g_exc * (v - self.e_rev[0]);
        let i_inh = g_inh * (v - self.e_rev[1]);
        let i_spike = if self.delta_t == 0.0 {
            0.0
        } else {
            self.g_l * self.delta_t * ((v - given.v_thresh) / self.delta_t).exp()
        };
        let dv = if held {
            0.0
        } else {
            (-self.g_l * (v - self.v_rest) + i_spike - i_exc - i_inh - w + given.offset + given.current) / self.c_m
        };
        (dv, (self.a * (v - self.v_rest) - w) / self.tau_w)
    }

    #[inline(always)]
    fn fires(&self, v: &mut f64, w: &mut f64, wait: &mut i64, v_thresh: f64) -> bool {
        if *wait > 0 {
            *v = self.v_reset;
            return false;
        }
        let fires = *v >= self.peak(v_thresh);
        if fires {
            *v = self.v_reset;
            *w += self.b;
            // The step of the spike does not count.
            *wait = if self.refractory > 0 { self.refractory + 1 } else { 0 };
        }
        fires
    }

    fn initial(&self, definition: &impl Definition) -> Result<[Vec<f64>; 4], ParameterError> {
        let v = super::initial_or(definition, "v", self.v_rest)?;
        let w = super::scaled(super::initial_or(definition, "w", 0.0)?, 1000.0);
        let [exc, inh] = conductances(definition)?;
        Ok([v, w, exc, inh])
    }
}

/// `EIF_cond_exp_isfa_ista`. The state is V, g_exc, g_inh, w.
pub struct EifCondExp(Shared);

impl EifCondExp {
    pub(super) fn population(definition: &impl Definition, step: Span) -> Result<Adaptive<Self, 4>, ParameterError> {
        let shared = Shared::new(definition, step)?;
        let [v, w, exc, inh] = shared.initial(definition)?;
        let current = definition.each("i_offset")?;
        Ok(Adaptive::new(EifCondExp(shared), super::step_ms(step), [v, exc, inh, w], current))
    }
}

impl Membrane<4> for EifCondExp {
    const TOLERANCE: f64 = 1e-6;
    const RELATIVE: f64 = 1e-6;
    const STATE: [Option<Variable>; 4] =
        [Some(Variable::V), Some(Variable::GsynExc), Some(Variable::GsynInh), Some(Variable::W)];

    fn v_thresh(&self) -> f64 {
        self.0.v_thresh
    }

    fn check_threshold(&self, v_thresh: f64) -> Result<(), ParameterError> {
        self.0.check_threshold(v_thresh)
    }

    #[inline(always)]
    fn derivative(&self, [v, g_exc, g_inh, w]: [f64; 4], held: bool, given: Given) -> [f64; 4] {
        let (dv, dw) = self.0.slopes(v, w, [g_exc, g_inh], held, given);
        [dv, -g_exc / self.0.tau_syn[0], -g_inh / self.0.tau_syn[1], dw]
    }

    #[inline(always)]
    fn within(&self, [v, _, _, w]: &mut [f64; 4], wait: &mut i64, given: Given) -> bool {
        self.0.fires(v, w, wait, given.v_thresh)
    }

    #[inline(always)]
    fn end(&self, _: f64, y: &mut [f64; 4], wait: &mut i64, input: [f64; 2], _: Given) -> bool {
        *wait -= i64::from(*wait > 0);
        y[1] += input[0];
        y[2] += input[1];
        false
    }
}

/// `EIF_cond_alpha_isfa_ista`. The state is V, D_exc, g_exc, D_inh, g_inh, w.
pub struct EifCondAlpha(Shared);

impl EifCondAlpha {
    pub(super) fn population(definition: &impl Definition, step: Span) -> Result<Adaptive<Self, 6>, ParameterError> {
        let shared = Shared::new(definition, step)?;
        let [v, w, exc, inh] = shared.initial(definition)?;
        let zero = || vec![0.0; definition.size()];
        let (initial, current) = ([v, zero(), exc, zero(), inh, w], definition.each("i_offset")?);
        Ok(Adaptive::new(EifCondAlpha(shared), super::step_ms(step), initial, current))
    }
}

impl Membrane<6> for EifCondAlpha {
    const TOLERANCE: f64 = 1e-6;
    const RELATIVE: f64 = 1e-6;
    const STATE: [Option<Variable>; 6] =
        [Some(Variable::V), None, Some(Variable::GsynExc), None, Some(Variable::GsynInh), Some(Variable::W)];

    fn v_thresh(&self) -> f64 {
        self.0.v_thresh
    }

    fn check_threshold(&self, v_thresh: f64) -> Result<(), ParameterError> {
        self.0.check_threshold(v_thresh)
    }

    #[inline(always)]
    fn derivative(&self, [v, d_exc, g_exc, d_inh, g_inh, w]: [f64; 6], held: bool, given: Given) -> [f64; 6] {
        let (dv, dw) = self.0.slopes(v, w, [g_exc, g_inh], held, given);
        let [tau_exc, tau_inh] = self.0.tau_syn;
        [dv, -d_exc / tau_exc, d_exc - g_exc / tau_exc, -d_inh / tau_inh, d_inh - g_inh / tau_inh, dw]
    }

    #[inline(always)]
    fn within(&self, [v, _, _, _, _, w]: &mut [f64; 6], wait: &mut i64, given: Given) -> bool {
        self.0.fires(v, w, wait, given.v_thresh)
    }

    #[inline(always)]
    fn end(&self, _: f64, y: &mut [f64; 6], wait: &mut i64, input: [f64; 2], _: Given) -> bool {
        *wait -= i64::from(*wait > 0);
        y[1] += input[0] * (std::f64::consts::E / self.0.tau_syn[0]);
        y[3] += input[1] * (std::f64::consts::E / self.0.tau_syn[1]);
        false
    }
}
