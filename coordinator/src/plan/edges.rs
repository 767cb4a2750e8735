//! Links, and the component graph that they span.

use std::collections::BTreeMap;
use std::fmt;

use couple_network::description::{ComponentId, End, Network, PopulationId, ProjectionId, SignalConnection, Simulator};
use couple_network::variables;
use couple_ports::time::Span;
use serde::{Serialize, Serializer};

use super::PlanError;

/// What a link feeds: it has the delay.
#[derive(Clone, PartialEq, Debug)]
pub enum Feed {
    /// A projection.
    Projection {
        /// Which.
        id: ProjectionId,
        /// Its name.
        name: String,
    },
    /// A plain connection.
    Connection {
        /// Its position in the description.
        id: usize,
        /// The sending population.
        from: String,
        /// The receiving port.
        to: String,
    },
    /// A signal.
    Signal {
        /// Its position in [`Network::signals`].
        id: usize,
        /// The sending variable, `population.variable`.
        from: String,
        /// The receiving variable.
        to: String,
    },
    /// A link that carries messages.
    Messages {
        /// Its position in [`Network::messages`].
        id: usize,
        /// The sending port, `population.variable`.
        from: String,
        /// The receiving port.
        to: String,
    },
}

impl fmt::Display for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Feed::Projection { name, .. } => write!(f, "projection `{name}`"),
            Feed::Connection { from, to, .. } => write!(f, "connection `{from}` to `{to}`"),
            Feed::Signal { from, to, .. } => write!(f, "signal `{from}` to `{to}`"),
            Feed::Messages { from, to, .. } => write!(f, "messages `{from}` to `{to}`"),
        }
    }
}

impl Serialize for Feed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What a link carries.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Carries {
    /// Spikes.
    Spikes,
    /// Samples of a variable.
    Signal {
        /// Position in [`Network::signals`].
        id: usize,
        /// Unit of the samples.
        unit: String,
    },
    /// Messages.
    Messages {
        /// Position in [`Network::messages`].
        id: usize,
    },
}

impl fmt::Display for Carries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Carries::Spikes => f.write_str("spikes"),
            Carries::Signal { unit, .. } if unit == "1" => f.write_str("signal"),
            Carries::Signal { unit, .. } => write!(f, "signal in {unit}"),
            Carries::Messages { .. } => f.write_str("messages"),
        }
    }
}

/// A stream from one population to one component: of its spikes, through the projections there or to one port; or of
/// one variable to another.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Link {
    /// Number of the link, the same on both sides and in each packet.
    pub id: u32,
    /// What it carries.
    pub carries: Carries,
    /// The sending population.
    pub source: PopulationId,
    /// Its name; `population.variable` for signals and messages.
    pub source_name: String,
    /// The sending component.
    pub from: ComponentId,
    /// The receiving component.
    pub to: ComponentId,
    /// The receiving port of a plain connection, `population.variable` for signals and messages; `None` when the link
    /// feeds projections.
    pub target: Option<String>,
    /// Number of global indices of the source.
    pub width: u32,
    /// Shortest delay between the stamp of a spike, a sample or a message and its effect: the link's lookahead.
    #[serde(rename = "min_delay_ns")]
    pub min_delay: Span,
    /// Added to each stamp on reception: a plain connection's delay, a signal's, that of messages.
    #[serde(rename = "delay_ns")]
    pub delay: Span,
    /// What the link feeds, shortest delay first.
    pub feeds: Vec<Feed>,
    /// How far the sender may be ahead of the receiver; `None` inside a loop, which bounds that itself.
    #[serde(rename = "credit_ns")]
    pub credit: Option<Span>,
}

/// An edge of the component graph: the shortest delay from one component to another.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Edge {
    pub from: ComponentId,
    pub to: ComponentId,
    pub delay: Span,
    /// What has this delay.
    pub by: Feed,
}

/// An edge of a loop, in words.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct LoopEdge {
    /// Sending component.
    pub from: String,
    /// Receiving component.
    pub to: String,
    /// Shortest delay.
    #[serde(rename = "delay_ns")]
    pub delay: Span,
    /// The projection or connection that has it.
    pub by: Feed,
}

