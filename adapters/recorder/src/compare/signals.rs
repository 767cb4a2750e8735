//! Are the analog variables of two recordings equal, bit for bit?

use couple_ports::time::Time;
use serde::Serialize;

use super::{Options, Side};
use crate::error::Result;
use crate::{Signal, Signals, plural};

/// The outcome for one variable of a population.
#[derive(Debug, Serialize)]
pub struct SignalComparison {
    /// Its population.
    pub population: String,
    /// The variable.
    pub variable: String,
    /// Unit of the samples, of A.
    pub unit: String,
    /// The recording that lacks it altogether.
    pub missing_in: Option<Side>,
    /// What makes the tables differ before a sample is looked at: neurons, times or unit.
    pub tables: Option<String>,
    /// Samples compared.
    pub samples: u64,
    /// Samples that are not the same.
    pub different: u64,
    /// The largest difference, in the unit.
    pub max_difference: f64,
    /// The earliest sample that is not the same.
    pub first: Option<SampleDifference>,
}

/// A sample that is not the same in both recordings.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SampleDifference {
    /// Its population.
    pub population: String,
    /// The variable.
    pub variable: String,
    /// Its unit.
    pub unit: String,
    /// Time stamp in ms.
    pub time_ms: f64,
    /// Its neuron.
    pub neuron: u64,
    /// Its value in A and in B.
    pub values: [f64; 2],
}

impl SignalComparison {
    /// True when nothing differs.
    pub fn equal(&self) -> bool {
        self.missing_in.is_none() && self.tables.is_none() && self.first.is_none()
    }
}

/// Compares all variables that A or B has.
pub fn compare(a: &Signals, b: &Signals, options: Options) -> Result<Vec<SignalComparison>> {
    let key = |signal: &Signal| (signal.population.clone(), signal.variable.clone());
    let mut names: Vec<_> = a.all().iter().chain(b.all()).map(key).collect();
    names.sort_unstable();
    names.dedup();
    names.iter().map(|(population, variable)| compare_signal(population, variable, a, b, options)).collect()
}

fn compare_signal(
    population: &str,
    variable: &str,
    a: &Signals,
    b: &Signals,
    options: Options,
) -> Result<SignalComparison> {
    let places = [a.find(population, variable), b.find(population, variable)];
    let unit = places[0].map(|place| &a.all()[place]).or(places[1].map(|place| &b.all()[place]));
    let mut outcome = SignalComparison {
        population: population.to_string(),
        variable: variable.to_string(),
        unit: unit.map_or_else(String::new, |signal| signal.unit.clone()),
        missing_in: None,
        tables: None,
        samples: 0,
        different: 0,
        max_difference: 0.0,
        first: None,
    };
    let [Some(in_a), Some(in_b)] = places else {
        outcome.missing_in = Some(if places[0].is_none() { Side::A } else { Side::B });
        return Ok(outcome);
    };
    let (x, y) = (&a.all()[in_a], &b.all()[in_b]);
    outcome.tables = tables(x, y, options.until);
    if (&x.neurons, x.start, x.step) != (&y.neurons, y.start, y.step) {
        return Ok(outcome);
    }
    each_pair(a, in_a, b, in_b, options.until, &mut |time, neuron, values| {
        outcome.samples += 1;
        if values[0].to_bits() == values[1].to_bits() {
            return;
        }
        outcome.different += 1;
        outcome.max_difference = outcome.max_difference.max((values[1] - values[0]).abs());
        outcome.first.get_or_insert_with(|| SampleDifference {
            population: population.to_string(),
            variable: variable.to_string(),
            unit: x.unit.clone(),
            time_ms: time.ms(),
            neuron,
            values,
        });
    })?;
    Ok(outcome)
}

/// What differs between two tables before their samples do.
fn tables(x: &Signal, y: &Signal, until: Option<Time>) -> Option<String> {
    let rows = |signal: &Signal| until.map_or(signal.rows, |until| signal.rows_until(until));
    if x.neurons != y.neurons {
        return Some(format!("{} neurons in A, {} in B, or other ones", x.neurons.len(), y.neurons.len()));
    }
    if x.unit != y.unit {
        return Some(format!("in {} in A, in {} in B", x.unit, y.unit));
    }
    if (x.start, x.step) != (y.start, y.step) {
        let from = |signal: &Signal| format!("from {} every {}", signal.start, signal.step);
        return Some(format!("sampled {} in A, {} in B", from(x), from(y)));
    }
    let end = |signal: &Signal| signal.last().map_or("nothing".to_string(), |last| format!("up to {last}"));
    (rows(x) != rows(y)).then(|| format!("recorded {} in A, {} in B", end(x), end(y)))
}

/// Hands the samples that two tables of the same neurons and times both have, up to `until`, to `each`: time, neuron,
/// values. In order of time, then neuron.
pub(crate) fn each_pair(
    a: &Signals,
    in_a: usize,
    b: &Signals,
    in_b: usize,
    until: Option<Time>,
    each: &mut dyn FnMut(Time, u64, [f64; 2]),
) -> Result<()> {
    let (x, y) = (&a.all()[in_a], &b.all()[in_b]);
    let rows = until.map_or(u64::MAX, |until| x.rows_until(until)).min(x.rows).min(y.rows);
    let columns = x.neurons.len();
    a.scan(in_a, rows, |row, values| {
        let others = b.read(in_b, row, (values.len() / columns) as u64)?;
        for (line, (values, others)) in values.chunks_exact(columns).zip(others.chunks_exact(columns)).enumerate() {
            let time = x.stamp(row + line as u64);
            for ((neuron, value), other) in x.neurons.iter().zip(values).zip(others) {
                each(time, *neuron, [*value, *other]);
            }
        }
        Ok(())
    })
}

/// What differs, as text.
pub fn report(p: &SignalComparison) -> Vec<String> {
    let name = format!("{}.{}", p.population, p.variable);
    let mut lines = Vec::new();
    if let Some(side) = p.missing_in {
        lines.push(format!("  {name} is missing in {side:?}"));
    }
    lines.extend(p.tables.iter().map(|tables| format!("  {name}: {tables}")));
    if let Some(first) = &p.first {
        let (different, samples) = (p.different, plural(p.samples, "sample"));
        let most = number(p.max_difference);
        lines.push(format!("  {name}: {different} of {samples} differ, by up to {most} {}", p.unit));
        lines.push(format!("    first: {}", sentence(first)));
    }
    lines
}

/// A sample's difference in a sentence.
pub fn sentence(d: &SampleDifference) -> String {
    let SampleDifference { population, variable, unit, time_ms, neuron, values: [a, b] } = d;
    format!("{population}.{variable}, {time_ms} ms, neuron {neuron}: {a} {unit} in A, {b} {unit} in B")
}

/// A difference with the digits that matter.
pub(crate) fn number(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_string(),
        x if (1e-3..1e4).contains(&x) => format!("{value:.4}"),
        _ => format!("{value:.2e}"),
    }
}
