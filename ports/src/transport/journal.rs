//! Journals: recordings as they grow, one append-only file for each rank that records. The layout is in docs/wire.md.
//!
//! Each window with events is one `write()`: its packets and a watermark that closes it. Nothing waits in a buffer of
//! the process, so that a killed process leaves everything up to its last complete window. A window counts only when
//! its watermark is there; what is behind the last watermark is a torn tail, which the [`Reader`] leaves out.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::{Sender, TransportError};
use crate::event::{self, EVENT_BYTES, Event};
use crate::packet::{HEADER_BYTES, Header, Kind, PacketError};
use crate::time::Time;

/// First bytes of a journal.
pub const MAGIC: [u8; 8] = *b"COUPLEJ\n";
/// Version of the journal's layout.
pub const VERSION: u32 = 1;
/// Empty windows are noted at most this often.
const NOTE_EVERY: Duration = Duration::from_millis(250);
/// Bytes read at a time.
const CHUNK: usize = 1 << 20;
/// The longest table of links that a reader accepts.
const MAX_TABLE: u32 = 1 << 26;

/// A link in a journal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JournalLink {
    /// Its id, as in the packets.
    pub link: u32,
    /// The population recorded.
    pub population: String,
    /// Its number of neurons.
    pub width: u32,
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

/// Appends windows to a journal.
#[derive(Debug)]
pub struct Writer {
    path: PathBuf,
    file: File,
    links: Vec<JournalLink>,
    /// The packets of the window that is being gathered.
    window: Vec<u8>,
    /// Up to here the file is complete.
    noted: Time,
    /// Up to here everything is known, and nothing is left to write but a watermark.
    known: Time,
    noted_at: Instant,
    /// A write failed and may have left a part of a window: nothing can follow it.
    torn: bool,
}

impl Writer {
    /// Makes the file, which must not exist, and writes its table of links.
    pub fn create(path: &Path, links: Vec<JournalLink>) -> Result<Writer, JournalError> {
        let io = |action| move |source| JournalError::Io { path: path.to_path_buf(), action, source };
        let mut file = OpenOptions::new().append(true).create_new(true).open(path).map_err(io("creating it"))?;
        // Held while the file is open: it tells who wants to read the journal that it still grows. A file system
        // without locks does without.
        let _ = file.try_lock();
        file.write_all(&encode_table(&links)).map_err(io("writing its head"))?;
        Ok(Writer {
            path: path.to_path_buf(),
            file,
            links,
            window: Vec::new(),
            noted: Time::ZERO,
            known: Time::ZERO,
            noted_at: Instant::now(),
            torn: false,
        })
    }

    /// The links that the journal was made with.
    pub fn links(&self) -> &[JournalLink] {
        &self.links
    }

    /// Adds events of the window `(start, end]` to what the next [`Writer::publish`] writes.
    pub fn add(&mut self, link: u32, start: Time, end: Time, events: &[Event]) {
        for part in events.chunks(u32::MAX as usize).filter(|part| !part.is_empty()) {
            self.window.extend_from_slice(&Header::events(link, start, end, part.len() as u32).encode());
            self.window.extend_from_slice(event::as_bytes(part));
        }
    }

    /// Everything up to `watermark` has been added: writes it. An empty window is noted now and then only.
    pub fn publish(&mut self, watermark: Time) -> Result<(), JournalError> {
        self.known = watermark;
        if self.window.is_empty() && self.noted_at.elapsed() < NOTE_EVERY {
            return Ok(());
        }
        self.write()
    }

    /// Notes the last watermark, also when its window was empty. What was added since is no whole window, and is left out.
    pub fn finish(&mut self) -> Result<(), JournalError> {
        self.window.clear();
        if self.torn || self.known == self.noted { Ok(()) } else { self.write() }
    }

