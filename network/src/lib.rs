//! The network description and the synapses it implies: pure functions of (description, seed).
//!
//! * [`description`] holds the types that every component builds its part from.

pub mod description;
