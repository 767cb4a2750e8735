//! Makes `spikes.h5` from the journals of a run, also of one that crashed.
//!
//! A run folder goes through these states, and from each of them `finish` goes on to the last:
//!
//! ```text
//!   journal/                              recording, or crashed
//!   journal/  spikes.h5.partial           finish was interrupted: the partial file is made again
//!   journal/  spikes.h5                   … interrupted after the renaming: made again, with the same content
//!   journal.finished/  spikes.h5          … interrupted while removing: only the rest is removed
//!   spikes.h5                             done
//! ```
//!
//! `journal` is renamed before a journal in it is removed, so that a recording is never made from a part of them.

use std::fs::File;
use std::path::{Path, PathBuf};

use couple_ports::time::Time;

use crate::error::{Error, Result};
use crate::journals::{Survey, expected, list, refuse_running, survey};
use crate::merge::merge;
use crate::sonata::Writer;
use crate::{Population, Spike};

/// What `finish` made.
#[derive(Clone, Debug)]
pub struct Finished {
    /// The SONATA file.
    pub path: PathBuf,
    /// False when there was nothing left to do.
    pub made: bool,
    /// The recorded populations; empty when there was nothing left to do.
    pub populations: Vec<Population>,
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
            true => Ok(Finished { path: run.spikes(), made: false, populations: Vec::new(), notes: Vec::new() }),
            false => Err(Error::NoRecording { path: folder.to_path_buf() }),
        };
    }
    let paths = list(&run.journal())?;
    refuse_running(&paths)?;
    let survey = survey(&paths, &expected(&run.record()))?;
    write(&run, &survey)?;
    std::fs::rename(run.partial(), run.spikes()).map_err(Error::io("rename", &run.partial()))?;
    sync_folder(folder);
    remove_used_up(&run)?;
    std::fs::rename(run.journal(), run.used_up()).map_err(Error::io("rename", &run.journal()))?;
    remove_used_up(&run)?;
    Ok(Finished { path: run.spikes(), made: true, populations: survey.populations, notes: survey.notes })
}

/// Writes the recording under its temporary name, down to the disk.
fn write(run: &RunFolder, survey: &Survey) -> Result<()> {
    let complete = survey.populations.iter().filter_map(|p| p.complete).min().unwrap_or(Time::ZERO);
    let mut writer = Writer::create(&run.partial(), &survey.populations, complete)?;
    merge(&survey.journals, &survey.populations, &mut |position, spikes| writer.append(position, spikes))?;
    writer.finish()
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
