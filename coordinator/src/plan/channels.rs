//! Ranks, channels between them, credits and the sizes of rings.

use std::collections::BTreeSet;
use std::ops::Range;

use couple_network::description::{ComponentId, End, Network, PopulationId, Recorded, Recording, SignalConnection};
use couple_network::variables;
use couple_ports::index::IndexMap;
use couple_ports::time::Span;
use serde::Serialize;

use super::PlannedComponent;
use super::edges::{Carries, Edge, Link};

/// Bytes of an event in a packet.
const EVENT: u64 = 8;
/// Bytes of a sample.
const SAMPLE: u64 = 8;
/// Bytes of the largest message with all that surrounds it.
const LARGEST_MESSAGE: u64 = 65 << 10;
/// Bytes reserved in a ring for what surrounds the events of one packet.
const PACKET: u64 = 64;
/// Spikes per second and neuron for which buffers are dimensioned; above it a sender waits now and then.
pub(super) const RATE: u64 = 100;
/// A sender may be this many windows ahead, where a credit bounds it.
const WINDOWS_AHEAD: i64 = 16;
/// Sizes of rings.
const SMALLEST_RING: u64 = 64 << 10;
const LARGEST_RING: u64 = 16 << 20;

/// A process of a component.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Rank {
    /// The component.
    pub component: ComponentId,
    /// `component.rank`, as shown in messages.
    pub name: String,
    /// Rank within the component.
    pub rank: u32,
    /// Line in the status page.
    pub line: u32,
    /// Populations whose spikes it sends or records, in the order of the description.
    pub outputs: Vec<PopulationId>,
    /// Populations whose spikes it records.
    pub recorded: Vec<PopulationId>,
    /// Variables whose samples it sends or records.
    pub signals: Vec<End>,
    /// Variables by which it sends messages.
    pub messages: Vec<End>,
    /// What of [`Network::recordings`] it records.
    pub recordings: Vec<usize>,
}

/// A one-way path from a rank to another.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Channel {
    /// Number of the channel and of its ring.
    pub id: u32,
    /// Status line of the sender.
    pub from: u32,
    /// Status line of the receiver.
    pub to: u32,
    /// Ids of the links carried.
    pub links: Vec<u32>,
    /// Shortest delay over these links.
    #[serde(rename = "min_delay_ns")]
    pub min_delay: Span,
    /// How far the sender may be ahead; `None` inside a loop, whose delays bound it.
    #[serde(rename = "credit_ns")]
    pub credit: Option<Span>,
    /// How far the sender can be ahead, by credit or by the loop's delays.
    #[serde(rename = "lead_ns")]
    pub lead: Span,
    /// Bytes of the ring, a power of two.
    pub capacity: u64,
}

/// Bounds of the memory for the exchange, in bytes, all ranks together.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Memory {
    /// Rings.
    pub rings: u64,
    /// Events and samples that receivers hold for later windows when every neuron fires at [`Memory::rate`] and every sender is as
    /// far ahead as it may be.
    pub held: u64,
    /// Spikes per second and neuron assumed.
    pub rate: u64,
}

/// All ranks in canonical order: by component, then by rank.
pub(super) fn ranks(network: &Network, links: &[Link]) -> Vec<Rank> {
    let recorded: BTreeSet<PopulationId> = network.recorded_spikes().collect();
    let spikes = links.iter().filter(|l| l.carries == Carries::Spikes);
    let sent: BTreeSet<PopulationId> = spikes.map(|l| l.source).collect();
    let messages: BTreeSet<&End> = network.messages.iter().map(|m| &m.from).collect();
    let here = |set: &BTreeSet<PopulationId>, c: ComponentId| -> Vec<PopulationId> {
        set.iter().copied().filter(|&p| network.populations[p].component == c).collect()
    };
    let outputs: BTreeSet<PopulationId> = recorded.union(&sent).copied().collect();
    let all =
        network.components.iter().enumerate().flat_map(|(c, component)| (0..component.ranks).map(move |r| (c, r)));
    all.enumerate()
        .map(|(line, (component, rank))| Rank {
            component,
            name: format!("{}.{rank}", network.components[component].name),
            rank,
            line: line as u32,
            outputs: here(&outputs, component),
            recorded: here(&recorded, component),
            signals: signals(network, component, rank),
            messages: messages
                .iter()
                .filter(|end| network.populations[end.population].component == component)
                .map(|&end| end.clone())
                .collect(),
            recordings: recordings(network, component, rank),
        })
        .collect()
}

