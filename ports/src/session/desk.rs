//! The coordinator as a rank sees it: a socket, or the other threads of this process ([`super::local`]).

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use crate::control::descriptors::{self, Incoming};
use crate::control::{FromCoordinator, FromRank};

/// A connection to the coordinator.
pub(super) trait Desk: Send {
    /// Sends a message.
    fn send(&mut self, message: FromRank) -> io::Result<()>;
    /// The next message; `None` when none came in time.
    fn receive(&mut self, timeout: Duration) -> io::Result<Option<FromCoordinator>>;
    /// False when the coordinator is gone.
    fn is_open(&self) -> bool;
}

/// A coordinator in another process.
pub(super) struct Socket {
    stream: UnixStream,
    incoming: Incoming,
}

impl Socket {
    pub(super) fn new(stream: UnixStream) -> Socket {
        Socket { stream, incoming: Incoming::new() }
    }
    /// Waits for the answer to `Hello`.
    pub(super) fn receive_first(&mut self) -> io::Result<(FromCoordinator, Vec<OwnedFd>)> {
        let timeout = io::Error::new(io::ErrorKind::TimedOut, "no answer");
        self.incoming.receive(&self.stream, None)?.ok_or(timeout)
    }
}

impl Desk for Socket {
    fn send(&mut self, message: FromRank) -> io::Result<()> {
        descriptors::send(&self.stream, &message, &[])
    }
    fn receive(&mut self, timeout: Duration) -> io::Result<Option<FromCoordinator>> {
        Ok(self.incoming.receive(&self.stream, Some(timeout))?.map(|(message, _)| message))
    }
    fn is_open(&self) -> bool {
        descriptors::is_open(&self.stream)
    }
}
