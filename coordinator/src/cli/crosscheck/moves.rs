//! What of a network can be placed on another simulator, and how.

use std::fmt;

use couple_network::description::{Model, Network, Recorded, Simulator};
use couple_network::variables;
use couple_ports::time::Span;

use super::Target;

/// Keys that belong to the simulator that a component had.
const OF_THE_SIMULATOR: [&str; 2] = ["python", "cvode"];

/// Components to be moved, and what is recorded.
#[derive(Debug)]
pub struct Moves {
    /// Names of the components to be moved, with their simulators.
    components: Vec<(String, Simulator)>,
    /// Names of their populations of cells.
    pub populations: Vec<String>,
    /// The recordings as a value to set; `None` where the configuration has all that is wanted.
    record: Option<String>,
}

/// Why nothing can be compared.
#[derive(Debug, PartialEq, Eq)]
pub enum Nothing {
    /// No component can be moved.
    ToMove,
    /// No cell has that variable.
    Variable(String),
}

impl fmt::Display for Nothing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Nothing::ToMove => f.write_str(
                "nothing can be moved: no population has a standard `cell`\n  help: a model of your own (`script`, \
                 `command`) and converters stay where they are; describe the neurons by a `cell` to compare simulators",
            ),
            Nothing::Variable(name) => write!(
                f,
                "no cell of the network has a variable `{name}`\n  help: every cell has `v`; docs/recording.md lists \
                 the others"
            ),
        }
    }
}

impl Moves {
    /// Everything with a standard cell, with its spikes and `variables` recorded, the latter each `interval`.
    pub fn of(network: &Network, variables: &[String], interval: Option<Span>) -> Result<Self, Nothing> {
        let is_cell = |p: &couple_network::description::Population| matches!(p.model, Model::Cell { .. });
        let moved: Vec<usize> = (0..network.populations.len()).filter(|&p| is_cell(&network.populations[p])).collect();
        if moved.is_empty() {
            return Err(Nothing::ToMove);
        }
        let moves = |id: &usize| moved.iter().any(|&p| network.populations[p].component == *id);
        let component = |id: usize| (network.components[id].name.clone(), network.components[id].simulator);
        Ok(Moves {
            components: (0..network.components.len()).filter(moves).map(component).collect(),
            populations: moved.iter().map(|&p| network.populations[p].name.clone()).collect(),
            record: record(network, &moved, variables, interval)?,
        })
    }

    /// What to set in the configuration for a run on `target`.
    pub fn sets(&self, target: Target) -> Vec<String> {
        let key = |name: &str, key: &str| format!("component.\"{name}\".{key}");
        let mut sets = Vec::new();
        for (name, _) in &self.components {
            sets.push(format!("{}=\"{}\"", key(name, "simulator"), target.simulator()));
            if target == Target::NeuronCvode {
                sets.push(format!("{}={{}}", key(name, "cvode")));
            }
        }
        sets.extend(self.record.iter().map(|record| format!("record={record}")));
        sets
    }

    /// Keys of components that mean nothing to `target`.
    pub fn without(&self, target: Target) -> Vec<(&str, &'static str)> {
        let stays = |simulator: &Simulator| serde_json::json!(simulator) == target.simulator();
        let moved = self.components.iter().filter(|(_, simulator)| !stays(simulator));
        let keys = |name| OF_THE_SIMULATOR.map(|key| (name, key));
        let mut without: Vec<_> = moved.flat_map(|(name, _)| keys(name.as_str())).collect();
        // It has just been set.
        without.retain(|(_, key)| !(target == Target::NeuronCvode && *key == "cvode"));
        if matches!(target.simulator(), "neuron" | "brian2") {
            // They have one in each process. The result is the same for any number.
            without.extend(self.components.iter().map(|(name, _)| (name.as_str(), "threads")));
        }
        without
    }
}

/// The recordings of the configuration and those that are wanted beside them, as TOML; `None` where there are no more.
fn record(
    network: &Network,
    moved: &[usize],
    variables: &[String],
    interval: Option<Span>,
) -> Result<Option<String>, Nothing> {
    let recorded = |population: usize, name: &str| {
        network.recordings.iter().any(|r| r.population == population && variable(&r.variable).0 == name)
    };
    let mut missing: Vec<(usize, &str)> =
        moved.iter().filter(|&&p| !recorded(p, "spikes")).map(|&p| (p, "spikes")).collect();
    for name in variables.iter().filter(|name| *name != "spikes") {
        let has = |p: &&usize| variables::of(&network.populations[**p]).iter().any(|v| v.name == *name && v.gives());
        let with: Vec<usize> = moved.iter().filter(has).copied().collect();
        if with.is_empty() {
            return Err(Nothing::Variable(name.clone()));
        }
        missing.extend(with.into_iter().filter(|&p| !recorded(p, name)).map(|p| (p, name.as_str())));
    }
    if missing.is_empty() {
        return Ok(None);
    }
    let table = |population: usize, name: &str, interval: Option<Span>| {
        let population = toml::Value::String(network.populations[population].name.clone());
        let interval = interval.filter(|_| name != "spikes").map_or(String::new(), |i| format!(", interval=\"{i}\""));
        format!("{{population=[{population}], variables=[{}]{interval}}}", toml::Value::String(name.to_string()))
    };
    let given = network.recordings.iter().map(|r| {
        let (name, interval) = variable(&r.variable);
        table(r.population, name, interval)
    });
    let more = missing.into_iter().map(|(population, name)| table(population, name, interval));
    let tables: Vec<String> = given.chain(more).collect();
    Ok(Some(format!("[{}]", tables.join(", "))))
}

fn variable(recorded: &Recorded) -> (&str, Option<Span>) {
    match recorded {
        Recorded::Spikes => ("spikes", None),
        Recorded::Analog { variable, interval } => (variable, Some(*interval)),
    }
}
