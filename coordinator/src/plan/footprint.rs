//! How much memory a run takes at least, so that one that cannot fit is refused instead of being killed half way.
//!
//! What is counted is what surely grows with the network: synapses, neurons, the input that waits for its time, rings.
//! Programs, libraries, and what a simulator needs besides for a while, are not.

use std::collections::BTreeMap;

use couple_network::description::{
    Component, ComponentId, Connector, Model, Network, Projection, Receptor, Simulator, Value,
};
use couple_network::variables;
use serde::Serialize;

use super::Plan;
use super::text::bytes;
use crate::config::{Diagnostic, Places, certain_delay, expected_synapses};

/// Bytes of a synapse in the native kernel: an offset, and a weight where they differ.
const NATIVE_SYNAPSE: (f64, f64) = (4.0, 8.0);
/// Bytes of a native neuron's state, and of a presynaptic neuron's row in each thread.
const NATIVE_NEURON: f64 = 40.0;
const NATIVE_ROW: f64 = 4.0;
/// Bytes of the input of one neuron and receptor in one step to come.
const NATIVE_INPUT: f64 = 8.0;
/// Of NEST 3.10: growth of the process over 100,000 `iaf_psc_exp`, and over 5 million static synapses among them.
const NEST_NEURON: f64 = 2000.0;
const NEST_SYNAPSE: f64 = 40.0;

/// Bytes of a synapse in an input table (`ports/ffi/src/table`): place and weight.
const TABLE_SYNAPSE: f64 = 12.0;
/// Of NEURON 9.0.2: growth of the process over 10,000 cells of the catalogue.
const NEURON_NEURON: f64 = 4000.0;

const SMALLER: &str = "make the network smaller (`--set` changes the numbers that the configuration scales with), or run it on \
                       a machine with more memory; a synapse takes 4 or 8 bytes in the native simulator, 40 in NEST";

const SHORTER: &str = "use a shorter delay, a longer step of the sender, or fewer neurons: all samples of the time of a \
                       delay are kept";

/// Bytes of a sample that waits for its time.
const SAMPLE: f64 = 8.0;
/// Bytes of a spike given in a list: time, neuron, count.
const GIVEN_SPIKE: f64 = 16.0;

/// What a component takes at least, all its ranks together.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Footprint {
    /// Bytes.
    pub bytes: u64,
    /// Mean number of synapses.
    pub synapses: u64,
    /// Neurons.
    pub neurons: u64,
    /// Spikes of sources that are given in lists.
    pub given: u64,
    /// Samples of signals that wait for their time.
    pub samples: u64,
}

/// The footprint of each component.
pub fn footprints(network: &Network) -> Vec<Footprint> {
    network.components.iter().enumerate().map(|(id, component)| footprint(network, id, component)).collect()
}

fn footprint(network: &Network, id: ComponentId, component: &Component) -> Footprint {
    let cells = network.populations.iter().filter(|p| p.component == id && matches!(p.model, Model::Cell { .. }));
    let neurons: u64 = cells.map(|p| u64::from(p.size)).sum();
    let incoming: Vec<_> = network.projections.iter().filter(|p| network.target_component(p) == id).collect();
    let synapses = |projection: &Projection| {
        let size = |population: usize| f64::from(network.populations[population].size);
        expected_synapses(&projection.connector, size(projection.from), size(projection.to))
    };
    let all: f64 = incoming.iter().map(|p| synapses(p)).sum();
    let given: f64 = incoming.iter().map(|p| given_spikes(network, p, synapses(p))).sum();
    let taken = match component.simulator {
        Simulator::Native => {
            let tables: f64 = incoming.iter().map(|p| native_table(network, component, p, synapses(p))).sum();
            tables + native_input(network, component, &incoming) + neurons as f64 * NATIVE_NEURON + given * GIVEN_SPIKE
        }
        Simulator::Nest => all * NEST_SYNAPSE + neurons as f64 * NEST_NEURON + given * GIVEN_SPIKE,
        Simulator::Neuron => all * TABLE_SYNAPSE + neurons as f64 * NEURON_NEURON + given * GIVEN_SPIKE,
        Simulator::Brian2 => all * TABLE_SYNAPSE + given * GIVEN_SPIKE,
        Simulator::Script | Simulator::Arbor | Simulator::Converter => 0.0,
    };
    let samples = samples(network, id, component);
    let taken = taken + samples * SAMPLE;
    // Conversions from floats saturate.
    Footprint { bytes: taken as u64, synapses: all as u64, neurons, given: given as u64, samples: samples as u64 }
}

