//! The spikes of spike sources, as pure functions of the description: any rank makes what it needs.
//!
//! `SpikeSourcePoisson`: the number of spikes of a neuron in a step is Poisson with mean `rate × step`. It comes from one
//! 32-bit random word by inversion of the distribution function in a table; the word is a function of (seed, population's
//! name, index, step). Probabilities are therefore multiples of 2⁻³², and the mean of a step lies
//! between [`LEAST_MEAN`] and [`MOST_MEAN`]; others are refused.
//! Spikes carry the stamp of their step's end.
//!
//! `SpikeSourcePoissonRefractory` and `SpikeSourceGamma`: renewal processes in equilibrium. Intervals are `tau_refrac` and
//! an exponential, such that the mean rate is `rate`; or gamma-distributed with shape `alpha` and rate `beta`, such
//! that the mean rate is `beta/alpha`. `SpikeSourceInhGamma`: gamma-distributed intervals whose shape `a` and scale `b`
//! change at the times `tbins`. A spike counts at the end of the step in which it falls.
//!
//! `SpikeSourceArray`: the times given.

mod inhomogeneous;
mod poisson;
mod renewal;

use std::ops::Range;

use couple_ports::time::{Span, Time};

use crate::description::{Model, Network, PopulationId};
use inhomogeneous::Stretches;
use poisson::Poisson;
use renewal::{Law, Renewal};

/// The largest mean number of spikes of a neuron in a step.
pub const MOST_MEAN: f64 = 1000.0;
/// The smallest one that is not zero: the resolution of a random word.
pub const LEAST_MEAN: f64 = 1.0 / (1_u64 << 32) as f64;

/// Why the spikes of a source cannot be made.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum StimulusError {
    /// The population is no spike source.
    #[error("`{0}` is no spike source")]
    NotAStimulus(String),
    /// Indices beyond the population.
    #[error("neurons up to {end} of `{population}` were asked for, but it has {size}")]
    OutOfRange {
        /// The population's name.
        population: String,
        /// End of the range.
        end: u32,
        /// Number of neurons.
        size: u32,
    },
    /// The rate is no rate.
    #[error("rate is {0} Hz, but must be a finite number, zero or more")]
    Rate(f64),
    /// Too many spikes in a step.
    #[error(
        "a rate of {rate} Hz is {mean} spikes in each step of {step}, more than the {MOST_MEAN} that are supported; \
         lower the rate, or divide it among more neurons"
    )]
    RateTooHigh {
        /// The rate in Hz.
        rate: f64,
        /// The component's step.
        step: Span,
        /// Spikes in a step.
        mean: f64,
    },
    /// So few spikes in a step that a random word cannot tell them from none.
    #[error(
        "a rate of {rate} Hz is less than one spike in 2^32 steps of {step}, the least there is; give 0 for no spikes"
    )]
    RateTooLow {
        /// The rate in Hz.
        rate: f64,
        /// The component's step.
        step: Span,
    },
    /// The dead time leaves no time for spikes at the rate.
    #[error(
        "with a rate of {rate} Hz the mean interval is {mean} ms, and tau_refrac ({tau_refrac} ms) must be shorter; lower one of them"
    )]
    Refractory {
        /// The rate in Hz.
        rate: f64,
        /// The dead time in ms.
        tau_refrac: f64,
        /// The mean interval in ms.
        mean: f64,
    },
    /// A parameter of a gamma process is out of range.
    #[error("{name} is {value}, but must be a finite number, {must_be}")]
    Gamma {
        /// The parameter's name.
        name: &'static str,
        /// Its value.
        value: f64,
        /// What it must be.
        must_be: &'static str,
    },
    /// Lists that belong together differ in length, or are empty.
    #[error("a, b and tbins have {0}, {1} and {2} values; give as many in each, one at least")]
    Bins(usize, usize, usize),
    /// Bins are not in order.
    #[error("tbins are not in ascending order: {time} comes after {before}; sort them")]
    BinsNotSorted {
        /// The time that is out of order.
        time: Span,
        /// The time before it.
        before: Span,
    },
    /// `start` or `duration` is negative.
    #[error("{name} is {span}, but must be zero or more")]
    Negative {
        /// The parameter's name.
        name: &'static str,
        /// Its value.
        span: Span,
    },
    /// As many lists as neurons, or one.
    #[error(
        "spike_times has {found} lists, but the population has {size} neurons; give one list for each, or a single one for all"
    )]
    ListCount {
        /// Lists given.
        found: usize,
        /// Number of neurons.
        size: u32,
    },
    /// A spike at or before the start of the run.
    #[error(
        "spike time {time} of neuron {neuron} does not lie after the start of the run; the first possible one is {step}"
    )]
    NotAfterStart {
        /// The time.
        time: Span,
        /// The list it is in.
        neuron: usize,
        /// The first grid point.
        step: Span,
    },
    /// A list is not sorted.
    #[error("spike times of neuron {neuron} are not in ascending order: {time} comes after {before}")]
    NotSorted {
        /// The list.
        neuron: usize,
        /// The time that is out of order.
        time: Span,
        /// The time before it.
        before: Span,
    },
    /// A spike between two steps.
    #[error(
        "spike time {time} of neuron {neuron} is no multiple of the step of `{component}`, {step}; the nearest one is {nearest}"
    )]
    OffGrid {
        /// The time.
        time: Span,
        /// The list it is in.
        neuron: usize,
        /// The component whose grid it should be on.
        component: String,
        /// Its step.
        step: Span,
        /// The nearest grid point.
        nearest: Span,
    },
    /// A target integrates in steps that the source's are no multiple of.
    #[error(
        "the spikes come in steps of {step}, which is no multiple of the step of the target `{component}`, {target_step}; \
         move the source to that component"
    )]
    StepsDiffer {
        /// The source's step.
        step: Span,
        /// The target's component.
        component: String,
        /// The target's step.
        target_step: Span,
    },
}

