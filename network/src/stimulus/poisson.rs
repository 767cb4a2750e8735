//! Poisson counts for many neurons at once.

use std::ops::Range;

use couple_ports::time::Time;

use crate::random::{Key, WORDS, fill_words};

/// Words made at once: a multiple of [`WORDS`].
const CHUNK: usize = 8 * WORDS;
/// From this length of the table on it is searched by halves.
const LONG: usize = 12;

pub(super) struct Poisson {
    key: Key,
    /// Spikes fall in `(active.start, active.end]`.
    active: Range<Time>,
    /// `table[k]` = 2³² P(count <= k), as far as that is below 2³²: a word is a count of the entries it is not below.
    table: Vec<u32>,
}

impl Poisson {
    pub(super) fn new(seed: u64, population: &str, mean: f64, active: Range<Time>) -> Self {
        Poisson { key: Key::new(seed, &["stimulus", population]), active, table: table(mean) }
    }

    /// Calls `each` with (index, count) for the neurons of `range` that spike in step `k`, which ends at `time`.
    pub(super) fn step(&self, k: i64, time: Time, range: Range<u32>, mut each: impl FnMut(u32, u32)) {
        let Some(&first) = self.table.first() else { return };
        if time <= self.active.start || time > self.active.end || range.is_empty() {
            return;
        }
        // Four neighbours share a block: the words of a chunk begin at a multiple of four.
        let mut words = [0; CHUNK];
        let mut hits = [(0, 0); CHUNK];
        let mut chunk = range.start / 4 * 4;
        loop {
            let left = (range.end - chunk) as usize;
            let groups = left.div_ceil(WORDS).min(CHUNK / WORDS);
            let counter = [k as u64, k as u64 >> 32, u64::from(chunk / 4), 0];
            fill_words(self.key, counter, 2, &mut words[..groups * WORDS]);
            let (from, to) = (range.start.saturating_sub(chunk) as usize, left.min(CHUNK));
            // Without a branch: which neurons spike is not predictable.
            let mut n = 0;
            for (i, &word) in words[from..to].iter().enumerate() {
                hits[n] = (i as u32, word);
                n += usize::from(word >= first);
            }
            for &(i, word) in &hits[..n] {
                each(chunk + from as u32 + i, self.count(word));
            }
            if left <= CHUNK {
                return;
            }
            chunk += CHUNK as u32;
        }
    }

    /// How many spikes a word stands for, at least one.
    #[inline]
    fn count(&self, word: u32) -> u32 {
        if self.table.len() >= LONG {
            return self.table.partition_point(|t| *t <= word) as u32;
        }
        let more = self.table[1..].iter().position(|t| word < *t);
        more.map_or(self.table.len(), |more| more + 1) as u32
    }
}

fn table(mean: f64) -> Vec<u32> {
    let mut table = Vec::new();
    if mean <= 0.0 {
        return table;
    }
    let scale = (1_u64 << 32) as f64;
    let (mut below, ln_mean) = (0.0, libm::log(mean));
    for k in 0_u32.. {
        let k = f64::from(k);
        below += libm::exp(k * ln_mean - mean - libm::lgamma(k + 1.0));
        let threshold = (below * scale).round();
        // Past the mean, an addition that changes nothing means that nothing is left.
        let done = k > mean && libm::exp((k + 1.0) * ln_mean - mean - libm::lgamma(k + 2.0)) * scale < 0.01;
        if threshold >= scale || done {
            break;
        }
        table.push(threshold as u32);
    }
    table
}
