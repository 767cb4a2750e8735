//! What lives where: populations, their variables, and what their neurons are.

use std::collections::BTreeMap;

use couple_ports::time::Span;
use serde::{Deserialize, Serialize};

use super::{ComponentId, Value};

/// A number of neurons of one kind, or the named port of a user's model.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Population {
    /// Its name in the configuration; also the name of its port.
    pub name: String,
    /// Where it lives.
    pub component: ComponentId,
    /// Number of neurons (the port's width).
    pub size: u32,
    /// What its neurons are.
    pub model: Model,
    /// The variables that a program or a user's own model declares; empty for cells, spike sources and converters,
    /// whose variables follow from the model ([`crate::variables`]).
    pub variables: Vec<Variable>,
}

/// A variable that a program declares.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Variable {
    /// Its name, unique in the population.
    pub name: String,
    /// What it is.
    pub quantity: Quantity,
}

/// What a variable is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Quantity {
    /// A number for each neuron, sampled at the end of each step.
    Analog {
        /// Its unit, in canonical spelling; `"1"` for a number without one.
        unit: String,
    },
    /// Bytes with a time stamp, now and then.
    Message,
}

/// What the neurons of a population are.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Model {
    /// A standard cell, integrated by the component's simulator.
    Cell {
        /// Which cell.
        cell: Cell,
        /// Every parameter of the cell (see [`crate::cells`]), defaults filled in.
        params: BTreeMap<String, Value>,
        /// Initial values of state variables, defaults filled in.
        initial: BTreeMap<String, Value>,
    },
    /// `SpikeSourceArray`: given spike times, each neuron its own list, sorted; relative to the start of the run.
    SpikeSourceArray {
        /// One list for each neuron, or a single list that all neurons share.
        spike_times: Vec<Vec<Span>>,
    },
    /// `SpikeSourcePoisson`: independent Poisson spikes for each neuron.
    SpikeSourcePoisson {
        /// Rate in Hz.
        rate: f64,
        /// First active time: spikes fall in `(start, start + duration]`.
        start: Span,
        /// Length of activity.
        duration: Span,
    },
    /// Neurons of a user's own model, reached through the port of the population's name.
    Port,
    /// Makes signals or spikes of others.
    Converter(Converter),
    /// `SpikeSourcePoissonRefractory`: Poisson spikes with a dead time, for each neuron of its own.
    SpikeSourcePoissonRefractory {
        /// Mean rate in Hz, dead time included.
        rate: f64,
        /// Dead time after each spike.
        tau_refrac: Span,
        /// First active time: spikes fall in `(start, start + duration]`.
        start: Span,
        /// Length of activity.
        duration: Span,
    },
    /// `SpikeSourceGamma`: intervals with a gamma distribution, for each neuron of its own.
    SpikeSourceGamma {
        /// Shape.
        alpha: f64,
        /// Rate parameter in Hz: the mean interval is `alpha/beta`.
        beta: f64,
        /// First active time: spikes fall in `(start, start + duration]`.
        start: Span,
        /// Length of activity.
        duration: Span,
    },
    /// `SpikeSourceInhGamma`: intervals with a gamma distribution that changes in time, for each neuron of its own.
    SpikeSourceInhGamma {
        /// Shapes.
        a: Vec<f64>,
        /// Scales in s: the mean interval is `a·b`.
        b: Vec<f64>,
        /// From when on they are valid; as many, in ascending order. The first are so before, too.
        tbins: Vec<Span>,
        /// First active time: spikes fall in `(start, start + duration]`.
        start: Span,
        /// Length of activity.
        duration: Span,
    },
}

impl Model {
    /// True for sources whose spikes are a pure function of the description: every rank that needs them makes them
    /// itself ([`crate::stimulus`]), nothing is sent.
    pub fn is_stimulus(&self) -> bool {
        !matches!(self, Model::Cell { .. } | Model::Port | Model::Converter(_))
    }
}

