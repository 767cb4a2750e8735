//! Input tables: the synaptic input of a component, summed for each place and time of arrival.
//!
//! For components whose simulator should not (or cannot) keep the synapses itself. A *place* is where input adds up, for
//! example a receptor of a neuron; places are numbers of the component's own choice. Synapses are given source by source,
//! then spikes as they become known, from links, stimuli and the component's own neurons alike; what arrives is taken in
//! the order of time. Weights lie on a grid for each receptor (`couple_network::weights`), so that the sums are exact:
//! the order in which spikes were given cannot be told from them.

mod c;
mod plastic;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::Spike;
use plastic::{History, Plastic, Plasticity};

/// Synapses of one source neuron that have the same delay.
#[derive(Clone, Copy, Debug)]
struct Run {
    delay_ns: i64,
    /// Position of its synapses among those of the source.
    first: usize,
    end: usize,
}

/// A source of spikes.
#[derive(Debug)]
enum Kind {
    Static(Source),
    /// Position among the plastic ones.
    Plastic(usize),
}

/// All static synapses of one source, a population or whatever else has numbered neurons.
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
    sources: Vec<Kind>,
    plastics: Vec<Plastic>,
    histories: Vec<History>,
    /// By time of arrival: along static synapses, and what plastic ones have sent.
    pending: BTreeMap<i64, Vec<Volley>>,
    sent: BTreeMap<i64, Vec<(u32, f64)>>,
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
            plastics: vec![],
            histories: vec![],
            pending: BTreeMap::new(),
            sent: BTreeMap::new(),
            taken_ns: 0,
            sums: vec![0.0; places as usize],
            touched: vec![false; places as usize],
            arrivals: Arrivals::default(),
        })
    }

    /// Adds the plastic synapses of a projection from `width` neurons; returns the number of a source of its own.
    /// `neurons` are the numbers of the postsynaptic ones in [`Self::add_posts`].
    pub(crate) fn add_plastic(
        &mut self,
        width: u32,
        synapses: Columns<'_>,
        neurons: &[u32],
        rule: Plasticity,
    ) -> Result<u32, String> {
        self.check(width, synapses)?;
        self.plastics.push(Plastic::new(width, synapses, neurons, rule, &mut self.histories)?);
        self.sources.push(Kind::Plastic(self.plastics.len() - 1));
        Ok(self.sources.len() as u32 - 1)
    }

    /// Spikes of postsynaptic neurons. All up to a time must be known when input is taken up to that time and the shortest
    /// delay of the plastic synapses.
    pub(crate) fn add_posts(&mut self, spikes: &[Spike]) {
        self.histories.iter_mut().for_each(|history| history.add(spikes));
    }

    fn check(&self, width: u32, synapses: Columns<'_>) -> Result<(), String> {
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
        Ok(())
    }

    /// Adds the synapses of a source of `width` neurons; returns its number.
    pub(crate) fn add_source(&mut self, width: u32, synapses: Columns<'_>) -> Result<u32, String> {
        self.check(width, synapses)?;
        let Columns { pre, place, weight, delay_ns } = synapses;
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
        self.sources.push(Kind::Static(source));
        Ok(self.sources.len() as u32 - 1)
    }

    /// Spikes of a source; each must arrive after what has been taken.
    pub(crate) fn add_spikes(&mut self, source: u32, spikes: &[Spike]) -> Result<(), String> {
        let sources = self.sources.len();
        let rows = match self.sources.get(source as usize) {
            Some(Kind::Static(rows)) => rows,
            Some(Kind::Plastic(at)) => return self.plastics[*at].receive(spikes, self.taken_ns),
            None => return Err(format!("source {source} of {sources}")),
        };
        // Spikes come in order of time, so that what arrives together mostly follows on itself.
        let (mut together, mut when): (Vec<Volley>, i64) = (Vec::new(), 0);
        for spike in spikes {
            let index = spike.index as usize;
            let (Some(&first), Some(&end)) = (rows.first.get(index), rows.first.get(index + 1)) else {
                return Err(format!("a spike of neuron {index} of a source with {}", rows.first.len() - 1));
            };
            for run in &rows.runs[first..end] {
                let arrival = on_grid(spike.time_ns + run.delay_ns, self.grid_ns);
                if arrival <= self.taken_ns {
                    return Err(format!(
                        "a spike of neuron {index} at {} ns arrives at {arrival} ns, but input up to {} ns has been \
                         taken already",
                        spike.time_ns, self.taken_ns
                    ));
                }
                let volley = Volley { source, count: spike.count, first: run.first, end: run.end };
                if arrival != when && !together.is_empty() {
                    self.pending.entry(when).or_default().append(&mut together);
                }
                when = arrival;
                together.push(volley);
            }
        }
        if !together.is_empty() {
            self.pending.entry(when).or_default().append(&mut together);
        }
        Ok(())
    }

    /// What arrives up to `until_ns` (included) and has not been taken.
    pub(crate) fn take(&mut self, until_ns: i64) -> &Arrivals {
        self.act(until_ns);
        let mut arrivals = std::mem::take(&mut self.arrivals);
        arrivals.time_ns.clear();
        arrivals.place.clear();
        arrivals.sum.clear();
        arrivals.first.clear();
        arrivals.first.push(0);
        loop {
            let next = [self.pending.first_key_value().map(|e| *e.0), self.sent.first_key_value().map(|e| *e.0)];
            let Some(time) = next.into_iter().flatten().min().filter(|time| *time <= until_ns) else { break };
            let volleys = self.pending.remove(&time).unwrap_or_default();
            let sent = self.sent.remove(&time).unwrap_or_default();
            self.add_up(&volleys, &sent, &mut arrivals);
            arrivals.time_ns.push(time);
            arrivals.first.push(arrivals.place.len());
        }
        self.taken_ns = self.taken_ns.max(until_ns);
        plastic::forget(&mut self.plastics, &mut self.histories, self.taken_ns);
        self.arrivals = arrivals;
        &self.arrivals
    }

    /// Lets plastic synapses send what arrives up to `until_ns`, and more.
    fn act(&mut self, until_ns: i64) {
        let (grid, sent) = (self.grid_ns, &mut self.sent);
        for plastic in &mut self.plastics {
            plastic.act(until_ns, &self.histories, |arrival, place, weight| {
                sent.entry(on_grid(arrival, grid)).or_default().push((place, weight));
            });
        }
    }

    fn add_up(&mut self, volleys: &[Volley], sent: &[(u32, f64)], arrivals: &mut Arrivals) {
        let begin = arrivals.place.len();
        for &(place, weight) in sent {
            let p = place as usize;
            if !self.touched[p] {
                self.touched[p] = true;
                arrivals.place.push(place);
            }
            self.sums[p] += weight;
        }
        for volley in volleys {
            let Kind::Static(source) = &self.sources[volley.source as usize] else { continue };
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

/// The multiple of `grid_ns` at `ns` or next after it.
fn on_grid(ns: i64, grid_ns: i64) -> i64 {
    -(-ns).div_euclid(grid_ns) * grid_ns
}