/// The spikes of a range of neurons of a spike source.
pub struct Stimulus {
    range: Range<u32>,
    step: Span,
    source: Source,
}

enum Source {
    Poisson(Poisson),
    /// `None` when the rate is zero.
    Renewal(Option<Renewal>),
    /// Sorted by (time, index), equal ones merged: (time, index, count).
    Array(Vec<(Time, u32, u32)>),
}

impl Stimulus {
    /// The spikes of the neurons `range` of `population`.
    pub fn new(network: &Network, population: PopulationId, range: Range<u32>) -> Result<Self, StimulusError> {
        let p = &network.populations[population];
        if range.end > p.size {
            return Err(StimulusError::OutOfRange { population: p.name.clone(), end: range.end, size: p.size });
        }
        let step = network.components[p.component].step;
        let source = match &p.model {
            Model::SpikeSourcePoisson { rate, start, duration } => {
                let mean = mean_of(*rate, step)?;
                Source::Poisson(Poisson::new(network.seed, &p.name, mean, active(*start, *duration)))
            }
            Model::SpikeSourcePoissonRefractory { start, duration, .. }
            | Model::SpikeSourceGamma { start, duration, .. }
            | Model::SpikeSourceInhGamma { start, duration, .. } => {
                let law = law(&p.model, step)?;
                let active = active(*start, *duration);
                let range = range.clone();
                Source::Renewal(law.map(|law| Renewal::new(network.seed, &p.name, law, active, range)))
            }
            Model::SpikeSourceArray { spike_times } => {
                validate_lists(spike_times, p.size)?;
                Source::Array(merged(spike_times, &range))
            }
            _ => return Err(StimulusError::NotAStimulus(p.name.clone())),
        };
        Ok(Stimulus { range, step, source })
    }

    /// The neurons whose spikes these are.
    pub fn range(&self) -> Range<u32> {
        self.range.clone()
    }

    /// Calls `each` with (index, count) for every neuron that spikes in step `k`, the interval `((k-1)·step, k·step]`, in
    /// ascending order of indices. For the first step `k` is 1. Steps can be asked for in any order.
    #[inline]
    pub fn step(&self, k: i64, mut each: impl FnMut(u32, u32)) {
        match &self.source {
            Source::Poisson(poisson) => poisson.step(k, Time::ZERO + self.step * k, self.range.clone(), each),
            Source::Renewal(None) => {}
            Source::Renewal(Some(renewal)) => renewal.step(k, self.step, each),
            Source::Array(spikes) => {
                let end = Time::ZERO + self.step * k;
                between(spikes, end - self.step, end).iter().for_each(|(_, index, count)| each(*index, *count));
            }
        }
    }

