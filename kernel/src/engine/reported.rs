//! Spike sources whose spikes are reported as those of neurons are: because they are recorded, or a program reads them.

use std::ops::Range;

use couple_network::description::{Network, PopulationId};
use couple_network::stimulus::{Stimulus, StimulusError};
use couple_ports::time::Time;

/// A range of a spike source.
pub(super) struct Reported {
    population: PopulationId,
    stimulus: Stimulus,
}

impl Reported {
    pub(super) fn new(network: &Network, population: PopulationId, range: Range<u32>) -> Result<Self, StimulusError> {
        Ok(Reported { population, stimulus: Stimulus::new(network, population, range)? })
    }

    /// Appends the spikes in `(from, to]` as (time, population, index, count).
    pub(super) fn collect(&self, from: Time, to: Time, out: &mut Vec<(Time, PopulationId, u32, u32)>) {
        self.stimulus.between(from, to, |index, time, count| out.push((time, self.population, index, count)));
    }
}
