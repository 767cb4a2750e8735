//! Makes `spikes.h5`, and a `report_<variable>.h5` for each analog variable, from the journals of a run, also of one
//! that crashed.
//!
//! A run folder goes through these states, and from each of them `finish` goes on to the last:
//!
//! ```text
//!   journal/                              recording, or crashed
//!   journal/  spikes.h5.partial           finish was interrupted: partial files are made again
//!   journal/  spikes.h5                   … interrupted after the renaming: made again, with the same content
//!   journal.finished/  spikes.h5          … interrupted while removing: only the rest is removed
//!   spikes.h5                             done
//! ```
//!
//! Reports are made before `spikes.h5`, which is made even if no spikes are recorded. `journal` is renamed before a journal in it is removed, so that a recording is never made from a part of them.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use couple_ports::time::Time;

use crate::error::{Error, Result};
use crate::journals::{Survey, expected, list, refuse_running, survey};
use crate::merge::merge;
use crate::parts::{self, each_block};
use crate::sonata::{Writer, valid_name};
use crate::{Population, Signal, Signals, Spike, report};

/// What `finish` made.
#[derive(Clone, Default, Debug)]
pub struct Finished {
    /// The SONATA file.
    pub path: PathBuf,
    /// False when there was nothing left to do.
    pub made: bool,
    /// The recorded populations; empty when there was nothing left to do.
    pub populations: Vec<Population>,
    /// The recorded analog variables; empty when there was nothing left to do.
    pub signals: Vec<Signal>,
    /// Torn, damaged or missing journals.
    pub notes: Vec<String>,
}

impl Finished {
    /// Up to which time no spike of any population is missing.
    pub fn complete(&self) -> Option<Time> {
        self.populations.iter().filter_map(|p| p.complete).min()
    }
}

/// The files of a recording within the folder of its run.
pub struct RunFolder {
    path: PathBuf,
}

impl RunFolder {
    /// The run in `path`.
    pub fn new(path: &Path) -> Self {
        RunFolder { path: path.to_path_buf() }
    }
    /// The finished recording.
    pub fn spikes(&self) -> PathBuf {
        self.path.join("spikes.h5")
    }
    fn partial(&self) -> PathBuf {
        self.path.join("spikes.h5.partial")
    }
    fn journal(&self) -> PathBuf {
        self.path.join("journal")
    }
    fn used_up(&self) -> PathBuf {
        self.path.join("journal.finished")
    }
    fn record(&self) -> PathBuf {
        self.path.join("record.json")
    }
    /// True when there are journals to be made into a recording.
    pub fn has_journals(&self) -> Result<bool> {
        Ok(!list(&self.journal())?.is_empty())
    }
}

/// Makes `spikes.h5` of the run in `folder` from its journals, and removes them. Does nothing when that has been done.
pub fn finish(folder: &Path) -> Result<Finished> {
    let run = RunFolder::new(folder);
    // Two programs that look at the same crashed run at the same time take turns. On a file system without locks,
    // that is the user's business.
    let guard = File::open(folder).map_err(Error::io("open", folder))?;
    let _ = guard.lock();
    if !run.has_journals()? {
        remove_used_up(&run)?;
        return match run.spikes().exists() {
            true => Ok(Finished { path: run.spikes(), made: false, ..Finished::default() }),
            false => Err(Error::NoRecording { path: folder.to_path_buf() }),
        };
    }
    let paths = list(&run.journal())?;
    refuse_running(&paths)?;
    let survey = survey(&paths, &expected(&run.record()))?;
    for (variable, positions) in by_variable(&survey) {
        let file = run.path.join(report::file_name(variable));
        let partial = file.with_added_extension("partial");
        write_report(&partial, &survey, &positions)?;
        std::fs::rename(&partial, &file).map_err(Error::io("rename", &partial))?;
    }
    write(&run, &survey)?;
    std::fs::rename(run.partial(), run.spikes()).map_err(Error::io("rename", &run.partial()))?;
    sync_folder(folder);
    remove_used_up(&run)?;
    std::fs::rename(run.journal(), run.used_up()).map_err(Error::io("rename", &run.journal()))?;
    remove_used_up(&run)?;
    let signals = survey.signals.into_iter().map(|parts| parts.signal).collect();
    Ok(Finished { path: run.spikes(), made: true, populations: survey.populations, signals, notes: survey.notes })
}