    /// Calls `each` with (index, time, count) for every spike in `(from, to]`, by time, then by index.
    pub fn between(&self, from: Time, to: Time, mut each: impl FnMut(u32, Time, u32)) {
        match &self.source {
            Source::Poisson(_) | Source::Renewal(_) => {
                let steps = |t: Time| (t - Time::ZERO).steps(self.step);
                for k in steps(from).max(0) + 1..=steps(to) {
                    let time = Time::ZERO + self.step * k;
                    self.step(k, |index, count| each(index, time, count));
                }
            }
            Source::Array(spikes) => {
                between(spikes, from, to).iter().for_each(|(time, index, count)| each(*index, *time, *count));
            }
        }
    }
}

/// When a source spikes that begins at `start` and goes on for `duration`: after the first, up to the second.
fn active(start: Span, duration: Span) -> Range<Time> {
    Time::ZERO + start..Time::ZERO.saturating_add(start).saturating_add(duration)
}

/// The intervals of a renewal process; `None` when they never end.
fn law(model: &Model, step: Span) -> Result<Option<Law>, StimulusError> {
    match *model {
        Model::SpikeSourceInhGamma { ref a, ref b, ref tbins, start, .. } => {
            Ok(Some(Law::Inhomogeneous(stretches(a, b, tbins, start, step)?)))
        }
        Model::SpikeSourcePoissonRefractory { rate, tau_refrac, .. } => {
            mean_of(rate, step)?;
            if rate == 0.0 {
                return Ok(None);
            }
            let (mean, dead) = (1e9 / rate, tau_refrac.ns() as f64);
            if tau_refrac < Span::ZERO {
                return Err(StimulusError::Negative { name: "tau_refrac", span: tau_refrac });
            }
            if dead >= mean {
                return Err(StimulusError::Refractory { rate, tau_refrac: tau_refrac.ms(), mean: mean / 1e6 });
            }
            Ok(Some(Law::Refractory { dead, mean_rest: mean - dead }))
        }
        Model::SpikeSourceGamma { alpha, beta, .. } => {
            if !(alpha.is_finite() && alpha > 0.0) {
                return Err(StimulusError::Gamma { name: "alpha", value: alpha, must_be: "above zero" });
            }
            if !(beta.is_finite() && beta >= 0.0) {
                return Err(StimulusError::Gamma { name: "beta", value: beta, must_be: "zero or more" });
            }
            mean_of(beta / alpha, step)?;
            Ok((beta > 0.0).then(|| Law::Gamma { shape: alpha, scale: 1e9 / beta }))
        }
        _ => Ok(None),
    }
}

/// Shapes `a` and scales `b` (s) from the times `tbins` on, of a process that begins at `start`.
fn stretches(a: &[f64], b: &[f64], tbins: &[Span], start: Span, step: Span) -> Result<Stretches, StimulusError> {
    if a.is_empty() || a.len() != b.len() || a.len() != tbins.len() {
        return Err(StimulusError::Bins(a.len(), b.len(), tbins.len()));
    }
    if let Some(pair) = tbins.windows(2).find(|pair| pair[0] >= pair[1]) {
        return Err(StimulusError::BinsNotSorted { time: pair[1], before: pair[0] });
    }
    for (name, values) in [("a", a), ("b", b)] {
        if let Some(value) = values.iter().find(|value| !(value.is_finite() && **value > 0.0)) {
            return Err(StimulusError::Gamma { name, value: *value, must_be: "above zero" });
        }
    }
    for (a, b) in a.iter().zip(b) {
        mean_of(1.0 / (a * b), step)?;
    }
    let edges: Vec<f64> = tbins.iter().map(|t| t.ns() as f64 - start.ns() as f64).collect();
    let scales: Vec<f64> = b.iter().map(|b| b * 1e9).collect();
    Ok(Stretches::new(&edges, a, &scales))
}

/// The part of sorted `spikes` in `(from, to]`.
fn between(spikes: &[(Time, u32, u32)], from: Time, to: Time) -> &[(Time, u32, u32)] {
    let first = spikes.partition_point(|s| s.0 <= from);
    let last = first + spikes[first..].partition_point(|s| s.0 <= to);
    &spikes[first..last]
}