/// The variables that are sent or recorded and of which the rank has columns.
fn signals(network: &Network, component: ComponentId, rank: u32) -> Vec<End> {
    let recorded = network.recordings.iter().filter_map(|r| match &r.variable {
        Recorded::Analog { variable, .. } => Some(End { population: r.population, variable: variable.clone() }),
        Recorded::Spikes => None,
    });
    let all: BTreeSet<End> = network.signals.iter().map(|s| s.from.clone()).chain(recorded).collect();
    let here = |end: &End| network.populations[end.population].component == component;
    all.into_iter().filter(|end| here(end) && !columns(network, end, rank).is_empty()).collect()
}

/// What a rank records: spikes by population, then signals in the order of the description, each once.
fn recordings(network: &Network, component: ComponentId, rank: u32) -> Vec<usize> {
    let here = |r: &Recording| {
        let owns = |variable: &String| {
            !columns(network, &End { population: r.population, variable: variable.clone() }, rank).is_empty()
        };
        network.populations[r.population].component == component
            && match &r.variable {
                Recorded::Spikes => true,
                Recorded::Analog { variable, .. } => owns(variable),
            }
    };
    let of_signals = |r: usize| network.recordings[r].variable != Recorded::Spikes;
    let mut all: Vec<usize> = (0..network.recordings.len()).filter(|&r| here(&network.recordings[r])).collect();
    all.sort_by_key(|&r| if of_signals(r) { (true, r) } else { (false, network.recordings[r].population) });
    all.dedup_by(|a, b| network.recordings[*a] == network.recordings[*b]);
    all
}

/// The columns of a variable that a rank of its component owns.
pub(super) fn columns(network: &Network, end: &End, rank: u32) -> Range<u32> {
    let population = &network.populations[end.population];
    variables::columns(population, &end.variable, network.components[population.component].ranks, rank)
}

/// The columns of a signal that both the sending and the receiving rank own.
pub(super) fn shared_columns(network: &Network, signal: &SignalConnection, sender: u32, receiver: u32) -> Range<u32> {
    let (from, to) = (columns(network, &signal.from, sender), columns(network, &signal.to, receiver));
    let start = from.start.max(to.start);
    start..from.end.min(to.end).max(start)
}

/// One channel for each pair of ranks of each edge between which there is something to carry, by (edge, sender,
/// receiver). Sets the links' credits.
pub(super) fn channels(
    network: &Network,
    components: &[PlannedComponent],
    edges: &[Edge],
    links: &mut [Link],
) -> Vec<Channel> {
    let leads = leads(components.len(), edges);
    let lines = first_lines(network);
    let with_gaps = edges.iter().filter(|e| has_gaps(network, components, e, links));
    let gaps: BTreeSet<usize> = with_gaps.filter_map(|e| components[e.from].in_loop).collect();
    let mut channels = Vec::new();
    for edge in edges {
        let (from, to) = (&components[edge.from], &components[edge.to]);
        // In a loop the delays bound how far anyone is ahead, unless they do not hold between all ranks.
        let bounded = from.in_loop.is_some_and(|l| to.in_loop == Some(l) && !gaps.contains(&l));
        let here = |l: &Link| l.from == edge.from && l.to == edge.to;
        let load = Load::new(network, links.iter().filter(|l| here(l)));
        let credit = (!bounded).then(|| credit(components, from, to, &load));
        links.iter_mut().filter(|l| here(l)).for_each(|l| l.credit = credit);
        let lead = credit.or(leads[edge.to][edge.from]).unwrap_or(edge.delay);
        let carried: Vec<&Link> = links.iter().filter(|l| here(l)).collect();
        for (sender, receiver) in (0..from.ranks).flat_map(|s| (0..to.ranks).map(move |r| (s, r))) {
            let between = || carried.iter().copied().filter(|l| is_between(network, l, sender, receiver));
            // None: the exchange inside one NEST process, or neurons that have nothing to do with each other.
            let Some(min_delay) = between().map(|l| l.min_delay).min() else { continue };
            let itself = edge.from == edge.to && sender == receiver;
            let (credit, lead) = if itself { (None, Span::ZERO) } else { (credit, lead) };
            let load = Load::between(network, between(), sender, receiver);
            let bytes = load.bytes(from, sender, lead + from.window.max(to.window));
            channels.push(Channel {
                id: channels.len() as u32,
                from: lines[edge.from] + sender,
                to: lines[edge.to] + receiver,
                links: between().map(|l| l.id).collect(),
                min_delay,
                credit,
                lead,
                capacity: bytes.clamp(load.smallest_ring(), LARGEST_RING).next_power_of_two(),
            });
        }
    }
    channels
}

