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
//!
//! All of them spike when `V >= v_thresh`, then stay at `v_reset` for `tau_refrac`. For exact integration of the linear ones see
//! S. Rotter and M. Diesmann, Biol. Cybern. 81:381 (1999); for the conductance-based one see the kernel's documentation.
//! Parameters and defaults are those of PyNN (A. Davison et al., Front. Neuroinform. 2:11, 2009).

use std::collections::BTreeMap;

use crate::description::{Cell, Value};
use crate::values::ValueError;

/// Which numbers a parameter can be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Allowed {
    /// Every finite number.
    Any,
    /// Above zero.
    Positive,
    /// Zero or more.
    NotNegative,
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
            Allowed::Times => "a sorted list of times above zero",
        }
    }
    fn allows(self, low: f64) -> bool {
        match self {
            Allowed::Any => true,
            Allowed::Positive | Allowed::Times => low > 0.0,
            Allowed::NotNegative => low >= 0.0,
        }
    }
}

/// A parameter of a cell.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Parameter {
    /// PyNN's name.
    pub name: &'static str,
    /// PyNN's default; `None` is an empty list.
    pub default: Option<f64>,
    /// `"mV"`, `"ms"`, `"nF"`, `"nA"` or `"Hz"`.
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
    /// `"mV"`, `"nA"` or `"uS"`.
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

const fn parameter(name: &'static str, default: f64, unit: &'static str, allowed: Allowed) -> Parameter {
    Parameter { name, default: Some(default), unit, allowed }
}
const fn starts_at_zero(name: &'static str, unit: &'static str) -> StateVariable {
    StateVariable { name, start: Start::Number(0.0), unit }
}

const V_REST: Parameter = parameter("v_rest", -65.0, "mV", Allowed::Any);
const CM: Parameter = parameter("cm", 1.0, "nF", Allowed::Positive);
const TAU_M: Parameter = parameter("tau_m", 20.0, "ms", Allowed::Positive);
const TAU_REFRAC: Parameter = parameter("tau_refrac", 0.1, "ms", Allowed::NotNegative);
const I_OFFSET: Parameter = parameter("i_offset", 0.0, "nA", Allowed::Any);
const V_RESET: Parameter = parameter("v_reset", -65.0, "mV", Allowed::Any);
const V_THRESH: Parameter = parameter("v_thresh", -50.0, "mV", Allowed::Any);
const E_REV_E: Parameter = parameter("e_rev_E", 0.0, "mV", Allowed::Any);
const E_REV_I: Parameter = parameter("e_rev_I", -70.0, "mV", Allowed::Any);
const fn tau_syn_e(default: f64) -> Parameter {
    parameter("tau_syn_E", default, "ms", Allowed::Positive)
}
const fn tau_syn_i(default: f64) -> Parameter {
    parameter("tau_syn_I", default, "ms", Allowed::Positive)
}

const V: StateVariable = StateVariable { name: "v", start: Start::Parameter("v_rest"), unit: "mV" };
const CURRENTS: &[StateVariable] = &[V, starts_at_zero("isyn_exc", "nA"), starts_at_zero("isyn_inh", "nA")];
const CONDUCTANCES: &[StateVariable] = &[V, starts_at_zero("gsyn_exc", "uS"), starts_at_zero("gsyn_inh", "uS")];

static CATALOGUE: [Entry; 6] = [
    Entry {
        name: "IF_curr_exp",
        cell: Some(Cell::IfCurrExp),
        parameters: &[V_REST, CM, TAU_M, TAU_REFRAC, tau_syn_e(5.0), tau_syn_i(5.0), I_OFFSET, V_RESET, V_THRESH],
        state: CURRENTS,
        conductance_based: false,
        weight_unit: "nA",
    },
    Entry {
        name: "IF_curr_alpha",
        cell: Some(Cell::IfCurrAlpha),
        parameters: &[V_REST, CM, TAU_M, TAU_REFRAC, tau_syn_e(0.5), tau_syn_i(0.5), I_OFFSET, V_RESET, V_THRESH],
        state: CURRENTS,
        conductance_based: false,
        weight_unit: "nA",
    },
    Entry {
        name: "IF_curr_delta",
        cell: Some(Cell::IfCurrDelta),
        parameters: &[V_REST, CM, TAU_M, TAU_REFRAC, I_OFFSET, V_RESET, V_THRESH],
        state: &[V],
        conductance_based: false,
        weight_unit: "mV",
    },
    Entry {
        name: "IF_cond_exp",
        cell: Some(Cell::IfCondExp),
        parameters: &[
            V_REST,
            CM,
            TAU_M,
            TAU_REFRAC,
            tau_syn_e(5.0),
            tau_syn_i(5.0),
            E_REV_E,
            E_REV_I,
            V_THRESH,
            V_RESET,
            I_OFFSET,
        ],
        state: CONDUCTANCES,
        conductance_based: true,
        weight_unit: "uS",
    },
    Entry {
        name: "SpikeSourceArray",
        cell: None,
        parameters: &[Parameter { name: "spike_times", default: None, unit: "ms", allowed: Allowed::Times }],
        state: &[],
        conductance_based: false,
        weight_unit: "",
    },
    Entry {
        name: "SpikeSourcePoisson",
        cell: None,
        parameters: &[
            parameter("rate", 1.0, "Hz", Allowed::NotNegative),
            parameter("start", 0.0, "ms", Allowed::NotNegative),
            parameter("duration", 1e10, "ms", Allowed::NotNegative),
        ],
        state: &[],
        conductance_based: false,
        weight_unit: "",
    },
];

