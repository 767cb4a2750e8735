//! The data plane of `couple`: exact time, events, packets, transports, and the session that a component uses.

pub mod control;
pub mod event;
pub mod index;
pub mod memory;
pub mod packet;
pub mod session;
pub mod status;
pub mod time;
pub mod transport;
