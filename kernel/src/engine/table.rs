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
        let mut starts = starts(network, projection, &post)?;
        let total = *starts.last().unwrap_or(&0) as usize;
        if total == 0 {
            return Ok(None);
        }
        let grid = ProjectionGrid::new(network, projection);
        let (synapses, longest) = match p.weight {
            Value::Constant(weight) => {
                let mut offsets = vec![0; total];
                let longest = fill(network, projection, &post, &mut starts, |at, offset, _| offsets[at] = offset);
                rows(&starts).for_each(|row| offsets[row].sort_unstable());
                (Synapses::Equal { weight: grid.raw(weight), offsets }, longest)
            }
            _ => {
                let shift = grid.shift();
                let mut synapses = vec![Weighted::default(); total];
                let longest = fill(network, projection, &post, &mut starts, |at, offset, raw| {
                    synapses[at] = Weighted { offset, weight: (raw >> shift) as i32 };
                });
                rows(&starts).for_each(|row| synapses[row].sort_unstable_by_key(|s| s.offset));
                (Synapses::Weighted { shift, synapses }, longest)
            }
        };
        check_offsets(&p.name, longest, post.len() as u64)?;
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

/// Refuses delays with which offsets do not fit in 32 bits.
pub(super) fn check_offsets(projection: &str, longest: u32, neurons: u64) -> Result<(), BuildError> {
    if (u64::from(longest) + 1) * neurons <= u64::from(u32::MAX) {
        Ok(())
    } else {
        Err(BuildError::DelayTooLong { projection: projection.into(), steps: longest, neurons })
    }
}

/// First pass: where each source's row begins, and at last where the last one ends.
pub(super) fn starts(network: &Network, projection: ProjectionId, post: &Range<u32>) -> Result<Vec<u32>, BuildError> {
    let p = &network.projections[projection];
    let mut counts = vec![0u32; network.populations[p.from].size as usize + 1];
    synapses::count_by_source(network, projection, post.clone(), &mut counts);
    let total: u64 = counts.iter().map(|count| u64::from(*count)).sum();
    if total > u64::from(u32::MAX) {
        return Err(BuildError::TooManySynapses { projection: p.name.clone(), synapses: total });
    }
    let mut start = 0;
    for slot in &mut counts {
        (*slot, start) = (start, start + *slot);
    }
    Ok(counts)
}

/// Second pass: calls `put` with the place, the offset and the weight of each synapse; returns the longest delay in steps.
/// `starts` serves as the rows' cursors on the way. Offsets that do not fit ([`check_offsets`]) are wrong.
pub(super) fn fill(
    network: &Network,
    projection: ProjectionId,
    post: &Range<u32>,
    starts: &mut [u32],
    mut put: impl FnMut(usize, u32, i64),
) -> u32 {
    let neurons = post.len() as u32;
    let mut longest = 0;
    synapses::for_each_row(network, projection, post.clone(), |row| {
        let target = row.post - post.start;
        for ((pre, raw), delay) in row.pre.iter().zip(row.raw).zip(row.delay_steps) {
            let cursor = &mut starts[*pre as usize];
            put(*cursor as usize, delay.wrapping_mul(neurons).wrapping_add(target), *raw);
            longest = longest.max(*delay);
            *cursor += 1;
        }
    });
    // Each cursor now stands at its row's end, which is where the next one began.
    starts.rotate_right(1);
    starts[0] = 0;
    longest
}
