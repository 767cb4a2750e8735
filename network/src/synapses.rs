//! The synapses that a projection implies, drawn for any range of postsynaptic neurons.
//!
//! ```text
//!   projection ──► connector ──► sources of post 0, of post 1, …      purpose "source", "target" or "total"
//!                      │
//!                      └──────► weights, delays of the same synapses   purposes "weight" and "delay"
//! ```
//!
//! The canonical order is: by postsynaptic neuron, and for each of them in the order of draw. Every draw is a function of
//! (seed, projection's name, purpose, neuron), so that
//! * the union over any partition of the postsynaptic neurons is the whole, bit for bit;
//! * which pairs are connected does not depend on how weights and delays are given.
//!
//! The functions here expect a valid projection (see [`validate`]).

mod fixed_number;
mod given;
mod probability;
mod row;
mod total;
mod validate;

use std::ops::Range;

use couple_ports::index::IndexSet;
use couple_ports::time::Span;

use crate::description::{Connector, Network, PopulationId, Projection, ProjectionId};
use crate::random::{Key, Stream};
pub use row::Row;
pub use validate::{SynapseError, validate};

/// One synapse.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Synapse {
    /// Presynaptic neuron, global index.
    pub pre: u32,
    /// Postsynaptic neuron, global index.
    pub post: u32,
    /// Weight in the unit of the target's cell (nA, µS or mV), on its grid (see [`crate::weights`]).
    pub weight: f64,
    /// The same weight in units of the receptor's grid.
    pub raw: i64,
    /// Delay, a multiple of the target's step.
    pub delay: Span,
    /// The same delay in steps of the target.
    pub delay_steps: u32,
}

/// Calls `each` for every synapse of a projection onto the neurons `post`, in canonical order.
#[inline]
pub fn for_each(network: &Network, projection: ProjectionId, post: Range<u32>, mut each: impl FnMut(Synapse)) {
    for_each_row(network, projection, post, |row| row.synapses().for_each(&mut each));
}

/// Calls `each` for every neuron of `post` in turn, with all its synapses of a projection; the fastest way to get them.
/// Neurons without synapses may be left out.
pub fn for_each_row(network: &Network, projection: ProjectionId, post: Range<u32>, mut each: impl FnMut(&Row)) {
    let mut rows = row::Rows::new(network, projection);
    for_each_sources(network, &network.projections[projection], post, &mut |sources: Sources| {
        each(&rows.fill(sources));
        true
    });
}

/// The synapses of a projection onto the neurons `post`, in canonical order; for tests and small projections.
pub fn draw(network: &Network, projection: ProjectionId, post: Range<u32>) -> Vec<Synapse> {
    let mut synapses = Vec::new();
    for_each(network, projection, post, |s| synapses.push(s));
    synapses
}

/// The number of synapses of a projection onto the neurons `post`, exactly. It costs a pass over the sources of
/// `FixedProbability` and `FixedNumberPost`, and next to nothing otherwise.
pub fn count(network: &Network, projection: ProjectionId, post: Range<u32>) -> u64 {
    let p = &network.projections[projection];
    let pairs = Pairs::new(network, p);
    match &p.connector {
        Connector::AllToAll { .. } => post.map(|_| u64::from(pairs.sources())).sum(),
        Connector::OneToOne => post.len() as u64,
        Connector::FixedNumberPre { n, .. } => post.len() as u64 * u64::from(*n),
        Connector::FixedTotalNumber { n, with_replacement, .. } => {
            let mut sum = 0;
            total::for_each_count(network, p, &pairs, *n, *with_replacement, post, &mut |_, count| {
                sum += count;
                true
            });
            sum
        }
        Connector::FromList { pairs } => pairs.iter().filter(|(_, to)| post.contains(to)).count() as u64,
        Connector::FixedNumberPost { n, with_replacement, .. } => {
            fixed_number::count_post(network, p, &pairs, *n, *with_replacement, post)
        }
        Connector::FixedProbability { .. } => {
            let mut sum = 0;
            for_each_sources(network, p, post, &mut |sources: Sources| {
                sum += sources.pre.len() as u64;
                true
            });
            sum
        }
    }
}

/// Adds to `counts`, one number for each presynaptic neuron, how many synapses onto `post` it has. Much cheaper than
/// drawing them, since weights and delays are left out.
pub fn count_by_source(network: &Network, projection: ProjectionId, post: Range<u32>, counts: &mut [u32]) {
    for_each_sources(network, &network.projections[projection], post, &mut |sources: Sources| {
        sources.pre.iter().for_each(|pre| counts[*pre as usize] += 1);
        true
    });
}

/// The neurons of population `from` that have a synapse onto one of the `targets`: ranges of postsynaptic neurons of projections.
/// Projections from other populations are passed over.
pub fn needed_sources(network: &Network, from: PopulationId, targets: &[(ProjectionId, Range<u32>)]) -> IndexSet {
    let mut flags = vec![false; network.populations[from].size as usize];
    let mut missing = flags.len();
    for (projection, post) in targets {
        let projection = &network.projections[*projection];
        if projection.from != from || missing == 0 {
            continue;
        }
        for_each_sources(network, projection, post.clone(), &mut |sources: Sources| {
            for &pre in sources.pre {
                let flag = &mut flags[pre as usize];
                missing -= usize::from(!*flag);
                *flag = true;
            }
            missing > 0
        });
    }
    IndexSet::from_flags(&flags)
}

