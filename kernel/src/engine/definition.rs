//! What the models need to know of a population, read from the description.

use std::collections::BTreeMap;
use std::ops::Range;

use couple_network::description::{Network, PopulationId, Value};
use couple_network::values;

use crate::models::{Definition, ParameterError};

/// A range of a population's neurons.
pub(super) struct Described<'a> {
    pub(super) network: &'a Network,
    pub(super) population: PopulationId,
    pub(super) params: &'a BTreeMap<String, Value>,
    pub(super) initial: &'a BTreeMap<String, Value>,
    pub(super) neurons: Range<u32>,
}

impl Described<'_> {
    fn expand(&self, name: &str, value: &Value) -> Vec<f64> {
        values::expand(self.network, self.population, name, value, self.neurons.clone())
    }
    fn parameter(&self, name: &str) -> Result<&Value, ParameterError> {
        self.params.get(name).ok_or_else(|| ParameterError::Missing(name.into()))
    }
}

impl Definition for Described<'_> {
    fn constant(&self, name: &str) -> Result<f64, ParameterError> {
        match self.parameter(name)? {
            Value::Constant(value) => Ok(*value),
            _ => Err(ParameterError::NotShared(name.into())),
        }
    }
    fn each(&self, name: &str) -> Result<Vec<f64>, ParameterError> {
        Ok(self.expand(name, self.parameter(name)?))
    }
    fn initial(&self, name: &str) -> Result<Option<Vec<f64>>, ParameterError> {
        Ok(self.initial.get(name).map(|value| self.expand(name, value)))
    }
    fn size(&self) -> usize {
        self.neurons.len()
    }
}
