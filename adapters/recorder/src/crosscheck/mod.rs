//! The same network on several simulators: what each of them made of it, beside the first as reference.
//!
//! `couple crosscheck` makes the runs, a folder for each simulator below one folder, and writes down in
//! `crosscheck.json` who took part and who could not. From these, [`check`] measures:
//!
//! ```text
//!   <folder>/crosscheck.json     who took part                              (written by couple)
//!   <folder>/native/ nest/ …     a run each, with its recording             (written by couple)
//!   <folder>/report.json         what differs, for tools          [`check`]
//!   <folder>/report.txt          … as a table                     [`table::text`]
//!   <folder>/crosscheck.svg      … as a picture                   [`picture::draw`]
//! ```

mod decades;
mod measure;
mod membrane;
pub mod picture;
pub mod table;

use std::path::Path;

use couple_ports::time::{Span, Time};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::spikes::Spikes;

pub use measure::{Pair, PopulationCheck, Train};
pub use membrane::{Figures, VariableCheck};

/// Who took part, as `crosscheck.json` tells it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Manifest {
    /// The configuration.
    pub file: String,
    /// The populations that were moved.
    pub moved: Vec<String>,
    /// Each simulator asked for, in that order.
    pub participants: Vec<Participant>,
}

/// A simulator that was asked to take part.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Participant {
    /// The simulator.
    pub simulator: String,
    /// How it went.
    pub status: Status,
    /// Why it did not take part, or how its run ended.
    #[serde(default)]
    pub reason: Option<String>,
    /// How it computes these cells, as far as that can make a difference.
    #[serde(default)]
    pub assumptions: Vec<String>,
}

/// How it went with a simulator.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Its run is there.
    Done,
    /// Its run failed.
    Failed,
    /// It cannot take part.
    LeftOut,
}

/// The outcome.
#[derive(Debug, Serialize)]
pub struct Crosscheck {
    /// True when all that ran agree in every bit.
    pub equal: bool,
    /// The configuration.
    pub file: String,
    /// The simulator that the others are compared with: the first that ran.
    pub reference: String,
    /// Spikes of a neuron that are at most so far apart (in ms) are paired.
    pub tolerance_ms: f64,
    /// The populations that were moved; the others stayed where they are.
    pub moved: Vec<String>,
    /// Each simulator asked for.
    pub participants: Vec<Participant>,
    /// One for each recorded population.
    pub populations: Vec<PopulationCheck>,
    /// One for each analog variable and each simulator beside the reference.
    pub variables: Vec<VariableCheck>,
}

/// The recordings of those that ran, the reference first.
pub struct Recordings {
    runs: Vec<(String, Spikes)>,
}

impl Recordings {
    /// Opens the runs in `folder` that its manifest tells of.
    pub fn open(folder: &Path) -> Result<(Manifest, Self)> {
        let path = folder.join("crosscheck.json");
        let bytes = std::fs::read(&path).map_err(Error::io("read", &path))?;
        let manifest: Manifest = serde_json::from_slice(&bytes)
            .map_err(|e| Error::Request(format!("{} is not what couple crosscheck wrote: {e}", path.display())))?;
        let mut runs = Vec::new();
        for p in manifest.participants.iter().filter(|p| p.status == Status::Done) {
            runs.push((p.simulator.clone(), Spikes::open(&folder.join(&p.simulator))?));
        }
        if runs.is_empty() {
            return Err(Error::Request(format!("no simulator of {} ran", path.display())));
        }
        Ok((manifest, Recordings { runs }))
    }

    /// The reference's name.
    pub fn reference(&self) -> &str {
        &self.runs[0].0
    }

    /// Every population that any of them recorded, in the order of their names.
    fn populations(&self) -> Vec<&str> {
        let mut names: Vec<&str> =
            self.runs.iter().flat_map(|(_, run)| run.populations()).map(|p| p.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

/// Compares all that ran with the first.
pub fn check(manifest: Manifest, recordings: &Recordings, tolerance: Span) -> Result<Crosscheck> {
    let measure = |name| measure::population(name, &recordings.runs, tolerance);
    let populations: Vec<_> = recordings.populations().into_iter().map(measure).collect::<Result<_>>()?;
    let mut variables = Vec::new();
    for run in &recordings.runs[1..] {
        let pairs = populations.iter().flat_map(|p| &p.pairs).filter(|pair| pair.simulator == run.0);
        let first = pairs.filter_map(|pair| pair.first_difference.as_ref()).map(|d| from_ms(d.time_ms)).min();
        variables.extend(membrane::variables(&recordings.runs[0].1, run, first)?);
    }
    variables.sort_by(|a, b| (&a.variable, &a.population).cmp(&(&b.variable, &b.population)));
    let spikes_equal = populations.iter().flat_map(|p| &p.pairs).all(|pair| pair.equal);
    Ok(Crosscheck {
        equal: spikes_equal && variables.iter().all(|v| v.equal),
        file: manifest.file,
        reference: recordings.reference().to_string(),
        tolerance_ms: tolerance.ms(),
        moved: manifest.moved,
        participants: manifest.participants,
        populations,
        variables,
    })
}

/// The time that [`Time::ms`] made a number of.
fn from_ms(ms: f64) -> Time {
    Time::from_ns((ms * 1e6).round() as i64)
}
