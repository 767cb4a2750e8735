//! The catalogue of standard cells: PyNN's names, parameters, units and defaults, and what is in range.
//!
//! Equations (units ms, mV, nF, nA, µS; `C` = cm, `E` = v_rest; s is E or I for the two receptors):
//!
//! * `IF_curr_exp`: `C dV/dt = -(C/tau_m)(V - E) + I_E + I_I + i_offset`, `dI_s/dt = -I_s/tau_syn_s`; a spike adds its
//!   weight to `I_s`.
//! * `IF_curr_alpha`: the same membrane; a spike at 0 adds `w (t/tau_syn_s) exp(1 - t/tau_syn_s)` to `I_s`, whose peak is `w`.
//! * `IF_curr_delta`: the same membrane without synaptic currents; a spike adds its weight, in mV, to `V`.
//! * `IF_cond_exp`: `C dV/dt = -(C/tau_m)(V - E) - g_E (V - e_rev_E) - g_I (V - e_rev_I) + i_offset`,
//!   `dg_s/dt = -g_s/tau_syn_s`; a spike adds its weight to `g_s`.
//! * `IF_cond_alpha`: the same membrane; a spike at 0 adds `w (t/tau_syn_s) exp(1 - t/tau_syn_s)` to `g_s`.
//! * `IF_facets_hardware1`: `IF_cond_exp` with `C` = 0.2 nF, `tau_refrac` = 1 ms, `e_rev_E` = 0 mV and the leak `g_leak`.
//! * `IF_cond_exp_gsfa_grr`: `IF_cond_exp` with two conductances more, `g_s` and `g_r`, which a spike of its own raises by
//!   `q_sfa` and `q_rr`.
//! * `EIF_cond_exp_isfa_ista`, `EIF_cond_alpha_isfa_ista`: with `(C/tau_m) delta_T exp((V - v_thresh)/delta_T) - w` in
//!   addition, `tau_w dw/dt = a (V - E) - w`; spikes at `v_spike`, which raise `w` by `b`.
//! * `HH_cond_exp`: Hodgkin-Huxley with the channels of Traub & Miles.
//! * `Izhikevich`: `dv/dt = 0.04 v² + 5 v + 140 - u + I`, `du/dt = a (b v - u)`; at 30 mV `v = c` and `u += d`.
//!
//! The leaky ones spike when `V >= v_thresh`, then stay at `v_reset` for `tau_refrac`. For exact integration of the linear ones see
//! S. Rotter and M. Diesmann, Biol. Cybern. 81:381 (1999); for the others see the kernel's documentation.
//! Parameters and defaults are those of PyNN (A. Davison et al., Front. Neuroinform. 2:11, 2009).

mod catalogue;

use std::collections::BTreeMap;

use catalogue::CATALOGUE;

use crate::description::{Cell, Value};
use crate::values::ValueError;

/// Which numbers a parameter can be.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Allowed {
    /// Every finite number.
    Any,
    /// Above zero.
    Positive,
    /// Zero or more.
    NotNegative,
    /// Below a bound that the cell itself has.
    Below(f64),
    /// A list of numbers above zero, sorted (spike times).
    Times,
}

impl Allowed {
    /// What the number must be, for a sentence.
    pub fn must_be(self) -> &'static str {
        match self {
            Allowed::Any => "a finite number",
            Allowed::Positive => "above zero",
            Allowed::NotNegative => "zero or more",
            Allowed::Below(_) => "below the potential at which the cell fires",
            Allowed::Times => "a sorted list of times above zero",
        }
    }
    fn allows(self, (low, high): (f64, f64)) -> bool {
        match self {
            Allowed::Any => true,
            Allowed::Positive | Allowed::Times => low > 0.0,
            Allowed::NotNegative => low >= 0.0,
            Allowed::Below(bound) => high < bound,
        }
    }
}

/// A parameter of a cell.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Parameter {
    /// PyNN's name.
    pub name: &'static str,
    /// PyNN's default; `None` for lists.
    pub default: Option<f64>,
    /// `"mV"`, `"ms"`, `"nF"`, `"nA"`, `"uS"`, `"nS"`, `"Hz"`, `"/ms"` or `"mV/ms"`.
    pub unit: &'static str,
    /// What it can be.
    pub allowed: Allowed,
}

