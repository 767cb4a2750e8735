//! `Izhikevich`: the quadratic cell with a recovery variable.
//!
//! ```text
//!   dv/dt = 0.04 v² + 5 v + 140 − u + I,     du/dt = a (b v − u),     I = i_offset + current in units of 1 pA
//!   a spike of weight w:  v += w;      v ≥ 30 mV:  spike;  v = c,  u += d
//! ```
//!
//! Parameters: `a`, `b` (1/ms), `c` (mV), `d` (mV/ms), `i_offset` (nA; one for each neuron if wanted). State: `v` (mV), `u`
//! (mV/ms). Weights: mV, the same for both receptors.
//!
//! Method: forward Euler with the step of the grid, both derivatives at the step's beginning, as NEST's `izhikevich`
//! does. Source: Izhikevich 2003, IEEE Trans Neural Netw 14:1569.

use couple_ports::time::Span;

use super::signals::{Injected, NOTHING, Parameter, Variable};
use super::vector::take;
use super::{Definition, Input, ParameterError};

/// At which potential a neuron fires, in mV.
const V_THRESH: f64 = 30.0;

/// A population of `Izhikevich`.
pub struct Izhikevich {
    h: f64,
    a: f64,
    b: f64,
    c: f64,
    d: f64,
    v: Vec<f64>,
    u: Vec<f64>,
    injected: Injected,
    /// True once a current has been set.
    driven: bool,
}

impl Izhikevich {
    pub(super) fn new(definition: &impl Definition, step: Span) -> Result<Self, ParameterError> {
        let c = definition.constant("c")?;
        if c >= V_THRESH {
            return Err(super::range("c", c, "below 30 mV, at which the cell fires"));
        }
        Ok(Izhikevich {
            h: super::step_ms(step),
            a: definition.constant("a")?,
            b: definition.constant("b")?,
            c,
            d: definition.constant("d")?,
            v: super::initial_or(definition, "v", -70.0)?,
            u: super::initial_or(definition, "u", -14.0)?,
            injected: Injected::new(definition.each("i_offset")?),
            driven: false,
        })
    }

    pub(super) fn advance(&mut self, inputs: [Input<'_>; 2], fired: &mut Vec<u32>) {
        if self.driven {
            self.step::<true>(inputs, fired);
        } else {
            self.step::<false>(inputs, fired);
        }
    }

    /// Where nothing is `DRIVEN` there is no current but `i_offset`.
    fn step<const DRIVEN: bool>(&mut self, inputs: [Input<'_>; 2], fired: &mut Vec<u32>) {
        let [exc_in, inh_in] = inputs;
        let Injected { offset, current } = &self.injected;
        for (i, ((v, u), offset)) in self.v.iter_mut().zip(&mut self.u).zip(offset).enumerate() {
            let current = if DRIVEN { current[i] } else { NOTHING };
            let input = take(&mut exc_in.sums[i], exc_in.unit) + take(&mut inh_in.sums[i], inh_in.unit);
            let (v_old, u_old) = (*v, *u);
            *v += self.h * (0.04 * v_old * v_old + 5.0 * v_old + 140.0 - u_old + current + offset) + input;
            *u += self.h * self.a * (self.b * v_old - u_old);
            if *v >= V_THRESH {
                *v = self.c;
                *u += self.d;
                fired.push(i as u32);
            }
        }
    }

    pub(super) fn read(&self, variable: Variable, out: &mut Vec<f64>) -> bool {
        match variable {
            Variable::V => variable.append(&self.v, out),
            Variable::U => variable.append(&self.u, out),
            _ => return false,
        }
        true
    }

    pub(super) fn set(&mut self, parameter: Parameter, values: &[f64]) {
        self.driven = true;
        self.injected.set(parameter, values);
    }

    pub(super) fn check_threshold(&self, _: f64) -> Result<(), ParameterError> {
        Ok(())
    }
}
