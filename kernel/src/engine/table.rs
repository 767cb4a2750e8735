//! Synapses onto the neurons of one thread: for each projection a row for each presynaptic neuron.
//!
//! A synapse is the offset of its effect in the target's [ring](super::ring), counted from the slot of the step in which
//! the presynaptic neuron fires, and a weight: 8 bytes, or 4 where all weights of the projection are equal. Rows are sorted
//! by offset, so that a spike walks through memory in one direction.
//!
//! Rows are filled in place: one pass over the projection counts, a second one writes. Drawing twice costs less memory
//! than keeping what was drawn.

use std::ops::Range;

use couple_network::description::{Network, PopulationId, ProjectionId, Value};
use couple_network::synapses;
use couple_network::weights::ProjectionGrid;
use couple_ports::index::IndexSet;

use super::BuildError;
use super::ring::Ring;
use crate::models::channel;

/// A synapse with a weight of its own.
#[derive(Clone, Copy, Default)]
struct Weighted {
    offset: u32,
    /// In multiples of the projection's grid.
    weight: i32,
}

enum Synapses {
    /// All with the same weight, in units of the receptor's grid.
    Equal { weight: i64, offsets: Vec<u32> },
    /// Each with its own; the projection's grid is coarser than the receptor's by `shift` bits.
    Weighted { shift: u32, synapses: Vec<Weighted> },
}

/// The synapses of a projection onto the neurons of one thread.
pub(super) struct Table {
    /// Population of the sources.
    pub(super) source: PopulationId,
    /// Position of the target population among the thread's.
    pub(super) target: usize,
    /// Receptor of the target.
    pub(super) channel: usize,
    /// The longest delay in steps.
    pub(super) longest: u32,
    /// Row of source i: `starts[i]..starts[i + 1]`.
    starts: Vec<u32>,
    synapses: Synapses,
}

impl Table {
    /// The synapses of `projection` onto the neurons `post`, which are at position `target` among the thread's
    /// populations; `None` when there is none.
    pub(super) fn build(
        network: &Network,
        projection: ProjectionId,
        target: usize,
        post: Range<u32>,
    ) -> Result<Option<Self>, BuildError> {
        let p = &network.projections[projection];
        let (mut starts, longest) = count(network, projection, &post)?;
        let total = *starts.last().unwrap_or(&0) as usize;
        if total == 0 {
            return Ok(None);
        }
        let neurons = post.len() as u64;
        if (u64::from(longest) + 1) * neurons > u64::from(u32::MAX) {
            return Err(BuildError::DelayTooLong { projection: p.name.clone(), steps: longest, neurons });
        }
        let synapses = match p.weight {
            Value::Constant(weight) => {
                let mut offsets = vec![0; total];
                fill(network, projection, &post, &mut starts, |at, offset, _| offsets[at] = offset);
                rows(&starts).for_each(|row| offsets[row].sort_unstable());
                Synapses::Equal { weight: ProjectionGrid::new(network, projection).raw(weight), offsets }
            }
            _ => {
                let shift = ProjectionGrid::new(network, projection).shift();
                let mut synapses = vec![Weighted::default(); total];
                fill(network, projection, &post, &mut starts, |at, offset, raw| {
                    synapses[at] = Weighted { offset, weight: (raw >> shift) as i32 };
                });
                rows(&starts).for_each(|row| synapses[row].sort_unstable_by_key(|s| s.offset));
                Synapses::Weighted { shift, synapses }
            }
        };
        Ok(Some(Table { source: p.from, target, channel: channel(p.receptor), longest, starts, synapses }))
    }

    /// Adds the effect of `count` spikes of `source` in the step whose slot begins at `base`.
    #[inline]
    pub(super) fn deliver(&self, ring: &mut Ring, base: usize, source: u32, count: u32) {
        let row = self.starts[source as usize] as usize..self.starts[source as usize + 1] as usize;
        match &self.synapses {
            Synapses::Equal { weight, offsets } => {
                let amount = weight.wrapping_mul(i64::from(count));
                for offset in &offsets[row] {
                    ring.add(base, *offset, amount);
                }
            }
            Synapses::Weighted { shift, synapses } => {
                let factor = i64::from(count) << shift;
                for synapse in &synapses[row] {
                    ring.add(base, synapse.offset, i64::from(synapse.weight).wrapping_mul(factor));
                }
            }
        }
    }

    /// Marks the sources that have a synapse here.
    pub(super) fn mark_sources(&self, flags: &mut [bool]) {
        for (flag, row) in flags.iter_mut().zip(self.starts.windows(2)) {
            *flag |= row[0] < row[1];
        }
    }

    /// Number of synapses.
    pub(super) fn len(&self) -> usize {
        match &self.synapses {
            Synapses::Equal { offsets, .. } => offsets.len(),
            Synapses::Weighted { synapses, .. } => synapses.len(),
        }
    }

    /// Bytes in memory.
    pub(super) fn bytes(&self) -> usize {
        let each = match self.synapses {
            Synapses::Equal { .. } => size_of::<u32>(),
            Synapses::Weighted { .. } => size_of::<Weighted>(),
        };
        self.len() * each + self.starts.len() * size_of::<u32>()
    }
}

/// The ranges between `starts`.
fn rows(starts: &[u32]) -> impl Iterator<Item = Range<usize>> + '_ {
    starts.windows(2).map(|pair| pair[0] as usize..pair[1] as usize)
}

/// First pass: where each source's row begins (with the end of the last one), and the longest delay.
fn count(network: &Network, projection: ProjectionId, post: &Range<u32>) -> Result<(Vec<u32>, u32), BuildError> {
    let p = &network.projections[projection];
    let mut counts = vec![0u32; network.populations[p.from].size as usize + 1];
    let (mut longest, mut total) = (0, 0u64);
    synapses::for_each_row(network, projection, post.clone(), |row| {
        row.pre.iter().for_each(|pre| counts[*pre as usize] += 1);
        longest = row.delay_steps.iter().copied().fold(longest, u32::max);
        total += row.pre.len() as u64;
    });
    if total > u64::from(u32::MAX) {
        return Err(BuildError::TooManySynapses { projection: p.name.clone(), synapses: total });
    }
    let mut start = 0;
    for slot in &mut counts {
        (*slot, start) = (start, start + *slot);
    }
    Ok((counts, longest))
}

/// Second pass: calls `put` with the place, the offset and the weight of each synapse. `starts` serves as the row's
/// cursor on the way.
fn fill(
    network: &Network,
    projection: ProjectionId,
    post: &Range<u32>,
    starts: &mut [u32],
    mut put: impl FnMut(usize, u32, i64),
) {
    let neurons = post.len() as u32;
    synapses::for_each_row(network, projection, post.clone(), |row| {
        let target = row.post - post.start;
        for ((pre, raw), delay) in row.pre.iter().zip(row.raw).zip(row.delay_steps) {
            let cursor = &mut starts[*pre as usize];
            put(*cursor as usize, delay * neurons + target, *raw);
            *cursor += 1;
        }
    });
    // Each cursor now stands at its row's end, which is where the next one began.
    starts.rotate_right(1);
    starts[0] = 0;
}

/// The sources that have a synapse in one of `tables`.
pub(super) fn sources<'a>(tables: impl Iterator<Item = &'a Table>, width: u32) -> IndexSet {
    let mut flags = vec![false; width as usize];
    tables.for_each(|table| table.mark_sources(&mut flags));
    IndexSet::from_flags(&flags)
}
