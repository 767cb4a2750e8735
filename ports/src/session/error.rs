//! What can go wrong in a session.

use std::io;

use crate::control::PROTOCOL_VERSION;
use crate::time::{Span, Time};
use crate::transport::TransportError;

/// Why a rank cannot take part, or not any longer.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// An environment variable is missing or wrong.
    #[error("the environment variable {variable} {problem}; this program is started by `couple run`, not by hand")]
    Environment {
        /// Which.
        variable: &'static str,
        /// Missing, or why it is wrong.
        problem: String,
    },
    /// The coordinator cannot be reached.
    #[error("cannot reach the coordinator at `{socket}`: {source}; is `couple run` still running, on this host?")]
    Connect {
        /// The abstract Unix socket.
        socket: String,
        /// Why.
        source: io::Error,
    },
    /// The coordinator does not want this process.
    #[error("the coordinator refused this process: {0}")]
    Refused(String),
    /// The coordinator speaks another version.
    #[error(
        "the coordinator speaks version {0} of the protocol, this program version {PROTOCOL_VERSION}; \
         use programs of the same release of couple"
    )]
    Version(u32),
    /// The coordinator broke the protocol.
    #[error("the coordinator sent something that cannot be: {0}")]
    Protocol(String),
    /// The connection to the coordinator failed or ended.
    #[error("the coordinator is gone, at simulated time {time} ({reason})")]
    CoordinatorGone {
        /// How far this rank was.
        time: Time,
        /// What was noticed.
        reason: String,
    },
    /// The coordinator asks to leave, because another component failed or the run was interrupted.
    #[error("asked to leave, at simulated time {time}")]
    Stopped {
        /// How far this rank was.
        time: Time,
    },
    /// The status page or a ring cannot be used.
    #[error("cannot use {what}: {source}")]
    SharedMemory {
        /// What it is for.
        what: String,
        /// Why.
        source: io::Error,
    },
    /// A channel failed.
    #[error("channel {} {peer}, at simulated time {time}: {source}", if *incoming { "from" } else { "to" })]
    Channel {
        /// True when receiving.
        incoming: bool,
        /// `component.rank` of the other side, or the journal.
        peer: String,
        /// How far this rank was.
        time: Time,
        /// What is wrong.
        source: Box<TransportError>,
    },
    /// The index sets given at the start do not fit the inputs.
    #[error("the indices needed: {0}")]
    Needed(String),
    /// An event was emitted that is not of this window or not of this population.
    #[error("{0}")]
    Emit(String),
    /// The samples written are not those of the window, or there are none.
    #[error("{0}")]
    Signal(String),
    /// A message cannot be sent.
    #[error("{0}")]
    Message(String),
    /// The window cannot be told in a packet.
    #[error("a window of {0} is too long; windows up to 4294.967295 ms are possible")]
    WindowTooLong(Span),
    /// The component left before the end.
    #[error("the simulation ends at {duration}, but this rank left at {time}")]
    Early {
        /// How far it was.
        time: Time,
        /// Where it should have gone.
        duration: Span,
    },
}
