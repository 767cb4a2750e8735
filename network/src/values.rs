//! Per-neuron values: parameters and initial states.

use std::ops::Range;

use crate::description::{Model, Network, PopulationId, Value};
use crate::random::{DistributionError, Key, Stream};

/// What is wrong with a value.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum ValueError {
    /// A number is infinite or not a number.
    #[error("{0} is no finite number")]
    NotFinite(f64),
    /// The distribution cannot be drawn from.
    #[error(transparent)]
    Distribution(#[from] DistributionError),
    /// A list of another length than the population.
    #[error("the list has {found} values, but {expected} are needed, one for each")]
    Length {
        /// Values needed.
        expected: usize,
        /// Values given.
        found: usize,
    },
}

impl Value {
    /// Whether `size` numbers can be had from this value.
    pub fn validate(&self, size: usize) -> Result<(), ValueError> {
        match self {
            Value::Constant(v) if !v.is_finite() => Err(ValueError::NotFinite(*v)),
            Value::Constant(_) => Ok(()),
            Value::Random(distribution) => Ok(distribution.validate()?),
            Value::List(list) if list.len() != size => Err(ValueError::Length { expected: size, found: list.len() }),
            Value::List(list) => {
                list.iter().find(|v| !v.is_finite()).map_or(Ok(()), |v| Err(ValueError::NotFinite(*v)))
            }
        }
    }

    /// The smallest and the largest number that can come of this value.
    pub fn bounds(&self) -> (f64, f64) {
        match self {
            Value::Constant(v) => (*v, *v),
            Value::Random(distribution) => distribution.bounds(),
            Value::List(list) => {
                list.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(*v), high.max(*v)))
            }
        }
    }
}

/// The numbers of `value` for the neurons `range` of `population`. Draws depend on (seed, population's name, `name`,
/// index), so that a neuron's value is the same whatever else is asked for.
pub fn expand(network: &Network, population: PopulationId, name: &str, value: &Value, range: Range<u32>) -> Vec<f64> {
    match value {
        Value::Constant(v) => vec![*v; range.len()],
        Value::List(list) => list[range.start as usize..range.end as usize].to_vec(),
        Value::Random(distribution) => {
            let key = Key::new(network.seed, &["value", &network.populations[population].name, name]);
            range.map(|index| distribution.sample(&mut Stream::new(key, u64::from(index)))).collect()
        }
    }
}

/// The numbers of the parameter or state variable `name` of a cell population; `None` when it has no such thing.
/// The names of parameters and of state variables are distinct for all cells.
pub fn of_population(network: &Network, population: PopulationId, name: &str, range: Range<u32>) -> Option<Vec<f64>> {
    let Model::Cell { params, initial, .. } = &network.populations.get(population)?.model else { return None };
    let value = params.get(name).or_else(|| initial.get(name))?;
    Some(expand(network, population, name, value, range))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::description::{Connector, Distribution};
    use crate::testing::network;

    #[test]
    fn the_parts_make_the_whole() {
        let network = network([100, 1], false, Connector::OneToOne);
        for value in [
            Value::Constant(3.0),
            Value::Random(Distribution::Normal { mu: -58.0, sigma: 10.0 }),
            Value::Random(Distribution::Gamma { k: 0.3, theta: 1.0 }),
            Value::List((0..100).map(f64::from).collect()),
        ] {
            let expand = |range| expand(&network, 0, "v", &value, range);
            let whole = expand(0..100);
            assert_eq!([expand(0..33), expand(33..34), expand(34..100)].concat(), whole);
            let (low, high) = value.bounds();
            assert!(whole.iter().all(|v| (low..=high).contains(v)));
        }
    }

    #[test]
    fn draws_depend_on_the_name() {
        let network = network([10, 10], false, Connector::OneToOne);
        let value = Value::Random(Distribution::Uniform { low: 0.0, high: 1.0 });
        let draw = |population, name| expand(&network, population, name, &value, 0..10);
        assert_ne!(draw(0, "v"), draw(0, "cm"));
        assert_ne!(draw(0, "v"), draw(1, "v"));
    }

    #[test]
    fn finds_parameters_and_initial_values() {
        let network = network([10, 10], false, Connector::OneToOne);
        assert_eq!(of_population(&network, 0, "tau_m", 0..2), Some(vec![20.0; 2]));
        assert_eq!(of_population(&network, 0, "v", 3..4), Some(vec![-65.0]));
        assert_eq!(of_population(&network, 0, "w", 0..2), None);
    }
}
