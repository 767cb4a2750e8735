//! Figures of a recording: how many neurons, how many spikes, how fast, how regular.

use std::collections::HashMap;

use couple_ports::time::Time;
use serde::Serialize;

use crate::columns::{self, known};
use crate::error::Result;
use crate::spikes::Spikes;
use crate::{Signals, Spike, compare, plural};

/// Figures of a whole recording.
#[derive(Debug, PartialEq, Serialize)]
pub struct Summary {
    /// Up to which time (ms) no spike is missing.
    pub complete_ms: Option<f64>,
    /// All spikes.
    pub spikes: u64,
    /// One for each population.
    pub populations: Vec<Statistics>,
    /// One for each analog variable.
    pub signals: Vec<SignalStatistics>,
}

/// Figures of an analog variable.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SignalStatistics {
    /// Its population.
    pub population: String,
    /// The variable.
    pub variable: String,
    /// Unit of the samples.
    pub unit: String,
    /// Number of neurons recorded.
    pub neurons: u64,
    /// From one sample of a neuron to the next, in ms.
    pub interval_ms: f64,
    /// Samples of each neuron.
    pub samples: u64,
    /// The least value.
    pub min: Option<f64>,
    /// The mean over neurons and time.
    pub mean: Option<f64>,
    /// The greatest value.
    pub max: Option<f64>,
}

/// Figures of a population.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Statistics {
    /// Its name.
    pub population: String,
    /// Number of neurons, where the file says it.
    pub neurons: Option<u64>,
    /// Number of neurons that spiked at least once.
    pub active: u64,
    /// Number of spikes.
    pub spikes: u64,
    /// Mean rate of a neuron in Hz, over the time that is complete.
    pub rate_hz: Option<f64>,
    /// Mean coefficient of variation of the inter-spike intervals, over neurons with three spikes at least.
    pub cv_isi: Option<f64>,
    /// Time of the first spike in ms.
    pub first_ms: Option<f64>,
    /// Time of the last spike in ms.
    pub last_ms: Option<f64>,
}

/// The figures of a recording.
pub fn summarise(spikes: &Spikes) -> Result<Summary> {
    let mut populations = Vec::with_capacity(spikes.populations().len());
    for population in spikes.populations() {
        let train = spikes.read(&population.name)?;
        populations.push(of_train(&population.name, population.size, population.complete, &train));
    }
    Ok(Summary {
        complete_ms: spikes.complete().map(Time::ms),
        spikes: populations.iter().map(|p| p.spikes).sum(),
        populations,
        signals: (0..spikes.signals().all().len()).map(|s| of_signal(spikes.signals(), s)).collect::<Result<_>>()?,
    })
}

/// The figures of the variable at `position`.
fn of_signal(signals: &Signals, position: usize) -> Result<SignalStatistics> {
    let signal = &signals.all()[position];
    let (mut min, mut max, mut sum, mut count) = (f64::INFINITY, f64::NEG_INFINITY, 0.0, 0u64);
    signals.scan(position, signal.rows, |_, values| {
        for &value in values {
            (min, max, sum) = (min.min(value), max.max(value), sum + value);
        }
        count += values.len() as u64;
        Ok(())
    })?;
    let any = |value: f64| (count > 0).then_some(value);
    Ok(SignalStatistics {
        population: signal.population.clone(),
        variable: signal.variable.clone(),
        unit: signal.unit.clone(),
        neurons: signal.neurons.len() as u64,
        interval_ms: signal.step.ms(),
        samples: signal.rows,
        min: any(min),
        mean: any(sum / count as f64),
        max: any(max),
    })
}

/// The figures of one population from its spikes, sorted by time.
pub fn of_train(name: &str, neurons: Option<u64>, complete: Option<Time>, train: &[Spike]) -> Statistics {
    let intervals = intervals(train);
    let regularity: Vec<f64> = intervals.iter().filter_map(|(_, i)| i.cv()).collect();
    let rate = |neurons: u64, complete: Time| {
        // Faster ranks of a crashed run are recorded beyond the common end; these spikes are in no full population.
        let counted = train.partition_point(|s| s.time <= complete);
        (neurons > 0 && complete > Time::ZERO).then(|| counted as f64 * 1e3 / (neurons as f64 * complete.ms()))
    };
    Statistics {
        population: name.to_string(),
        neurons,
        active: intervals.len() as u64,
        spikes: train.len() as u64,
        rate_hz: neurons.zip(complete).and_then(|(neurons, complete)| rate(neurons, complete)),
        cv_isi: (!regularity.is_empty()).then(|| regularity.iter().sum::<f64>() / regularity.len() as f64),
        first_ms: train.first().map(|s| s.time.ms()),
        last_ms: train.last().map(|s| s.time.ms()),
    }
}

/// The inter-spike intervals of one neuron: running mean and sum of squared deviations (Welford).
struct Intervals {
    last: Time,
    count: u64,
    mean: f64,
    squares: f64,
}

impl Intervals {
    fn push(&mut self, time: Time) {
        let interval = (time - self.last).ms();
        self.last = time;
        self.count += 1;
        let deviation = interval - self.mean;
        self.mean += deviation / self.count as f64;
        self.squares += deviation * (interval - self.mean);
    }

    fn cv(&self) -> Option<f64> {
        let deviation = (self.squares / self.count as f64).sqrt();
        (self.count >= 2 && self.mean > 0.0).then(|| deviation / self.mean)
    }
}

