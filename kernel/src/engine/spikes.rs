//! Spikes inside the engine.

use couple_network::description::PopulationId;

/// A neuron's spikes in one step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Spike {
    /// Step in which they were emitted: at `step` times the step's length.
    pub(super) step: i64,
    /// Global index in its population.
    pub(super) index: u32,
    /// How many.
    pub(super) count: u32,
}

/// Spikes of each population, each list in ascending order of (step, index).
pub(super) struct SpikeLists {
    lists: Vec<Vec<Spike>>,
}

impl SpikeLists {
    /// Empty lists for `populations` populations.
    pub(super) fn new(populations: usize) -> Self {
        SpikeLists { lists: (0..populations).map(|_| Vec::new()).collect() }
    }
    /// Forgets all spikes, keeps the memory.
    pub(super) fn clear(&mut self) {
        self.lists.iter_mut().for_each(Vec::clear);
    }
    /// The spikes of a population.
    pub(super) fn of(&self, population: PopulationId) -> &[Spike] {
        &self.lists[population]
    }
    /// The spikes of a population, to append to.
    pub(super) fn of_mut(&mut self, population: PopulationId) -> &mut Vec<Spike> {
        &mut self.lists[population]
    }
}
