//! The short way for a Poisson source for each neuron: `OneToOne` from a `SpikeSourcePoisson` on the same grid.
//!
//! Such a drive has a count for each neuron and step, far more than there are spikes of neurons. It goes into the ring as
//! it is drawn, without spike lists and rows.

use std::ops::Range;

use couple_network::description::{Connector, Model, Network, Plasticity, ProjectionId};
use couple_network::stimulus::Stimulus;
use couple_network::synapses;

use super::BuildError;
use super::ring::Ring;
use super::table::check_offsets;
use crate::models::channel;

/// One number for all neurons, or one for each.
enum Each<T> {
    Same(T),
    Own(Vec<T>),
}

impl<T: Copy + PartialEq> Each<T> {
    fn new(values: Vec<T>, default: T) -> Self {
        let first = values.first().copied().unwrap_or(default);
        if values.iter().all(|value| *value == first) { Each::Same(first) } else { Each::Own(values) }
    }
}

/// A drive of the neurons of one thread.
pub(super) struct Direct {
    /// Position of the target population among the thread's.
    pub(super) target: usize,
    /// Receptor of the target.
    pub(super) channel: usize,
    /// The longest delay in steps.
    pub(super) longest: u32,
    stimulus: Stimulus,
    first: u32,
    /// In units of the receptor's grid.
    weights: Each<i64>,
    /// Offsets in the ring of the first neuron (same delay) or of each.
    offsets: Each<u32>,
}

impl Direct {
    /// Whether `projection` can go the short way.
    pub(super) fn applies(network: &Network, projection: ProjectionId) -> bool {
        let p = &network.projections[projection];
        let source = &network.populations[p.from];
        matches!(source.model, Model::SpikeSourcePoisson { .. })
            && p.connector == Connector::OneToOne
            && p.plasticity == Plasticity::Static
            && network.components[source.component].step == network.target_step(p)
    }

    /// The drive of the neurons `post`, which are at position `target` among the thread's populations.
    pub(super) fn build(
        network: &Network,
        projection: ProjectionId,
        target: usize,
        post: Range<u32>,
    ) -> Result<Self, BuildError> {
        let p = &network.projections[projection];
        let (mut weights, mut delays) = (Vec::new(), Vec::new());
        synapses::for_each_row(network, projection, post.clone(), |row| {
            weights.extend_from_slice(row.raw);
            delays.extend_from_slice(row.delay_steps);
        });
        let longest = delays.iter().copied().max().unwrap_or(0);
        check_offsets(&p.name, longest, post.len() as u64)?;
        let stimulus = Stimulus::new(network, p.from, post.clone())
            .map_err(|error| BuildError::Stimulus { population: network.populations[p.from].name.clone(), error })?;
        // A row of a OneToOne is one synapse, hence the columns run along the neurons.
        let offsets = match Each::new(delays, 0) {
            Each::Same(delay) => Each::Same(delay * post.len() as u32),
            Each::Own(delays) => {
                Each::Own(delays.iter().zip(0..).map(|(delay, i)| delay * post.len() as u32 + i).collect())
            }
        };
        Ok(Direct {
            target,
            channel: channel(p.receptor),
            longest,
            stimulus,
            first: post.start,
            weights: Each::new(weights, 0),
            offsets,
        })
    }

    /// Draws the spikes of `step` and adds their effect.
    pub(super) fn deliver(&self, ring: &mut Ring, step: i64) {
        let (base, first) = (ring.base(step), self.first);
        match (&self.weights, &self.offsets) {
            (Each::Same(weight), Each::Same(offset)) => {
                self.stimulus.step(step, |index, count| {
                    ring.add(base, offset + (index - first), weight.wrapping_mul(i64::from(count)));
                });
            }
            (weights, offsets) => self.stimulus.step(step, |index, count| {
                let i = (index - first) as usize;
                let weight = match weights {
                    Each::Same(weight) => *weight,
                    Each::Own(weights) => weights[i],
                };
                let offset = match offsets {
                    Each::Same(offset) => offset + i as u32,
                    Each::Own(offsets) => offsets[i],
                };
                ring.add(base, offset, weight.wrapping_mul(i64::from(count)));
            }),
        }
    }
}