/// Where a state variable starts unless the description says so.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Start {
    /// At a number.
    Number(f64),
    /// At the value of a parameter.
    Parameter(&'static str),
}

/// A state variable of a cell.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct StateVariable {
    /// PyNN's name.
    pub name: &'static str,
    /// Where it starts.
    pub start: Start,
    /// `"mV"`, `"nA"`, `"uS"`, `"nS"` or `"mV/ms"`; empty for a number without a unit.
    pub unit: &'static str,
}

/// What the catalogue knows about a cell or a spike source.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Entry {
    /// PyNN's name.
    pub name: &'static str,
    /// The cell; `None` for the spike sources.
    pub cell: Option<Cell>,
    /// Its parameters.
    pub parameters: &'static [Parameter],
    /// Its state variables.
    pub state: &'static [StateVariable],
    /// True when weights are conductances.
    pub conductance_based: bool,
    /// Unit of weights: `"nA"`, `"uS"` or `"mV"`; empty for spike sources, which receive nothing.
    pub weight_unit: &'static str,
}

/// PyNN's standard cells that no simulator here runs yet, so that an error can say so instead of "unknown".
pub const NOT_YET: &[&str] = &["GIF_cond_exp", "LIF", "AdExp", "PointNeuron", "MultiCompartmentNeuron"];

/// Every cell and spike source that a description can name.
pub fn catalogue() -> &'static [Entry] {
    &CATALOGUE
}

/// Their names.
pub fn names() -> impl Iterator<Item = &'static str> {
    CATALOGUE.iter().map(|e| e.name)
}

/// The entry called `name`.
pub fn find(name: &str) -> Option<&'static Entry> {
    CATALOGUE.iter().find(|e| e.name == name)
}

impl Entry {
    /// The parameter called `name`.
    pub fn parameter(&self, name: &str) -> Option<&'static Parameter> {
        self.parameters.iter().find(|p| p.name == name)
    }
    /// The state variable called `name`.
    pub fn state_variable(&self, name: &str) -> Option<&'static StateVariable> {
        self.state.iter().find(|s| s.name == name)
    }
}

impl Cell {
    /// All cells.
    pub const ALL: [Cell; 11] = [
        Cell::IfCurrExp,
        Cell::IfCurrAlpha,
        Cell::IfCurrDelta,
        Cell::IfCondExp,
        Cell::IfCondAlpha,
        Cell::IfCondExpGsfaGrr,
        Cell::IfFacetsHardware1,
        Cell::EifCondExpIsfaIsta,
        Cell::EifCondAlphaIsfaIsta,
        Cell::HhCondExp,
        Cell::Izhikevich,
    ];

    /// The cell's entry in the catalogue.
    pub fn entry(self) -> &'static Entry {
        // The cells come first, in the order of the enumeration.
        &CATALOGUE[self as usize]
    }
    /// PyNN's name.
    pub fn name(self) -> &'static str {
        self.entry().name
    }
    /// True when weights are conductances.
    pub fn conductance_based(self) -> bool {
        self.entry().conductance_based
    }
    /// All parameters with their defaults.
    pub fn default_params(self) -> BTreeMap<String, Value> {
        let numbers =
            self.entry().parameters.iter().filter_map(|p| Some((p.name.to_string(), Value::Constant(p.default?))));
        numbers.collect()
    }
    /// `params` and the defaults of those that it does not name.
    pub fn complete_params(self, params: BTreeMap<String, Value>) -> BTreeMap<String, Value> {
        let mut complete = self.default_params();
        complete.extend(params);
        complete
    }
    /// `initial` and the defaults of the state variables that it does not name, for complete `params`: the potential
    /// starts at `v_rest` (where that is drawn, at a draw of its own from the same distribution), all else at zero.
    pub fn complete_initial(
        self,
        params: &BTreeMap<String, Value>,
        initial: BTreeMap<String, Value>,
    ) -> BTreeMap<String, Value> {
        let start = |s: &StateVariable| match s.start {
            Start::Number(x) => Value::Constant(x),
            Start::Parameter(name) => params.get(name).cloned().unwrap_or(Value::Constant(0.0)),
        };
        let mut complete: BTreeMap<_, _> = self.entry().state.iter().map(|s| (s.name.to_string(), start(s))).collect();
        complete.extend(initial);
        complete
    }
}