/// Samples on their way to a component: for each column those of the time of the delay.
fn samples(network: &Network, id: ComponentId, component: &Component) -> f64 {
    let here = network.signals.iter().filter(|s| network.populations[s.to.population].component == id);
    here.map(|signal| {
        let step = network.components[network.populations[signal.from.population].component].step;
        let target = &network.populations[signal.to.population];
        let each_rank = |rank| variables::columns(target, &signal.to.variable, component.ranks, rank).len() as f64;
        let columns: f64 = (0..component.ranks).map(each_rank).sum();
        columns * (signal.delay.steps(step) + 1) as f64
    })
    .sum()
}

/// Spikes of a `SpikeSourceArray` that whoever receives them writes out for each source, also where all have one list.
fn given_spikes(network: &Network, projection: &Projection, synapses: f64) -> f64 {
    let source = &network.populations[projection.from];
    let Model::SpikeSourceArray { spike_times } = &source.model else { return 0.0 };
    let each = spike_times.iter().map(Vec::len).sum::<usize>() as f64 / spike_times.len().max(1) as f64;
    // Two synapses for each source make it likely that most sources have one.
    f64::from(source.size).min(synapses / 2.0) * each
}

fn native_table(network: &Network, component: &Component, projection: &Projection, synapses: f64) -> f64 {
    let (source, target) = (&network.populations[projection.from], &network.populations[projection.to]);
    if source.model.is_stimulus() && projection.connector == Connector::OneToOne {
        // Drawn on the way, without a table.
        return 0.0;
    }
    let each = if matches!(projection.weight, Value::Constant(_)) { NATIVE_SYNAPSE.0 } else { NATIVE_SYNAPSE.1 };
    let threads = f64::from(component.ranks) * f64::from(component.threads);
    synapses * each + f64::from(source.size) * threads.min(f64::from(target.size)) * NATIVE_ROW
}

/// Input that waits for its time: for each neuron and receptor, as many steps as the longest delay has.
fn native_input(network: &Network, component: &Component, incoming: &[&Projection]) -> f64 {
    let mut longest: BTreeMap<_, i64> = BTreeMap::new();
    for projection in incoming {
        let steps = certain_delay(&projection.delay, component.step).steps(component.step);
        let known = longest.entry((projection.to, projection.receptor == Receptor::Excitatory)).or_default();
        *known = steps.max(*known);
    }
    let bytes = |(&(to, _), &steps): (&(usize, bool), &i64)| {
        f64::from(network.populations[to].size) * steps as f64 * NATIVE_INPUT
    };
    longest.iter().map(bytes).sum()
}

impl Plan {
    /// Refuses a run that takes more than `memory` bytes at the least.
    pub fn check_memory(&self, network: &Network, places: &Places, memory: u64) -> Option<Diagnostic> {
        let footprints = footprints(network);
        let simulators = footprints.iter().fold(0u64, |sum, footprint| sum.saturating_add(footprint.bytes));
        let all = simulators.saturating_add(self.memory.rings);
        if all <= memory {
            return None;
        }
        let text = format!("this run takes {} of memory at least, and this machine has {}", bytes(all), bytes(memory));
        let largest = footprints.iter().enumerate().max_by_key(|(_, footprint)| footprint.bytes);
        let (id, label, help) = match largest.filter(|(_, footprint)| footprint.bytes > self.memory.rings) {
            Some((id, Footprint { bytes: some, synapses, neurons, given, samples })) => {
                let given = if *given > 0 { format!(", and {given} spikes given in lists") } else { String::new() };
                let waiting = if *samples > 0 { format!(", and {samples} samples of signals") } else { String::new() };
                let label = format!("{} for {synapses} synapses and {neurons} neurons{given}{waiting}", bytes(*some));
                (id, label, if *samples as f64 * SAMPLE > *some as f64 / 2.0 { SHORTER } else { SMALLER })
            }
            None => {
                let id = (0..self.components.len()).max_by_key(|id| self.components[*id].ranks)?;
                let label = format!("{} for {} rings between ranks", bytes(self.memory.rings), self.channels.len());
                (id, label, "use fewer ranks: each pair of them that exchanges spikes has rings of its own")
            }
        };
        let place = places.components.get(id)?;
        Some(Diagnostic::error("memory", place, text).label(label).help(help))
    }
}