/// The sources of one postsynaptic neuron.
struct Sources<'a> {
    post: u32,
    /// Presynaptic neurons, in order of draw.
    pre: &'a [u32],
    /// For lists: which row of the list each synapse is. Empty otherwise.
    rows: &'a [u32],
}

/// Takes the sources of one neuron; false when no more are wanted.
type Take<'a> = dyn FnMut(Sources) -> bool + 'a;

/// Calls `take` for the neurons of `post` in ascending order.
fn for_each_sources(network: &Network, p: &Projection, post: Range<u32>, take: &mut Take) {
    let pairs = Pairs::new(network, p);
    match &p.connector {
        Connector::AllToAll { .. } => given::all_to_all(&pairs, post, take),
        Connector::OneToOne => given::one_to_one(post, take),
        Connector::FromList { pairs } => given::from_list(pairs, post, take),
        Connector::FixedProbability { p: probability, .. } => {
            probability::fixed_probability(purpose(network, p, "source"), &pairs, *probability, post, take);
        }
        Connector::FixedNumberPre { n, with_replacement, .. } => {
            fixed_number::fixed_number_pre(network, p, &pairs, *n, *with_replacement, post, take);
        }
        Connector::FixedNumberPost { n, with_replacement, .. } => {
            fixed_number::fixed_number_post(network, p, &pairs, *n, *with_replacement, post, take);
        }
        Connector::FixedTotalNumber { n, with_replacement, .. } => {
            total::fixed_total_number(network, p, &pairs, *n, *with_replacement, post, take);
        }
    }
}

/// The key of one purpose of a projection.
fn purpose(network: &Network, p: &Projection, purpose: &str) -> Key {
    Key::new(network.seed, &["projection", &p.name, purpose])
}

/// The pairs that a connector may choose from.
#[derive(Clone, Copy)]
struct Pairs {
    from: u32,
    to: u32,
    /// Within one population, a neuron is not connected to itself.
    no_self: bool,
}

impl Pairs {
    fn new(network: &Network, p: &Projection) -> Self {
        let allowed = match p.connector {
            Connector::AllToAll { allow_self_connections }
            | Connector::FixedProbability { allow_self_connections, .. }
            | Connector::FixedTotalNumber { allow_self_connections, .. }
            | Connector::FixedNumberPre { allow_self_connections, .. }
            | Connector::FixedNumberPost { allow_self_connections, .. } => allow_self_connections,
            Connector::OneToOne | Connector::FromList { .. } => true,
        };
        Pairs {
            from: network.populations[p.from].size,
            to: network.populations[p.to].size,
            no_self: p.from == p.to && !allowed,
        }
    }
    /// How many sources each postsynaptic neuron may have.
    fn sources(&self) -> u32 {
        self.from.saturating_sub(u32::from(self.no_self))
    }
    /// How many targets each presynaptic neuron may have.
    fn targets(&self) -> u32 {
        self.to.saturating_sub(u32::from(self.no_self))
    }
    /// The `choice`th allowed partner of `neuron`.
    #[inline]
    fn partner(&self, neuron: u32, choice: u32) -> u32 {
        choice + u32::from(self.no_self && choice >= neuron)
    }
}

/// Chooses among `0..m`, with or without repetition; its memory is used again for each neuron.
struct Chooser {
    with_replacement: bool,
    /// `stamps[i] == stamp`: i has been chosen for the present neuron. Without replacement only.
    stamps: Vec<u32>,
    stamp: u32,
}

impl Chooser {
    fn new(with_replacement: bool, m: u32) -> Self {
        let stamps = if with_replacement { Vec::new() } else { vec![0; m as usize] };
        Chooser { with_replacement, stamps, stamp: 0 }
    }

    /// Calls `chosen` with `n` of `0..m`. Without replacement every subset of `n` is equally likely (Floyd's method, see
    /// J. Bentley, "Programming pearls: a sample of brilliance", CACM 30, 1987).
    #[inline]
    fn choose(&mut self, stream: &mut Stream, n: u32, m: u32, mut chosen: impl FnMut(u32)) {
        if m == 0 {
            return;
        }
        if self.with_replacement {
            (0..n).for_each(|_| chosen(stream.below(m)));
            return;
        }
        self.stamp = self.stamp.wrapping_add(1);
        if self.stamp == 0 {
            self.stamps.fill(0);
            self.stamp = 1;
        }
        for last in m.saturating_sub(n)..m {
            let choice = stream.below(last + 1);
            let taken = self.stamps[choice as usize] == self.stamp;
            let choice = if taken { last } else { choice };
            self.stamps[choice as usize] = self.stamp;
            chosen(choice);
        }
    }
}

#[cfg(test)]
mod tests;
