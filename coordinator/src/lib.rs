//! The coordinator, and the `couple` program over it: from a configuration to finished recordings.
//!
//! ```text
//!   file ─► config ─► plan ─► runtime ─────────────────────────────► runs/<label>/
//!           Network   Plan    launch, rendezvous, supervise, record
//!                              └─ setup: the simulators that a run needs
//! ```
//!
//! * [`config`] reads the file, and finds everything that is wrong with it.
//! * [`plan`] makes links, windows, credits and channels of the network: a pure function.
//! * [`runtime`] starts a process for each rank, tells each its part, watches, and writes the record of the run.
//! * [`setup`] installs simulators into a cache.
//! * [`cli`] is the commands.
//!
//! Invariants: nothing is started before everything that can be checked has been; no spike passes through here; no
//! process outlives the run. Simulators and recorder are programs, found beside this one: nothing of them is linked.

pub mod cli;
pub mod config;
pub mod plan;
pub mod runtime;
pub mod setup;
