//! The cells: one file for each family, with its equations, units, method and source.
//!
//! Every family keeps its neurons' state as a structure of arrays and advances all of them by one step at a time.
//! The order of the floating-point operations is part of a model's definition here: it is the order in which NEST
//! 3.10 evaluates the same cell, and no operation is fused or reassociated, so that the two agree bit for bit.
//!
//! ```text
//!   step k:  propagate state over (t[k-1], t[k]]  →  add the input that arrives at t[k]  →  threshold  →  spike at t[k]
//! ```
//!
//! Before a step neurons may be given a current, another `i_offset` or another `v_thresh` ([`Neurons::set`]), which count
//! throughout the step; after it their state variables can be read ([`Neurons::read`]): the values at the step's end, input and
//! reset included, as NEST's multimeter records them. Where an equation has `i_offset`, the injected `current` is added to it.
//!
//! Input comes as 64-bit integers, multiples of the receptor's grid, whose sum does not depend on the order of
//! arrival. Inside a model the units are NEST's: ms, mV, pF, pA, nS.

mod adaptive;
mod eif_cond;
mod hh_cond_exp;
mod if_cond_alpha;
mod if_cond_exp;
mod if_cond_exp_gsfa_grr;
mod if_curr_alpha;
mod if_curr_delta;
mod if_curr_exp;
mod izhikevich;
pub mod propagators;
mod rkf45;
mod signals;
mod vector;

use couple_network::description::{Cell, Receptor};
use couple_ports::time::Span;

pub use adaptive::Adaptive;
pub use eif_cond::{EifCondAlpha, EifCondExp};
pub use hh_cond_exp::HhCondExp;
pub use if_cond_alpha::IfCondAlpha;
pub use if_cond_exp::IfCondExp;
pub use if_cond_exp_gsfa_grr::IfCondExpGsfaGrr;
pub use if_curr_alpha::IfCurrAlpha;
pub use if_curr_delta::IfCurrDelta;
pub use if_curr_exp::IfCurrExp;
pub use izhikevich::Izhikevich;
pub use signals::{Parameter, Variable};

/// What a population's neurons are made of: parameters and initial values by PyNN's names, in PyNN's units.
pub trait Definition {
    /// A parameter that all neurons share.
    fn constant(&self, name: &str) -> Result<f64, ParameterError>;
    /// A parameter that each neuron may have its own of.
    fn each(&self, name: &str) -> Result<Vec<f64>, ParameterError>;
    /// The initial value of a state variable, one for each neuron; `None` when the description has none.
    fn initial(&self, name: &str) -> Result<Option<Vec<f64>>, ParameterError>;
    /// How many neurons there are.
    fn size(&self) -> usize;
}

/// Why a parameter cannot be used.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum ParameterError {
    /// The description has no such parameter.
    #[error("parameter `{0}` is missing; the description is not complete (run it through `couple check`)")]
    Missing(String),
    /// The parameter differs between neurons where the kernel wants one value.
    #[error(
        "parameter `{0}` differs between neurons; the native kernel takes a value for each neuron for `i_offset` \
         and initial values only. Give one number, or split the population"
    )]
    NotShared(String),
    /// The value is out of the range in which the model means something.
    #[error("parameter `{name}` is {value}, but must be {expected}")]
    Range {
        /// The parameter.
        name: String,
        /// Its value.
        value: f64,
        /// What it must be.
        expected: &'static str,
    },
}

/// The input of one step at one receptor: sums of multiples of a grid, one for each neuron.
pub struct Input<'a> {
    /// The sums; set to zero as they are read.
    pub sums: &'a mut [i64],
    /// What one unit of the sums is worth, in the model's units.
    pub unit: f64,
}

