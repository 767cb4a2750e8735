//! Analog variables in the journals: which columns of a table of samples each rank has, and the samples themselves.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use couple_ports::time::Time;
use couple_ports::transport::journal::JournalSignal;

use crate::Signal;
use crate::error::{Error, Result};
use crate::journals::{Journal, Survey};

/// A signal and where its columns are: the ranks of a component have a part each.
pub struct Parts {
    /// The whole, as far as all its ranks got: a table has no gaps.
    pub signal: Signal,
    /// Of each rank that has columns, in their order.
    pub parts: Vec<Part>,
}

/// The columns that one journal has of a signal.
#[derive(Clone, Copy)]
pub struct Part {
    /// Position in [`Survey::journals`].
    pub journal: usize,
    /// Position in the journal's table of signals.
    pub position: u32,
    /// The first of its columns in the table of samples.
    pub column: u64,
    /// How many there are.
    pub columns: usize,
}

/// Signals of all journals, by variable and population.
#[derive(Default)]
pub struct Gathered(BTreeMap<(String, String), Vec<Found>>);

/// A signal in the table of a journal, and the positions of both.
struct Found {
    journal: usize,
    position: u32,
    signal: JournalSignal,
}

impl Gathered {
    /// Notes the signals of the journal that will be at position `number`.
    pub fn add(&mut self, number: usize, path: &Path, signals: &[JournalSignal]) -> Result<()> {
        for (position, signal) in signals.iter().enumerate() {
            let key = (signal.variable.clone(), signal.population.clone());
            let parts = self.0.entry(key).or_default();
            if let Some(Found { signal: other, .. }) = parts.first()
                && (other.width, &other.unit, other.every) != (signal.width, &signal.unit, signal.every)
            {
                let name = format!("{}.{}", signal.population, signal.variable);
                let reason = format!("`{name}` has another width, unit or interval here than elsewhere");
                return Err(Error::Journal { path: path.to_path_buf(), reason });
            }
            parts.push(Found { journal: number, position: position as u32, signal: signal.clone() });
        }
        Ok(())
    }

    /// Puts the parts side by side.
    pub fn finish(self, journals: &[(PathBuf, Time)]) -> Result<Vec<Parts>> {
        self.0.into_values().map(|parts| side_by_side(parts, journals)).collect()
    }
}

fn side_by_side(mut found: Vec<Found>, journals: &[(PathBuf, Time)]) -> Result<Parts> {
    found.sort_by_key(|found| found.signal.first);
    let (mut neurons, mut parts, mut end) = (Vec::new(), Vec::new(), Time::MAX);
    for Found { journal, position, signal } in &found {
        let (path, watermark) = &journals[*journal];
        if neurons.last().is_some_and(|last| u64::from(signal.first) <= *last) {
            let reason = format!("neurons of `{}.{}` are in another journal, too", signal.population, signal.variable);
            return Err(Error::Journal { path: path.clone(), reason });
        }
        let (column, columns) = (neurons.len() as u64, signal.count as usize);
        parts.push(Part { journal: *journal, position: *position, column, columns });
        neurons.extend(u64::from(signal.first)..u64::from(signal.first) + u64::from(signal.count));
        end = end.min(*watermark);
    }
    let first = found.swap_remove(0).signal;
    let (start, step) = (Time::ZERO + first.every, first.every);
    let rows = ((end - Time::ZERO).ns() / step.ns()).max(0) as u64;
    let (population, variable, unit, size) =
        (first.population, first.variable, first.unit, Some(u64::from(first.width)));
    Ok(Parts { signal: Signal { population, variable, unit, size, neurons, start, step, rows }, parts })
}

/// Consecutive rows of a part of a signal.
pub struct Rows<'a> {
    /// Position in [`Survey::signals`].
    pub position: usize,
    /// The first of them.
    pub row: u64,
    /// Which part.
    pub part: Part,
    /// Row by row.
    pub values: &'a [f64],
}

/// Hands the samples of the journal at `number`, up to where its signal's table ends, to `each`, in order.
pub fn each_block(survey: &Survey, number: usize, each: &mut dyn FnMut(Rows<'_>) -> Result<()>) -> Result<()> {
    let part = |(position, parts): (usize, &Parts)| {
        let part = parts.parts.iter().find(|part| part.journal == number)?;
        Some((part.position, (position, *part)))
    };
    let places: BTreeMap<u32, (usize, Part)> = survey.signals.iter().enumerate().filter_map(part).collect();
    if places.is_empty() {
        return Ok(());
    }
    let (path, end) = &survey.journals[number];
    let gap = |signal: &Signal, row: u64| {
        let reason = format!("samples of `{}` are missing at {}", signal.name(), signal.stamp(row));
        Error::Journal { path: path.clone(), reason }
    };
    let mut next: BTreeMap<u32, u64> = places.keys().map(|position| (*position, 0)).collect();
    let mut journal = Journal::open(path, *end)?;
    while journal.next_window()? {
        for block in journal.blocks() {
            let (Some((position, part)), Some(next)) = (places.get(&block.signal), next.get_mut(&block.signal)) else {
                continue;
            };
            let signal = &survey.signals[*position].signal;
            if block.first != signal.stamp(*next) {
                return Err(gap(signal, *next));
            }
            // Behind the end of the slowest rank the table has no rows.
            let rows = signal.rows.saturating_sub(*next).min((block.values.len() / part.columns) as u64);
            let values = &block.values[..rows as usize * part.columns];
            each(Rows { position: *position, row: *next, part: *part, values })?;
            *next += (block.values.len() / part.columns) as u64;
        }
    }
    for (position, row) in next {
        let signal = &survey.signals[places[&position].0].signal;
        if row < signal.rows {
            return Err(gap(signal, row));
        }
    }
    Ok(())
}
