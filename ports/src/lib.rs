//! The data plane of `couple`: exact time, events, packets, transports, and the session that a component uses.
//!
//! * [`time`], [`index`], [`event`]: the vocabulary.
//! * [`samples`]: analog signals on the grids of their ends.
//! * [`packet`]: what travels; [`transport`]: how (shared memory, threads of one process, files).
//! * [`status`]: each rank's progress and doorbell; [`memory`]: shared memory without names.
//! * [`control`]: what a rank and the coordinator say to each other.
//! * [`session`]: how a component takes part in a run; start here.
//!
//! Invariants: what a peer wrote is checked before use and is an error at worst; nothing blocks without an end; nothing
//! is left behind by a killed process. The layouts are written down in docs/wire.md.

pub mod control;
pub mod event;
pub mod index;
pub mod memory;
pub mod packet;
pub mod samples;
pub mod session;
pub mod status;
pub mod time;
pub mod transport;