/// Mean number of spikes in a step.
fn mean_of(rate: f64, step: Span) -> Result<f64, StimulusError> {
    if !(rate.is_finite() && rate >= 0.0) {
        return Err(StimulusError::Rate(rate));
    }
    let mean = rate * (step.ns() as f64 / 1e9);
    if mean > MOST_MEAN {
        Err(StimulusError::RateTooHigh { rate, step, mean })
    } else if rate > 0.0 && mean < LEAST_MEAN {
        Err(StimulusError::RateTooLow { rate, step })
    } else {
        Ok(mean)
    }
}

fn validate_lists(spike_times: &[Vec<Span>], size: u32) -> Result<(), StimulusError> {
    let found = spike_times.len();
    if found == 1 || found == size as usize { Ok(()) } else { Err(StimulusError::ListCount { found, size }) }
}

/// The lists of the neurons in `range`, merged by (time, index).
fn merged(spike_times: &[Vec<Span>], range: &Range<u32>) -> Vec<(Time, u32, u32)> {
    let list = |index: u32| if spike_times.len() == 1 { &spike_times[0] } else { &spike_times[index as usize] };
    let mut spikes: Vec<_> =
        range.clone().flat_map(|index| list(index).iter().map(move |t| (Time::ZERO + *t, index, 1))).collect();
    spikes.sort_unstable();
    spikes.dedup_by(|next, kept| {
        let same = (next.0, next.1) == (kept.0, kept.1);
        kept.2 += u32::from(same) * next.2;
        same
    });
    spikes
}

/// Whether the spikes of `population` can be made, and its targets can receive them on their grids.
pub fn validate(network: &Network, population: PopulationId) -> Result<(), StimulusError> {
    let p = &network.populations[population];
    let own = &network.components[p.component];
    let targets = network.projections.iter().filter(|q| q.from == population).map(|q| q.to);
    let ports = network.connections.iter().filter(|c| c.from == population).map(|c| c.to);
    let targets = targets.chain(ports).map(|to| &network.components[network.populations[to].component]);
    let stepwise = |start: Span, duration: Span| {
        for (name, span) in [("start", start), ("duration", duration)] {
            if span < Span::ZERO {
                return Err(StimulusError::Negative { name, span });
            }
        }
        let mut off = targets.clone().filter(|t| !own.step.is_multiple_of(t.step));
        off.next().map_or(Ok(()), |target| {
            let component = target.name.clone();
            Err(StimulusError::StepsDiffer { step: own.step, component, target_step: target.step })
        })
    };
    match &p.model {
        Model::SpikeSourcePoisson { rate, start, duration } => {
            mean_of(*rate, own.step).and_then(|_| stepwise(*start, *duration))
        }
        Model::SpikeSourcePoissonRefractory { start, duration, .. }
        | Model::SpikeSourceGamma { start, duration, .. }
        | Model::SpikeSourceInhGamma { start, duration, .. } => {
            law(&p.model, own.step).and_then(|_| stepwise(*start, *duration))
        }
        Model::SpikeSourceArray { spike_times } => {
            validate_lists(spike_times, p.size)?;
            let mut grids: Vec<_> = [own].into_iter().chain(targets).collect();
            grids.dedup_by_key(|c| c.step);
            for (neuron, times) in spike_times.iter().enumerate() {
                validate_times(neuron, times, own.step)?;
                for component in &grids {
                    validate_grid(neuron, times, component.step, &component.name)?;
                }
            }
            Ok(())
        }
        _ => Err(StimulusError::NotAStimulus(p.name.clone())),
    }
}

fn validate_times(neuron: usize, times: &[Span], step: Span) -> Result<(), StimulusError> {
    if let Some(pair) = times.windows(2).find(|pair| pair[0] > pair[1]) {
        return Err(StimulusError::NotSorted { neuron, time: pair[1], before: pair[0] });
    }
    match times.first() {
        Some(time) if *time <= Span::ZERO => Err(StimulusError::NotAfterStart { time: *time, neuron, step }),
        _ => Ok(()),
    }
}

fn validate_grid(neuron: usize, times: &[Span], step: Span, component: &str) -> Result<(), StimulusError> {
    let Some(&time) = times.iter().find(|t| !t.is_multiple_of(step)) else { return Ok(()) };
    let nearest = step * Span::from_ns(time.ns() + step.ns() / 2).steps(step).max(1);
    Err(StimulusError::OffGrid { time, neuron, component: component.to_string(), step, nearest })
}

#[cfg(test)]
mod tests;
