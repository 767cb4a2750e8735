//! Reading a journal.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::{JournalError, JournalLink, JournalSignal, MAGIC, VERSION, table};
use crate::event;
use crate::packet::{HEADER_BYTES, Header, Kind, PacketError, WORD_BYTES};
use crate::samples;
use crate::time::Time;

/// Bytes read at a time.
const CHUNK: usize = 1 << 20;
/// The longest table that a reader accepts.
const MAX_TABLE: u32 = 1 << 26;

/// A spike read from a journal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Recorded {
    /// Position in [`Reader::links`].
    pub link: u32,
    /// Global index of the neuron.
    pub index: u32,
    /// Time stamp.
    pub time: Time,
}

/// Samples of a signal read from a journal: consecutive rows.
#[derive(Clone, PartialEq, Debug)]
pub struct Block {
    /// Position in [`Reader::signals`].
    pub signal: u32,
    /// Stamp of the first row; each other is the signal's interval later.
    pub first: Time,
    /// Row by row, one value for each column of the journal.
    pub values: Vec<f64>,
}

/// Reads a journal, also one that is still growing or that was torn off.
///
/// ```no_run
/// # use couple_ports::transport::journal::{JournalError, Reader};
/// # fn main() -> Result<(), JournalError> {
/// let mut reader = Reader::open("run/ctx.0.journal".as_ref())?;
/// let mut spikes = Vec::new();
/// while let Some(watermark) = reader.next_window(&mut spikes)? {
///     println!("up to {watermark}: {} spikes", spikes.len());
///     spikes.clear();
/// }
/// println!("complete up to {}, {} bytes torn", reader.watermark(), reader.torn());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Reader {
    path: PathBuf,
    file: File,
    links: Vec<JournalLink>,
    signals: Vec<JournalSignal>,
    /// Bytes read and not consumed; the first `used` of them are consumed.
    buffer: Vec<u8>,
    used: usize,
    /// Position in the file of the buffer's start.
    position: u64,
    watermark: Time,
}

impl Reader {
    /// Opens a journal and reads its table of links.
    pub fn open(path: &Path) -> Result<Reader, JournalError> {
        let io = |action| move |source| JournalError::Io { path: path.to_path_buf(), action, source };
        let not = |reason: &str| JournalError::NotAJournal { path: path.to_path_buf(), reason: reason.to_owned() };
        let short = |source: io::Error| match source.kind() {
            io::ErrorKind::UnexpectedEof => not("it ends within its head"),
            _ => io("reading its head")(source),
        };
        let mut file = File::open(path).map_err(io("opening it"))?;
        let mut head = [0; 16];
        file.read_exact(&mut head).map_err(short)?;
        let number = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        if head[..8] != MAGIC {
            return Err(not("its first bytes are others"));
        }
        if number(8) != VERSION {
            return Err(not(&format!("it has version {}, this program reads version {VERSION}", number(8))));
        }
        if number(12) > MAX_TABLE {
            return Err(not("its table of recordings is too long to be one"));
        }
        let mut table = vec![0; number(12) as usize];
        file.read_exact(&mut table).map_err(short)?;
        let (links, signals) = table::decode(&table).ok_or_else(|| not("its table of recordings is damaged"))?;
        let position = 16 + table.len() as u64;
        Ok(Reader {
            path: path.to_path_buf(),
            file,
            links,
            signals,
            buffer: Vec::new(),
            used: 0,
            position,
            watermark: Time::ZERO,
        })
    }

    /// The analog signals recorded.
    pub fn signals(&self) -> &[JournalSignal] {
        &self.signals
    }

    /// The populations whose spikes are recorded.
    pub fn links(&self) -> &[JournalLink] {
        &self.links
    }

    /// Up to here the spikes and samples returned so far are complete; once [`Reader::next_window`] returned `None`, the last
    /// complete watermark of the file.
    pub fn watermark(&self) -> Time {
        self.watermark
    }

    /// Bytes behind the last complete window, once [`Reader::next_window`] returned `None`.
    pub fn torn(&self) -> usize {
        self.buffer.len() - self.used
    }

    /// Appends the spikes up to the next watermark to `spikes` and returns it, in the order of writing; `None` at the
    /// end of what is complete. Call again later to follow a file that grows. Samples are left out.
    pub fn next_window(&mut self, spikes: &mut Vec<Recorded>) -> Result<Option<Time>, JournalError> {
        self.next(spikes, None)
    }

    /// As [`Reader::next_window`], with the samples, too.
    pub fn next_window_with(
        &mut self,
        spikes: &mut Vec<Recorded>,
        blocks: &mut Vec<Block>,
    ) -> Result<Option<Time>, JournalError> {
        self.next(spikes, Some(blocks))
    }

