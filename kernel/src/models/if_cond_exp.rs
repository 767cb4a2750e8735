//! `IF_cond_exp`: leaky integrate-and-fire with exponentially decaying synaptic conductances.
//!
//! ```text
//!   cm dV/dt = −g_L (V − v_rest) − g_exc (V − e_rev_E) − g_inh (V − e_rev_I) + i_offset,     g_L = cm / tau_m
//!   dg_x/dt = −g_x/tau_syn_x;      a spike of weight w:  g_x += w
//!   V ≥ v_thresh:  spike;  V = v_reset for tau_refrac, while the conductances go on decaying
//! ```
//!
//! Parameters: `v_rest`, `v_reset`, `v_thresh`, `e_rev_E`, `e_rev_I` (mV), `cm` (nF), `tau_m`, `tau_refrac`,
//! `tau_syn_E`, `tau_syn_I` (ms), `i_offset` (nA; one for each neuron if wanted). State: `v` (mV), `gsyn_exc`,
//! `gsyn_inh` (µS). Weights: µS, positive for both receptors.
//!
//! Method: Runge–Kutta–Fehlberg 4(5), the whole step at once unless its error is above 1e-3 (mV, nS), then in shorter
//! ones (the `rkf45` module); the right-hand side takes V no higher than the threshold. These are the method and the order of
//! operations of NEST's `iaf_cond_exp`. Source: Meffin, Burkitt & Grayden 2004, J Comput Neurosci 16:159.
//!
//! `IF_facets_hardware1` is the same cell as the FACETS "stage 1" chip has it: `cm` = 0.2 nF, `tau_refrac` = 1 ms,
//! `e_rev_E` = 0 mV and `i_offset` = 0 are fixed, and the leak is given as `g_leak` (nS). Its other parameters are `v_rest`,
//! `v_reset`, `v_thresh`, `e_rev_I` (mV), `tau_syn_E`, `tau_syn_I` (ms).

use couple_ports::time::Span;

use super::rkf45::{self, System};
use super::signals::{Injected, Parameter, Variable};
use super::vector::{CHUNK, take, vectorised};
use super::{Definition, Input, ParameterError};

/// What all neurons of a population share; mV, ms, pF, nS.
#[derive(Clone, Copy)]
struct Shared {
    v_rest: f64,
    v_reset: f64,
    v_thresh: f64,
    e_exc: f64,
    e_inh: f64,
    c_m: f64,
    g_l: f64,
    tau_exc: f64,
    tau_inh: f64,
    h: f64,
    refractory: i64,
}

/// The equations of one neuron.
struct Equations<'a> {
    shared: &'a Shared,
    held: bool,
    v_thresh: f64,
    /// `i_offset` and what is injected beside it, in pA.
    offset: f64,
    current: f64,
}

impl System<3> for Equations<'_> {
    const TOLERANCE: f64 = 1e-3;

    #[inline(always)]
    fn derivative(&self, [v, g_exc, g_inh]: [f64; 3]) -> [f64; 3] {
        let c = self.shared;
        let v = if self.v_thresh < v { self.v_thresh } else { v };
        let i_exc = g_exc * (v - c.e_exc);
        let i_inh = g_inh * (v - c.e_inh);
        let i_l = c.g_l * (v - c.v_rest);
        let dv = (self.current - i_l + self.offset - i_exc - i_inh) / c.c_m;
        [if self.held { 0.0 } else { dv }, -g_exc / c.tau_exc, -g_inh / c.tau_inh]
    }
}

/// A population of `IF_cond_exp`.
pub struct IfCondExp {
    shared: Shared,
    v: Vec<f64>,
    /// nS
    g_exc: Vec<f64>,
    g_inh: Vec<f64>,
    wait: Vec<i64>,
    injected: Injected,
    v_thresh: Vec<f64>,
    /// True once a current or a threshold has been set.
    driven: bool,
    /// The length of each neuron's next integration step, if it wants a shorter one than the grid's.
    next: Vec<f64>,
}