/// The neurons of a population, or of a part of it.
pub enum Neurons {
    /// `IF_curr_exp`.
    CurrExp(IfCurrExp),
    /// `IF_curr_alpha`.
    CurrAlpha(IfCurrAlpha),
    /// `IF_curr_delta`.
    CurrDelta(IfCurrDelta),
    /// `IF_cond_exp` and `IF_facets_hardware1`.
    CondExp(IfCondExp),
    /// `IF_cond_alpha`.
    CondAlpha(Adaptive<IfCondAlpha, 5>),
    /// `IF_cond_exp_gsfa_grr`.
    CondExpGsfaGrr(Adaptive<IfCondExpGsfaGrr, 5>),
    /// `EIF_cond_exp_isfa_ista`.
    EifExp(Adaptive<EifCondExp, 4>),
    /// `EIF_cond_alpha_isfa_ista`.
    EifAlpha(Adaptive<EifCondAlpha, 6>),
    /// `HH_cond_exp`.
    HhExp(Adaptive<HhCondExp, 6>),
    /// `Izhikevich`.
    Izhikevich(Izhikevich),
}

/// The same expression for the neurons of every kind.
macro_rules! of_each {
    ($all:expr, $neurons:ident => $body:expr) => {
        match $all {
            Neurons::CurrExp($neurons) => $body,
            Neurons::CurrAlpha($neurons) => $body,
            Neurons::CurrDelta($neurons) => $body,
            Neurons::CondExp($neurons) => $body,
            Neurons::CondAlpha($neurons) => $body,
            Neurons::CondExpGsfaGrr($neurons) => $body,
            Neurons::EifExp($neurons) => $body,
            Neurons::EifAlpha($neurons) => $body,
            Neurons::HhExp($neurons) => $body,
            Neurons::Izhikevich($neurons) => $body,
        }
    };
}

impl Neurons {
    /// Neurons of kind `cell` with the parameters and initial values of `definition`, on a grid of `step`.
    pub fn new(cell: Cell, definition: &impl Definition, step: Span) -> Result<Self, ParameterError> {
        Ok(match cell {
            Cell::IfCurrExp => Neurons::CurrExp(IfCurrExp::new(definition, step)?),
            Cell::IfCurrAlpha => Neurons::CurrAlpha(IfCurrAlpha::new(definition, step)?),
            Cell::IfCurrDelta => Neurons::CurrDelta(IfCurrDelta::new(definition, step)?),
            Cell::IfCondExp => Neurons::CondExp(IfCondExp::new(definition, step)?),
            Cell::IfCondAlpha => Neurons::CondAlpha(IfCondAlpha::population(definition, step)?),
            Cell::IfCondExpGsfaGrr => Neurons::CondExpGsfaGrr(IfCondExpGsfaGrr::population(definition, step)?),
            Cell::IfFacetsHardware1 => Neurons::CondExp(IfCondExp::facets_hardware(definition, step)?),
            Cell::EifCondExpIsfaIsta => Neurons::EifExp(EifCondExp::population(definition, step)?),
            Cell::EifCondAlphaIsfaIsta => Neurons::EifAlpha(EifCondAlpha::population(definition, step)?),
            Cell::HhCondExp => Neurons::HhExp(HhCondExp::population(definition, step)?),
            Cell::Izhikevich => Neurons::Izhikevich(Izhikevich::new(definition, step)?),
        })
    }