    /// One `write()` for the window and its watermark.
    fn write(&mut self) -> Result<(), JournalError> {
        self.window.extend_from_slice(&Header::watermark(self.noted, self.known).encode());
        let written = self.file.write_all(&self.window);
        self.window.clear();
        self.torn = written.is_err();
        written.map_err(|source| JournalError::Io { path: self.path.clone(), action: "writing", source })?;
        self.noted = self.known;
        self.noted_at = Instant::now();
        Ok(())
    }
}

impl Sender for Writer {
    fn try_send(&mut self, link: u32, start: Time, end: Time, events: &[Event]) -> Result<usize, TransportError> {
        self.add(link, start, end, events);
        Ok(events.len())
    }
    fn publish(&mut self, watermark: Time) -> Result<(), TransportError> {
        Ok(Writer::publish(self, watermark)?)
    }
    fn finish(&mut self) -> Result<(), TransportError> {
        Ok(Writer::finish(self)?)
    }
}

/// The head of the file: magic, version, length of the table, table.
fn encode_table(links: &[JournalLink]) -> Vec<u8> {
    let mut table = Vec::new();
    table.extend_from_slice(&(links.len() as u32).to_le_bytes());
    for link in links {
        for number in [link.link, link.width, link.population.len() as u32] {
            table.extend_from_slice(&number.to_le_bytes());
        }
        table.extend_from_slice(link.population.as_bytes());
    }
    let mut head = MAGIC.to_vec();
    head.extend_from_slice(&VERSION.to_le_bytes());
    head.extend_from_slice(&(table.len() as u32).to_le_bytes());
    head.extend_from_slice(&table);
    head
}