impl IfCondExp {
    pub(super) fn new(definition: &impl Definition, step: Span) -> Result<Self, ParameterError> {
        let h = super::step_ms(step);
        let (v_reset, v_thresh) = (definition.constant("v_reset")?, definition.constant("v_thresh")?);
        super::reset_below_threshold(v_reset, v_thresh)?;
        let (cm, tau_m) = (super::positive(definition, "cm")?, super::positive(definition, "tau_m")?);
        let shared = Shared {
            v_rest: definition.constant("v_rest")?,
            v_reset,
            v_thresh,
            e_exc: definition.constant("e_rev_E")?,
            e_inh: definition.constant("e_rev_I")?,
            c_m: 1000.0 * cm,
            g_l: cm / tau_m * 1000.0,
            tau_exc: super::positive(definition, "tau_syn_E")?,
            tau_inh: super::positive(definition, "tau_syn_I")?,
            h,
            refractory: super::refractory_steps(definition.constant("tau_refrac")?, step)?,
        };
        Self::with(shared, Injected::new(definition.each("i_offset")?), definition)
    }

    /// Neurons of kind `IF_facets_hardware1`.
    pub(super) fn facets_hardware(definition: &impl Definition, step: Span) -> Result<Self, ParameterError> {
        let (v_reset, v_thresh) = (definition.constant("v_reset")?, definition.constant("v_thresh")?);
        super::reset_below_threshold(v_reset, v_thresh)?;
        let shared = Shared {
            v_rest: definition.constant("v_rest")?,
            v_reset,
            v_thresh,
            e_exc: 0.0,
            e_inh: definition.constant("e_rev_I")?,
            c_m: 200.0,
            g_l: super::positive(definition, "g_leak")?,
            tau_exc: super::positive(definition, "tau_syn_E")?,
            tau_inh: super::positive(definition, "tau_syn_I")?,
            h: super::step_ms(step),
            refractory: super::refractory_steps(1.0, step)?,
        };
        Self::with(shared, Injected::new(vec![0.0; definition.size()]), definition)
    }

    fn with(shared: Shared, injected: Injected, definition: &impl Definition) -> Result<Self, ParameterError> {
        let n = definition.size();
        Ok(IfCondExp {
            v: super::initial_or(definition, "v", shared.v_rest)?,
            g_exc: super::scaled(super::initial_or(definition, "gsyn_exc", 0.0)?, 1000.0),
            g_inh: super::scaled(super::initial_or(definition, "gsyn_inh", 0.0)?, 1000.0),
            wait: vec![0; n],
            injected,
            v_thresh: vec![shared.v_thresh; n],
            driven: false,
            next: vec![shared.h; n],
            shared,
        })
    }

