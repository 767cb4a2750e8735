//! Input tables: the synaptic input of a component, summed for each place and time of arrival.
//!
//! For components whose simulator should not (or cannot) keep the synapses itself. A *place* is where input adds up, for
//! example a receptor of a neuron; places are numbers of the component's own choice. Synapses are given source by source,
//! then spikes as they become known, from links, stimuli and the component's own neurons alike; what arrives is taken in
//! the order of time. Weights lie on a grid for each receptor (`couple_network::weights`), so that the sums are exact:
//! the order in which spikes were given cannot be told from them.

mod c;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::Spike;

/// Synapses of one source neuron that have the same delay.
#[derive(Clone, Copy, Debug)]
struct Run {
    delay_ns: i64,
    /// Position of its synapses among those of the source.
    first: usize,
    end: usize,
}

/// All synapses of one source, a population or whatever else has numbered neurons.
#[derive(Debug)]
struct Source {
    /// The runs of neuron `i` are `runs[first[i]..first[i + 1]]`.
    first: Vec<usize>,
    runs: Vec<Run>,
    place: Vec<u32>,
    weight: Vec<f64>,
}

/// Synapses as columns, in any order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Columns<'a> {
    /// Source neurons.
    pub pre: &'a [u32],
    /// Places.
    pub place: &'a [u32],
    /// Weights.
    pub weight: &'a [f64],
    /// Delays.
    pub delay_ns: &'a [i64],
}

/// A spike of a neuron that is on its way along the synapses of a run.
#[derive(Clone, Copy, Debug)]
struct Volley {
    source: u32,
    count: u32,
    first: usize,
    end: usize,
}

/// What arrives in an interval: at `time_ns[i]`, `sum[j]` at `place[j]` for `j` in `first[i]..first[i + 1]`.
#[derive(Clone, Default, PartialEq, Debug)]
pub(crate) struct Arrivals {
    pub time_ns: Vec<i64>,
    pub first: Vec<usize>,
    /// Ascending within each time.
    pub place: Vec<u32>,
    pub sum: Vec<f64>,
}

/// See the [module](self).
#[derive(Debug)]
pub struct Table {
    grid_ns: i64,
    sources: Vec<Source>,
    /// By time of arrival.
    pending: BTreeMap<i64, Vec<Volley>>,
    /// Up to when it has been taken.
    taken_ns: i64,
    /// Sum of each place, and whether it has one; empty between two times.
    sums: Vec<f64>,
    touched: Vec<bool>,
    arrivals: Arrivals,
}

impl Table {
    /// A table of `places`. Arrivals between two multiples of `grid_ns` count as of the later one.
    pub(crate) fn new(places: u32, grid_ns: i64) -> Result<Table, String> {
        if grid_ns < 1 {
            return Err(format!("a grid of {grid_ns} ns is none; 1 leaves all times as they are"));
        }
        Ok(Table {
            grid_ns,
            sources: vec![],
            pending: BTreeMap::new(),
            taken_ns: 0,
            sums: vec![0.0; places as usize],
            touched: vec![false; places as usize],
            arrivals: Arrivals::default(),
        })
    }

    /// Adds the synapses of a source of `width` neurons; returns its number.
    pub(crate) fn add_source(&mut self, width: u32, synapses: Columns<'_>) -> Result<u32, String> {
        let Columns { pre, place, weight, delay_ns } = synapses;
        let places = self.sums.len();
        for i in 0..pre.len() {
            if pre[i] >= width || place[i] as usize >= places {
                let (pre, place) = (pre[i], place[i]);
                return Err(format!(
                    "a synapse from neuron {pre} to place {place}: there are {width} neurons and {places} places"
                ));
            }
            if delay_ns[i] < 1 {
                return Err(format!("a synapse with the delay {} ns, which is not after its spike", delay_ns[i]));
            }
            if !weight[i].is_finite() {
                return Err(format!("a synapse with the weight {}", weight[i]));
            }
        }
        let mut order: Vec<usize> = (0..pre.len()).collect();
        order.sort_unstable_by_key(|&i| (pre[i], delay_ns[i], place[i]));
        let mut source = Source {
            first: vec![0; width as usize + 1],
            runs: vec![],
            place: order.iter().map(|&i| place[i]).collect(),
            weight: order.iter().map(|&i| weight[i]).collect(),
        };
        for (position, &i) in order.iter().enumerate() {
            let same = position.checked_sub(1).map(|p| order[p]);
            match source.runs.last_mut() {
                Some(run) if same.is_some_and(|s| (pre[s], delay_ns[s]) == (pre[i], delay_ns[i])) => {
                    run.end = position + 1;
                }
                _ => {
                    source.runs.push(Run { delay_ns: delay_ns[i], first: position, end: position + 1 });
                    source.first[pre[i] as usize + 1] += 1;
                }
            }
        }
        for i in 0..width as usize {
            source.first[i + 1] += source.first[i];
        }
        self.sources.push(source);
        Ok(self.sources.len() as u32 - 1)
    }

