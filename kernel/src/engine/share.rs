//! What one thread owns: a block of each population's neurons, the synapses onto them, and their input.

use std::ops::Range;
use std::sync::Arc;

use couple_network::description::{Cell, Model, Network, Plasticity, PopulationId, ProjectionId, Receptor};
use couple_network::stimulus::Stimulus;
use couple_network::weights::receptor_grid;
use couple_ports::index::{IndexMap, IndexSet};
use couple_ports::time::{Span, Time};

use super::direct::Direct;
use super::plastic::{self, Histories, Plastic};
use super::ring::Ring;
use super::signals::{Driven, Reading};
use super::spikes::{Spike, SpikeLists};
use super::table::Table;
use super::{BuildError, Part};
use crate::engine::definition::Described;
use crate::models::{Neurons, Parameter, ParameterError, Variable, channel, weight_unit};

/// A block of one population.
struct Block {
    population: PopulationId,
    /// Global index of the first neuron.
    first: u32,
    size: usize,
    neurons: Neurons,
    /// Input of the excitatory and of the inhibitory receptor.
    rings: [Ring; 2],
}

/// Spikes of a spike source that go through lists: this thread's part of those with targets on the rank.
struct Source {
    population: PopulationId,
    stimulus: Stimulus,
    wanted: Arc<IndexSet>,
    /// Every neuron in the stimulus' range has a target.
    all: bool,
}

/// One thread's part of the network.
pub(super) struct Share {
    step: Span,
    blocks: Vec<Block>,
    tables: Vec<Table>,
    /// Positions in `tables`, for each population.
    tables_of: Vec<Vec<usize>>,
    drives: Vec<Direct>,
    plastics: Vec<Plastic>,
    /// Spikes of this thread's neurons, for `plastics`.
    histories: Histories,
    sources: Vec<Source>,
    /// Up to which step the spikes of `sources` have been made.
    sources_made: i64,
    fired: Vec<u32>,
    /// What is read of the neurons, and what is set in them, from step to step.
    readings: Vec<Reading>,
    driven: Vec<Driven>,
}

/// The neurons of a population that `thread` of a rank owns.
pub(super) fn neurons_of(part: &Part, thread: usize, size: u32) -> Range<u32> {
    let rank = IndexMap::block(size, part.ranks).range(part.rank);
    let thread = IndexMap::block(rank.len() as u32, part.threads as u32).range(thread as u32);
    rank.start + thread.start..rank.start + thread.end
}

impl Share {
    /// Draws and stores what `thread` owns. `slice` is the longest slice in steps.
    pub(super) fn build(network: &Network, part: &Part, thread: usize, slice: usize) -> Result<Self, BuildError> {
        let step = network.components[part.component].step;
        let local: Vec<(PopulationId, Cell, Range<u32>)> = network
            .populations
            .iter()
            .enumerate()
            .filter(|(_, p)| p.component == part.component)
            .filter_map(|(id, p)| match p.model {
                Model::Cell { cell, .. } => Some((id, cell, neurons_of(part, thread, p.size))),
                _ => None,
            })
            .collect();
        let (mut tables, mut drives) = (Vec::new(), Vec::new());
        let (mut plastics, mut histories) = (Vec::new(), Histories::default());
        for (id, projection) in network.projections.iter().enumerate() {
            let Some(target) = local.iter().position(|(population, ..)| *population == projection.to) else { continue };
            let post = local[target].2.clone();
            if projection.plasticity != Plasticity::Static {
                plastics.extend(Plastic::build(network, id, target, post, &mut histories)?);
            } else if Direct::applies(network, id) {
                drives.push(Direct::build(network, id, target, post)?);
            } else {
                tables.extend(Table::build(network, id, target, post)?);
            }
        }
        let mut tables_of = vec![Vec::new(); network.populations.len()];
        tables.iter().enumerate().for_each(|(i, table)| tables_of[table.source].push(i));
        let blocks = local
            .into_iter()
            .enumerate()
            .map(|(target, (population, cell, neurons))| {
                let longest = |channel: usize| {
                    let tables = tables.iter().filter(|t| (t.target, t.channel) == (target, channel));
                    let drives = drives.iter().filter(|d| (d.target, d.channel) == (target, channel));
                    let plastics = plastics.iter().filter(|p| (p.target, p.channel) == (target, channel));
                    let static_ones = tables.map(|t| t.longest).chain(drives.map(|d| d.longest));
                    static_ones.chain(plastics.map(|p| p.longest)).max().unwrap_or(0) as usize
                };
                let ring = |receptor| {
                    let unit = receptor_grid(network, population, receptor).unit() * weight_unit(cell);
                    match longest(channel(receptor)) {
                        0 => Ring::new(neurons.len(), 0, unit),
                        // Spikes of sources and remote ones may be up to a slice ahead of the present step.
                        longest => Ring::new(neurons.len(), longest + slice, unit),
                    }
                };
                let rings = [ring(Receptor::Excitatory), ring(Receptor::Inhibitory)];
                let (first, size) = (neurons.start, neurons.len());
                let neurons = make_neurons(network, population, cell, step, neurons)?;
                Ok(Block { population, first, size, neurons, rings })
            })
            .collect::<Result<_, BuildError>>()?;
        let sources = Vec::new();
        Ok(Share {
            step,
            blocks,
            tables,
            tables_of,
            drives,
            plastics,
            histories,
            sources,
            sources_made: 0,
            fired: Vec::new(),
            readings: Vec::new(),
            driven: Vec::new(),
        })
    }

