//! Converters as a component: spikes of rates, rates of spikes, and what is calculated of signals.
//!
//! ```text
//!                         window (T, T+h]
//!   spikes ──►  spikes_to_rate  ──► rate        the rate at the end of each step
//!   rate   ──►  rate_to_poisson ──► spikes      the step (t, t+dt] at the rate of its beginning; spikes at t+dt
//!   x      ──►  threshold       ──► spikes      at t+dt, when x(t) is below and x(t+dt) is not
//!   x      ──►  linear, gain    ──► y           y(t) of x(t)
//! ```
//!
//! Each converter is a population; a rank has its block of the neurons of each. What a converter does is a function of the
//! description and of its input: windows, ranks and the order of arrival do not matter.

pub mod maps;
pub mod poisson;
pub mod rate;

use std::ops::Range;

use couple_network::description::{Converter, Model, Network, Population};
use couple_ports::control::{Input, SignalIn, Welcome, codec};
use couple_ports::index::{IndexMap, IndexSet};
use couple_ports::session::{Runtime, SessionError, Setup, Window};
use couple_ports::time::{Span, Time};
use ndarray::Array2;

use poisson::{MOST_MEAN, Poisson};
use rate::Rates;

/// Why the component could not do its part.
#[derive(Debug, thiserror::Error)]
pub enum ConverterError {
    /// The session failed, or was ended by others.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The description that came with the welcome cannot be used.
    #[error("the network description cannot be used: {0}; are all programs of the same release of couple?")]
    Description(String),
    /// A converter has nothing to convert.
    #[error("nothing is connected to {port}; add a [[connection]] with  to = \"{port}\"")]
    Unconnected {
        /// `population.variable`
        port: String,
    },
    /// A rate is none.
    #[error(
        "`{population}.rate` is {rate} Hz for neuron {neuron} at {time}; a rate is zero or more, and no more than \
         {MOST_MEAN} spikes in a step of {step}"
    )]
    Rate {
        /// The converter.
        population: String,
        /// The neuron.
        neuron: u32,
        /// When it has the rate.
        time: Time,
        /// The rate.
        rate: f64,
        /// The component's step.
        step: Span,
    },
}

/// A rate that is none: that of a neuron in a step.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct BadRate {
    /// The neuron.
    pub neuron: u32,
    /// The step, from 1 on.
    pub step: i64,
    /// The rate in Hz.
    pub rate: f64,
}

/// A converter's work.
enum Work {
    Poisson(Poisson),
    Rates(Rates),
    Threshold(f64),
    Linear(Vec<Vec<f64>>),
    Gain { gain: f64, offset: f64 },
}

/// This rank's part of a converter.
struct Part {
    population: String,
    neurons: Range<u32>,
    work: Work,
    /// Position of its input among the incoming signals.
    input: Option<usize>,
    /// Position of its output among the outgoing signals.
    signal: Option<usize>,
    /// Position of its spikes among the outputs.
    spikes: Option<usize>,
}

/// A rank's converters and how its ports belong to them.
struct Converters {
    parts: Vec<Part>,
    /// The part that each input of spikes belongs to; `None` when this rank has no neurons of it.
    targets: Vec<Option<usize>>,
    step: Span,
}

/// Takes part in a run as one rank of a component of converters, to the end. A failure is told to the coordinator, too.
pub fn run(setup: Setup) -> Result<(), ConverterError> {
    let converters = match Converters::build(setup.welcome(), setup.network_bytes()) {
        Ok(converters) => converters,
        Err(error) => {
            setup.fail(&error.to_string());
            return Err(error);
        }
    };
    let needed = converters.needed(setup.welcome());
    let session = setup.start(needed)?;
    converters.simulate(session)
}

fn unusable(text: String) -> ConverterError {
    ConverterError::Description(text)
}

impl Converters {
    fn build(welcome: &Welcome, network: &[u8]) -> Result<Self, ConverterError> {
        let network: Network = codec::from_bytes(network).map_err(|error| unusable(error.to_string()))?;
        let component = welcome.component as usize;
        let mut parts = Vec::new();
        for population in network.populations.iter().filter(|p| p.component == component) {
            let Model::Converter(converter) = &population.model else {
                return Err(unusable(format!("`{}` is no converter", population.name)));
            };
            let neurons = IndexMap::block(population.size, welcome.ranks).range(welcome.rank);
            // A rank without neurons of a converter has no signals of it either.
            if neurons.is_empty() {
                continue;
            }
            parts.push(Part::new(&population.name, converter, neurons, network.seed, welcome)?);
        }
        let mut targets = Vec::new();
        for input in &welcome.inputs {
            let target = input.target.as_deref().unwrap_or_default();
            let takes = |p: &Population| matches!(&p.model, Model::Converter(converter) if converter.takes_spikes());
            if !network.population(target).is_some_and(|id| takes(&network.populations[id])) {
                return Err(unusable(format!("`{target}` takes no spikes, but a link brings some")));
            }
            targets.push(parts.iter().position(|part: &Part| part.population == target));
        }
        Ok(Converters { parts, targets, step: welcome.step })
    }

