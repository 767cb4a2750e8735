//! Plastic synapses in an input table: what `docs/plasticity.md` says, with times in nanoseconds.
//!
//! A presynaptic spike of time t acts on the synapses of its projection when input up to t + D is taken, D being the
//! projection's shortest delay: postsynaptic spikes up to t - D, which are all that it can meet, must be known by then.
//! What depends on presynaptic spikes alone is kept once for each source neuron.

use std::collections::VecDeque;

use super::Columns;
use crate::Spike;

/// Which rule, with the parameters of `couple_network::description`; times in ms, weights in their own unit.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Plasticity {
    /// 0: Tsodyks-Markram; 1: STDP.
    pub kind: i32,
    /// What arrives is rounded to multiples of this: the grid of the receptor.
    pub unit: f64,
    /// Tsodyks-Markram: `U`, `tau_rec`, `tau_facil`.
    pub u: f64,
    pub tau_rec: f64,
    pub tau_facil: f64,
    /// STDP.
    pub tau_plus: f64,
    pub tau_minus: f64,
    pub a_plus: f64,
    pub a_minus: f64,
    pub w_min: f64,
    pub w_max: f64,
    pub mu_plus: f64,
    pub mu_minus: f64,
}

/// A synapse.
#[derive(Clone, Copy, Debug)]
struct Synapse {
    place: u32,
    /// The postsynaptic neuron's number in the histories.
    neuron: u32,
    delay_ns: i64,
    weight: f64,
}

/// What the synapses of a source neuron share.
#[derive(Clone, Copy, Debug)]
struct State {
    /// Time of the last spike; `None` before the first.
    last_ns: Option<i64>,
    u: f64,
    x: f64,
    k_plus: f64,
    /// Postsynaptic spikes that reached the synapses up to here have acted.
    done_ns: i64,
}

/// The plastic synapses of a projection.
#[derive(Debug)]
pub(super) struct Plastic {
    rule: Plasticity,
    first: Vec<usize>,
    synapses: Vec<Synapse>,
    states: Vec<State>,
    shortest_ns: i64,
    longest_ns: i64,
    history: usize,
    /// Presynaptic spikes that have not acted.
    waiting: Vec<Spike>,
}

/// A postsynaptic spike, and the trace right after it.
#[derive(Clone, Copy, Debug)]
struct Past {
    ns: i64,
    trace: f64,
}

/// The spikes of postsynaptic neurons with a trace of one time constant.
#[derive(Debug)]
pub(super) struct History {
    tau_minus: f64,
    neurons: Vec<VecDeque<Past>>,
    kept: usize,
    limit: usize,
}

fn ms(ns: i64) -> f64 {
    ns as f64 / 1e6
}

impl History {
    pub fn new(tau_minus: f64) -> Self {
        History { tau_minus, neurons: vec![], kept: 0, limit: 1 << 16 }
    }

    pub fn add(&mut self, spikes: &[Spike]) {
        for spike in spikes {
            let neuron = spike.index as usize;
            if neuron >= self.neurons.len() {
                self.neurons.resize(neuron + 1, VecDeque::new());
            }
            let past = &mut self.neurons[neuron];
            let decay = |p: &Past| p.trace * (ms(p.ns - spike.time_ns) / self.tau_minus).exp();
            let trace = past.back().map_or(0.0, decay) + 1.0;
            past.push_back(Past { ns: spike.time_ns, trace });
            self.kept += 1;
        }
    }

    #[cfg(test)]
    pub fn limit(&mut self, limit: usize) {
        self.limit = limit;
    }

    #[cfg(test)]
    pub fn kept(&self) -> usize {
        self.kept
    }

    /// The spikes of a neuron in `(after, until]`.
    fn between(&self, neuron: u32, after: i64, until: i64) -> impl Iterator<Item = &Past> {
        let past = self.neurons.get(neuron as usize);
        let newer = past.map_or(0, |past| past.iter().rev().take_while(|p| p.ns > after).count());
        let range = past.map(|past| past.range(past.len() - newer..));
        range.into_iter().flatten().take_while(move |p| p.ns <= until)
    }

    /// The trace of a neuron at a time, without a spike of just that time.
    fn trace(&self, neuron: u32, ns: i64) -> f64 {
        let past = self.neurons.get(neuron as usize).and_then(|past| past.iter().rev().find(|p| p.ns < ns));
        past.map_or(0.0, |p| p.trace * (ms(p.ns - ns) / self.tau_minus).exp())
    }