impl fmt::Display for LoopEdge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` to `{}` {} ({})", self.from, self.to, self.delay, self.by)
    }
}

impl Edge {
    pub(super) fn named(&self, network: &Network) -> LoopEdge {
        LoopEdge {
            from: network.components[self.from].name.clone(),
            to: network.components[self.to].name.clone(),
            delay: self.delay,
            by: self.by.clone(),
        }
    }
}

/// The links of a network, in canonical order: those of projections by (source population, target component), then
/// those of connections, of signals and of messages as they are listed. Credits are filled in later.
pub(super) fn links(network: &Network) -> Result<Vec<Link>, PlanError> {
    let mut feeds: BTreeMap<(PopulationId, ComponentId), Vec<(Span, Feed)>> = BTreeMap::new();
    for (id, projection) in network.projections.iter().enumerate() {
        let source = &network.populations[projection.from];
        let to = network.target_component(projection);
        let by = Feed::Projection { id, name: projection.name.clone() };
        let delay = projection.delay.min(network.target_step(projection));
        if delay < Span::ZERO {
            return Err(PlanError::NegativeDelay { by, delay });
        }
        if !source.model.is_stimulus() && (source.component != to || network.components[to].ranks > 1) {
            feeds.entry((projection.from, to)).or_default().push((delay, by));
        }
    }
    let mut links = Vec::new();
    for ((source, to), mut by_delay) in feeds {
        by_delay.sort_by_key(|(delay, _)| *delay);
        let min_delay = by_delay[0].0;
        let feeds = by_delay.into_iter().map(|(_, name)| name).collect();
        links.push(link(network, links.len(), source, to, min_delay, feeds));
    }
    for (id, connection) in network.connections.iter().enumerate() {
        let to = network.populations[connection.to].component;
        let (from_name, target) =
            (&network.populations[connection.from].name, &network.populations[connection.to].name);
        let by = Feed::Connection { id, from: from_name.clone(), to: target.clone() };
        if connection.delay < Span::ZERO {
            return Err(PlanError::NegativeDelay { by, delay: connection.delay });
        }
        // Converters hand spikes to each other.
        let inner = network.populations[connection.from].component == to;
        if inner && network.components[to].simulator != Simulator::Converter {
            return Err(PlanError::InnerConnection {
                from: from_name.clone(),
                to: target.clone(),
                component: network.components[to].name.clone(),
            });
        }
        let link = link(network, links.len(), connection.from, to, connection.delay, vec![by]);
        links.push(Link { target: Some(target.clone()), delay: connection.delay, ..link });
    }
    for (id, signal) in network.signals.iter().enumerate() {
        let link = signal_link(network, links.len(), id, signal)?;
        links.push(link);
    }
    for (id, messages) in network.messages.iter().enumerate() {
        let (from, to) = (named(network, &messages.from), named(network, &messages.to));
        let by = Feed::Messages { id, from: from.clone(), to: to.clone() };
        let ends = (&messages.from, &messages.to);
        let link = variable_link(network, links.len(), ends, messages.delay, by)?;
        links.push(Link { carries: Carries::Messages { id }, ..link });
    }
    Ok(links)
}

/// `population.variable`.
pub(super) fn named(network: &Network, end: &End) -> String {
    format!("{}.{}", network.populations[end.population].name, end.variable)
}

fn signal_link(network: &Network, number: usize, id: usize, signal: &SignalConnection) -> Result<Link, PlanError> {
    let by = Feed::Signal { id, from: named(network, &signal.from), to: named(network, &signal.to) };
    let step = |end: &End| network.components[network.populations[end.population].component].step;
    let (sender, receiver) = (step(&signal.from), step(&signal.to));
    let link = variable_link(network, number, (&signal.from, &signal.to), signal.delay, by.clone())?;
    if !signal.is_causal(sender, receiver) {
        let needed = SignalConnection::shortest_linear(sender, receiver);
        return Err(PlanError::Interpolation { by, delay: signal.delay, step: sender, needed });
    }
    let variable = variables::find(&network.populations[signal.from.population], &signal.from.variable);
    let unit = variable.as_ref().and_then(|v| v.unit()).unwrap_or_default().to_string();
    let width = variable.map_or(link.width, |v| v.width);
    Ok(Link { carries: Carries::Signal { id, unit }, width, ..link })
}

/// A link between variables.
fn variable_link(
    network: &Network,
    number: usize,
    (from, to): (&End, &End),
    delay: Span,
    by: Feed,
) -> Result<Link, PlanError> {
    if delay < Span::ZERO {
        return Err(PlanError::NegativeDelay { by, delay });
    }
    let component = network.populations[to.population].component;
    let (source_name, target) = (named(network, from), named(network, to));
    let link = link(network, number, from.population, component, delay, vec![by]);
    Ok(Link { source_name, target: Some(target), delay, ..link })
}

fn link(
    network: &Network,
    id: usize,
    source: PopulationId,
    to: ComponentId,
    min_delay: Span,
    feeds: Vec<Feed>,
) -> Link {
    let population = &network.populations[source];
    Link {
        id: id as u32,
        carries: Carries::Spikes,
        source,
        source_name: population.name.clone(),
        from: population.component,
        to,
        target: None,
        width: population.size,
        min_delay,
        delay: Span::ZERO,
        feeds,
        credit: None,
    }
}

/// The component graph: the shortest delay over the links of each ordered pair of components, by (from, to).
///
/// A NEST component has an edge to itself also when it is one process: NEST exchanges spikes among its own neurons
/// once in each slice, and the adapter makes the slice the window, so that the window may not be longer than the
/// shortest delay inside.
pub(super) fn edges(network: &Network, links: &[Link]) -> Vec<Edge> {
    let mut shortest: BTreeMap<(ComponentId, ComponentId), (Span, Feed)> = BTreeMap::new();
    let mut add = |from, to, delay, by: &Feed| {
        let entry = shortest.entry((from, to)).or_insert_with(|| (delay, by.clone()));
        if delay < entry.0 {
            *entry = (delay, by.clone());
        }
    };
    for link in links {
        add(link.from, link.to, link.min_delay, &link.feeds[0]);
    }
    for (id, projection) in network.projections.iter().enumerate() {
        let (from, to) = (network.source_component(projection), network.target_component(projection));
        let inner = from == to && !network.populations[projection.from].model.is_stimulus();
        if inner && network.components[to].simulator == Simulator::Nest {
            let delay = projection.delay.min(network.target_step(projection));
            add(from, to, delay, &Feed::Projection { id, name: projection.name.clone() });
        }
    }
    shortest.into_iter().map(|((from, to), (delay, by))| Edge { from, to, delay, by }).collect()
}