/// What is wrong with the parameters of a cell.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum ParamError {
    /// The cell has no such parameter.
    #[error("{cell} has no parameter `{name}`; it has {}", known.join(", "))]
    Unknown {
        /// The cell's name.
        cell: &'static str,
        /// The name given.
        name: String,
        /// The names there are.
        known: Vec<&'static str>,
    },
    /// A parameter is missing from a description that should be complete.
    #[error("parameter `{name}` of {cell} is missing")]
    Missing {
        /// The cell's name.
        cell: &'static str,
        /// The parameter's name.
        name: &'static str,
    },
    /// The value is no number, no distribution, or a list of the wrong length.
    #[error("{name}: {error}")]
    Value {
        /// The parameter's name.
        name: String,
        /// What is wrong.
        error: ValueError,
    },
    /// The value is, or can become, one that the parameter cannot have.
    #[error("{name} {can} {value} {unit}, but must be {must_be}{remedy}")]
    OutOfRange {
        /// The parameter's name.
        name: String,
        /// `"is"`, or `"can become"` for a distribution.
        can: &'static str,
        /// The value.
        value: f64,
        /// Its unit.
        unit: &'static str,
        /// What is allowed.
        must_be: &'static str,
        /// How to get there, where that is known.
        remedy: &'static str,
    },
    /// The reset potential does not lie below the threshold, so that the cell would never stop spiking.
    #[error("v_reset ({v_reset} mV) must lie below {name} ({v_thresh} mV){remedy}")]
    ResetAboveThreshold {
        /// The parameter that is the threshold.
        name: &'static str,
        /// The highest reset potential.
        v_reset: f64,
        /// The lowest threshold.
        v_thresh: f64,
        /// How to get there, where that is known.
        remedy: &'static str,
    },
    /// The potential of a spike's peak lies below the threshold.
    #[error("v_spike ({v_spike} mV) must not lie below v_thresh ({v_thresh} mV)")]
    PeakBelowThreshold {
        /// The lowest peak.
        v_spike: f64,
        /// The highest threshold.
        v_thresh: f64,
    },
    /// The exponential of the upswing overflows.
    #[error("delta_T ({delta_t} mV) is too small for an upswing of {upswing} mV from v_thresh to v_spike")]
    TooSteep {
        /// The smallest slope factor.
        delta_t: f64,
        /// The longest upswing.
        upswing: f64,
    },
}

/// How many times `delta_T` the upswing of a spike can be long, above which its exponential is no number any more; a
/// little below NEST's own bound, ln(1.8e308 / 1e20).
const MOST_UPSWING: f64 = 663.0;

impl ParamError {
    /// The name of the parameter to point at.
    pub fn parameter(&self) -> &str {
        match self {
            ParamError::Unknown { name, .. } | ParamError::Value { name, .. } | ParamError::OutOfRange { name, .. } => {
                name
            }
            ParamError::Missing { name, .. } => name,
            ParamError::ResetAboveThreshold { .. } => "v_reset",
            ParamError::PeakBelowThreshold { .. } => "v_spike",
            ParamError::TooSteep { .. } => "delta_T",
        }
    }
}

/// What to do about a distribution that reaches too far.
fn remedy(value: &Value) -> &'static str {
    match value {
        Value::Random(_) => "; clip the distribution (normal_clipped with low and high)",
        _ => "",
    }
}

