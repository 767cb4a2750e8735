//! How far the analog variables of one population, such as the membrane potential, differ between simulators.

use couple_ports::time::Time;
use serde::Serialize;

use crate::Spikes;
use crate::compare::signals::{SampleDifference, each_pair};
use crate::error::Result;

/// A variable on one simulator (B) beside the reference (A).
#[derive(Debug, Serialize)]
pub struct VariableCheck {
    /// Its population.
    pub population: String,
    /// The variable.
    pub variable: String,
    /// Its unit.
    pub unit: String,
    /// The simulator.
    pub simulator: String,
    /// True when all samples are the same in every bit.
    pub equal: bool,
    /// Over all samples.
    pub overall: Figures,
    /// Over the samples before the simulator's first spike that differs from the reference's, in whatever population;
    /// all of them where none does.
    pub before: Figures,
    /// The earliest sample that is not the same.
    pub first: Option<SampleDifference>,
}

/// Differences of samples, in their unit.
#[derive(Clone, Copy, Default, Debug, Serialize)]
pub struct Figures {
    /// How many.
    pub samples: u64,
    /// The largest magnitude.
    pub max: f64,
    /// The root of the mean square.
    pub rms: f64,
}

/// Sums of which [`Figures`] are made.
#[derive(Default)]
struct Sums {
    samples: u64,
    max: f64,
    squares: f64,
}

impl Sums {
    fn push(&mut self, difference: f64) {
        self.samples += 1;
        self.max = self.max.max(difference.abs());
        self.squares += difference * difference;
    }
    fn figures(&self) -> Figures {
        let mean = if self.samples > 0 { self.squares / self.samples as f64 } else { 0.0 };
        Figures { samples: self.samples, max: self.max, rms: mean.sqrt() }
    }
}

/// Compares the variables that the reference and another run both have. `diverged` is the first time at which their
/// spikes differ.
pub fn variables(
    reference: &Spikes,
    (simulator, run): &(String, Spikes),
    diverged: Option<Time>,
) -> Result<Vec<VariableCheck>> {
    let (a, b) = (reference.signals(), run.signals());
    let mut checks = Vec::new();
    for (in_a, signal) in a.all().iter().enumerate() {
        let Some(in_b) = b.find(&signal.population, &signal.variable) else { continue };
        let other = &b.all()[in_b];
        if (&signal.neurons, signal.start, signal.step) != (&other.neurons, other.start, other.step) {
            continue;
        }
        let (mut overall, mut before, mut first) = (Sums::default(), Sums::default(), None);
        each_pair(a, in_a, b, in_b, None, &mut |time, neuron, values| {
            let difference = values[1] - values[0];
            overall.push(difference);
            if diverged.is_none_or(|diverged| time < diverged) {
                before.push(difference);
            }
            if values[0].to_bits() != values[1].to_bits() && first.is_none() {
                first = Some(SampleDifference {
                    population: signal.population.clone(),
                    variable: signal.variable.clone(),
                    unit: signal.unit.clone(),
                    time_ms: time.ms(),
                    neuron,
                    values,
                });
            }
        })?;
        checks.push(VariableCheck {
            population: signal.population.clone(),
            variable: signal.variable.clone(),
            unit: signal.unit.clone(),
            simulator: simulator.clone(),
            equal: first.is_none() && signal.rows == other.rows,
            overall: overall.figures(),
            before: before.figures(),
            first,
        });
    }
    Ok(checks)
}
