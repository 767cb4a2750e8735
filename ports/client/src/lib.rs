//! A program of one's own as a component of a run, in Rust.
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! fn main() -> ExitCode {
//!     couple_client::run(|session| {
//!         let endplates = session.spike_input("endplates")?; // populations of the configuration, by name
//!         let stretch = session.spike_output("stretch")?;
//!         while let Some(mut window) = session.next_window()? {
//!             for spike in window.spikes(endplates)?.iter() {
//!                 window.emit(stretch, spike.index % 10, spike.time)?;
//!             }
//!         }
//!         Ok(())
//!     })
//! }
//! ```
//!
//! [`Session`] is this process's part in the run. It begins with the *setup*, in which the program looks up its ports and
//! builds its model; the first [`Session::next_window`] waits until all components are ready, and each [`Window`] is an
//! interval `(start, end]` to simulate. What belongs into a window can only be done with a `Window` in hand.
//!
//! ```text
//! lib.rs        run: a main function that tells the coordinator how it ended
//! session.rs    Session: ports by name, from window to window
//! window.rs     Window: spikes that arrive and are emitted
//! signals.rs    its signals and messages
//! directory.rs  which ports there are; the C interface uses it, too
//! ```
//!
//! Times are [`Time`], whole nanoseconds since the start of the run. Signals are blocks of `steps × columns` numbers in the
//! unit of the configuration. A program that needs synapses, or more than one rank, finds the whole description in
//! [`Session::network`] and [`Session::welcome`].

pub mod directory;
mod error;
mod session;
mod signals;
mod window;

use std::process::ExitCode;

pub use couple_network::description::Network;
pub use couple_ports::time::{Span, Time};
pub use error::Error;
pub use ndarray;
pub use session::{MessageInput, MessageOutput, Session, SignalInput, SignalOutput, SpikeInput, SpikeOutput};
pub use window::{Message, Spike, Window};

/// How a component that failed ends.
const FAILED: u8 = 3;

/// The body of `main`: connects, calls `body` and tells the coordinator how that ended. An error of `body` becomes the
/// reason of the run's end, and goes to the log of this rank.
pub fn run<F>(body: F) -> ExitCode
where
    F: FnOnce(&mut Session) -> Result<(), Box<dyn std::error::Error>>,
{
    let mut session = match Session::connect() {
        Ok(session) => session,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(FAILED);
        }
    };
    match body(&mut session).and_then(|()| Ok(session.check_finished()?)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            session.fail(&error.to_string());
            ExitCode::from(FAILED)
        }
    }
}