/// Checks all parameters of `size` cells: they exist, are complete, in range, and fit together.
pub fn validate_params(cell: Cell, size: u32, params: &BTreeMap<String, Value>) -> Result<(), ParamError> {
    let entry = cell.entry();
    for (name, value) in params {
        let Some(parameter) = entry.parameter(name) else {
            let known = entry.parameters.iter().map(|p| p.name).collect();
            return Err(ParamError::Unknown { cell: entry.name, name: name.clone(), known });
        };
        value.validate(size as usize).map_err(|error| ParamError::Value { name: name.clone(), error })?;
        let bounds = value.bounds();
        if !parameter.allowed.allows(bounds) {
            return Err(ParamError::OutOfRange {
                name: name.clone(),
                can: if matches!(value, Value::Random(_)) { "can become" } else { "is" },
                value: if matches!(parameter.allowed, Allowed::Below(_)) { bounds.1 } else { bounds.0 },
                unit: parameter.unit,
                must_be: parameter.allowed.must_be(),
                remedy: remedy(value),
            });
        }
    }
    if let Some(missing) = entry.parameters.iter().find(|p| !params.contains_key(p.name)) {
        return Err(ParamError::Missing { cell: entry.name, name: missing.name });
    }
    validate_order(params)
}

/// Whether the potentials that a cell has stand in the order in which it can work.
fn validate_order(params: &BTreeMap<String, Value>) -> Result<(), ParamError> {
    let Some(reset) = params.get("v_reset") else { return Ok(()) };
    let (Some(thresh), Some(peak), Some(slope)) =
        (params.get("v_thresh"), params.get("v_spike"), params.get("delta_T"))
    else {
        return params.get("v_thresh").map_or(Ok(()), |thresh| validate_reset(reset, ("v_thresh", thresh)));
    };
    // AdEx: spikes at v_spike, or at v_thresh where the upswing has no width.
    if below(peak, thresh).is_some() {
        let (v_thresh, v_spike) = (thresh.bounds().1, peak.bounds().0);
        return Err(ParamError::PeakBelowThreshold { v_spike, v_thresh });
    }
    if slope.bounds().0 <= 0.0 {
        validate_reset(reset, ("v_thresh", thresh))?;
    }
    let (steepest, upswing) = (slope.bounds().0, peak.bounds().1 - thresh.bounds().0);
    if steepest > 0.0 && upswing / steepest >= MOST_UPSWING {
        return Err(ParamError::TooSteep { delta_t: steepest, upswing });
    }
    validate_reset(reset, ("v_spike", peak))
}

/// The first pair in which `low` is below `high`, by neurons where both are lists.
fn below(low: &Value, high: &Value) -> Option<(f64, f64)> {
    if let (Value::List(lows), Value::List(highs)) = (low, high) {
        return lows.iter().zip(highs).find(|(l, h)| l < h).map(|(l, h)| (*l, *h));
    }
    let pair = (low.bounds().0, high.bounds().1);
    (pair.0 < pair.1).then_some(pair)
}

fn validate_reset(reset: &Value, (name, thresh): (&'static str, &Value)) -> Result<(), ParamError> {
    if let (Value::List(resets), Value::List(thresholds)) = (reset, thresh) {
        let bad = resets.iter().zip(thresholds).find(|(r, t)| r >= t);
        return bad.map_or(Ok(()), |(r, t)| {
            Err(ParamError::ResetAboveThreshold { name, v_reset: *r, v_thresh: *t, remedy: "" })
        });
    }
    let (v_reset, v_thresh) = (reset.bounds().1, thresh.bounds().0);
    if v_reset < v_thresh {
        return Ok(());
    }
    let remedy = if remedy(reset).is_empty() { remedy(thresh) } else { remedy(reset) };
    Err(ParamError::ResetAboveThreshold { name, v_reset, v_thresh, remedy })
}

/// Checks the initial values of `size` cells: the state variables exist and the values are numbers.
pub fn validate_initial(cell: Cell, size: u32, initial: &BTreeMap<String, Value>) -> Result<(), ParamError> {
    let entry = cell.entry();
    for (name, value) in initial {
        if entry.state_variable(name).is_none() {
            let known = entry.state.iter().map(|s| s.name).collect();
            return Err(ParamError::Unknown { cell: entry.name, name: name.clone(), known });
        }
        value.validate(size as usize).map_err(|error| ParamError::Value { name: name.clone(), error })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