/// Reads the table of links; `None` when the bytes are no table.
fn decode_table(mut bytes: &[u8]) -> Option<Vec<JournalLink>> {
    let number = |bytes: &mut &[u8]| {
        let (first, rest) = bytes.split_first_chunk()?;
        *bytes = rest;
        Some(u32::from_le_bytes(*first))
    };
    let count = number(&mut bytes)?;
    let mut links = Vec::new();
    for _ in 0..count {
        let (link, width) = (number(&mut bytes)?, number(&mut bytes)?);
        let length = number(&mut bytes)? as usize;
        let (name, rest) = bytes.split_at_checked(length)?;
        bytes = rest;
        links.push(JournalLink { link, width, population: std::str::from_utf8(name).ok()?.to_owned() });
    }
    bytes.is_empty().then_some(links)
}

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
            return Err(not("its table of populations is too long to be one"));
        }
        let mut table = vec![0; number(12) as usize];
        file.read_exact(&mut table).map_err(short)?;
        let links = decode_table(&table).ok_or_else(|| not("its table of populations is damaged"))?;
        let position = 16 + table.len() as u64;
        Ok(Reader {
            path: path.to_path_buf(),
            file,
            links,
            buffer: Vec::new(),
            used: 0,
            position,
            watermark: Time::ZERO,
        })
    }

    /// What is recorded.
    pub fn links(&self) -> &[JournalLink] {
        &self.links
    }

    /// Up to here the spikes returned so far are complete; once [`Reader::next_window`] returned `None`, the last
    /// complete watermark of the file.
    pub fn watermark(&self) -> Time {
        self.watermark
    }

    /// Bytes behind the last complete window, once [`Reader::next_window`] returned `None`.
    pub fn torn(&self) -> usize {
        self.buffer.len() - self.used
    }

    /// Appends the spikes up to the next watermark to `spikes` and returns it, in the order of writing; `None` at the
    /// end of what is complete. Call again later to follow a file that grows.
    pub fn next_window(&mut self, spikes: &mut Vec<Recorded>) -> Result<Option<Time>, JournalError> {
        let before = spikes.len();
        let result = self.read_window(spikes, before);
        if !matches!(result, Ok(Some(_))) {
            spikes.truncate(before);
        }
        result
    }

    /// As [`Reader::next_window`], but may leave a part of a window behind the first `before` spikes.
    fn read_window(&mut self, spikes: &mut Vec<Recorded>, before: usize) -> Result<Option<Time>, JournalError> {
        let mut at = self.used;
        loop {
            let Some(header) = self.header_at(at)? else {
                if !self.fill()? {
                    return Ok(None);
                }
                // The buffer moved: start this window again.
                spikes.truncate(before);
                at = self.used;
                continue;
            };
            let next = at + header.packet_bytes();
            match header.kind {
                Kind::Padding => {}
                Kind::Events => self.collect(&header, at, spikes).map_err(|source| self.damaged(at, source))?,
                Kind::Watermark => {
                    self.used = next;
                    self.watermark = header.end;
                    return Ok(Some(header.end));
                }
            }
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
        let bytes = &self.buffer[at + HEADER_BYTES..at + HEADER_BYTES + header.count as usize * EVENT_BYTES];
        spikes.reserve(header.count as usize);
        for event in event::iter_bytes(bytes) {
            header.check_event(event, width)?;
            spikes.push(Recorded { link: link as u32, index: event.index, time: event.time(header.start) });
        }
        Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    struct Scratch(PathBuf);
    impl Scratch {
        fn new(name: &str) -> Scratch {
            let path = std::env::temp_dir().join(format!("couple-journal-{}-{name}", std::process::id()));
            let _ = std::fs::remove_file(&path);
            Scratch(path)
        }
    }
    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = std::fs::remove_file(&self.0);
        }
    }

    fn links() -> Vec<JournalLink> {
        let link = |link, name: &str, width| JournalLink { link, population: name.to_owned(), width };
        vec![link(5, "E", 100), link(9, "Ünïcode", 10)]
    }
    fn ms(n: i64) -> Time {
        Time::from_ns(n * 1_000_000)
    }
    #[test]
    fn leaving_in_the_middle_of_a_window_keeps_the_whole_ones() {
        let file = Scratch::new("leave");
        let mut writer = Writer::create(&file.0, links()).unwrap();
        writer.add(5, ms(0), ms(1), &[Event { index: 3, offset: 7 }]);
        writer.publish(ms(1)).unwrap();
        // A silent window, too soon after the last note to be noted by itself.
        writer.publish(ms(2)).unwrap();
        writer.add(5, ms(2), ms(3), &[Event { index: 4, offset: 7 }]);
        writer.finish().unwrap();
        let (spikes, watermark, torn) = read_all(&file.0);
        assert_eq!((spikes.len(), watermark, torn), (1, ms(2), 0));
    }
    fn read_all(path: &Path) -> (Vec<Recorded>, Time, usize) {
        let mut reader = Reader::open(path).unwrap();
        let mut spikes = Vec::new();
        while reader.next_window(&mut spikes).unwrap().is_some() {}
        (spikes, reader.watermark(), reader.torn())
    }

    fn write_two_windows(path: &Path) {
        let mut writer = Writer::create(path, links()).unwrap();
        writer.add(5, ms(0), ms(1), &[Event { index: 1, offset: 100 }, Event { index: 99, offset: 1_000_000 }]);
        writer.add(9, ms(0), ms(1), &[Event { index: 3, offset: 7 }]);
        writer.publish(ms(1)).unwrap();
        writer.publish(ms(2)).unwrap();
        writer.add(5, ms(2), ms(3), &[Event { index: 2, offset: 5 }]);
        writer.publish(ms(3)).unwrap();
        writer.publish(ms(4)).unwrap();
        writer.finish().unwrap();
    }

    #[test]
    fn reads_what_was_written() {
        let file = Scratch::new("plain");
        write_two_windows(&file.0);
        assert_eq!(Reader::open(&file.0).unwrap().links(), links());
        let (spikes, watermark, torn) = read_all(&file.0);
        let spike = |link, index, ns| Recorded { link, index, time: Time::from_ns(ns) };
        assert_eq!(spikes, [spike(0, 1, 100), spike(0, 99, 1_000_000), spike(1, 3, 7), spike(0, 2, 2_000_005)]);
        assert_eq!((watermark, torn), (ms(4), 0));
    }

    #[test]
    fn each_torn_tail_ends_at_a_complete_window() {
        let file = Scratch::new("torn");
        write_two_windows(&file.0);
        let whole = std::fs::read(&file.0).unwrap();
        let head = encode_table(&links()).len();
        let windows = [(0, ms(0)), (3, ms(1)), (4, ms(3)), (4, ms(4))];
        let mut seen = Vec::new();
        for length in head..=whole.len() {
            std::fs::write(&file.0, &whole[..length]).unwrap();
            let (spikes, watermark, _) = read_all(&file.0);
            assert!(windows.contains(&(spikes.len(), watermark)), "{length}: {} {watermark}", spikes.len());
            seen.push(watermark);
        }
        assert!(seen.is_sorted());
        assert_eq!(seen.last(), Some(&ms(4)));
        for length in 0..head {
            std::fs::write(&file.0, &whole[..length]).unwrap();
            assert!(matches!(Reader::open(&file.0), Err(JournalError::NotAJournal { .. })), "{length}");
        }
    }

    #[test]
    fn follows_a_growing_file_and_long_windows() {
        let file = Scratch::new("grow");
        let mut writer = Writer::create(&file.0, links()).unwrap();
        let mut reader = Reader::open(&file.0).unwrap();
        let mut spikes = Vec::new();
        assert_eq!(reader.next_window(&mut spikes).unwrap(), None);
        let many: Vec<Event> = (0..400_000).map(|i| Event { index: i % 100, offset: i + 1 }).collect();
        for window in 0..3 {
            writer.add(5, ms(window), ms(window + 1), &many);
            assert_eq!(reader.next_window(&mut spikes).unwrap(), None);
            writer.publish(ms(window + 1)).unwrap();
            assert_eq!(reader.next_window(&mut spikes).unwrap(), Some(ms(window + 1)));
            assert_eq!(spikes.len(), many.len());
            assert!(spikes.iter().zip(&many).all(|(s, e)| s.time == e.time(ms(window)) && s.index == e.index));
            spikes.clear();
        }
        assert_eq!(reader.torn(), 0);
    }

    #[test]
    fn damage_is_told_with_its_place() {
        let file = Scratch::new("damage");
        write_two_windows(&file.0);
        let whole = std::fs::read(&file.0).unwrap();
        let head = encode_table(&links()).len();
        for (at, expected) in [(head, "0x43c0"), (head + 4, "link 77"), (head + 32, "neuron 333")] {
            let mut bytes = whole.clone();
            bytes[at] = 77;
            if at == head + 32 {
                bytes[at..at + 4].copy_from_slice(&333u32.to_le_bytes());
            }
            std::fs::write(&file.0, &bytes).unwrap();
            let error = Reader::open(&file.0).unwrap().next_window(&mut Vec::new()).unwrap_err().to_string();
            assert!(error.contains(&format!("byte {head}")) && error.contains(expected), "{error}");
        }
    }

    #[test]
    fn a_full_disk_is_told() {
        let error =
            JournalError::Io { path: "x.journal".into(), action: "writing", source: io::Error::from_raw_os_error(28) };
        let text = error.to_string();
        assert!(text.contains("x.journal") && text.contains("free space"), "{text}");
        // /dev/full takes no byte: the writer must not swallow that.
        if let Ok(file) = OpenOptions::new().append(true).open("/dev/full") {
            let mut writer = Writer {
                path: "/dev/full".into(),
                file,
                links: links(),
                window: Vec::new(),
                noted: Time::ZERO,
                known: Time::ZERO,
                noted_at: Instant::now(),
                torn: false,
            };
            writer.add(5, ms(0), ms(1), &[Event { index: 1, offset: 1 }]);
            assert!(writer.publish(ms(1)).unwrap_err().to_string().contains("free space"));
        }
    }

    #[test]
    fn a_recording_is_never_overwritten() {
        let file = Scratch::new("exists");
        write_two_windows(&file.0);
        let error = Writer::create(&file.0, links()).unwrap_err().to_string();
        assert!(error.contains("never overwritten"), "{error}");
    }
}
