//! Merges the journals of all ranks into one train of spikes for each population, by time, then neuron.
//!
//! ```text
//!   rank 0   ████████│              always read on: the journal that is furthest behind
//!   rank 1   ██████████████│
//!   rank 2   ███████████│
//!                    ▲ frontier: up to here all ranks are known, so the spikes can be sorted and handed on
//! ```
//!
//! Only what lies between the frontier and the foremost journal is held in memory.

use std::collections::HashMap;
use std::path::PathBuf;

use couple_ports::time::Time;

use crate::error::Result;
use crate::journals::Journal;
use crate::{Population, Spike};

/// Spikes gathered before they are sorted and handed on, unless the ranks are further apart than that.
const BATCH: usize = 1 << 20;

/// Reads the journals up to the given times and hands the spikes of each population (its position) to `sink`, sorted.
pub fn merge(
    journals: &[(PathBuf, Time)],
    populations: &[Population],
    sink: &mut dyn FnMut(usize, &[Spike]) -> Result<()>,
) -> Result<()> {
    let positions: HashMap<&str, usize> = populations.iter().enumerate().map(|(i, p)| (p.name.as_str(), i)).collect();
    let mut lanes = Vec::with_capacity(journals.len());
    for (path, end) in journals {
        let journal = Journal::open(path, *end)?;
        let targets = journal.links().iter().map(|link| positions.get(link.population.as_str()).copied());
        lanes.push(Lane { targets: targets.collect(), journal });
    }
    let mut pending: Vec<Vec<Spike>> = vec![Vec::new(); populations.len()];
    let (mut gathered, mut batch) = (0, BATCH);
    while let Some(behind) = (0..lanes.len()).min_by_key(|&i| lanes[i].journal.watermark()) {
        if !lanes[behind].journal.next_window()? {
            // At its end: from now on it holds nobody back.
            lanes.swap_remove(behind);
            continue;
        }
        gathered += lanes[behind].take(&mut pending);
        if gathered >= batch {
            let frontier = lanes.iter().map(|lane| lane.journal.watermark()).min().unwrap_or(Time::MAX);
            gathered = hand_on(&mut pending, frontier, sink)?;
            // Ranks far apart keep much pending; sorting it again and again would be quadratic.
            batch = BATCH.max(gathered * 2);
        }
    }
    hand_on(&mut pending, Time::MAX, sink)?;
    Ok(())
}

/// A journal and where the spikes of its links go.
struct Lane {
    journal: Journal,
    targets: Vec<Option<usize>>,
}

impl Lane {
    /// Moves the spikes of the current window to their populations; their number.
    fn take(&mut self, pending: &mut [Vec<Spike>]) -> usize {
        for spike in self.journal.window() {
            if let Some(target) = self.targets[spike.link as usize] {
                pending[target].push(Spike { time: spike.time, index: u64::from(spike.index) });
            }
        }
        self.journal.window().len()
    }
}

/// Sorts what is pending, hands on what is not later than `frontier`, and returns how much stays.
fn hand_on(
    pending: &mut [Vec<Spike>],
    frontier: Time,
    sink: &mut dyn FnMut(usize, &[Spike]) -> Result<()>,
) -> Result<usize> {
    let mut left = 0;
    for (position, spikes) in pending.iter_mut().enumerate() {
        spikes.sort_unstable();
        let known = spikes.partition_point(|spike| spike.time <= frontier);
        sink(position, &spikes[..known])?;
        spikes.drain(..known);
        left += spikes.len();
    }
    Ok(left)
}
