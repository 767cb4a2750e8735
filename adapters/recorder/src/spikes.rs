//! Reading a recording, whatever state its run is in.

use std::path::Path;

use couple_ports::time::Time;

use crate::error::{Error, Result};
use crate::finish::{RunFolder, finish, from_journals, signals_from_journals};
use crate::sonata::Reader;
use crate::{Population, Signals, Spike};

/// Recorded spikes, and the analog variables recorded with them, open for reading.
pub struct Spikes {
    populations: Vec<Population>,
    source: Source,
    signals: Signals,
    notes: Vec<String>,
}

enum Source {
    File(Reader),
    /// In the order of the populations.
    Memory(Vec<Vec<Spike>>),
}

impl Spikes {
    /// Opens a recording: the folder of a run, or a SONATA file.
    ///
    /// A run folder that still has journals is finished first (see [`finish`]). Where that is not possible, because
    /// the run goes on or the folder is read-only, the journals are read as they are.
    pub fn open(path: &Path) -> Result<Self> {
        let metadata = std::fs::metadata(path).map_err(Error::io("open", path))?;
        if !metadata.is_dir() {
            return Self::open_file(path);
        }
        let folder = RunFolder::new(path);
        if !folder.has_journals()? {
            return match folder.spikes().exists() {
                true => Self::open_finished(path, &folder.spikes(), Vec::new()),
                false => Err(Error::NoRecording { path: path.to_path_buf() }),
            };
        }
        match finish(path) {
            Ok(finished) => Self::open_finished(path, &finished.path, finished.notes),
            Err(reason) => {
                let (mut survey, trains) = from_journals(&folder)?;
                survey.notes.push(format!("read from the journals: {reason}"));
                let signals = signals_from_journals(&survey)?;
                let (populations, notes) = (survey.populations, survey.notes);
                Ok(Spikes { populations, source: Source::Memory(trains), signals, notes })
            }
        }
    }

    fn open_finished(folder: &Path, spikes: &Path, notes: Vec<String>) -> Result<Self> {
        let (reader, populations) = Reader::open(spikes)?;
        Ok(Spikes { populations, source: Source::File(reader), signals: Signals::in_folder(folder)?, notes })
    }

    /// A file of spikes, or a report.
    fn open_file(path: &Path) -> Result<Self> {
        let signals = Signals::in_file(path)?;
        if !signals.all().is_empty() {
            return Ok(Spikes { signals, ..Self::from_memory([]) });
        }
        let (reader, populations) = Reader::open(path)?;
        Ok(Spikes { populations, source: Source::File(reader), signals, notes: Vec::new() })
    }

    /// A recording made of spikes in memory.
    pub fn from_memory(recorded: impl IntoIterator<Item = (Population, Vec<Spike>)>) -> Self {
        let mut recorded: Vec<_> = recorded.into_iter().collect();
        recorded.sort_by(|a, b| a.0.name.cmp(&b.0.name));
        let (mut populations, trains): (Vec<_>, Vec<_>) = recorded.into_iter().unzip();
        let sorted = |mut train: Vec<Spike>| {
            train.sort_unstable();
            train
        };
        let trains: Vec<_> = trains.into_iter().map(sorted).collect();
        populations.iter_mut().zip(&trains).for_each(|(p, t)| p.spikes = t.len() as u64);
        Spikes { populations, source: Source::Memory(trains), signals: Signals::default(), notes: Vec::new() }
    }

    /// With analog variables.
    pub fn with_signals(self, signals: Signals) -> Self {
        Spikes { signals, ..self }
    }

    /// The analog variables recorded with them.
    pub fn signals(&self) -> &Signals {
        &self.signals
    }

    /// The recorded populations, in the order of their names.
    pub fn populations(&self) -> &[Population] {
        &self.populations
    }

    /// The population called `name`.
    pub fn population(&self, name: &str) -> Option<&Population> {
        self.populations.iter().find(|p| p.name == name)
    }

    /// Up to which time no spike of any population is missing; `None` where the file does not say.
    pub fn complete(&self) -> Option<Time> {
        self.populations.iter().filter_map(|p| p.complete).min()
    }

    /// What a reader should know: torn journals, a run that has not ended.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// All spikes of a population, sorted by time, then index; empty when there is no such population.
    pub fn read(&self, population: &str) -> Result<Vec<Spike>> {
        let Some(position) = self.populations.iter().position(|p| p.name == population) else {
            return Ok(Vec::new());
        };
        match &self.source {
            Source::File(reader) => reader.read(population),
            Source::Memory(trains) => Ok(trains[position].clone()),
        }
    }
}
