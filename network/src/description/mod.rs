//! The network description: what both front ends yield and every component builds its part from.
//!
//! Names are unique within their table; references between tables are indices ([`ComponentId`], [`PopulationId`]).
//! A description that came through `couple check` is *valid*: references exist, sizes match, parameters are complete
//! and in range. Units are PyNN's: ms, mV, nA, nF, µS.

mod link;
mod population;
mod projection;
mod value;

use couple_ports::time::Span;
use serde::{Deserialize, Serialize};

pub use link::{Connection, End, Interpolation, MessageConnection, SignalConnection};
pub use population::{Cell, Converter, Model, Population, Quantity, RateKernel, Variable};
pub use projection::{Connector, Delay, Plasticity, Projection, Receptor, Stdp, TsodyksMarkram, round_delay};
pub use value::{Distribution, Value};

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
