//! The session: how a component takes part in a run.
//!
//! Two phases, two types. A [`Setup`] knows this rank's part of the run; [`Setup::start`] consumes it and gives a
//! [`Runtime`], which goes from window to window:
//!
//! ```no_run
//! # use couple_ports::session::{SessionError, Setup};
//! # use couple_ports::index::IndexSet;
//! # fn main() -> Result<(), SessionError> {
//! let setup = Setup::connect()?;
//! let needed = setup.welcome().inputs.iter().map(|input| IndexSet::all(input.width)).collect();
//! let mut run = setup.start(needed)?;
//! while let Some(window) = run.next_window()? {
//!     run.for_each_input(|input, index, time| println!("link {input}: neuron {index} at {time}"))?;
//!     // … simulate (window.start, window.end] …
//!     run.emit(0, 7, window.end);
//! }
//! run.finish()
//! # }
//! ```
//!
//! A component with analog signals also takes and gives a block of samples in each window ([`Runtime::samples`],
//! [`Runtime::write_samples`]); one with message ports, messages ([`Runtime::for_each_message`],
//! [`Runtime::send_message`]).
//!
//! Invariants:
//! * For the window `(T, T+h]` a component gets exactly the events of each link with a stamp in
//!   `(T-D, T+h-D]`, `D` being the link's min-delay, whatever the others' windows, the transport or the schedule.
//! * Everything of a window is sent before its end is published, as the channel's watermark and as the rank's time.
//! * A rank that waits, for input, for credit or for room, goes on taking packets out of rings that are more than half
//!   full. So no cycle of ranks can be stuck over the size of rings.
//! * Nobody waits without end for the dead: a wait looks at the stop flag each time, and at the coordinator's socket
//!   every [`wait::LOOK_EVERY`].

mod blocks;
mod desk;
mod error;
mod exchange;
mod history;
mod inputs;
pub mod local;
mod messages;
mod outputs;
pub mod relay;
pub mod rendezvous;
mod runtime;
mod setup;
mod signals;
pub mod wait;
pub mod wiring;

pub use error::SessionError;
pub use runtime::{Runtime, Window};
pub use setup::{Address, Setup};
