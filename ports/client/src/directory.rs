//! The ports of a component by the names of the configuration.

use couple_network::description::{Network, Population};
use couple_network::synapses;
use couple_network::variables::{self, VariableInfo};
use couple_ports::control::{Input, Welcome};
use couple_ports::index::{IndexMap, IndexSet};

/// What a port carries, and which way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Spikes that arrive over connections.
    SpikesIn,
    /// Spikes that are emitted.
    SpikesOut,
    /// An analog signal that arrives.
    SignalIn,
    /// An analog signal that is written.
    SignalOut,
    /// Messages that arrive.
    MessagesIn,
    /// Messages that are sent.
    MessagesOut,
}

/// A port of this component.
#[derive(Clone, PartialEq, Debug)]
pub struct Port {
    /// `population`, or `population.variable` for signals and messages.
    pub name: String,
    /// The population's position in the description.
    pub population: usize,
    /// Its links: positions among the welcome's `inputs`, `outputs`, `signals_in`, `signals_out`, `messages_in` or
    /// `messages_out`. Empty where nobody sends or nobody listens.
    pub links: Vec<usize>,
    /// Neurons of the population, or columns of the signal.
    pub width: u32,
    /// This rank has those from here on,
    pub first: u32,
    /// so many.
    pub count: u32,
    /// Unit of a signal; empty for spikes and messages.
    pub unit: String,
}

/// Finds the port `name`; the error tells which there are.
pub fn find(network: &Network, welcome: &Welcome, kind: Kind, name: &str) -> Result<Port, String> {
    let component = welcome.component as usize;
    let of = |wanted: &str| network.populations.iter().position(|p| p.name == wanted && p.component == component);
    let own: Vec<_> = network.populations.iter().filter(|p| p.component == component).collect();
    match kind {
        Kind::SpikesIn | Kind::SpikesOut => match of(name) {
            Some(population) => Ok(spikes(network, welcome, kind, population)),
            None => Err(format!("there is no such population; there are: {}", list(own.iter().map(|p| &p.name)))),
        },
        _ => {
            let found = name.rsplit_once('.').and_then(|(population, variable)| {
                let population = of(population)?;
                let all = variables::of(&network.populations[population]);
                Some((population, all.into_iter().find(|info| info.name == variable)?))
            });
            let Some((population, info)) = found else {
                let all =
                    own.iter().flat_map(|p| variables::of(p).into_iter().map(|v| format!("{}.{}", p.name, v.name)));
                return Err(format!("there is no such variable; there are: {}", list(all)));
            };
            variable(network, welcome, kind, population, &info)
        }
    }
}

/// The source neurons of an input that this rank needs: all of a connection, and for projections those that have a synapse
/// onto a neuron of this rank.
pub fn needed(network: &Network, welcome: &Welcome, input: &Input) -> IndexSet {
    let source = network.population(&input.source).filter(|_| input.target.is_none());
    let Some(source) = source else { return IndexSet::all(input.width) };
    let onto_us = network.projections.iter().enumerate().filter_map(|(id, projection)| {
        let target = &network.populations[projection.to];
        let here = projection.from == source && target.component == welcome.component as usize;
        let own = IndexMap::block(target.size, welcome.ranks).range(welcome.rank);
        (here && !own.is_empty()).then_some((id, own))
    });
    synapses::needed_sources(network, source, &onto_us.collect::<Vec<_>>())
}

fn list(names: impl Iterator<Item = impl AsRef<str>>) -> String {
    let names: Vec<_> = names.map(|name| format!("`{}`", name.as_ref())).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

fn spikes(network: &Network, welcome: &Welcome, kind: Kind, id: usize) -> Port {
    let population = &network.populations[id];
    let links = match kind {
        Kind::SpikesIn => positions(&welcome.inputs, |input| input.target.as_ref() == Some(&population.name)),
        _ => positions(&welcome.outputs, |output| output.population == population.name),
    };
    port(welcome, population, id, population.name.clone(), links, population.size, String::new())
}

fn variable(network: &Network, welcome: &Welcome, kind: Kind, id: usize, info: &VariableInfo) -> Result<Port, String> {
    let population = &network.populations[id];
    let name = format!("{}.{}", population.name, info.name);
    let (signal, incoming) = (info.unit().is_some(), matches!(kind, Kind::SignalIn | Kind::MessagesIn));
    if signal != matches!(kind, Kind::SignalIn | Kind::SignalOut) {
        let [is, not] = if signal { ["a signal", "messages"] } else { ["messages", "a signal"] };
        return Err(format!("it carries {is}, not {not}"));
    }
    let arrives = positions(&welcome.signals_in, |s| s.target == name);
    let arrives = [arrives, positions(&welcome.messages_in, |m| m.target == name)].concat();
    let leaves = positions(&welcome.signals_out, |s| s.population == population.name && s.variable == info.name);
    let leaves = [leaves, positions(&welcome.messages_out, |m| m.port == name)].concat();
    let (links, others) = if incoming { (arrives, leaves) } else { (leaves, arrives) };
    if links.is_empty() && !others.is_empty() {
        let [is, not] = if incoming { ["an output", "an input"] } else { ["an input", "an output"] };
        return Err(format!("it is {is} in this configuration, not {not}"));
    }
    if links.is_empty() && kind == Kind::SignalIn {
        return Err(format!("nothing arrives there; the configuration needs a [[connection]] with  to = \"{name}\""));
    }
    let unit = info.unit().unwrap_or_default().to_owned();
    Ok(port(welcome, population, id, name, links, info.width, unit))
}

fn positions<T>(all: &[T], is: impl Fn(&T) -> bool) -> Vec<usize> {
    all.iter().enumerate().filter(|(_, one)| is(one)).map(|(position, _)| position).collect()
}

fn port(
    welcome: &Welcome,
    population: &Population,
    id: usize,
    name: String,
    links: Vec<usize>,
    width: u32,
    unit: String,
) -> Port {
    // An input wider or narrower than its population (that of a linear map) is not split.
    let own = match width == population.size {
        true => IndexMap::block(width, welcome.ranks).range(welcome.rank),
        false => 0..width,
    };
    Port { name, population: id, links, width, first: own.start, count: own.len() as u32, unit }
}