    pub(super) fn advance(&mut self, inputs: [Input<'_>; 2], fired: &mut Vec<u32>) {
        if self.driven {
            self.step::<true>(inputs, fired);
        } else {
            self.step::<false>(inputs, fired);
        }
    }

    /// Where nothing is `DRIVEN` all neurons have the same threshold, and no current but `i_offset`.
    fn step<const DRIVEN: bool>(&mut self, inputs: [Input<'_>; 2], fired: &mut Vec<u32>) {
        let [exc_in, inh_in] = inputs;
        let n = self.v.len();
        let mut states = [[0.0; CHUNK]; 3];
        let mut errors = [0.0; CHUNK];
        for start in (0..n).step_by(CHUNK) {
            let part = start..(start + CHUNK).min(n);
            let neurons = Part {
                v: &mut self.v[part.clone()],
                g_exc: &mut self.g_exc[part.clone()],
                g_inh: &mut self.g_inh[part.clone()],
                wait: &mut self.wait[part.clone()],
                v_thresh: &self.v_thresh[part.clone()],
                offset: &self.injected.offset[part.clone()],
                current: &self.injected.current[part.clone()],
                next: &mut self.next[part.clone()],
            };
            whole_step::<DRIVEN>(&self.shared, &neurons, &mut states, &mut errors);
            neurons.finish(&self.shared, &states, &errors);
            let (exc_sums, inh_sums) = (&mut exc_in.sums[part.clone()], &mut inh_in.sums[part.clone()]);
            for (g, sum) in self.g_exc[part.clone()].iter_mut().zip(exc_sums) {
                *g += take(sum, exc_in.unit);
            }
            for (g, sum) in self.g_inh[part.clone()].iter_mut().zip(inh_sums) {
                *g += take(sum, inh_in.unit);
            }
            self.threshold::<DRIVEN>(part, fired);
        }
    }

    /// Holds the refractory neurons and resets those that reach the threshold.
    fn threshold<const DRIVEN: bool>(&mut self, part: std::ops::Range<usize>, fired: &mut Vec<u32>) {
        for i in part {
            let v_thresh = if DRIVEN { self.v_thresh[i] } else { self.shared.v_thresh };
            if self.wait[i] > 0 {
                self.wait[i] -= 1;
                self.v[i] = self.shared.v_reset;
            } else if self.v[i] >= v_thresh {
                self.wait[i] = self.shared.refractory;
                self.v[i] = self.shared.v_reset;
                fired.push(i as u32);
            }
        }
    }

    pub(super) fn read(&self, variable: Variable, out: &mut Vec<f64>) -> bool {
        let values = match variable {
            Variable::V => &self.v,
            Variable::GsynExc => &self.g_exc,
            Variable::GsynInh => &self.g_inh,
            _ => return false,
        };
        variable.append(values, out);
        true
    }

    pub(super) fn set(&mut self, parameter: Parameter, values: &[f64]) {
        self.driven = true;
        if !self.injected.set(parameter, values) {
            self.v_thresh.copy_from_slice(values);
        }
    }

    pub(super) fn check_threshold(&self, v_thresh: f64) -> Result<(), ParameterError> {
        super::threshold_above_reset(self.shared.v_reset, v_thresh)
    }
}

/// A chunk of the population.
struct Part<'a> {
    v: &'a mut [f64],
    g_exc: &'a mut [f64],
    g_inh: &'a mut [f64],
    wait: &'a mut [i64],
    v_thresh: &'a [f64],
    offset: &'a [f64],
    current: &'a [f64],
    next: &'a mut [f64],
}

impl Part<'_> {
    fn equations<'a>(&self, shared: &'a Shared, i: usize) -> Equations<'a> {
        let (v_thresh, offset, current) = (self.v_thresh[i], self.offset[i], self.current[i]);
        Equations { shared, held: self.wait[i] > 0, v_thresh, offset, current }
    }

    /// Takes over the whole step where it stands, and integrates anew where it does not.
    #[inline(always)]
    fn finish(self, c: &Shared, states: &[[f64; CHUNK]; 3], errors: &[f64; CHUNK]) {
        for i in 0..self.v.len() {
            // A step that stands proposes none shorter than itself, so `next` need not change.
            if self.next[i] >= c.h && rkf45::stands(errors[i]) {
                (self.v[i], self.g_exc[i], self.g_inh[i]) = (states[0][i], states[1][i], states[2][i]);
                self.next[i] = c.h;
            } else {
                let equations = self.equations(c, i);
                let mut y = [self.v[i], self.g_exc[i], self.g_inh[i]];
                rkf45::integrate(&equations, &mut y, c.h, &mut self.next[i]);
                [self.v[i], self.g_exc[i], self.g_inh[i]] = y;
            }
        }
    }
}

vectorised! {
    /// Every neuron's state after one undivided step, and its error.
    fn whole_step<const DRIVEN: bool>(c: &Shared, part: &Part<'_>, states: &mut [[f64; CHUNK]; 3], errors: &mut [f64; CHUNK]) -> () {
        let n = part.v.len().min(CHUNK);
        let (v, g_exc, g_inh) = (&part.v[..n], &part.g_exc[..n], &part.g_inh[..n]);
        let (wait, offset) = (&part.wait[..n], &part.offset[..n]);
        let (v_thresh, current) = (&part.v_thresh[..n], &part.current[..n]);
        for i in 0..n {
            let (v_thresh, current) = if DRIVEN { (v_thresh[i], current[i]) } else { (c.v_thresh, 0.0) };
            let equations = Equations { shared: c, held: wait[i] > 0, v_thresh, offset: offset[i], current };
            let y = [v[i], g_exc[i], g_inh[i]];
            let (end, worst) = rkf45::step(&equations, y, equations.derivative(y), c.h);
            states[0][i] = end[0];
            states[1][i] = end[1];
            states[2][i] = end[2];
            errors[i] = worst;
        }
    }
}