    /// Marks the neurons of `population` that have synapses here, those of drives not counted.
    fn mark_sources(&self, population: PopulationId, flags: &mut [bool]) {
        self.tables_of[population].iter().for_each(|i| self.tables[*i].mark_sources(flags));
        self.plastics.iter().filter(|p| p.source == population).for_each(|p| p.mark_sources(flags));
    }

    /// Takes over the making of `population`'s spikes for the neurons `range`, as far as `wanted`.
    pub(super) fn add_source(
        &mut self,
        network: &Network,
        population: PopulationId,
        range: Range<u32>,
        wanted: &Arc<IndexSet>,
    ) -> Result<(), BuildError> {
        if range.is_empty() {
            return Ok(());
        }
        let stimulus = Stimulus::new(network, population, range.clone()).map_err(|error| BuildError::Stimulus {
            population: network.populations[population].name.clone(),
            error,
        })?;
        let all = range.clone().all(|index| wanted.contains(index));
        self.sources.push(Source { population, stimulus, wanted: Arc::clone(wanted), all });
        Ok(())
    }

    /// Makes the spikes of this thread's sources up to step `until`.
    pub(super) fn make_source_spikes(&mut self, until: i64, out: &mut SpikeLists) {
        if until <= self.sources_made {
            return;
        }
        let time = |step: i64| Time::ZERO + self.step * step;
        for source in &self.sources {
            let list = out.of_mut(source.population);
            source.stimulus.between(time(self.sources_made), time(until), |index, time, count| {
                if source.all || source.wanted.contains(index) {
                    list.push(Spike { step: step_of(time, self.step), index, count });
                }
            });
        }
        self.sources_made = until;
    }

    /// Advances this thread's neurons through the steps `(from, to]`; their spikes are appended to `out`.
    pub(super) fn advance(&mut self, from: i64, to: i64, out: &mut SpikeLists) {
        for step in from + 1..=to {
            self.begin_plastic_step(step);
            self.driven.iter().for_each(|driven| driven.set(step, &mut self.blocks[driven.block].neurons));
            for drive in &self.drives {
                drive.deliver(&mut self.blocks[drive.target].rings[drive.channel], step);
            }
            for (target, block) in self.blocks.iter_mut().enumerate() {
                let [exc, inh] = &mut block.rings;
                block.neurons.advance([exc.input(step), inh.input(step)], &mut self.fired);
                self.histories.add(target, step, &self.fired);
                let list = out.of_mut(block.population);
                list.extend(self.fired.drain(..).map(|i| Spike { step, index: block.first + i, count: 1 }));
            }
            self.readings.iter_mut().for_each(|reading| reading.note(&self.blocks[reading.block].neurons));
        }
    }

    /// Lets presynaptic spikes act on plastic synapses.
    fn begin_plastic_step(&mut self, step: i64) {
        if self.plastics.is_empty() {
            return;
        }
        for plastic in &mut self.plastics {
            plastic.begin_step(step, &mut self.blocks[plastic.target].rings[plastic.channel], &self.histories);
        }
        plastic::forget(&mut self.plastics, &mut self.histories, step);
    }

    /// Adds the effect of the spikes in `lists` to this thread's input, or keeps them for plastic synapses.
    pub(super) fn deliver(&mut self, lists: &SpikeLists) {
        for (population, tables) in self.tables_of.iter().enumerate() {
            let spikes = lists.of(population);
            for table in tables.iter().map(|i| &self.tables[*i]) {
                let ring = &mut self.blocks[table.target].rings[table.channel];
                for spike in spikes {
                    table.deliver(ring, ring.base(spike.step), spike.index, spike.count);
                }
            }
        }
        self.plastics.iter_mut().for_each(|plastic| plastic.receive(lists.of(plastic.source)));
    }

