//! Writing a journal.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::{JournalError, JournalLink, JournalSignal, table};
use crate::event::{self, Event};
use crate::packet::{Header, Kind};
use crate::time::Time;
use crate::transport::{Sender, TransportError};

/// Empty windows are noted at most this often.
const NOTE_EVERY: Duration = Duration::from_millis(250);

/// Appends windows to a journal.
#[derive(Debug)]
pub struct Writer {
    path: PathBuf,
    file: File,
    links: Vec<JournalLink>,
    signals: Vec<JournalSignal>,
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
        Writer::create_with(path, links, Vec::new())
    }

    /// The same, of spikes and of analog signals.
    pub fn create_with(
        path: &Path,
        links: Vec<JournalLink>,
        signals: Vec<JournalSignal>,
    ) -> Result<Writer, JournalError> {
        let io = |action| move |source| JournalError::Io { path: path.to_path_buf(), action, source };
        let mut file = OpenOptions::new().append(true).create_new(true).open(path).map_err(io("creating it"))?;
        // Held while the file is open: it tells who wants to read the journal that it still grows. A file system
        // without locks does without.
        let _ = file.try_lock();
        file.write_all(&table::encode(&links, &signals)).map_err(io("writing its head"))?;
        Ok(Writer {
            path: path.to_path_buf(),
            file,
            links,
            signals,
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

    /// The analog signals that the journal was made with.
    pub fn signals(&self) -> &[JournalSignal] {
        &self.signals
    }

    /// Adds samples of the window `(start, end]`, row by row: those with a stamp of the signal's grid in it, one value
    /// for each of the journal's columns.
    pub fn add_samples(&mut self, link: u32, start: Time, end: Time, samples: &[f64]) {
        let header = Header::words(Kind::Samples, link, start, end).fragment(0, samples.len());
        if !samples.is_empty() {
            self.window.extend_from_slice(&header.encode());
            samples.iter().for_each(|sample| self.window.extend_from_slice(&sample.to_le_bytes()));
        }
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
    fn try_send_words(&mut self, header: &Header, words: &[u64]) -> Result<usize, TransportError> {
        if header.kind == Kind::Events {
            self.add(header.link, header.start, header.end, event::from_words(words));
        } else if !words.is_empty() {
            self.window.extend_from_slice(&header.fragment(0, words.len()).encode());
            words.iter().for_each(|word| self.window.extend_from_slice(&word.to_le_bytes()));
        }
        Ok(words.len())
    }
    fn publish(&mut self, watermark: Time) -> Result<(), TransportError> {
        Ok(Writer::publish(self, watermark)?)
    }
    fn finish(&mut self) -> Result<(), TransportError> {
        Ok(Writer::finish(self)?)
    }
}

#[cfg(test)]
impl Writer {
    /// A writer into a file that is there already.
    pub(super) fn into_file(path: PathBuf, file: File, links: Vec<JournalLink>) -> Writer {
        Writer {
            path,
            file,
            links,
            signals: Vec::new(),
            window: Vec::new(),
            noted: Time::ZERO,
            known: Time::ZERO,
            noted_at: Instant::now(),
            torn: false,
        }
    }
}
