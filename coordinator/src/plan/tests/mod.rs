//! Tests of the planner.

mod page;
mod pictures;
mod rules;
mod schedule;
mod welcomes;

use couple_network::description::{
    Component, Connection, Connector, Delay, End, Interpolation, MessageConnection, Model, Network, Population,
    Projection, Quantity, Receptor, Recording, SignalConnection, Simulator, Value, Variable,
};
use couple_network::variables;
use couple_ports::time::Span;

use super::{Plan, PlanError, PlanOptions};

/// A network in a few words: each component has one population of the same name.
pub(super) struct Net(pub Network);

pub(super) fn ms(text: &str) -> Span {
    text.parse().expect("a time in ms")
}

pub(super) fn net(duration: &str) -> Net {
    Net(Network {
        name: "test".into(),
        seed: 1,
        duration: ms(duration),
        components: vec![],
        populations: vec![],
        projections: vec![],
        connections: vec![],
        signals: vec![],
        messages: vec![],
        recordings: vec![],
    })
}

impl Net {
    pub fn component(mut self, name: &str, step: &str, ranks: u32) -> Self {
        self.0.components.push(Component {
            name: name.into(),
            simulator: Simulator::Native,
            step: ms(step),
            ranks,
            threads: 1,
            script: None,
            command: vec![],
            python: None,
            cvode: None,
        });
        self.population(name, 10, Model::Port)
    }
    /// Makes the last component one of `simulator`.
    pub fn on(mut self, simulator: Simulator) -> Self {
        self.0.components.last_mut().unwrap().simulator = simulator;
        self
    }
    /// One more population on the last component.
    pub fn population(mut self, name: &str, size: u32, model: Model) -> Self {
        let component = self.0.components.len() - 1;
        self.0.populations.push(Population { name: name.into(), component, size, model, variables: vec![] });
        self
    }
    pub fn stimulus(self, name: &str) -> Self {
        self.population(name, 10, Model::SpikeSourceArray { spike_times: vec![vec![]] })
    }
    /// Where a variable of cells starts.
    pub fn start(&self, name: &str, variable: &str) -> Value {
        variables::start(&self.0.populations[self.id(name)], variable).expect("a state variable").clone()
    }
    pub fn id(&self, name: &str) -> usize {
        self.0.population(name).expect("a population")
    }
    pub fn projection(self, from: &str, to: &str, delay: &str) -> Self {
        let delay = Delay::Constant(ms(delay));
        self.projection_with(from, to, delay)
    }
    pub fn projection_with(mut self, from: &str, to: &str, delay: Delay) -> Self {
        let number = self.0.projections.len();
        self.0.projections.push(Projection {
            name: format!("{from}→{to}#{number}"),
            from: self.id(from),
            to: self.id(to),
            connector: Connector::AllToAll { allow_self_connections: true },
            weight: Value::Constant(0.1),
            delay,
            receptor: Receptor::Excitatory,
            plasticity: couple_network::description::Plasticity::Static,
        });
        self
    }
    pub fn connection(mut self, from: &str, to: &str, delay: &str) -> Self {
        let (from, to) = (self.id(from), self.id(to));
        self.0.connections.push(Connection { from, to, delay: ms(delay) });
        self
    }
    /// Declares one more variable of a population.
    fn declare(&mut self, name: &str, quantity: Quantity) -> End {
        let population = self.id(name);
        let variables = &mut self.0.populations[population].variables;
        let variable = format!("x{}", variables.len());
        variables.push(Variable { name: variable.clone(), quantity });
        End { population, variable }
    }
    /// A signal in mV between variables of its own.
    pub fn signal(mut self, from: &str, to: &str, delay: &str, interpolation: Interpolation) -> Self {
        let unit = Quantity::Analog { unit: "mV".into() };
        let (from, to) = (self.declare(from, unit.clone()), self.declare(to, unit));
        let initial = Value::Constant(0.0);
        self.0.signals.push(SignalConnection { from, to, delay: ms(delay), interpolation, initial });
        self
    }
    pub fn messages(mut self, from: &str, to: &str, delay: &str) -> Self {
        let (from, to) = (self.declare(from, Quantity::Message), self.declare(to, Quantity::Message));
        self.0.messages.push(MessageConnection { from, to, delay: ms(delay) });
        self
    }
    pub fn record(mut self, name: &str) -> Self {
        let id = self.id(name);
        self.0.recordings.push(Recording::spikes(id));
        self
    }
    pub fn plan(&self) -> Result<Plan, PlanError> {
        super::plan(&self.0, &PlanOptions { window_override: None, cores: 2 })
    }
    pub fn plan_with_window(&self, window: &str) -> Result<Plan, PlanError> {
        super::plan(&self.0, &PlanOptions { window_override: Some(ms(window)), cores: 2 })
    }
}

/// The windows of a plan's components.
pub(super) fn windows(plan: &Plan) -> Vec<String> {
    plan.components.iter().map(|c| c.window.to_string()).collect()
}
