//! The network description: what both front ends yield and every component builds its part from.
//!
//! Names are unique within their table; references between tables are indices ([`ComponentId`], [`PopulationId`]).
//! A description that came through `couple check` is *valid*: references exist, sizes match, parameters are complete
//! and in range. Units are PyNN's: ms, mV, nA, nF, µS.

use std::collections::BTreeMap;

use couple_ports::time::Span;
use serde::{Deserialize, Serialize};

/// Index into [`Network::components`].
pub type ComponentId = usize;
/// Index into [`Network::populations`].
pub type PopulationId = usize;
/// Index into [`Network::projections`].
pub type ProjectionId = usize;

/// A whole network and where its parts live.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Network {
    /// The run's name.
    pub name: String,
    /// Seed of every random number in the description.
    pub seed: u64,
    /// Simulated time of the run.
    pub duration: Span,
    /// The simulators taking part.
    pub components: Vec<Component>,
    /// All populations, wherever they live.
    pub populations: Vec<Population>,
    /// Synapses between populations.
    pub projections: Vec<Projection>,
    /// Links that carry spikes as they are to the port of a program.
    pub connections: Vec<Connection>,
    /// Which populations' spikes are recorded.
    pub recordings: Vec<PopulationId>,
}

/// A simulator taking part in a run.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Component {
    /// Its name in the configuration.
    pub name: String,
    /// Which simulator.
    pub simulator: Simulator,
    /// Integration step.
    pub step: Span,
    /// Number of processes.
    pub ranks: u32,
    /// Threads of each process.
    pub threads: u32,
    /// A user's own model for the simulator (absolute path).
    pub script: Option<String>,
    /// The program and its arguments, for [`Simulator::Script`].
    pub command: Vec<String>,
    /// The Python interpreter to use instead of the managed one.
    pub python: Option<String>,
}

/// The simulators that a component can be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Simulator {
    /// The native kernel.
    Native,
    /// NEST, from PyPI.
    Nest,
    /// Any program that speaks the session protocol.
    Script,
}

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
        !matches!(self, Model::Cell { .. } | Model::Port)
    }
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

/// A parameter: the same for all neurons, or drawn for each.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Value {
    /// The same for all.
    Constant(f64),
    /// Drawn from a distribution, by (seed, owner's name, parameter's name, index).
    Random(Distribution),
    /// One for each neuron.
    List(Vec<f64>),
}

/// PyNN's random distributions, with PyNN's parameter names.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Distribution {
    /// Uniform in `[low, high)`.
    Uniform {
        /// Lower bound.
        low: f64,
        /// Upper bound.
        high: f64,
    },
    /// Normal.
    Normal {
        /// Mean.
        mu: f64,
        /// Standard deviation.
        sigma: f64,
    },
    /// Normal, drawn again until the value lies within `[low, high]`.
    NormalClipped {
        /// Mean.
        mu: f64,
        /// Standard deviation.
        sigma: f64,
        /// Lower bound.
        low: f64,
        /// Upper bound.
        high: f64,
    },
    /// Normal, values outside `[low, high]` set to the bound.
    NormalClippedToBoundary {
        /// Mean.
        mu: f64,
        /// Standard deviation.
        sigma: f64,
        /// Lower bound.
        low: f64,
        /// Upper bound.
        high: f64,
    },
    /// Log-normal: exp of a normal with `mu` and `sigma`.
    Lognormal {
        /// Mean of the logarithm.
        mu: f64,
        /// Standard deviation of the logarithm.
        sigma: f64,
    },
    /// Exponential with mean `beta`.
    Exponential {
        /// Mean.
        beta: f64,
    },
    /// Gamma with shape `k` and scale `theta`.
    Gamma {
        /// Shape.
        k: f64,
        /// Scale.
        theta: f64,
    },
}