    /// Forgets spikes before `ns`, but for the last of each neuron: its trace is still needed.
    fn forget_before(&mut self, ns: i64) {
        for past in &mut self.neurons {
            while past.get(1).is_some_and(|next| next.ns < ns) {
                past.pop_front();
                self.kept -= 1;
            }
        }
    }
}

impl Plastic {
    /// The synapses of a projection from `width` neurons; `neurons` are the postsynaptic ones.
    pub fn new(
        width: u32,
        synapses: Columns<'_>,
        neurons: &[u32],
        rule: Plasticity,
        histories: &mut Vec<History>,
    ) -> Result<Plastic, String> {
        if rule.unit.is_nan() || rule.unit <= 0.0 || !matches!(rule.kind, 0 | 1) {
            return Err(format!("no plasticity of kind {} with a grid of {}", rule.kind, rule.unit));
        }
        let mut order: Vec<usize> = (0..synapses.pre.len()).collect();
        order.sort_by_key(|&i| (synapses.pre[i], synapses.delay_ns[i], synapses.place[i]));
        let mut first = vec![0; width as usize + 1];
        synapses.pre.iter().for_each(|&pre| first[pre as usize + 1] += 1);
        (0..width as usize).for_each(|i| first[i + 1] += first[i]);
        let (low, high) = (rule.w_min.min(rule.w_max), rule.w_min.max(rule.w_max));
        let synapse = |&i: &usize| Synapse {
            place: synapses.place[i],
            neuron: neurons[i],
            delay_ns: synapses.delay_ns[i],
            // On the way to the grid a weight may have got beyond the bounds by less than a unit.
            weight: if rule.kind == 1 { synapses.weight[i].clamp(low, high) } else { synapses.weight[i] },
        };
        let history = histories.iter().position(|h| h.tau_minus == rule.tau_minus).unwrap_or_else(|| {
            histories.push(History::new(rule.tau_minus));
            histories.len() - 1
        });
        let state = State { last_ns: None, u: rule.u, x: 1.0, k_plus: 0.0, done_ns: 0 };
        Ok(Plastic {
            rule,
            first,
            synapses: order.iter().map(synapse).collect(),
            states: vec![state; width as usize],
            shortest_ns: synapses.delay_ns.iter().copied().min().unwrap_or(1),
            longest_ns: synapses.delay_ns.iter().copied().max().unwrap_or(1),
            history,
            waiting: vec![],
        })
    }

    /// Keeps presynaptic spikes until they act; `taken_ns` is up to when input has been taken.
    pub fn receive(&mut self, spikes: &[Spike], taken_ns: i64) -> Result<(), String> {
        for spike in spikes {
            let index = spike.index as usize;
            let (Some(first), Some(end)) = (self.first.get(index), self.first.get(index + 1)) else {
                return Err(format!("a spike of neuron {index} of a source with {}", self.states.len()));
            };
            if first == end {
                continue;
            }
            if spike.time_ns + self.shortest_ns <= taken_ns {
                let at = spike.time_ns;
                return Err(format!(
                    "a spike of neuron {index} at {at} ns is late: input up to {taken_ns} ns is taken"
                ));
            }
            self.waiting.push(*spike);
        }
        Ok(())
    }

    /// Lets the presynaptic spikes act that arrive up to `until_ns`; `send` takes time of arrival, place and weight.
    pub fn act(&mut self, until_ns: i64, histories: &[History], mut send: impl FnMut(i64, u32, f64)) {
        // Sources matter one by one, so those of one time may be in any order.
        self.waiting.sort_unstable_by_key(|spike| (spike.time_ns, spike.index));
        let due = self.waiting.partition_point(|spike| spike.time_ns + self.shortest_ns <= until_ns);
        let spikes: Vec<Spike> = self.waiting.drain(..due).collect();
        for spike in spikes {
            (0..spike.count).for_each(|_| self.fire(spike.index as usize, spike.time_ns, histories, &mut send));
        }
    }

