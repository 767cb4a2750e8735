//! Transports: how the packets of a channel get from one rank to another, or into a file.
//!
//! A transport implements [`Sender`] and [`Receiver`] and passes the conformance suite (`tests/conformance.rs`).
//!
//! * [`shm`]: a ring in shared memory; the default on one host.
//! * [`thread`]: a bounded queue within one process.
//! * [`journal`]: a file, for recording; a sender only.
//!
//! Transports between hosts (TCP, MPI) are not there yet. Such a transport has its place beside these and must provide:
//! a `try_send` that never blocks and takes either whole fragments or nothing (so it owns a bounded send buffer, and
//! something that empties it while the component computes); a watermark that becomes visible after the packets it
//! covers; a `watermark()` cheap enough to be polled; a wake-up of the receiving rank's line
//! ([`crate::status::Line::wake`]) by whoever moves bytes into this host; credit, that is the peer's published time,
//! in this host's status page; and [`Receiver::close`], after which the peer never waits for space.

pub mod journal;
pub mod shm;
pub mod thread;

use crate::event::{self, Event};
use crate::packet::{Header, Packet, PacketError};
use crate::time::Time;

/// What can go wrong on a channel.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// What arrived is no packet, or not one of this channel.
    #[error(transparent)]
    Packet(#[from] PacketError),
    /// The positions in a ring contradict each other: the peer or something else wrote nonsense into shared memory.
    #[error("the ring in shared memory is damaged: {0}")]
    Ring(&'static str),
    /// A journal cannot be written.
    #[error(transparent)]
    Journal(#[from] journal::JournalError),
}

/// The sending end of a channel. Nothing in it blocks.
pub trait Sender: Send {
    /// Sends events of one link within `(start, end]`, as far as there is room, in fragments where they are many, and
    /// returns how many it took. The rest is to be offered again. A channel whose receiver has closed takes all.
    #[inline]
    fn try_send(&mut self, link: u32, start: Time, end: Time, events: &[Event]) -> Result<usize, TransportError> {
        self.try_send_words(&Header::events(link, start, end, 0), event::as_words(events))
    }
    /// Sends words as [`Sender::try_send`] sends events. `header` is that of the whole but for its count; where it is of
    /// a kind in order, its position is that of the first word, and each fragment tells its own.
    fn try_send_words(&mut self, header: &Header, words: &[u64]) -> Result<usize, TransportError>;
    /// Everything up to `watermark` has been sent.
    fn publish(&mut self, watermark: Time) -> Result<(), TransportError>;
    /// Nothing more will be sent.
    fn finish(&mut self) -> Result<(), TransportError>;
}

/// The receiving end of a channel. Nothing in it blocks.
pub trait Receiver: Send {
    /// Every packet that starts before this time can be had by [`Receiver::peek`] now.
    fn watermark(&self) -> Time;
    /// The next packet, without a copy. It stays until [`Receiver::release`]. Its header has been checked by itself,
    /// its link and words have not.
    fn peek(&mut self) -> Result<Option<Packet<'_>>, TransportError>;
    /// Gives the packet last seen by [`Receiver::peek`] back to the sender.
    fn release(&mut self);
    /// True when more than half of the room is taken, so that the sender may be waiting.
    fn crowded(&self) -> bool;
    /// Nothing more will be received: the sender never waits again.
    fn close(&mut self);
}
