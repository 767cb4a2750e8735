//! Analog signals of the component: state variables of its cells that go out, and inputs of its cells that come in.

use couple_kernel::Engine;
use couple_kernel::engine::{Drive, Reading};
use couple_network::description::{Network, PopulationId};
use couple_ports::control::Welcome;
use couple_ports::index::IndexMap;
use couple_ports::session::{Runtime, Window};
use couple_ports::time::Span;
use ndarray::ArrayView2;

use crate::NativeError;

/// What the signals of this rank have to do with its engine.
pub struct Signals {
    /// The state variable that each outgoing signal is read from.
    out: Vec<Reading>,
    driven: Vec<Driven>,
    step: Span,
    /// Rows and columns of a window, used again for each.
    block: Vec<f64>,
}

/// An input of a population, and the incoming signals that it is the sum of, in the order of the description.
struct Driven {
    drive: Drive,
    signals: Vec<usize>,
}

impl Signals {
    /// Tells the engine what is read and what is driven.
    pub fn build(welcome: &Welcome, network: &Network, engine: &mut Engine) -> Result<Self, NativeError> {
        let own = |population: &str, first: u32, count: u32| -> Result<PopulationId, NativeError> {
            let unknown =
                || NativeError::Description(format!("it has no population `{population}`, but a signal does"));
            let id = network.population(population).ok_or_else(unknown)?;
            let range = IndexMap::block(network.populations[id].size, welcome.ranks).range(welcome.rank);
            if (first, count) != (range.start, range.len() as u32) {
                let given = format!("a signal of `{population}` has {count} columns from {first} on, but this rank's");
                return Err(NativeError::Description(format!("{given} neurons are {range:?}")));
            }
            Ok(id)
        };
        let mut out = Vec::new();
        for signal in &welcome.signals_out {
            let population = own(&signal.population, signal.first, signal.count)?;
            out.push(engine.read(population, &signal.variable)?);
        }
        let (mut driven, mut ports): (Vec<Driven>, Vec<&str>) = (Vec::new(), Vec::new());
        for (position, signal) in welcome.signals_in.iter().enumerate() {
            let unknown =
                || NativeError::Description(format!("a signal goes to `{}`, which is no port", signal.target));
            let (population, variable) = signal.target.rsplit_once('.').ok_or_else(unknown)?;
            let population = own(population, signal.first, signal.count)?;
            match ports.iter().position(|port| *port == signal.target) {
                Some(known) => driven[known].signals.push(position),
                None => {
                    driven.push(Driven { drive: engine.drive(population, variable)?, signals: vec![position] });
                    ports.push(&signal.target);
                }
            }
        }
        Ok(Signals { out, driven, step: welcome.step, block: Vec::new() })
    }

    /// Hands what comes in during a window to the engine, before it runs.
    pub fn drive(&mut self, session: &mut Runtime, engine: &mut Engine) -> Result<(), NativeError> {
        for Driven { drive, signals } in &self.driven {
            self.block.clear();
            for (at, signal) in signals.iter().enumerate() {
                let seen = session.samples(*signal)?;
                // The last row is that of the window's end, at which the next one begins.
                let rows = seen.slice(ndarray::s![..seen.nrows().saturating_sub(1), ..]);
                if at == 0 {
                    self.block.extend(rows.iter());
                } else {
                    self.block.iter_mut().zip(rows.iter()).for_each(|(sum, value)| *sum += value);
                }
            }
            engine.set(*drive, &self.block).map_err(NativeError::from)?;
        }
        Ok(())
    }

    /// Sends what the engine has read in a window.
    pub fn send(&mut self, session: &mut Runtime, engine: &Engine, window: Window) -> Result<(), NativeError> {
        let steps = (window.end - window.start).steps(self.step) as usize;
        for (signal, reading) in self.out.iter().enumerate() {
            engine.values(*reading, &mut self.block);
            let columns = self.block.len().checked_div(steps).unwrap_or(0);
            let block = ArrayView2::from_shape((steps, columns), &self.block);
            session.write_samples(signal, block.map_err(|error| NativeError::Description(error.to_string()))?)?;
        }
        Ok(())
    }
}