    fn fire(&mut self, source: usize, ns: i64, histories: &[History], send: &mut impl FnMut(i64, u32, f64)) {
        let (unit, row) = (self.rule.unit, self.first[source]..self.first[source + 1]);
        let released = if self.rule.kind == 0 { self.release(source, ns) } else { 1.0 };
        for at in row {
            if self.rule.kind == 1 {
                self.meet(source, at, ns, &histories[self.history]);
            }
            let Synapse { place, delay_ns, weight, .. } = self.synapses[at];
            send(ns + delay_ns, place, (released * weight / unit).round_ties_even() * unit);
        }
        let (state, tau_plus) = (&mut self.states[source], self.rule.tau_plus);
        if self.rule.kind == 1 {
            let decayed = state.last_ns.map_or(0.0, |last| state.k_plus * (ms(last - ns) / tau_plus).exp());
            state.k_plus = decayed + 1.0;
            state.done_ns = ns;
        }
        state.last_ns = Some(ns);
    }

    /// The part of the weight that a spike has.
    fn release(&mut self, source: usize, ns: i64) -> f64 {
        let Plasticity { u, tau_rec, tau_facil, .. } = self.rule;
        let state = &mut self.states[source];
        if let Some(last) = state.last_ns {
            let h = ms(ns - last);
            let u_decay = if tau_facil == 0.0 { 0.0 } else { (-h / tau_facil).exp() };
            state.x = 1.0 + (state.x - state.x * state.u - 1.0) * (-h / tau_rec).exp();
            state.u = u + state.u * (1.0 - u) * u_decay;
        }
        state.x * state.u
    }

    /// A presynaptic spike finds the weight of a synapse.
    fn meet(&mut self, source: usize, at: usize, ns: i64, history: &History) {
        self.potentiate(source, at, ns, history);
        let Synapse { neuron, delay_ns, weight, .. } = self.synapses[at];
        let part = self.part(weight);
        let part = part - self.rule.a_minus * part.powf(self.rule.mu_minus) * history.trace(neuron, ns - delay_ns);
        self.synapses[at].weight = self.weight(part.max(0.0));
    }

    /// The postsynaptic spikes act that have reached a synapse up to `until`.
    fn potentiate(&mut self, source: usize, at: usize, until: i64, history: &History) {
        let State { last_ns, k_plus, done_ns, .. } = self.states[source];
        let Synapse { neuron, delay_ns, mut weight, .. } = self.synapses[at];
        for past in history.between(neuron, done_ns - delay_ns, until - delay_ns) {
            let apart = last_ns.map_or(f64::NEG_INFINITY, |last| ms(last - past.ns - delay_ns));
            let part = self.part(weight);
            let more = self.rule.a_plus * (1.0 - part).powf(self.rule.mu_plus);
            weight = self.weight((part + more * k_plus * (apart / self.rule.tau_plus).exp()).min(1.0));
        }
        self.synapses[at].weight = weight;
    }

    fn part(&self, weight: f64) -> f64 {
        (weight - self.rule.w_min) / (self.rule.w_max - self.rule.w_min)
    }

    fn weight(&self, part: f64) -> f64 {
        part * (self.rule.w_max - self.rule.w_min) + self.rule.w_min
    }

    /// Lets postsynaptic spikes act that no presynaptic one has met yet. All input up to `taken_ns` has been taken.
    fn catch_up(&mut self, taken_ns: i64, history: &History) {
        let until = taken_ns - self.shortest_ns;
        for source in 0..self.states.len() {
            for at in self.first[source]..self.first[source + 1] {
                self.potentiate(source, at, until, history);
            }
            let state = &mut self.states[source];
            state.done_ns = state.done_ns.max(until);
        }
    }
}

/// Forgets the postsynaptic spikes that no synapse needs any more, when many have gathered.
pub(super) fn forget(plastics: &mut [Plastic], histories: &mut [History], taken_ns: i64) {
    for (id, history) in histories.iter_mut().enumerate().filter(|(_, h)| h.kept > h.limit) {
        let mut needed = taken_ns;
        let mut synapses = 0;
        for plastic in plastics.iter_mut().filter(|p| p.history == id && p.rule.kind == 1) {
            plastic.catch_up(taken_ns, history);
            needed = needed.min(taken_ns - plastic.shortest_ns - plastic.longest_ns);
            synapses += plastic.synapses.len();
        }
        history.forget_before(needed);
        // Few searches for each spike, and not more memory than the synapses take.
        history.limit = (2 * history.kept).max(synapses / 2).max(1 << 16);
    }
}