/// The intervals of each neuron that spiked, in order of the index: a sum over them has always the same bits.
fn intervals(train: &[Spike]) -> Vec<(u64, Intervals)> {
    let mut neurons: HashMap<u64, Intervals> = HashMap::new();
    for spike in train {
        let fresh = || Intervals { last: spike.time, count: 0, mean: 0.0, squares: 0.0 };
        match neurons.entry(spike.index) {
            std::collections::hash_map::Entry::Vacant(empty) => drop(empty.insert(fresh())),
            std::collections::hash_map::Entry::Occupied(mut known) => known.get_mut().push(spike.time),
        }
    }
    let mut neurons: Vec<_> = neurons.into_iter().collect();
    neurons.sort_unstable_by_key(|(index, _)| *index);
    neurons
}

/// The figures as a table.
pub fn table(summary: &Summary) -> String {
    let header = ["population", "neurons", "active", "spikes", "rate (Hz)", "CV of ISI"].map(String::from).to_vec();
    let mut rows = vec![header];
    rows.extend(summary.populations.iter().map(|p| {
        vec![
            p.population.clone(),
            known(p.neurons),
            p.active.to_string(),
            p.spikes.to_string(),
            known(p.rate_hz.map(rate_text)),
            known(p.cv_isi.map(|cv| format!("{cv:.3}"))),
        ]
    }));
    let mut lines = columns::align(&rows, 1);
    let spikes = plural(summary.spikes, "spike");
    lines.push(match summary.complete_ms {
        Some(ms) => format!("{spikes}, complete up to {ms} ms"),
        None => format!("{spikes}; the file does not say up to which time it is complete"),
    });
    match (summary.populations.is_empty(), summary.signals.is_empty()) {
        (_, true) => {}
        // Of spikes there is nothing to tell.
        (true, false) => lines = signal_lines(&summary.signals),
        (false, false) => {
            lines.push(String::new());
            lines.extend(signal_lines(&summary.signals));
        }
    }
    lines.join("\n")
}

fn signal_lines(signals: &[SignalStatistics]) -> Vec<String> {
    let header = ["variable", "unit", "neurons", "samples", "every (ms)", "least", "mean", "greatest"];
    let row = |s: &SignalStatistics| {
        let value = |value: Option<f64>| known(value.map(compare::signals::number));
        let (neurons, samples) = (s.neurons.to_string(), s.samples.to_string());
        let (name, unit) = (format!("{}.{}", s.population, s.variable), s.unit.clone());
        vec![name, unit, neurons, samples, s.interval_ms.to_string(), value(s.min), value(s.mean), value(s.max)]
    };
    let rows: Vec<_> = std::iter::once(header.map(String::from).to_vec()).chain(signals.iter().map(row)).collect();
    columns::align(&rows, 2)
}

/// A rate in Hz; one that would be rounded to nothing is not shown as silence.
pub(crate) fn rate_text(rate: f64) -> String {
    if rate > 0.0 && rate < 0.001 { "<0.001".to_string() } else { format!("{rate:.3}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn train(spikes: &[(i64, u64)]) -> Vec<Spike> {
        spikes.iter().map(|&(ms, index)| Spike { time: Time::from_ns(ms * 1_000_000), index }).collect()
    }

    #[test]
    fn rate_and_regularity() {
        // Neuron 0: intervals 10, 10 (CV 0). Neuron 1: intervals 10, 30 (mean 20, deviation 10, CV 0.5).
        let spikes = train(&[(10, 0), (10, 1), (20, 0), (20, 1), (30, 0), (50, 1), (60, 2)]);
        let s = of_train("E", Some(10), Some(Time::from_ns(100_000_000)), &spikes);
        assert_eq!((s.active, s.spikes), (3, 7));
        assert_eq!(s.rate_hz, Some(7.0));
        assert_eq!(s.cv_isi, Some(0.25));
        assert_eq!((s.first_ms, s.last_ms), (Some(10.0), Some(60.0)));
    }

    #[test]
    fn spikes_beyond_the_common_end_do_not_count_into_the_rate() {
        let s = of_train("E", Some(1), Some(Time::from_ns(50_000_000)), &train(&[(10, 0), (60, 0)]));
        assert_eq!(s.rate_hz, Some(20.0));
        assert_eq!(s.spikes, 2);
    }

    #[test]
    fn long_names_and_low_rates_keep_the_columns() {
        let end = Some(Time::from_ns(10_000_000_000));
        let quiet = of_train("pyramidal_cells_of_layer_2_and_3", Some(1_000_000), end, &train(&[(10, 0)]));
        let silent = of_train("I", Some(10), end, &[]);
        let text = table(&Summary {
            complete_ms: Some(10_000.0),
            spikes: 1,
            populations: vec![quiet, silent],
            signals: vec![],
        });
        let expected = "population                        neurons  active  spikes  rate (Hz)  CV of ISI\n\
                        pyramidal_cells_of_layer_2_and_3  1000000       1       1     <0.001          -\n\
                        I                                      10       0       0      0.000          -\n\
                        1 spike, complete up to 10000 ms";
        assert_eq!(text, expected);
    }

    #[test]
    fn what_is_not_known_is_not_invented() {
        let s = of_train("E", None, None, &train(&[(10, 0)]));
        assert_eq!((s.rate_hz, s.cv_isi), (None, None));
        let s = of_train("E", Some(0), Some(Time::ZERO), &[]);
        assert_eq!((s.rate_hz, s.first_ms), (None, None));
        let text = table(&Summary { complete_ms: None, spikes: 0, populations: vec![s], signals: vec![] });
        assert!(text.contains("E                 0       0       0          -          -"), "{text}");
    }
}