/// Synapses from one population to another.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Projection {
    /// Its name, unique; `"from→to"` (with a number when that is taken) unless given. Part of the random stream.
    pub name: String,
    /// Presynaptic population.
    pub from: PopulationId,
    /// Postsynaptic population.
    pub to: PopulationId,
    /// Which pairs are connected.
    pub connector: Connector,
    /// Weight: nA into current-based cells, µS into conductance-based ones, mV into `IF_curr_delta`
    /// and `Izhikevich`.
    pub weight: Value,
    /// Delay.
    pub delay: Delay,
    /// Which receptor of the target.
    pub receptor: Receptor,
    /// How the weights change.
    pub plasticity: Plasticity,
}

/// How the weights of a projection change: PyNN's synapse types. The order of updates is in `docs/plasticity.md`.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
pub enum Plasticity {
    /// `StaticSynapse`: they do not.
    #[default]
    Static,
    /// `TsodyksMarkramSynapse`: short-term depression and facilitation.
    TsodyksMarkram(TsodyksMarkram),
    /// `STDPMechanism`: by the time between presynaptic and postsynaptic spikes.
    Stdp(Stdp),
}

/// Parameters of `TsodyksMarkramSynapse`.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct TsodyksMarkram {
    /// `U`: the part of the resources that the first spike uses, from 0 to 1.
    pub u: f64,
    /// Time constant of recovery in ms, positive.
    pub tau_rec: f64,
    /// Time constant of facilitation in ms; 0: no facilitation.
    pub tau_facil: f64,
}

/// Parameters of `STDPMechanism` with `SpikePairRule`; delays are dendritic.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Stdp {
    /// Time constant of potentiation in ms, positive.
    pub tau_plus: f64,
    /// Time constant of depression in ms, positive.
    pub tau_minus: f64,
    /// Largest potentiation by one pair, as a part of the weights' range; zero or more.
    pub a_plus: f64,
    /// Largest depression by one pair, as a part of the weights' range; zero or more.
    pub a_minus: f64,
    /// The weight nearest to zero, in the unit of the weight.
    pub w_min: f64,
    /// The weight farthest from zero; negative where the weights are.
    pub w_max: f64,
    /// Exponent of the weight dependence of potentiation: 0 additive, 1 multiplicative.
    pub mu_plus: f64,
    /// Exponent of the weight dependence of depression.
    pub mu_minus: f64,
}

/// A synaptic delay.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Delay {
    /// The same for all; a multiple of the target's step.
    Constant(Span),
    /// Drawn in ms, then rounded to the nearest step of the target, one step at least.
    Random(Distribution),
    /// One for each row of a [`Connector::FromList`].
    List(Vec<Span>),
}

/// PyNN's connectors.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Connector {
    /// Every pair.
    AllToAll {
        /// Within one population: also from a neuron to itself.
        allow_self_connections: bool,
    },
    /// Neuron i to neuron i; sizes are equal.
    OneToOne,
    /// Each pair with probability `p`.
    FixedProbability {
        /// Probability.
        p: f64,
        /// Within one population: also from a neuron to itself.
        allow_self_connections: bool,
    },
    /// `n` synapses in all, pairs drawn with replacement (multapses allowed) or each pair at most once.
    FixedTotalNumber {
        /// Number of synapses.
        n: u64,
        /// Pairs may repeat.
        with_replacement: bool,
        /// Within one population: also from a neuron to itself.
        allow_self_connections: bool,
    },
    /// `n` presynaptic neurons for each postsynaptic one.
    FixedNumberPre {
        /// Number for each postsynaptic neuron.
        n: u32,
        /// The same presynaptic neuron may be drawn again.
        with_replacement: bool,
        /// Within one population: also from a neuron to itself.
        allow_self_connections: bool,
    },
    /// `n` postsynaptic neurons for each presynaptic one.
    FixedNumberPost {
        /// Number for each presynaptic neuron.
        n: u32,
        /// The same postsynaptic neuron may be drawn again.
        with_replacement: bool,
        /// Within one population: also from a neuron to itself.
        allow_self_connections: bool,
    },
    /// The pairs given.
    FromList {
        /// (presynaptic index, postsynaptic index) of each synapse.
        pairs: Vec<(u32, u32)>,
    },
}

