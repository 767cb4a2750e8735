//! Recorded analog variables, such as membrane potentials.

use std::path::Path;

use couple_ports::time::{Span, Time};

use crate::error::{Error, Result};
use crate::report;

/// Values read at a time, about.
const BLOCK: u64 = 1 << 17;

/// A variable of a population, as it was recorded: a table of samples, a row for each time and a column for each neuron.
#[derive(Clone, PartialEq, Debug)]
pub struct Signal {
    /// Its population.
    pub population: String,
    /// The variable.
    pub variable: String,
    /// Unit of the samples.
    pub unit: String,
    /// Number of neurons of the population, where that is known.
    pub size: Option<u64>,
    /// The neurons that are recorded, ascending.
    pub neurons: Vec<u64>,
    /// Stamp of the first row.
    pub start: Time,
    /// From one row to the next.
    pub step: Span,
    /// Number of rows.
    pub rows: u64,
}

impl Signal {
    /// The stamp of a row.
    pub fn stamp(&self, row: u64) -> Time {
        self.start + self.step * i64::try_from(row).unwrap_or(i64::MAX)
    }

    /// The stamp of the last row, if there is one.
    pub fn last(&self) -> Option<Time> {
        self.rows.checked_sub(1).map(|row| self.stamp(row))
    }

    /// The number of rows that are stamped up to `time`.
    pub fn rows_until(&self, time: Time) -> u64 {
        let rows = (time - self.start).ns().div_euclid(self.step.ns()).saturating_add(1);
        u64::try_from(rows).unwrap_or(0).min(self.rows)
    }

    /// `population.variable`
    pub fn name(&self) -> String {
        format!("{}.{}", self.population, self.variable)
    }
}

/// The analog variables of a recording, open for reading.
#[derive(Default)]
pub struct Signals {
    signals: Vec<Signal>,
    sources: Vec<Source>,
    /// For each signal its source, and where in it.
    places: Vec<usize>,
}

enum Source {
    File(report::Reader),
    Memory(Vec<f64>),
}

impl Signals {
    /// The reports in the folder of a finished run.
    pub fn in_folder(folder: &Path) -> Result<Self> {
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(Error::io("list", folder))? {
            let path = entry.map_err(Error::io("list", folder))?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if name.starts_with("report_") && name.ends_with(".h5") {
                paths.push(path);
            }
        }
        paths.sort();
        let mut all = Signals::default();
        for path in &paths {
            all.append(Self::in_file(path)?);
        }
        Ok(all)
    }

    /// The signals of a report; none where the file holds something else.
    pub fn in_file(path: &Path) -> Result<Self> {
        let Some((reader, signals)) = report::Reader::open(path)? else { return Ok(Signals::default()) };
        Ok(Signals { places: vec![0; signals.len()], signals, sources: vec![Source::File(reader)] })
    }

    /// Signals with all their samples, row by row.
    pub fn from_memory(signals: impl IntoIterator<Item = (Signal, Vec<f64>)>) -> Self {
        let mut all = Signals::default();
        for (signal, samples) in signals {
            all.append(Signals { signals: vec![signal], sources: vec![Source::Memory(samples)], places: vec![0] });
        }
        all
    }

    fn append(&mut self, other: Signals) {
        let before = self.sources.len();
        self.places.extend(other.places.into_iter().map(|place| place + before));
        self.signals.extend(other.signals);
        self.sources.extend(other.sources);
    }

    /// What is there, in the order of variables and populations.
    pub fn all(&self) -> &[Signal] {
        &self.signals
    }

    /// The position of a signal.
    pub fn find(&self, population: &str, variable: &str) -> Option<usize> {
        self.signals.iter().position(|s| s.population == population && s.variable == variable)
    }

    /// Rows of the signal at `position`, row by row.
    pub fn read(&self, position: usize, row: u64, rows: u64) -> Result<Vec<f64>> {
        let signal = &self.signals[position];
        match &self.sources[self.places[position]] {
            Source::File(reader) => reader.read(signal, row, rows),
            Source::Memory(samples) => {
                let columns = signal.neurons.len() as u64;
                Ok(samples[(row * columns) as usize..((row + rows) * columns) as usize].to_vec())
            }
        }
    }

    /// Hands the first `rows` rows of a signal to `each`, some at a time, with the number of the first.
    pub fn scan(&self, position: usize, rows: u64, mut each: impl FnMut(u64, &[f64]) -> Result<()>) -> Result<()> {
        let columns = self.signals[position].neurons.len() as u64;
        let at_once = (BLOCK / columns.max(1)).max(1);
        let mut row = 0;
        while row < rows && columns > 0 {
            let count = at_once.min(rows - row);
            each(row, &self.read(position, row, count)?)?;
            row += count;
        }
        Ok(())
    }
}
