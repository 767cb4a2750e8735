//! The network description and the synapses it implies: pure functions of (description, seed).
//!
//! * [`description`] holds the types that every component builds its part from.
//! * [`cells`] is the catalogue of standard cells: parameters, units, defaults, ranges.
//! * [`random`] makes random numbers that depend on (seed, purpose, index) alone.
//! * [`values`] gives each neuron its parameters and initial values.
//! * [`variables`] tells which signals and messages populations give and take.
//! * [`synapses`] draws the synapses of a projection onto any range of postsynaptic neurons.
//! * [`weights`] puts weights on grids on which sums are exact.
//! * [`stimulus`] makes the spikes of spike sources.
//!
//! Invariant: nothing here depends on ranks, threads, windows or the order of calls. The union of what is drawn for the
//! parts of a population is what would be drawn for the whole.

pub mod cells;
pub mod description;
pub mod random;
pub mod stimulus;
pub mod synapses;
#[cfg(test)]
mod testing;
pub mod values;
pub mod variables;
pub mod weights;