    /// Advances every neuron by one step; the positions of those that fire are appended to `fired`, in ascending
    /// order. `inputs` are those of the excitatory and of the inhibitory receptor ([`channel`]).
    pub fn advance(&mut self, inputs: [Input<'_>; 2], fired: &mut Vec<u32>) {
        of_each!(self, neurons => neurons.advance(inputs, fired));
    }

    /// The present value of a state variable of each neuron, in PyNN's unit, appended to `out`; false when the cell has no
    /// such variable.
    pub fn read(&self, variable: Variable, out: &mut Vec<f64>) -> bool {
        of_each!(self, neurons => neurons.read(variable, out))
    }

    /// From now on the neurons have these values of a parameter, in PyNN's unit, one for each neuron. Thresholds must have
    /// been found good by [`Neurons::check_threshold`]; what the cell does not have is left alone.
    pub fn set(&mut self, parameter: Parameter, values: &[f64]) {
        of_each!(self, neurons => neurons.set(parameter, values));
    }

    /// Whether a neuron can have the threshold `v_thresh` (mV).
    pub fn check_threshold(&self, v_thresh: f64) -> Result<(), ParameterError> {
        of_each!(self, neurons => neurons.check_threshold(v_thresh))
    }
}

/// The position of a receptor's input among a cell's inputs.
pub fn channel(receptor: Receptor) -> usize {
    match receptor {
        Receptor::Excitatory => 0,
        Receptor::Inhibitory => 1,
    }
}

/// The model's units in one PyNN unit of weight: 1000 pA in a nA, 1000 nS in a µS, mV as they are.
pub fn weight_unit(cell: Cell) -> f64 {
    if matches!(cell, Cell::IfCurrDelta | Cell::Izhikevich) { 1.0 } else { 1000.0 }
}

/// The step in ms, with the rounding of NEST, which counts time in whole µs.
fn step_ms(step: Span) -> f64 {
    if step.ns() % 1000 == 0 { (step.ns() / 1000) as f64 * 0.001 } else { step.ms() }
}

/// How many whole steps the refractory period covers: rounded up, after rounding to NEST's µs.
fn refractory_steps(tau_refrac: f64, step: Span) -> Result<i64, ParameterError> {
    let wrong = || ParameterError::Range {
        name: "tau_refrac".into(),
        value: tau_refrac,
        expected: "at least zero and below 2^31 steps",
    };
    let per_ms = if step.ns() % 1000 == 0 { 1000.0 } else { 1e6 };
    let tics_per_step = if step.ns() % 1000 == 0 { step.ns() / 1000 } else { step.ns() };
    let tics = tau_refrac * per_ms + 0.5;
    if !(0.0..2f64.powi(62)).contains(&tics) {
        return Err(wrong());
    }
    let steps = (tics as i64 + tics_per_step - 1) / tics_per_step;
    if steps < 1 << 31 { Ok(steps) } else { Err(wrong()) }
}

/// A parameter that must be positive.
fn positive(definition: &impl Definition, name: &str) -> Result<f64, ParameterError> {
    let value = definition.constant(name)?;
    if value > 0.0 && value.is_finite() { Ok(value) } else { Err(range(name, value, "positive")) }
}

/// A parameter that must not be negative.
fn not_negative(definition: &impl Definition, name: &str) -> Result<f64, ParameterError> {
    let value = definition.constant(name)?;
    if value >= 0.0 && value.is_finite() { Ok(value) } else { Err(range(name, value, "zero or more")) }
}

fn range(name: &str, value: f64, expected: &'static str) -> ParameterError {
    ParameterError::Range { name: name.into(), value, expected }
}

/// A potential that must be below the threshold, since the neuron would fire without end.
fn reset_below_threshold(v_reset: f64, v_thresh: f64) -> Result<(), ParameterError> {
    if v_reset < v_thresh { Ok(()) } else { Err(range("v_reset", v_reset, "below `v_thresh`")) }
}

/// A threshold that is set while neurons run.
fn threshold_above_reset(v_reset: f64, v_thresh: f64) -> Result<(), ParameterError> {
    if v_thresh > v_reset { Ok(()) } else { Err(range("v_thresh", v_thresh, "above `v_reset`")) }
}

/// Initial values of `name`, `default` where the description has none.
fn initial_or(definition: &impl Definition, name: &str, default: f64) -> Result<Vec<f64>, ParameterError> {
    Ok(definition.initial(name)?.unwrap_or_else(|| vec![default; definition.size()]))
}

/// Values of the description times `factor`: from PyNN's units to the model's.
fn scaled(values: Vec<f64>, factor: f64) -> Vec<f64> {
    values.into_iter().map(|value| factor * value).collect()
}