    /// Spikes of a source; each must arrive after what has been taken.
    pub(crate) fn add_spikes(&mut self, source: u32, spikes: &[Spike]) -> Result<(), String> {
        let sources = self.sources.len();
        let rows = self.sources.get(source as usize).ok_or_else(|| format!("source {source} of {sources}"))?;
        for spike in spikes {
            let index = spike.index as usize;
            let (Some(&first), Some(&end)) = (rows.first.get(index), rows.first.get(index + 1)) else {
                return Err(format!("a spike of neuron {index} of a source with {}", rows.first.len() - 1));
            };
            for run in &rows.runs[first..end] {
                let arrival = self.on_grid(spike.time_ns + run.delay_ns);
                if arrival <= self.taken_ns {
                    return Err(format!(
                        "a spike of neuron {index} at {} ns arrives at {arrival} ns, but input up to {} ns has been \
                         taken already",
                        spike.time_ns, self.taken_ns
                    ));
                }
                let volley = Volley { source, count: spike.count, first: run.first, end: run.end };
                self.pending.entry(arrival).or_default().push(volley);
            }
        }
        Ok(())
    }

    fn on_grid(&self, ns: i64) -> i64 {
        // Rounds up, also below zero.
        -(-ns).div_euclid(self.grid_ns) * self.grid_ns
    }

    /// What arrives up to `until_ns` (included) and has not been taken.
    pub(crate) fn take(&mut self, until_ns: i64) -> &Arrivals {
        let mut arrivals = std::mem::take(&mut self.arrivals);
        arrivals.time_ns.clear();
        arrivals.place.clear();
        arrivals.sum.clear();
        arrivals.first.clear();
        arrivals.first.push(0);
        while let Some(entry) = self.pending.first_entry().filter(|entry| *entry.key() <= until_ns) {
            let (time, volleys) = entry.remove_entry();
            self.add_up(&volleys, &mut arrivals);
            arrivals.time_ns.push(time);
            arrivals.first.push(arrivals.place.len());
        }
        self.taken_ns = self.taken_ns.max(until_ns);
        self.arrivals = arrivals;
        &self.arrivals
    }

    fn add_up(&mut self, volleys: &[Volley], arrivals: &mut Arrivals) {
        let begin = arrivals.place.len();
        for volley in volleys {
            let source = &self.sources[volley.source as usize];
            let (places, weights) = (&source.place[volley.first..volley.end], &source.weight[volley.first..volley.end]);
            for (&place, &weight) in places.iter().zip(weights) {
                let p = place as usize;
                if !self.touched[p] {
                    self.touched[p] = true;
                    arrivals.place.push(place);
                }
                self.sums[p] += weight * f64::from(volley.count);
            }
        }
        // Many are found faster by looking at all places in turn than by sorting.
        if (arrivals.place.len() - begin) * 8 > self.sums.len() {
            arrivals.place.truncate(begin);
            arrivals.place.extend((0..self.sums.len() as u32).filter(|&p| self.touched[p as usize]));
        } else {
            arrivals.place[begin..].sort_unstable();
        }
        for &place in &arrivals.place[begin..] {
            let p = place as usize;
            arrivals.sum.push(std::mem::take(&mut self.sums[p]));
            self.touched[p] = false;
        }
    }
}