    /// The trains of each input that belong to this rank.
    fn needed(&self, welcome: &Welcome) -> Vec<IndexSet> {
        let own = |(input, part): (&Input, &Option<usize>)| {
            let neurons = part.map_or(0..0, |part| self.parts[part].neurons.clone());
            IndexSet::from_flags(&(0..input.width).map(|index| neurons.contains(&index)).collect::<Vec<_>>())
        };
        welcome.inputs.iter().zip(&self.targets).map(own).collect()
    }

    fn simulate(mut self, mut session: Runtime) -> Result<(), ConverterError> {
        while let Some(window) = session.next_window()? {
            let (parts, targets) = (&mut self.parts, &self.targets);
            session.for_each_input(|input, index, time| {
                if let Some(part) = targets[input] {
                    parts[part].spike(index, time);
                }
            })?;
            for part in &mut self.parts {
                match part.convert(&mut session, window, self.step) {
                    // Told already.
                    Err(ConverterError::Session(error)) => return Err(error.into()),
                    Err(error) => {
                        session.fail(&error.to_string());
                        return Err(error);
                    }
                    Ok(()) => (),
                }
            }
        }
        session.finish()?;
        Ok(())
    }
}

impl Part {
    fn new(
        population: &str,
        converter: &Converter,
        neurons: Range<u32>,
        seed: u64,
        welcome: &Welcome,
    ) -> Result<Self, ConverterError> {
        let step = welcome.step;
        let (work, variable) = match converter {
            Converter::RateToPoisson => {
                (Work::Poisson(Poisson::new(seed, population, neurons.clone(), step)), Some(("rate", neurons.clone())))
            }
            Converter::SpikesToRate { kernel } => (Work::Rates(Rates::new(*kernel, neurons.len(), step)), None),
            Converter::Threshold { threshold, .. } => (Work::Threshold(*threshold), Some(("x", neurons.clone()))),
            Converter::Linear { matrix, .. } => {
                let columns = matrix.first().map_or(0, Vec::len) as u32;
                (Work::Linear(matrix.clone()), Some(("x", 0..columns)))
            }
            Converter::Gain { gain, offset, .. } => {
                (Work::Gain { gain: *gain, offset: *offset }, Some(("x", neurons.clone())))
            }
        };
        let input = match variable {
            Some((variable, columns)) => Some(find_input(welcome, &format!("{population}.{variable}"), columns)?),
            None => None,
        };
        let signal = welcome.signals_out.iter().position(|signal| signal.population == population);
        let spikes = welcome.outputs.iter().position(|output| output.population == population);
        Ok(Part { population: population.into(), neurons, work, input, signal, spikes })
    }

    /// Takes a spike for this rank's trains.
    fn spike(&mut self, index: u32, time: Time) {
        if let (Work::Rates(rates), true) = (&mut self.work, self.neurons.contains(&index)) {
            rates.spike(index - self.neurons.start, time);
        }
    }

    /// Does the work of a window.
    fn convert(&mut self, session: &mut Runtime, window: Window, step: Span) -> Result<(), ConverterError> {
        let x = match self.input {
            Some(input) => session.samples(input)?.to_owned(),
            None => Array2::zeros((0, 0)),
        };
        let from = (window.start - Time::ZERO).steps(step);
        let first = self.neurons.start;
        let mut emit = |index: u32, time: Time| {
            if let Some(output) = self.spikes {
                // What is refused, the session tells when the window ends.
                session.emit(output, index, time);
            }
        };
        let y = match &mut self.work {
            Work::Poisson(poisson) => {
                let rows = x.slice(ndarray::s![..x.nrows() - 1, ..]);
                let each = |neuron, at: i64, count| (0..count).for_each(|_| emit(neuron, Time::ZERO + step * at));
                poisson.spikes(from, rows, each).map_err(|bad| ConverterError::Rate {
                    population: self.population.clone(),
                    neuron: bad.neuron,
                    time: Time::ZERO + step * (bad.step - 1),
                    rate: bad.rate,
                    step,
                })?;
                None
            }
            Work::Threshold(threshold) => {
                maps::crossings(x.view(), *threshold, |column, row| {
                    emit(first + column as u32, window.start + step * row as i64);
                });
                None
            }
            Work::Rates(rates) => Some(rates.window(window.start, window.end)),
            Work::Linear(matrix) => Some(maps::linear(matrix, first as usize..self.neurons.end as usize, x.view())),
            Work::Gain { gain, offset } => Some(maps::gain(*gain, *offset, x.view())),
        };
        if let (Some(signal), Some(y)) = (self.signal, y) {
            session.write_samples(signal, y.view())?;
        }
        Ok(())
    }
}

/// The position of the signal that comes in at `port`, which must have these columns.
fn find_input(welcome: &Welcome, port: &str, columns: Range<u32>) -> Result<usize, ConverterError> {
    let found = welcome.signals_in.iter().position(|signal| signal.target == port);
    let position = found.ok_or_else(|| ConverterError::Unconnected { port: port.into() })?;
    let SignalIn { first, count, .. } = welcome.signals_in[position];
    if (first, count) != (columns.start, columns.len() as u32) {
        return Err(unusable(format!("{count} columns from {first} on come in at `{port}`, instead of {columns:?}")));
    }
    Ok(position)
}
