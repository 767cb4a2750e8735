//! Plastic synapses onto the neurons of one thread.
//!
//! A presynaptic spike of time t acts on the synapses of a projection whose shortest delay is D when the thread begins
//! the step in which it arrives first, t + D. By then every postsynaptic spike that it can meet at a synapse is known
//! (delays are dendritic: a postsynaptic spike of time p is at the synapse at p + d, with d the synapse's delay, so those
//! up to t - d count), and so are all earlier presynaptic spikes, however late links hand them over. So weights at a
//! time do not depend on ranks, threads and windows.
//!
//! What depends on presynaptic spikes alone is the same for all synapses of a row and is kept once for each source.

mod history;
mod stdp;
mod tsodyks_markram;

use std::ops::Range;

use couple_network::description::{Network, Plasticity, ProjectionId};
use couple_network::weights::receptor_grid;
use couple_ports::time::Span;

use super::BuildError;
use super::ring::Ring;
use super::spikes::Spike;
use super::table::{check_offsets, fill, starts};
use crate::models::{channel, weight_unit};
pub(super) use history::Histories;
use stdp::Pairs;
use tsodyks_markram::Resources;

/// What steps are in ms, with NEST's rounding: NEST counts whole tics, of a µs each unless the step asks for finer ones.
#[derive(Clone, Copy)]
struct Clock {
    tics_per_step: i64,
    ms_per_tic: f64,
    ms_per_step: f64,
}

impl Clock {
    fn new(step: Span) -> Self {
        let (tics_per_step, tics_per_ms) =
            if step.ns() % 1000 == 0 { (step.ns() / 1000, 1e3) } else { (step.ns(), 1e6) };
        Clock { tics_per_step, ms_per_tic: 1.0 / tics_per_ms, ms_per_step: tics_per_step as f64 / tics_per_ms }
    }
    /// The time of a spike.
    fn stamp(self, step: i64) -> f64 {
        self.ms_per_tic * (step * self.tics_per_step) as f64
    }
    /// A delay.
    fn delay(self, steps: i64) -> f64 {
        steps as f64 * self.ms_per_step
    }
}

/// How a projection's weights change, and the state that its rows share.
enum Rule {
    TsodyksMarkram(Resources),
    Stdp {
        pairs: Pairs,
        /// Which of the thread's histories has the postsynaptic spikes.
        history: usize,
    },
}

/// The plastic synapses of a projection onto the neurons of one thread.
pub(super) struct Plastic {
    pub(super) projection: ProjectionId,
    /// Population of the sources.
    pub(super) source: usize,
    /// Position of the target population among the thread's.
    pub(super) target: usize,
    /// Receptor of the target.
    pub(super) channel: usize,
    /// The longest delay in steps.
    pub(super) longest: u32,
    /// The shortest delay in steps that the description allows.
    shortest: i64,
    /// First neuron of the thread's block, and their number.
    first: u32,
    neurons: u32,
    /// Row of source i: `starts[i]..starts[i + 1]`, in the canonical order of synapses.
    starts: Vec<u32>,
    /// Offsets in the ring, as of static synapses.
    offsets: Vec<u32>,
    /// In the model's unit (pA, nS, mV).
    weights: Vec<f64>,
    /// What one unit of the ring is worth, and what one PyNN unit of weight is in the model's.
    ring_unit: f64,
    weight_unit: f64,
    rule: Rule,
    clock: Clock,
    /// Presynaptic spikes that have not acted, in ascending order from `begin_step` on.
    pending: Vec<Spike>,
}

impl Plastic {
    /// The synapses of `projection` onto the neurons `post`, which are at position `target` among the thread's
    /// populations; `None` when there is none.
    pub(super) fn build(
        network: &Network,
        projection: ProjectionId,
        target: usize,
        post: Range<u32>,
        histories: &mut Histories,
    ) -> Result<Option<Self>, BuildError> {
        let p = &network.projections[projection];
        let mut starts = starts(network, projection, &post)?;
        let total = *starts.last().unwrap_or(&0) as usize;
        if total == 0 {
            return Ok(None);
        }
        let step = network.target_step(p);
        let grid = receptor_grid(network, p.to, p.receptor);
        let population = &network.populations[p.to];
        let couple_network::description::Model::Cell { cell, .. } = population.model else {
            return Err(BuildError::NotACell { population: population.name.clone() });
        };
        let weight_unit = weight_unit(cell);
        let (mut offsets, mut weights) = (vec![0; total], vec![0.0; total]);
        let longest = fill(network, projection, &post, &mut starts, |at, offset, raw| {
            offsets[at] = offset;
            weights[at] = grid.weight(raw) * weight_unit;
        });
        check_offsets(&p.name, longest, post.len() as u64)?;
        let (clock, sources) = (Clock::new(step), network.populations[p.from].size as usize);
        let rule = match p.plasticity {
            Plasticity::Static => return Ok(None),
            Plasticity::TsodyksMarkram(parameters) => Rule::TsodyksMarkram(Resources::new(parameters, sources)),
            Plasticity::Stdp(parameters) => Rule::Stdp {
                pairs: Pairs::new(parameters, weight_unit, sources),
                history: histories.of(target, parameters.tau_minus, post.len(), clock),
            },
        };
        if let Rule::Stdp { pairs, .. } = &rule {
            // On the way to the grid a weight may have got beyond the bounds by less than a unit.
            weights.iter_mut().for_each(|weight| *weight = pairs.hold(*weight));
        }
        Ok(Some(Plastic {
            projection,
            source: p.from,
            target,
            channel: channel(p.receptor),
            longest,
            shortest: p.delay.min(step).steps(step).max(1),
            first: post.start,
            neurons: post.len() as u32,
            starts,
            offsets,
            weights,
            ring_unit: grid.unit() * weight_unit,
            weight_unit,
            rule,
            clock,
            pending: Vec::new(),
        }))
    }

