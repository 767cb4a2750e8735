//! Journals: recordings as they grow, one append-only file for each rank that records. The layout is in docs/wire.md.
//!
//! Each window with spikes or samples is one `write()`: its packets and a watermark that closes it. Nothing waits in a buffer of
//! the process, so that a killed process leaves everything up to its last complete window. A window counts only when
//! its watermark is there; what is behind the last watermark is a torn tail, which the [`Reader`] leaves out.

mod reader;
mod table;
#[cfg(test)]
mod tests;
mod writer;

use std::io;
use std::path::PathBuf;

use crate::packet::PacketError;
use crate::time::Span;

pub use reader::{Block, Reader, Recorded};
pub use writer::Writer;

/// First bytes of a journal.
pub const MAGIC: [u8; 8] = *b"COUPLEJ\n";
/// Version of the journal's layout.
pub const VERSION: u32 = 2;

/// Spikes of a population in a journal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JournalLink {
    /// Its id, as in the packets.
    pub link: u32,
    /// The population recorded.
    pub population: String,
    /// Its number of neurons.
    pub width: u32,
}

/// An analog signal in a journal.
#[derive(Clone, PartialEq, Debug)]
pub struct JournalSignal {
    /// Its id, as in the packets.
    pub link: u32,
    /// The population recorded.
    pub population: String,
    /// Its variable.
    pub variable: String,
    /// Unit of the samples.
    pub unit: String,
    /// Columns of the whole population.
    pub width: u32,
    /// This journal has the columns from here on,
    pub first: u32,
    /// so many, one at least.
    pub count: u32,
    /// From one row to the next; rows are stamped with multiples of it.
    pub every: Span,
    /// The value at time 0: one for each column of this journal, or one for all; empty when it is unknown.
    pub initial: Vec<f64>,
}

/// What can go wrong with a journal.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file cannot be made, read or written.
    #[error("journal {}: {action} failed: {source}{}", path.display(), remedy(source))]
    Io {
        /// The file.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// Why it failed.
        source: io::Error,
    },
    /// Not a journal.
    #[error("{} is no journal of couple: {reason}", path.display())]
    NotAJournal {
        /// The file.
        path: PathBuf,
        /// How that is known.
        reason: String,
    },
    /// A packet in the middle is damaged. Everything before it has been read.
    #[error("journal {}: damaged at byte {at}: {source}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where the packet starts.
        at: u64,
        /// What is wrong with it.
        source: PacketError,
    },
}

/// The help that belongs to an error of the file system.
fn remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull => "; free space on that file system, or record less (`--out` moves the run folder)",
        io::ErrorKind::QuotaExceeded => "; the disk quota is used up (`--out` moves the run folder)",
        io::ErrorKind::PermissionDenied => "; the run folder must be writable (`--out` moves it)",
        io::ErrorKind::AlreadyExists => "; a recording is never overwritten, choose another label",
        _ => "",
    }
}
