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
    /// Links that carry the samples of a variable to another.
    pub signals: Vec<SignalConnection>,
    /// Links that carry messages.
    pub messages: Vec<MessageConnection>,
    /// What is recorded.
    pub recordings: Vec<Recording>,
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
    /// Integration with a variable step, for [`Simulator::Neuron`]; none: the fixed step `step`.
    pub cvode: Option<Cvode>,
}

/// NEURON's integrator with a variable step.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Cvode {
    /// Absolute tolerance of each state variable, in its unit.
    pub atol: f64,
    /// How the time of a threshold crossing is found: 1 the end of the integrator's step, 2 interpolated within it.
    pub condition_order: u32,
}

/// The simulators that a component can be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Simulator {
    /// The native kernel.
    Native,
    /// NEST, from PyPI.
    Nest,
    /// NEURON, from PyPI.
    Neuron,
    /// Brian2, from PyPI.
    Brian2,
    /// Arbor.
    Arbor,
    /// Any program that speaks the session protocol.
    Script,
    /// Converters between signals and spikes.
    Converter,
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

/// One end of a link: a variable of a population.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct End {
    /// The population.
    pub population: PopulationId,
    /// The variable's name.
    pub variable: String,
}

/// A link that carries the samples of an output variable to an input variable of the same unit and width.
///
/// The receiver at `t` has the sender's signal at `t - delay`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct SignalConnection {
    /// The sending variable.
    pub from: End,
    /// The receiving variable.
    pub to: End,
    /// A positive multiple of the receiver's step.
    pub delay: Span,
    /// What the signal is between two samples of the sender.
    pub interpolation: Interpolation,
    /// The sample at time 0 and before: of one neuron or of all.
    pub initial: Value,
}

impl SignalConnection {
    /// Whether what the receiver has at any time of its grid depends on samples of earlier times alone, on these steps.
    /// Between two samples linear interpolation needs the later one, too.
    ///
    /// How far the receiver may be ahead of the sender is the delay in both cases: a sender is always at the end of one
    /// of its steps, so that with `t - delay` it has also reached the sample behind.
    pub fn is_causal(&self, sender: Span, receiver: Span) -> bool {
        let behind = sender - common(common(sender, receiver), self.delay);
        self.interpolation == Interpolation::Hold || self.delay > behind
    }
    /// The shortest delay with which linear interpolation is causal, on these steps.
    pub fn shortest_linear(sender: Span, receiver: Span) -> Span {
        let behind = sender - common(sender, receiver);
        receiver * (behind.steps(receiver) + 1)
    }
}

/// The greatest common divisor.
fn common(a: Span, b: Span) -> Span {
    let (mut a, mut b) = (a.ns(), b.ns());
    while b != 0 {
        (a, b) = (b, a % b);
    }
    Span::from_ns(a)
}

/// What a signal is between two samples.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Interpolation {
    /// The earlier one.
    #[default]
    Hold,
    /// On the straight line between them.
    Linear,
}

/// A link that carries messages from one program to another.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct MessageConnection {
    /// The sending port.
    pub from: End,
    /// The receiving port.
    pub to: End,
    /// Added to each message's time stamp; a positive multiple of the receiver's step.
    pub delay: Span,
}

/// Something that is recorded.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Recording {
    /// Of which population.
    pub population: PopulationId,
    /// What of it.
    pub variable: Recorded,
}

/// What is recorded of a population.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Recorded {
    /// Its spikes.
    Spikes,
    /// The samples of an output variable.
    Analog {
        /// Its name.
        variable: String,
        /// Time between samples: a positive multiple of the component's step.
        interval: Span,
    },
}

impl Recording {
    /// A recording of the spikes of `population`.
    pub fn spikes(population: PopulationId) -> Self {
        Recording { population, variable: Recorded::Spikes }
    }
}

impl Network {
    /// The populations whose spikes are recorded, in the order of the description.
    pub fn recorded_spikes(&self) -> impl Iterator<Item = PopulationId> {
        self.recordings.iter().filter(|r| r.variable == Recorded::Spikes).map(|r| r.population)
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linear_interpolation_needs_the_sample_behind() {
        let us = |us: i64| Span::from_ns(us * 1000);
        let end = |variable: &str| End { population: 0, variable: variable.into() };
        let link = |delay, interpolation| SignalConnection {
            from: end("v"),
            to: end("x"),
            delay,
            interpolation,
            initial: Value::Constant(0.0),
        };
        for (sender, receiver, delay, causal, shortest) in [
            (100, 100, 100, true, 100),
            // Each time of the receiver is a sample's.
            (25, 100, 100, true, 100),
            (100, 25, 100, true, 100),
            (100, 25, 75, false, 100),
            (1000, 100, 1000, true, 1000),
            (1000, 100, 900, false, 1000),
            (100, 30, 120, true, 120),
            (100, 30, 90, false, 120),
        ] {
            assert!(link(us(delay), Interpolation::Hold).is_causal(us(sender), us(receiver)));
            assert_eq!(link(us(delay), Interpolation::Linear).is_causal(us(sender), us(receiver)), causal);
            assert_eq!(SignalConnection::shortest_linear(us(sender), us(receiver)), us(shortest));
            assert!(link(us(shortest), Interpolation::Linear).is_causal(us(sender), us(receiver)));
        }
    }
}