    /// Takes over spikes of the source.
    pub(super) fn receive(&mut self, spikes: &[Spike]) {
        let from = self.pending.len();
        let row = |index: u32| self.starts[index as usize] < self.starts[index as usize + 1];
        self.pending.extend(spikes.iter().filter(|spike| row(spike.index)));
        if self.pending.len() > from {
            // Sources matter one by one, so equal steps may be in any order.
            self.pending.sort_unstable_by_key(|spike| (spike.step, spike.index));
        }
    }

    /// Lets the presynaptic spikes act that arrive at `step` at the earliest. Input of `step` must not have been read,
    /// and postsynaptic spikes must be known up to the step before.
    pub(super) fn begin_step(&mut self, step: i64, ring: &mut Ring, histories: &Histories) {
        let due = self.pending.partition_point(|spike| spike.step + self.shortest <= step);
        for at in 0..due {
            let Spike { step, index, count } = self.pending[at];
            (0..count).for_each(|_| self.act(step, index, ring, histories));
        }
        self.pending.drain(..due);
    }

    fn row(&self, source: u32) -> Range<usize> {
        self.starts[source as usize] as usize..self.starts[source as usize + 1] as usize
    }

    /// One presynaptic spike.
    fn act(&mut self, step: i64, source: u32, ring: &mut Ring, histories: &Histories) {
        let (row, base, unit, neurons) = (self.row(source), ring.base(step), self.ring_unit, self.neurons);
        let mut send = |offset: u32, weight: f64| ring.add(base, offset, (weight / unit).round_ties_even() as i64);
        let now = self.clock.stamp(step);
        let offsets = &self.offsets[row.clone()];
        match &mut self.rule {
            Rule::TsodyksMarkram(resources) => {
                let released = resources.release(source, now);
                for (offset, weight) in offsets.iter().zip(&self.weights[row]) {
                    send(*offset, released * weight);
                }
            }
            Rule::Stdp { pairs, history } => {
                let history = histories.get(*history);
                for (offset, weight) in offsets.iter().zip(&mut self.weights[row]) {
                    let (delay, neuron) = (i64::from(offset / neurons), (offset % neurons) as usize);
                    pairs.presynaptic(source, step, delay, history, neuron, weight);
                    send(*offset, *weight);
                }
                pairs.fired(source, step, now);
            }
        }
    }

    /// Applies the postsynaptic spikes that no presynaptic spike has met yet, so that they can be forgotten. All
    /// presynaptic spikes up to a time are needed for that: the step that begins is `step`.
    fn catch_up(&mut self, step: i64, histories: &Histories) {
        let until = step - self.shortest;
        let Rule::Stdp { pairs, history } = &mut self.rule else { return };
        let history = histories.get(*history);
        for source in 0..self.starts.len() as u32 - 1 {
            let row = self.starts[source as usize] as usize..self.starts[source as usize + 1] as usize;
            for (offset, weight) in self.offsets[row.clone()].iter().zip(&mut self.weights[row]) {
                let (delay, neuron) = (i64::from(offset / self.neurons), (offset % self.neurons) as usize);
                pairs.potentiate(source, until, delay, history, neuron, weight);
            }
            pairs.caught_up(source, until);
        }
    }

    /// The synapses as (presynaptic, postsynaptic, weight in PyNN's unit) after all that has reached them up to the end
    /// of step `now` less the shortest delay.
    pub(super) fn weights(&self, now: i64, histories: &Histories, out: &mut Vec<(u32, u32, f64)>) {
        for source in 0..self.starts.len() as u32 - 1 {
            for at in self.row(source) {
                let (delay, neuron) = (i64::from(self.offsets[at] / self.neurons), self.offsets[at] % self.neurons);
                let mut weight = self.weights[at];
                if let Rule::Stdp { pairs, history } = &self.rule {
                    let history = histories.get(*history);
                    pairs.potentiate(source, now - self.shortest, delay, history, neuron as usize, &mut weight);
                }
                out.push((source, self.first + neuron, weight / self.weight_unit));
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
        self.offsets.len()
    }

    /// Bytes in memory.
    pub(super) fn bytes(&self) -> usize {
        self.len() * (size_of::<u32>() + size_of::<f64>())
            + self.starts.len() * (size_of::<u32>() + 4 * size_of::<f64>())
    }
}

/// Forgets the postsynaptic spikes that no synapse needs any more, when many have gathered. `step` is about to begin.
pub(super) fn forget(plastics: &mut [Plastic], histories: &mut Histories, step: i64) {
    if !histories.are_full() {
        return;
    }
    plastics.iter_mut().for_each(|plastic| plastic.catch_up(step, histories));
    for id in 0..histories.len() {
        let uses = |p: &&Plastic| matches!(p.rule, Rule::Stdp { history, .. } if history == id);
        let needed = plastics.iter().filter(uses).map(|p| step - p.shortest - i64::from(p.longest)).min();
        histories.forget_before(id, needed.unwrap_or(step));
    }
    histories.set_limit(plastics.iter().map(Plastic::len).sum());
}
