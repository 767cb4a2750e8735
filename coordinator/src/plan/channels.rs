//! Ranks, channels between them, credits and the sizes of rings.

use std::collections::BTreeSet;

use couple_network::description::{ComponentId, Network, PopulationId};
use couple_ports::index::IndexMap;
use couple_ports::time::Span;
use serde::Serialize;

use super::PlannedComponent;
use super::edges::{Edge, Link};

/// Bytes of an event in a packet.
const EVENT: u64 = 8;
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
    /// Populations that it records.
    pub recorded: Vec<PopulationId>,
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
    /// How far the sender may be ahead; `None` inside a loop.
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
    /// Events that receivers hold for later windows when every neuron fires at [`Memory::rate`] and every sender is as
    /// far ahead as it may be.
    pub held: u64,
    /// Spikes per second and neuron assumed.
    pub rate: u64,
}

/// All ranks in canonical order: by component, then by rank.
pub(super) fn ranks(network: &Network, links: &[Link]) -> Vec<Rank> {
    let recorded: BTreeSet<PopulationId> = network.recorded_spikes().collect();
    let sent: BTreeSet<PopulationId> = links.iter().map(|l| l.source).collect();
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
        })
        .collect()
}

/// One channel for each pair of ranks of each edge that carries links, by (edge, sender, receiver). Sets the links'
/// credits.
pub(super) fn channels(
    network: &Network,
    components: &[PlannedComponent],
    edges: &[Edge],
    links: &mut [Link],
) -> Vec<Channel> {
    let leads = leads(components.len(), edges);
    let lines = first_lines(network);
    let mut channels = Vec::new();
    for edge in edges {
        let (from, to) = (&components[edge.from], &components[edge.to]);
        let carried = |l: &&mut Link| l.from == edge.from && l.to == edge.to;
        let same_loop = from.in_loop.is_some() && from.in_loop == to.in_loop;
        let widths: Vec<u32> = links.iter_mut().filter(carried).map(|l| l.width).collect();
        let credit = (!same_loop).then(|| credit(components, from, to, &widths));
        links.iter_mut().filter(carried).for_each(|l| l.credit = credit);
        let ids: Vec<u32> = links.iter_mut().filter(carried).map(|l| l.id).collect();
        let lead = credit.or(leads[edge.to][edge.from]).unwrap_or(edge.delay);
        if ids.is_empty() {
            continue; // an edge without links: the exchange inside one NEST process
        }
        for (sender, receiver) in (0..from.ranks).flat_map(|s| (0..to.ranks).map(move |r| (s, r))) {
            if edge.from != edge.to || sender != receiver {
                let bytes = ring_bytes(&widths, from, sender, lead + from.window.max(to.window));
                channels.push(Channel {
                    id: channels.len() as u32,
                    from: lines[edge.from] + sender,
                    to: lines[edge.to] + receiver,
                    links: ids.clone(),
                    min_delay: edge.delay,
                    credit,
                    lead,
                    capacity: bytes.clamp(SMALLEST_RING, LARGEST_RING).next_power_of_two(),
                });
            }
        }
    }
    channels
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

/// The credit of an edge between loops: some windows of both ends, less if the events of that time need more than the
/// largest ring, but never less than what excludes deadlock (see [`super`]): the sum of all components' windows and
/// once more the longest.
fn credit(components: &[PlannedComponent], from: &PlannedComponent, to: &PlannedComponent, widths: &[u32]) -> Span {
    let windows = || components.iter().map(|c| c.window);
    let needed = windows().sum::<Span>() + windows().max().unwrap_or(Span::ZERO);
    let wanted = from.window.max(to.window) * WINDOWS_AHEAD;
    let bytes = ring_bytes(widths, from, 0, wanted);
    let affordable = match bytes.checked_div(LARGEST_RING) {
        Some(times) if times > 0 => Span::from_ns(wanted.ns() / (times as i64 + 1)),
        _ => wanted,
    };
    needed.max(affordable)
}

/// Bytes that a ring should hold: what one rank's share of the populations sends in `span`, and room for all of them
/// firing at once, twice.
fn ring_bytes(widths: &[u32], from: &PlannedComponent, rank: u32, span: Span) -> u64 {
    let packets = (span.steps(from.window) as u64 + 1) * widths.len() as u64;
    let share = |&width: &u32| IndexMap::block(width, from.ranks).range(rank).len() as u64;
    let events: u64 = widths.iter().map(share).map(|share| (2 * share).max(fired(share, span))).sum();
    packets * PACKET + events * EVENT
}

/// Spikes of `neurons` in `span` at [`RATE`].
fn fired(neurons: u64, span: Span) -> u64 {
    let spikes = u128::from(neurons) * u128::from(RATE) * span.ns().unsigned_abs() as u128 / 1_000_000_000;
    u64::try_from(spikes).unwrap_or(u64::MAX / (2 * EVENT)).saturating_add(1)
}

/// Bounds of memory.
pub(super) fn memory(links: &[Link], channels: &[Channel]) -> Memory {
    let held = |c: &Channel| {
        let span = c.lead + c.min_delay;
        c.links.iter().map(|&l| fired(links[l as usize].width.into(), span) * EVENT).sum::<u64>()
    };
    Memory { rings: channels.iter().map(|c| c.capacity).sum(), held: channels.iter().map(held).sum(), rate: RATE }
}