/// PyNN's standard cells that no simulator here runs yet, so that an error can say so instead of "unknown".
pub const NOT_YET: &[&str] = &[
    "IF_cond_alpha",
    "IF_cond_exp_gsfa_grr",
    "IF_facets_hardware1",
    "HH_cond_exp",
    "EIF_cond_alpha_isfa_ista",
    "EIF_cond_exp_isfa_ista",
    "Izhikevich",
    "GIF_cond_exp",
    "LIF",
    "AdExp",
    "PointNeuron",
    "MultiCompartmentNeuron",
    "SpikeSourceGamma",
    "SpikeSourceInhGamma",
    "SpikeSourcePoissonRefractory",
];

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
    pub const ALL: [Cell; 4] = [Cell::IfCurrExp, Cell::IfCurrAlpha, Cell::IfCurrDelta, Cell::IfCondExp];

    /// The cell's entry in the catalogue.
    pub fn entry(self) -> &'static Entry {
        &CATALOGUE[match self {
            Cell::IfCurrExp => 0,
            Cell::IfCurrAlpha => 1,
            Cell::IfCurrDelta => 2,
            Cell::IfCondExp => 3,
        }]
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
    #[error("v_reset ({v_reset} mV) must lie below v_thresh ({v_thresh} mV){remedy}")]
    ResetAboveThreshold {
        /// The highest reset potential.
        v_reset: f64,
        /// The lowest threshold.
        v_thresh: f64,
        /// How to get there, where that is known.
        remedy: &'static str,
    },
}

impl ParamError {
    /// The name of the parameter to point at.
    pub fn parameter(&self) -> &str {
        match self {
            ParamError::Unknown { name, .. } | ParamError::Value { name, .. } | ParamError::OutOfRange { name, .. } => {
                name
            }
            ParamError::Missing { name, .. } => name,
            ParamError::ResetAboveThreshold { .. } => "v_reset",
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
        let low = value.bounds().0;
        if !parameter.allowed.allows(low) {
            return Err(ParamError::OutOfRange {
                name: name.clone(),
                can: if matches!(value, Value::Random(_)) { "can become" } else { "is" },
                value: low,
                unit: parameter.unit,
                must_be: parameter.allowed.must_be(),
                remedy: remedy(value),
            });
        }
    }
    if let Some(missing) = entry.parameters.iter().find(|p| !params.contains_key(p.name)) {
        return Err(ParamError::Missing { cell: entry.name, name: missing.name });
    }
    validate_reset(&params["v_reset"], &params["v_thresh"])
}

fn validate_reset(reset: &Value, thresh: &Value) -> Result<(), ParamError> {
    if let (Value::List(resets), Value::List(thresholds)) = (reset, thresh) {
        let bad = resets.iter().zip(thresholds).find(|(r, t)| r >= t);
        return bad
            .map_or(Ok(()), |(r, t)| Err(ParamError::ResetAboveThreshold { v_reset: *r, v_thresh: *t, remedy: "" }));
    }
    let (v_reset, v_thresh) = (reset.bounds().1, thresh.bounds().0);
    if v_reset < v_thresh {
        return Ok(());
    }
    let remedy = if remedy(reset).is_empty() { remedy(thresh) } else { remedy(reset) };
    Err(ParamError::ResetAboveThreshold { v_reset, v_thresh, remedy })
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
