//! The synapses of one postsynaptic neuron, with weights and delays.

use couple_ports::time::Span;

use super::{Sources, Synapse, purpose};
use crate::description::{Delay, Distribution, Network, ProjectionId, Value};
use crate::random::{Key, Stream};
use crate::weights::ProjectionGrid;

/// All synapses of a projection onto one neuron, in order of draw, as columns of equal length.
pub struct Row<'a> {
    /// Postsynaptic neuron, global index.
    pub post: u32,
    /// Presynaptic neurons, global indices.
    pub pre: &'a [u32],
    /// Weights in units of the receptor's grid.
    pub raw: &'a [i64],
    /// Delays in steps of the target.
    pub delay_steps: &'a [u32],
    /// The step of the target.
    pub step: Span,
    /// The unit of `raw`, a power of two: a weight is `raw * unit`, exactly.
    pub unit: f64,
}

impl Row<'_> {
    /// The synapses one by one.
    #[inline]
    pub fn synapses(&self) -> impl Iterator<Item = Synapse> + '_ {
        let (post, unit, step) = (self.post, self.unit, self.step);
        self.pre.iter().zip(self.raw).zip(self.delay_steps).map(move |((&pre, &raw), &delay_steps)| Synapse {
            pre,
            post,
            weight: raw as f64 * unit,
            raw,
            delay: step * i64::from(delay_steps),
            delay_steps,
        })
    }
}

/// A column of a [`Row`]: weights or delays.
struct Column<T, S> {
    source: S,
    key: Key,
    values: Vec<T>,
}

enum Numbers<T> {
    Constant(T),
    Drawn(Distribution),
    /// One for each row of the list of pairs.
    Listed(Vec<T>),
}

/// Makes rows, in memory that is used again for each.
pub(super) struct Rows {
    grid: ProjectionGrid,
    step: Span,
    weights: Column<i64, Numbers<i64>>,
    delays: Column<u32, Numbers<u32>>,
    drawn: Vec<f64>,
}

impl Rows {
    pub(super) fn new(network: &Network, projection: ProjectionId) -> Self {
        let p = &network.projections[projection];
        let (grid, step) = (ProjectionGrid::new(network, projection), network.target_step(p));
        let steps = |delay: &Span| delay.steps(step).max(1) as u32;
        let weights = match &p.weight {
            Value::Constant(w) => Numbers::Constant(grid.raw(*w)),
            Value::Random(distribution) => Numbers::Drawn(*distribution),
            Value::List(list) => Numbers::Listed(list.iter().map(|w| grid.raw(*w)).collect()),
        };
        let delays = match &p.delay {
            Delay::Constant(delay) => Numbers::Constant(steps(delay)),
            Delay::Random(distribution) => Numbers::Drawn(*distribution),
            Delay::List(list) => Numbers::Listed(list.iter().map(steps).collect()),
        };
        Rows {
            grid,
            step,
            weights: Column { source: weights, key: purpose(network, p, "weight"), values: Vec::new() },
            delays: Column { source: delays, key: purpose(network, p, "delay"), values: Vec::new() },
            drawn: Vec::new(),
        }
    }

    /// The row that belongs to `sources`.
    pub(super) fn fill<'a>(&'a mut self, sources: Sources<'a>) -> Row<'a> {
        let (grid, step_ns) = (self.grid, self.step.ns() as f64);
        let shift = grid.shift();
        self.weights.fill(&sources, &mut self.drawn, |w| grid.own.nearest(w) << shift);
        self.delays.fill(&sources, &mut self.drawn, |ms| steps_of(ms, step_ns));
        Row {
            post: sources.post,
            pre: sources.pre,
            raw: &self.weights.values[..sources.pre.len()],
            delay_steps: &self.delays.values[..sources.pre.len()],
            step: self.step,
            unit: grid.receptor.unit(),
        }
    }
}

/// A delay of `ms` in steps, as [`crate::description::round_delay`] rounds it.
#[inline]
pub(super) fn steps_of(ms: f64, step_ns: f64) -> u32 {
    // Truncation after adding a half rounds to the nearest for all that is not negative, and what is less than one
    // step becomes one.
    ((ms * 1e6 / step_ns + 0.5) as u32).max(1)
}

impl<T: Copy> Column<T, Numbers<T>> {
    #[inline]
    fn fill(&mut self, sources: &Sources, drawn: &mut Vec<f64>, convert: impl Fn(f64) -> T) {
        let n = sources.pre.len();
        match &self.source {
            Numbers::Constant(value) => {
                if self.values.len() < n {
                    self.values.resize(n, *value);
                }
            }
            Numbers::Drawn(distribution) => {
                if drawn.len() < n {
                    drawn.resize(n, 0.0);
                }
                distribution.fill(&mut Stream::new(self.key, u64::from(sources.post)), &mut drawn[..n]);
                self.values.clear();
                self.values.extend(drawn[..n].iter().map(|x| convert(*x)));
            }
            Numbers::Listed(list) => {
                self.values.clear();
                self.values.extend(sources.rows.iter().map(|row| list[*row as usize]));
            }
        }
    }
}