/// Whether a link between their components carries something from one rank to another.
fn is_between(network: &Network, link: &Link, sender: u32, receiver: u32) -> bool {
    // What synapses do within a rank is its own affair.
    let itself = link.from == link.to && sender == receiver;
    match link.carries {
        Carries::Spikes => link.target.is_some() || !itself,
        Carries::Messages { .. } => true,
        Carries::Signal { id, .. } => !shared_columns(network, &network.signals[id], sender, receiver).is_empty(),
    }
}

/// Whether there are ranks of an edge that have less to say to each other than others have, so
/// that the edge's delay does not hold for them.
fn has_gaps(network: &Network, components: &[PlannedComponent], edge: &Edge, links: &[Link]) -> bool {
    let carried: Vec<&Link> = links.iter().filter(|l| l.from == edge.from && l.to == edge.to).collect();
    let (senders, receivers) = (components[edge.from].ranks, components[edge.to].ranks);
    let mut pairs = (0..senders).flat_map(|s| (0..receivers).map(move |r| (s, r)));
    let delay = |s, r| carried.iter().filter(|l| is_between(network, l, s, r)).map(|l| l.min_delay).min();
    pairs.any(|(s, r)| (edge.from != edge.to || s != r) && delay(s, r) != Some(edge.delay))
}

/// The status line of each component's rank 0.
fn first_lines(network: &Network) -> Vec<u32> {
    let mut next = 0;
    let mut first = |ranks: u32| {
        next += ranks;
        next - ranks
    };
    network.components.iter().map(|c| first(c.ranks)).collect()
}

/// `leads[i][j]`: how far component `j` can be ahead of `i`, by the delays alone; `None` when nothing bounds it.
///
/// A receiver is never ahead of its sender by more than the delay of the edge: `T_j <= T_k + D(k to j)`. So the
/// shortest path from `i` to `j` bounds the lead of `j`.
fn leads(n: usize, edges: &[Edge]) -> Vec<Vec<Option<Span>>> {
    let mut leads = vec![vec![None; n]; n];
    edges.iter().for_each(|e| leads[e.from][e.to] = Some(e.delay));
    for via in 0..n {
        for (a, b) in (0..n).flat_map(|a| (0..n).map(move |b| (a, b))) {
            let through = leads[a][via].zip(leads[via][b]).map(|(x, y): (Span, Span)| x + y);
            leads[a][b] = match (leads[a][b], through) {
                (Some(direct), Some(through)) => Some(direct.min(through)),
                (direct, through) => direct.or(through),
            };
        }
    }
    leads
}

/// The credit of an edge: some windows of both ends, less if what is sent in that time needs more than the largest ring,
/// but never less than what excludes deadlock (see [`super`]): the sum of all components' windows and once more the
/// longest.
fn credit(components: &[PlannedComponent], from: &PlannedComponent, to: &PlannedComponent, load: &Load) -> Span {
    let windows = || components.iter().map(|c| c.window);
    let needed = windows().sum::<Span>() + windows().max().unwrap_or(Span::ZERO);
    let wanted = from.window.max(to.window) * WINDOWS_AHEAD;
    let bytes = load.bytes(from, 0, wanted);
    let affordable = match bytes.checked_div(LARGEST_RING) {
        Some(times) if times > 0 => Span::from_ns(wanted.ns() / (times as i64 + 1)),
        _ => wanted,
    };
    needed.max(affordable)
}

