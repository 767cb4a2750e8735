//! The journals of a run: one for each rank that records, read window by window.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use couple_ports::time::Time;
use couple_ports::transport::journal::{self, Block, JournalError, JournalSignal, Recorded};

use crate::Population;
use crate::error::{Error, Result};
use crate::parts::{Gathered, Parts};

/// Ending of a journal's file name.
const ENDING: &str = "journal";

/// The journals in a folder, in the order of their names.
pub fn list(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(Error::io("list", folder)(e)),
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(Error::io("list", folder))?.path();
        if path.extension().is_some_and(|ending| ending == ENDING) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// One rank's journal, read up to its end or to a limit.
pub struct Journal {
    path: PathBuf,
    /// `None` when the file was torn before its table of populations was whole.
    reader: Option<journal::Reader>,
    watermark: Time,
    limit: Time,
    window: Vec<Recorded>,
    blocks: Vec<Block>,
    note: Option<String>,
}

impl Journal {
    /// Opens a journal; nothing is read behind the first window that reaches `limit`.
    pub fn open(path: &Path, limit: Time) -> Result<Self> {
        let (reader, note) = match journal::Reader::open(path) {
            Ok(reader) => (Some(reader), None),
            Err(JournalError::NotAJournal { .. }) if head_is_torn(path)? => {
                (None, Some(format!("{} was torn before anything was recorded", path.display())))
            }
            Err(e) => return Err(failure(path, e)),
        };
        let (window, blocks) = (Vec::new(), Vec::new());
        Ok(Journal { path: path.to_path_buf(), reader, watermark: Time::ZERO, limit, window, blocks, note })
    }

    /// The component whose rank wrote it.
    fn component(&self) -> &str {
        component(name(&self.path))
    }

    /// What is recorded in it.
    pub fn links(&self) -> &[journal::JournalLink] {
        self.reader.as_ref().map_or(&[], journal::Reader::links)
    }

    /// The analog signals in it.
    pub fn signals(&self) -> &[JournalSignal] {
        self.reader.as_ref().map_or(&[], journal::Reader::signals)
    }

    /// Up to here everything has been read.
    pub fn watermark(&self) -> Time {
        self.watermark
    }

    /// The spikes of the window that [`Journal::next_window`] went to.
    pub fn window(&self) -> &[Recorded] {
        &self.window
    }

    /// The samples of that window.
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// Reads the next window; false at the end of what is whole. A damaged window ends the journal, with a note.
    pub fn next_window(&mut self) -> Result<bool> {
        self.window.clear();
        self.blocks.clear();
        let Some(reader) = self.reader.as_mut().filter(|_| self.watermark < self.limit) else { return Ok(false) };
        let next = match reader.next_window_with(&mut self.window, &mut self.blocks) {
            Ok(next) => next,
            Err(e @ JournalError::Damaged { .. }) => {
                self.give_up(&e.to_string());
                return Ok(false);
            }
            Err(e) => return Err(failure(&self.path, e)),
        };
        let Some(next) = next else {
            if reader.torn() > 0 {
                let (torn, end) = (reader.torn(), self.watermark);
                self.note = Some(format!("{}: {torn} bytes of an unfinished window after {end}", self.path.display()));
            }
            return Ok(false);
        };
        let from = self.watermark;
        // The merge relies on it: what comes later in a journal is later in time.
        let beyond = |time: Time| time <= from || time > next;
        if next < from || self.window.iter().any(|spike| beyond(spike.time)) || self.blocks_beyond(&beyond) {
            self.give_up(&format!("{}: damaged, a window reaches out of ({from}, {next}]", self.path.display()));
            return Ok(false);
        }
        self.watermark = next;
        Ok(true)
    }

    /// Whether the first or the last row of a block is beyond the window.
    fn blocks_beyond(&self, beyond: &dyn Fn(Time) -> bool) -> bool {
        self.blocks.iter().any(|block| {
            let signal = &self.signals()[block.signal as usize];
            let rows = (block.values.len() / signal.count as usize) as i64;
            beyond(block.first) || beyond(block.first + signal.every * (rows - 1))
        })
    }

    fn give_up(&mut self, reason: &str) {
        self.note = Some(format!("{reason}; read up to {}", self.watermark));
        self.window.clear();
        self.blocks.clear();
        self.limit = self.watermark;
    }
}

/// What is in the journals of a run.
pub struct Survey {
    /// The journals and how far each is whole.
    pub journals: Vec<(PathBuf, Time)>,
    /// The recorded populations with their counts, in the order of their names.
    pub populations: Vec<Population>,
    /// The recorded analog variables, in the order of variables and populations.
    pub signals: Vec<Parts>,
    /// Torn, damaged or missing journals.
    pub notes: Vec<String>,
}

/// The names of the journals that there should be, `<component>.<rank>`: those of the ranks that record, as the record
/// of the run lists them. None where there is no record, or one that says nothing of it.
pub fn expected(record: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(record).unwrap_or_default();
    let record: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    let ranks = record["plan"]["ranks"].as_array().map_or(&[][..], Vec::as_slice);
    let any = |list: &serde_json::Value| list.as_array().is_some_and(|list| !list.is_empty());
    let records = |rank: &&serde_json::Value| any(&rank["recordings"]) || any(&rank["recorded"]);
    ranks.iter().filter(records).filter_map(|rank| rank["name"].as_str().map(str::to_string)).collect()
}

/// Reads the journals once, to know how far they go and how many spikes there are. Those of `expected` that are
/// missing are noted.
pub fn survey(paths: &[PathBuf], expected: &[String]) -> Result<Survey> {
    let mut survey = Survey { journals: Vec::new(), populations: Vec::new(), signals: Vec::new(), notes: Vec::new() };
    let mut signals = Gathered::default();
    let mut populations: BTreeMap<String, Population> = BTreeMap::new();
    let mut recorded_by: BTreeMap<String, String> = BTreeMap::new();
    let mut ends: BTreeMap<String, Time> = BTreeMap::new();
    for path in paths {
        let mut journal = Journal::open(path, Time::MAX)?;
        let links = journal.links().to_vec();
        let mut counts = vec![0u64; links.len()];
        while journal.next_window()? {
            journal.window().iter().for_each(|spike| counts[spike.link as usize] += 1);
        }
        for (link, count) in links.iter().zip(counts) {
            let width = u64::from(link.width);
            let fresh = Population { name: link.population.clone(), size: Some(width), spikes: 0, complete: None };
            let population = populations.entry(link.population.clone()).or_insert(fresh);
            if population.size != Some(width) {
                let reason =
                    format!("population `{}` has {width} neurons here, another number elsewhere", link.population);
                return Err(Error::Journal { path: path.clone(), reason });
            }
            population.spikes += count;
            recorded_by.insert(link.population.clone(), journal.component().to_string());
        }
        signals.add(survey.journals.len(), path, journal.signals())?;
        let end = ends.entry(journal.component().to_string()).or_insert(journal.watermark());
        *end = journal.watermark().min(*end);
        survey.journals.push((path.clone(), journal.watermark()));
        survey.notes.extend(journal.note.take());
    }
    for name in missing(paths, expected) {
        survey.notes.push(format!("{name}.{ENDING} is missing: its rank's spikes are not in the recording"));
        ends.insert(component(name).to_string(), Time::ZERO);
    }
    // A population is complete up to where the slowest rank of its component got.
    for (name, population) in &mut populations {
        population.complete = recorded_by.get(name).and_then(|component| ends.get(component)).copied();
    }
    survey.populations = populations.into_values().collect();
    survey.signals = signals.finish(&survey.journals)?;
    Ok(survey)
}

/// The name of a journal: `<component>.<rank>`.
fn name(path: &Path) -> &str {
    path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default()
}

/// The component in the name of a journal.
fn component(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(component, _)| component)
}

