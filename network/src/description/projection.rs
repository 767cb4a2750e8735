//! Synapses between populations: connectors, weights, delays, plasticity.

use couple_ports::time::Span;
use serde::{Deserialize, Serialize};

use super::{Distribution, PopulationId, Value};

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