/// What goes from one rank to another.
struct Load {
    /// Widths of the populations whose spikes are sent.
    spikes: Vec<u32>,
    /// Columns of the signals.
    columns: Vec<u32>,
    /// Number of links that carry messages.
    messages: usize,
}

impl Load {
    fn empty() -> Self {
        Load { spikes: vec![], columns: vec![], messages: 0 }
    }
    fn add(&mut self, link: &Link, columns: u32) {
        match link.carries {
            Carries::Spikes => self.spikes.push(link.width),
            Carries::Signal { .. } => self.columns.push(columns),
            Carries::Messages { .. } => self.messages += 1,
        }
    }
    /// All that goes from one component to another, as far as it begins at rank 0.
    fn new<'l>(network: &Network, links: impl Iterator<Item = &'l Link>) -> Self {
        let mut load = Load::empty();
        for link in links {
            let columns = match link.carries {
                Carries::Signal { id, .. } => columns(network, &network.signals[id].from, 0).len() as u32,
                _ => 0,
            };
            load.add(link, columns);
        }
        load
    }
    /// What goes from one rank to another.
    fn between<'l>(network: &Network, links: impl Iterator<Item = &'l Link>, sender: u32, receiver: u32) -> Self {
        let mut load = Load::empty();
        for link in links {
            let columns = match link.carries {
                Carries::Signal { id, .. } => {
                    shared_columns(network, &network.signals[id], sender, receiver).len() as u32
                }
                _ => 0,
            };
            load.add(link, columns);
        }
        load
    }
    /// Bytes that a ring should hold: what one rank's share of the populations sends in `span`, and room for all of
    /// them firing at once, twice; each sample of the signals; and for messages what a few of the largest need.
    fn bytes(&self, from: &PlannedComponent, rank: u32, span: Span) -> u64 {
        let links = self.spikes.len() + self.columns.len() + self.messages;
        let packets = (span.steps(from.window) as u64 + 1) * links as u64;
        let share = |&width: &u32| IndexMap::block(width, from.ranks).range(rank).len() as u64;
        let events: u64 = self.spikes.iter().map(share).map(|share| (2 * share).max(fired(share, span))).sum();
        let messages = self.messages as u64 * LARGEST_MESSAGE;
        (packets * PACKET + events * EVENT + messages).saturating_add(self.samples(from.step, span))
    }
    /// Bytes of the samples of `span`.
    fn samples(&self, step: Span, span: Span) -> u64 {
        let columns: u64 = self.columns.iter().map(|&c| u64::from(c)).sum();
        (span.steps(step) as u64 + 1).saturating_mul(columns * SAMPLE)
    }
    /// A packet takes at most a quarter of its ring, and a message is not divided.
    fn smallest_ring(&self) -> u64 {
        if self.messages > 0 { SMALLEST_RING.max(8 * LARGEST_MESSAGE) } else { SMALLEST_RING }
    }
}

/// Spikes of `neurons` in `span` at [`RATE`].
fn fired(neurons: u64, span: Span) -> u64 {
    let spikes = u128::from(neurons) * u128::from(RATE) * span.ns().unsigned_abs() as u128 / 1_000_000_000;
    u64::try_from(spikes).unwrap_or(u64::MAX / (2 * EVENT)).saturating_add(1)
}

/// Bounds of memory.
pub(super) fn memory(network: &Network, links: &[Link], ranks: &[Rank], channels: &[Channel]) -> Memory {
    let held = |c: &Channel| {
        let span = c.lead + c.min_delay;
        let (sender, receiver) = (&ranks[c.from as usize], &ranks[c.to as usize]);
        let load = Load::between(network, c.links.iter().map(|&l| &links[l as usize]), sender.rank, receiver.rank);
        let events: u64 = load.spikes.iter().map(|&width| fired(width.into(), span) * EVENT).sum();
        events.saturating_add(load.samples(network.components[sender.component].step, span))
    };
    let held = channels.iter().map(held).fold(0, u64::saturating_add);
    Memory { rings: channels.iter().map(|c| c.capacity).sum(), held, rate: RATE }
}