    fn next(
        &mut self,
        spikes: &mut Vec<Recorded>,
        mut blocks: Option<&mut Vec<Block>>,
    ) -> Result<Option<Time>, JournalError> {
        let before = (spikes.len(), blocks.as_ref().map_or(0, |blocks| blocks.len()));
        let result = self.read_window(spikes, blocks.as_deref_mut(), before);
        if !matches!(result, Ok(Some(_))) {
            spikes.truncate(before.0);
            blocks.into_iter().for_each(|blocks| blocks.truncate(before.1));
        }
        result
    }

    /// As [`Reader::next`], but may leave a part of a window behind the first `before` spikes and blocks.
    fn read_window(
        &mut self,
        spikes: &mut Vec<Recorded>,
        mut blocks: Option<&mut Vec<Block>>,
        before: (usize, usize),
    ) -> Result<Option<Time>, JournalError> {
        let mut at = self.used;
        loop {
            let Some(header) = self.header_at(at)? else {
                if !self.fill()? {
                    return Ok(None);
                }
                // The buffer moved: start this window again.
                spikes.truncate(before.0);
                blocks.iter_mut().for_each(|blocks| blocks.truncate(before.1));
                at = self.used;
                continue;
            };
            let next = at + header.packet_bytes();
            let taken = match header.kind {
                Kind::Padding => Ok(()),
                Kind::Events => self.collect(&header, at, spikes),
                Kind::Samples => self.collect_samples(&header, at).map(|block| {
                    if let Some(blocks) = blocks.as_deref_mut() {
                        blocks.push(block);
                    }
                }),
                Kind::Messages => Err(PacketError::Link(header.link)),
                Kind::Watermark => {
                    self.used = next;
                    self.watermark = header.end;
                    return Ok(Some(header.end));
                }
            };
            taken.map_err(|source| self.damaged(at, source))?;
            at = next;
        }
    }

    /// The header of the packet at `at`, when the packet is complete in the buffer.
    fn header_at(&self, at: usize) -> Result<Option<Header>, JournalError> {
        let Some(first) = self.buffer[at..].first_chunk::<HEADER_BYTES>() else { return Ok(None) };
        let header = Header::decode(first).map_err(|source| self.damaged(at, source))?;
        Ok((self.buffer.len() - at >= header.packet_bytes()).then_some(header))
    }

    /// Appends the events of the packet at `at`.
    fn collect(&self, header: &Header, at: usize, spikes: &mut Vec<Recorded>) -> Result<(), PacketError> {
        let link = self.links.iter().position(|l| l.link == header.link).ok_or(PacketError::Link(header.link))?;
        let width = self.links[link].width;
        let bytes = self.body(header, at);
        spikes.reserve(header.count as usize);
        for event in event::iter_bytes(bytes) {
            header.check_event(event, width)?;
            spikes.push(Recorded { link: link as u32, index: event.index, time: event.time(header.start) });
        }
        Ok(())
    }

    /// The samples of the packet at `at`, checked.
    fn collect_samples(&self, header: &Header, at: usize) -> Result<Block, PacketError> {
        let found = self.signals.iter().position(|signal| signal.link == header.link);
        let number = found.ok_or(PacketError::Link(header.link))?;
        let signal = &self.signals[number];
        let (rows, columns) = (samples::rows(header.start, header.end, signal.every), signal.count);
        if header.position != 0 || rows.checked_mul(columns.into()) != Some(header.count.into()) {
            let values = u64::from(header.position) + u64::from(header.count);
            return Err(PacketError::Block { link: header.link, values, rows, columns });
        }
        let words = self.body(header, at).as_chunks::<WORD_BYTES>().0;
        let values: Vec<f64> = words.iter().map(|word| f64::from_le_bytes(*word)).collect();
        if let Some(bad) = values.iter().position(|value| !value.is_finite()) {
            let column = signal.first + bad as u32 % columns;
            return Err(PacketError::NotFinite { link: header.link, column });
        }
        let first = samples::stamp(samples::first_row(header.start, signal.every), signal.every);
        Ok(Block { signal: number as u32, first, values })
    }

    /// The words of the packet at `at`, which is complete in the buffer.
    fn body(&self, header: &Header, at: usize) -> &[u8] {
        &self.buffer[at + HEADER_BYTES..at + header.packet_bytes()]
    }

    fn damaged(&self, at: usize, source: PacketError) -> JournalError {
        JournalError::Damaged { path: self.path.clone(), at: self.position + at as u64, source }
    }

    /// Reads more bytes behind those that are not consumed; false at the end of the file.
    fn fill(&mut self) -> Result<bool, JournalError> {
        self.buffer.drain(..self.used);
        self.position += self.used as u64;
        self.used = 0;
        let io = |source| JournalError::Io { path: self.path.clone(), action: "reading", source };
        // A window longer than a chunk is read again from its start: grow so that this stays rare.
        let more = CHUNK.max(self.buffer.len()) as u64;
        let read = (&self.file).take(more).read_to_end(&mut self.buffer).map_err(io)?;
        Ok(read > 0)
    }
}