/// Writes the recording under its temporary name, down to the disk.
fn write(run: &RunFolder, survey: &Survey) -> Result<()> {
    let complete = survey.populations.iter().filter_map(|p| p.complete).min().unwrap_or(Time::ZERO);
    let mut writer = Writer::create(&run.partial(), &survey.populations, complete)?;
    merge(&survey.journals, &survey.populations, &mut |position, spikes| writer.append(position, spikes))?;
    writer.finish()
}

/// The positions of the signals of each variable, in order.
fn by_variable(survey: &Survey) -> BTreeMap<&str, Vec<usize>> {
    let mut variables: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (position, parts) in survey.signals.iter().enumerate() {
        variables.entry(&parts.signal.variable).or_default().push(position);
    }
    variables
}

/// Writes the signals at `positions`, all of one variable, under a temporary name, down to the disk.
fn write_report(partial: &Path, survey: &Survey, positions: &[usize]) -> Result<()> {
    let signals: Vec<&Signal> = positions.iter().map(|&position| &survey.signals[position].signal).collect();
    for name in signals.iter().flat_map(|signal| [&signal.population, &signal.variable]) {
        valid_name(name)?;
    }
    let writer = report::Writer::create(partial, &signals)?;
    for number in 0..survey.journals.len() {
        let mut gathered: BTreeMap<usize, Rows> = BTreeMap::new();
        each_block(survey, number, &mut |parts::Rows { position, row, part, values }| {
            let Some(slot) = positions.iter().position(|&p| p == position) else { return Ok(()) };
            let rows = gathered.entry(slot).or_insert(Rows {
                row,
                column: part.column,
                columns: part.columns,
                values: vec![],
            });
            rows.values.extend_from_slice(values);
            if rows.values.len() >= GATHERED { rows.write(&writer, slot) } else { Ok(()) }
        })?;
        gathered.iter_mut().try_for_each(|(slot, rows)| rows.write(&writer, *slot))?;
    }
    writer.finish()
}

/// Values gathered before they are written: a window alone may have few.
const GATHERED: usize = 1 << 17;

/// Consecutive rows of a part of a signal.
struct Rows {
    row: u64,
    column: u64,
    columns: usize,
    values: Vec<f64>,
}

impl Rows {
    fn write(&mut self, writer: &report::Writer, slot: usize) -> Result<()> {
        if !self.values.is_empty() {
            writer.write(slot, (self.row, self.column), self.columns, &self.values)?;
            self.row += (self.values.len() / self.columns) as u64;
            self.values.clear();
        }
        Ok(())
    }
}

/// The samples in the journals as they are, without touching a file.
pub fn signals_from_journals(survey: &Survey) -> Result<Signals> {
    let empty = |signal: &Signal| vec![0.0; signal.rows as usize * signal.neurons.len()];
    let mut tables: Vec<Vec<f64>> = survey.signals.iter().map(|parts| empty(&parts.signal)).collect();
    for number in 0..survey.journals.len() {
        each_block(survey, number, &mut |parts::Rows { position, row, part, values }| {
            let all = survey.signals[position].signal.neurons.len();
            for (line, values) in values.chunks_exact(part.columns).enumerate() {
                let start = (row as usize + line) * all + part.column as usize;
                tables[position][start..start + part.columns].copy_from_slice(values);
            }
            Ok(())
        })?;
    }
    Ok(Signals::from_memory(survey.signals.iter().map(|parts| parts.signal.clone()).zip(tables)))
}

/// The spikes in the journals as they are, without touching a file.
pub fn from_journals(run: &RunFolder) -> Result<(Survey, Vec<Vec<Spike>>)> {
    let survey = survey(&list(&run.journal())?, &expected(&run.record()))?;
    let mut trains = vec![Vec::new(); survey.populations.len()];
    merge(&survey.journals, &survey.populations, &mut |position, spikes| {
        trains[position].extend_from_slice(spikes);
        Ok(())
    })?;
    Ok((survey, trains))
}

fn remove_used_up(run: &RunFolder) -> Result<()> {
    match std::fs::remove_dir_all(run.used_up()) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::io("remove", &run.used_up())(e)),
        _ => Ok(()),
    }
}

/// Makes a renaming last through a loss of power, where the file system can.
fn sync_folder(folder: &Path) {
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}
