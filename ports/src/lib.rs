//! The data plane of `couple`: exact time, events, packets, transports, and the session that a component uses.

pub mod control;
pub mod index;
pub mod time;
