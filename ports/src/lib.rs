//! The data plane of `couple`: exact time, events, packets, transports, and the session that a component uses.

pub mod control;
pub mod event;
pub mod index;
pub mod packet;
pub mod time;
pub mod transport;