    /// The position of a population's block, and the number of this thread's neurons of it.
    fn block(&self, population: PopulationId) -> Option<(usize, usize)> {
        let position = self.blocks.iter().position(|block| block.population == population)?;
        Some((position, self.blocks[position].size))
    }

    /// Appends the present values of a state variable of this thread's neurons of `population`; false when there is none.
    pub(super) fn read_now(&self, population: PopulationId, variable: Variable, out: &mut Vec<f64>) -> bool {
        self.block(population).is_some_and(|(block, _)| self.blocks[block].neurons.read(variable, out))
    }

    /// From now on notes a state variable after each step.
    pub(super) fn add_reading(&mut self, population: PopulationId, variable: Variable) {
        let block = self.block(population);
        self.readings.extend(block.map(|(block, _)| Reading::new(block, variable)));
    }

    /// Forgets the rows noted so far.
    pub(super) fn clear_readings(&mut self) {
        self.readings.iter_mut().for_each(Reading::clear);
    }

    /// Writes the rows of reading `position` to a block of `width` columns, from column `first` on; the number of columns
    /// written.
    pub(super) fn copy_reading(&self, position: usize, out: &mut [f64], first: usize, width: usize) -> usize {
        let reading = &self.readings[position];
        let columns = self.blocks[reading.block].size;
        reading.copy_to(columns, out, first, width);
        columns
    }

    /// From now on sets a parameter before each step, once rows have been given.
    pub(super) fn add_driven(&mut self, population: PopulationId, parameter: Parameter) {
        let block = self.block(population);
        self.driven.extend(block.map(|(block, columns)| Driven::new(block, parameter, columns)));
    }

    /// Gives the driven parameter `position` its columns, from column `first` on, of rows of `width` values, the first of
    /// which counts after step `from`; the number of columns taken.
    pub(super) fn drive(&mut self, position: usize, from: i64, rows: &[f64], first: usize, width: usize) -> usize {
        let driven = &mut self.driven[position];
        driven.take(from, rows, first, width);
        self.blocks[driven.block].size
    }

    /// Whether a neuron of `population` can have this threshold.
    pub(super) fn check_threshold(&self, population: PopulationId, v_thresh: f64) -> Result<(), ParameterError> {
        self.block(population).map_or(Ok(()), |(block, _)| self.blocks[block].neurons.check_threshold(v_thresh))
    }

    /// Appends the plastic synapses of `projection` onto this thread's neurons, with their weights after step `now`.
    pub(super) fn weights(&self, projection: ProjectionId, now: i64, out: &mut Vec<(u32, u32, f64)>) {
        let of_it = self.plastics.iter().filter(|plastic| plastic.projection == projection);
        of_it.for_each(|plastic| plastic.weights(now, &self.histories, out));
    }

    /// Number of synapses, those of drives not counted.
    pub(super) fn synapses(&self) -> usize {
        self.tables.iter().map(Table::len).chain(self.plastics.iter().map(Plastic::len)).sum()
    }

    /// Bytes of synapses and rings.
    pub(super) fn bytes(&self) -> usize {
        let rings = self.blocks.iter().flat_map(|block| &block.rings).map(Ring::bytes);
        let plastics = self.plastics.iter().map(Plastic::bytes);
        self.tables.iter().map(Table::bytes).chain(plastics).chain(rings).sum()
    }
}

/// The step at whose end a spike of time `time` counts: the grid point at or after it.
pub(super) fn step_of(time: Time, step: Span) -> i64 {
    -(-(time - Time::ZERO)).steps(step)
}

/// The neurons `neurons` of a population, in their initial state.
fn make_neurons(
    network: &Network,
    population: PopulationId,
    cell: Cell,
    step: Span,
    neurons: Range<u32>,
) -> Result<Neurons, BuildError> {
    let p = &network.populations[population];
    let Model::Cell { params, initial, .. } = &p.model else {
        return Err(BuildError::NotACell { population: p.name.clone() });
    };
    let described = Described { network, population, params, initial, neurons };
    Neurons::new(cell, &described, step).map_err(|error| BuildError::Parameter { population: p.name.clone(), error })
}

/// The neurons of `population` with targets in one of `shares`.
pub(super) fn sources<'a>(shares: impl Iterator<Item = &'a Share>, population: PopulationId, size: u32) -> IndexSet {
    let mut flags = vec![false; size as usize];
    shares.for_each(|share| share.mark_sources(population, &mut flags));
    IndexSet::from_flags(&flags)
}