/// The names among `expected` that no journal has.
fn missing<'a>(paths: &[PathBuf], expected: &'a [String]) -> impl Iterator<Item = &'a String> {
    expected.iter().filter(|wanted| !paths.iter().any(|path| name(path) == wanted.as_str()))
}

/// Refuses journals that a rank still holds open for writing.
pub fn refuse_running(paths: &[PathBuf]) -> Result<()> {
    for path in paths {
        let file = File::open(path).map_err(Error::io("open", path))?;
        // The writer holds an exclusive lock; a file system without locks tells nothing.
        if let Err(std::fs::TryLockError::WouldBlock) = file.try_lock_shared() {
            return Err(Error::StillRunning { path: path.clone() });
        }
    }
    Ok(())
}

/// True when the file ends before its table of populations does, and is a journal's beginning so far.
fn head_is_torn(path: &Path) -> Result<bool> {
    let mut head = Vec::new();
    let file = File::open(path).map_err(Error::io("open", path))?;
    let length = file.metadata().map_err(Error::io("look at", path))?.len();
    file.take(16).read_to_end(&mut head).map_err(Error::io("read", path))?;
    let magic = head.len().min(journal::MAGIC.len());
    let table = head.get(12..16).map(|b| u64::from(u32::from_le_bytes([b[0], b[1], b[2], b[3]])));
    Ok(head[..magic] == journal::MAGIC[..magic] && table.is_none_or(|table| length < 16 + table))
}

fn failure(path: &Path, error: JournalError) -> Error {
    match error {
        JournalError::Io { source, .. } => Error::io("read", path)(source),
        other => Error::Journal { path: path.to_path_buf(), reason: other.to_string() },
    }
}