/// Where on the target a synapse acts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Receptor {
    /// PyNN's excitatory receptor.
    Excitatory,
    /// PyNN's inhibitory receptor.
    Inhibitory,
}

/// A link that hands the spikes of one population to the port of a program, as they are.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Connection {
    /// The sending population.
    pub from: PopulationId,
    /// The receiving population: a [`Model::Port`] of a [`Simulator::Script`] component, as wide as the sender.
    pub to: PopulationId,
    /// Added to the time stamp of each spike.
    pub delay: Span,
}

impl Network {
    /// The population called `name`.
    pub fn population(&self, name: &str) -> Option<PopulationId> {
        self.populations.iter().position(|p| p.name == name)
    }
    /// The component called `name`.
    pub fn component(&self, name: &str) -> Option<ComponentId> {
        self.components.iter().position(|c| c.name == name)
    }
    /// The integration step that the targets of `projection` live on.
    pub fn target_step(&self, projection: &Projection) -> Span {
        self.components[self.populations[projection.to].component].step
    }
    /// The component of a projection's source.
    pub fn source_component(&self, projection: &Projection) -> ComponentId {
        self.populations[projection.from].component
    }
    /// The component of a projection's target.
    pub fn target_component(&self, projection: &Projection) -> ComponentId {
        self.populations[projection.to].component
    }
}

impl Projection {
    /// The largest magnitude that one of its weights can take, now or later.
    pub fn weight_bound(&self) -> f64 {
        let initial = crate::weights::bound(&self.weight);
        match self.plasticity {
            Plasticity::Stdp(stdp) => initial.max(stdp.w_max.abs()).max(stdp.w_min.abs()),
            Plasticity::Static | Plasticity::TsodyksMarkram(_) => initial,
        }
    }
}

impl Delay {
    /// The shortest delay that can occur, on a grid of `step`: the link's lookahead. It depends on the description
    /// alone, never on what was drawn.
    pub fn min(&self, step: Span) -> Span {
        match self {
            Delay::Constant(delay) => *delay,
            Delay::Random(distribution) => round_delay(distribution.bounds().0, step),
            Delay::List(delays) => delays.iter().copied().min().unwrap_or(step).max(step),
        }
    }
    /// The longest delay that can occur, on a grid of `step`.
    pub fn max(&self, step: Span) -> Span {
        match self {
            Delay::Constant(delay) => *delay,
            Delay::Random(distribution) => round_delay(distribution.bounds().1, step),
            Delay::List(delays) => delays.iter().copied().max().unwrap_or(step).max(step),
        }
    }
}

/// A delay of `ms` milliseconds rounded to the nearest multiple of `step`, one step at least.
pub fn round_delay(ms: f64, step: Span) -> Span {
    let steps = (ms * 1e6 / step.ns() as f64).round();
    step * (steps.max(1.0) as i64)
}

impl Distribution {
    /// The values between which every draw lies. Distributions without bounds are cut where a draw beyond would
    /// occur less than once in 10^20: ten standard deviations of a normal, fifty means of an exponential. Draws are
    /// held to these bounds.
    pub fn bounds(&self) -> (f64, f64) {
        match *self {
            Distribution::Uniform { low, high } => (low, high),
            Distribution::Normal { mu, sigma } => (mu - 10.0 * sigma, mu + 10.0 * sigma),
            Distribution::NormalClipped { mu, sigma, low, high } => {
                (low.max(mu - 10.0 * sigma), high.min(mu + 10.0 * sigma))
            }
            Distribution::NormalClippedToBoundary { mu, sigma, low, high } => {
                let hold = |value: f64| value.max(low).min(high);
                (hold(mu - 10.0 * sigma), hold(mu + 10.0 * sigma))
            }
            Distribution::Lognormal { mu, sigma } => ((mu - 10.0 * sigma).exp(), (mu + 10.0 * sigma).exp()),
            Distribution::Exponential { beta } => (0.0, 50.0 * beta),
            Distribution::Gamma { k, theta } => (0.0, theta * (k + 50.0 + 10.0 * k.sqrt())),
        }
    }
}
