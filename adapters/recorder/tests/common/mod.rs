//! Synthetic runs.

#![allow(dead_code, reason = "each test program uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a failure here is a failure of the test")]

use std::path::{Path, PathBuf};

use couple_ports::event::Event;
use couple_ports::time::{Span, Time};
use couple_ports::transport::journal::{JournalLink, JournalSignal, Writer};
use couple_recorder::Spike;

/// The folder of a run with journals, removed when it goes out of scope.
pub struct Run(tempfile::TempDir);

impl Run {
    pub fn new() -> Run {
        let run = Run(tempfile::tempdir().unwrap());
        std::fs::create_dir(run.path().join("journal")).unwrap();
        run
    }
    pub fn path(&self) -> &Path {
        self.0.path()
    }
    /// The journal of `component.rank`.
    pub fn file(&self, rank: &str) -> PathBuf {
        self.path().join("journal").join(format!("{rank}.journal"))
    }
    /// Makes the journal of `component.rank`, for links (id, population, width).
    pub fn journal(&self, rank: &str, links: &[(u32, &str, u32)]) -> Writer {
        let link = |&(link, name, width): &(u32, &str, u32)| JournalLink { link, population: name.to_string(), width };
        Writer::create(&self.file(rank), links.iter().map(link).collect()).unwrap()
    }
    /// Makes the journal of `component.rank`, with `links` as above and the signals.
    pub fn journal_with(&self, rank: &str, links: &[(u32, &str, u32)], signals: Vec<JournalSignal>) -> Writer {
        let link = |&(link, name, width): &(u32, &str, u32)| JournalLink { link, population: name.to_string(), width };
        Writer::create_with(&self.file(rank), links.iter().map(link).collect(), signals).unwrap()
    }
    /// A second run with the same files.
    pub fn copy(&self) -> Run {
        let copy = Run::new();
        for entry in std::fs::read_dir(self.path().join("journal")).unwrap() {
            let from = entry.unwrap().path();
            std::fs::copy(&from, copy.path().join("journal").join(from.file_name().unwrap())).unwrap();
        }
        copy
    }
}

/// Columns `first..first + count` of `population.variable` in a journal, every `us` microseconds.
pub fn signal(link: u32, name: (&str, &str, &str), width: u32, (first, count): (u32, u32), us: i64) -> JournalSignal {
    let (population, variable, unit) = (name.0.to_string(), name.1.to_string(), name.2.to_string());
    let every = Span::from_ns(us * 1000);
    JournalSignal { link, population, variable, unit, width, first, count, every, initial: vec![-65.0] }
}

pub fn ms(ms: i64) -> Time {
    Time::from_ns(ms * 1_000_000)
}

/// Events of (neuron, nanoseconds since the window began).
pub fn events(events: &[(u32, u32)]) -> Vec<Event> {
    events.iter().map(|&(index, offset)| Event { index, offset }).collect()
}

/// The spikes that the events of a window are.
pub fn spikes(events: &[Event], start: Time) -> Vec<Spike> {
    events.iter().map(|event| Spike { time: event.time(start), index: u64::from(event.index) }).collect()
}

/// A few events, none in some windows, unsorted.
pub fn random(seed: u64, window: i64, first: u32, width: u32, length: u32) -> Vec<Event> {
    let count = mix(seed ^ 0xabcd, window as u64) % 7;
    drawn(seed, window, first, width, length, count as usize)
}

/// `count` events of neurons `first..first + width` within a window of `length` ns, unsorted, always the same.
pub fn drawn(seed: u64, window: i64, first: u32, width: u32, length: u32, count: usize) -> Vec<Event> {
    let draw = |i: usize| {
        let bits = mix(seed.wrapping_mul(1_000_003) ^ window as u64, i as u64);
        Event { index: first + (bits as u32) % width, offset: 1 + ((bits >> 32) as u32) % length }
    };
    (0..count).map(draw).collect()
}

/// SplitMix64's finaliser over two words.
fn mix(a: u64, b: u64) -> u64 {
    let mut z = a.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(b.wrapping_mul(0xD1B5_4A32_D192_ED03));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