/// What makes signals of spikes, spikes of signals, or signals of signals; `size` is the population's.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Converter {
    /// Independent Poisson spikes for each of `size` neurons, at the rates of the input `rate` (Hz).
    RateToPoisson,
    /// The rate of each of `size` trains of spikes as the output `rate` (Hz).
    SpikesToRate {
        /// How spikes are weighed.
        kernel: RateKernel,
    },
    /// A spike whenever the input `x` reaches the threshold from below.
    Threshold {
        /// The threshold, in `unit`.
        threshold: f64,
        /// Unit of `x`.
        unit: String,
    },
    /// The output `y = matrix · x`.
    Linear {
        /// `size` rows; as many columns as `x` is wide.
        matrix: Vec<Vec<f64>>,
        /// Unit of `x`.
        unit_in: String,
        /// Unit of `y`.
        unit_out: String,
    },
    /// The output `y = gain · x + offset`.
    Gain {
        /// Factor, in `unit_out` per `unit_in`.
        gain: f64,
        /// Added, in `unit_out`.
        offset: f64,
        /// Unit of `x`.
        unit_in: String,
        /// Unit of `y`.
        unit_out: String,
    },
}

impl Converter {
    /// True when it takes spikes.
    pub fn takes_spikes(&self) -> bool {
        matches!(self, Converter::SpikesToRate { .. })
    }
    /// True when it makes spikes.
    pub fn makes_spikes(&self) -> bool {
        matches!(self, Converter::RateToPoisson | Converter::Threshold { .. })
    }
    /// Its name in the configuration.
    pub fn name(&self) -> &'static str {
        match self {
            Converter::RateToPoisson => "rate_to_poisson",
            Converter::SpikesToRate { .. } => "spikes_to_rate",
            Converter::Threshold { .. } => "threshold",
            Converter::Linear { .. } => "linear",
            Converter::Gain { .. } => "gain",
        }
    }
}

/// How past spikes make a rate.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RateKernel {
    /// Each spike adds `1/tau` at once, which then decays.
    Exponential {
        /// Time constant in ms, positive.
        tau: f64,
    },
    /// The spikes of the last `width`, by its length.
    Window {
        /// A positive multiple of the component's step.
        width: Span,
    },
}

/// PyNN's standard cells that the simulators here know.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Cell {
    /// Leaky integrate-and-fire, exponential synaptic current.
    #[serde(rename = "IF_curr_exp")]
    IfCurrExp,
    /// Leaky integrate-and-fire, alpha-shaped synaptic current.
    #[serde(rename = "IF_curr_alpha")]
    IfCurrAlpha,
    /// Leaky integrate-and-fire, voltage jumps.
    #[serde(rename = "IF_curr_delta")]
    IfCurrDelta,
    /// Leaky integrate-and-fire, exponential synaptic conductance.
    #[serde(rename = "IF_cond_exp")]
    IfCondExp,
    /// Leaky integrate-and-fire, alpha-shaped synaptic conductance.
    #[serde(rename = "IF_cond_alpha")]
    IfCondAlpha,
    /// Leaky integrate-and-fire, exponential synaptic conductance, adaptation and relative refractoriness by conductances.
    #[serde(rename = "IF_cond_exp_gsfa_grr")]
    IfCondExpGsfaGrr,
    /// The leaky integrate-and-fire cell of the FACETS "stage 1" chip.
    #[serde(rename = "IF_facets_hardware1")]
    IfFacetsHardware1,
    /// Exponential integrate-and-fire with adaptation (AdEx), exponential synaptic conductance.
    #[serde(rename = "EIF_cond_exp_isfa_ista")]
    EifCondExpIsfaIsta,
    /// Exponential integrate-and-fire with adaptation (AdEx), alpha-shaped synaptic conductance.
    #[serde(rename = "EIF_cond_alpha_isfa_ista")]
    EifCondAlphaIsfaIsta,
    /// Hodgkin-Huxley with Traub's channels, exponential synaptic conductance.
    #[serde(rename = "HH_cond_exp")]
    HhCondExp,
    /// Izhikevich's quadratic cell, voltage jumps.
    #[serde(rename = "Izhikevich")]
    Izhikevich,
}
