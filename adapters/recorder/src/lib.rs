//! Recorded spikes: from the journals of a run to one SONATA file, and what can be asked of it.
//!
//! ```text
//!   journal/<component>.<rank>.journal   one per rank, append-only, torn at worst in its last packet
//!               │  merge: by time, then neuron, for each population
//!               ▼
//!          spikes.h5                     SONATA, sorted, under its name only when it is whole
//!               │
//!        ┌──────┼────────┐
//!     compare  show     plot
//! ```
//!
//! A recording is readable at any moment: [`Spikes::open`] takes the finished file, a file of another tool, or the
//! journals of a run that crashed.

mod columns;
pub mod compare;
pub mod crosscheck;
mod error;
mod finish;
mod journals;
mod merge;
mod pairing;
mod parts;
pub mod plot;
mod report;
mod signals;
pub mod sonata;
mod spikes;
pub mod statistics;
mod svg;

pub use error::{Error, Result};
pub use finish::{Finished, finish};
pub use signals::{Signal, Signals};
pub use spikes::Spikes;

use couple_ports::time::Time;

/// A spike of one population. The order is by time, then by index.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Spike {
    /// When.
    pub time: Time,
    /// Which neuron: its index in the population.
    pub index: u64,
}

/// What a recording says about a population.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Population {
    /// Its name.
    pub name: String,
    /// Number of its neurons; files of other tools do not say.
    pub size: Option<u64>,
    /// Number of recorded spikes.
    pub spikes: u64,
    /// Up to which time no spike is missing; files of other tools do not say.
    pub complete: Option<Time>,
}

/// A number and its noun: `1 spike`, `2 spikes`.
pub fn plural(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
