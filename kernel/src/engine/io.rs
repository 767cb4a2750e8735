//! Analog signals of a rank: which state variables are read, and which parameters are driven.

use couple_network::description::{Cell, Model, PopulationId};
use couple_ports::index::IndexMap;
use couple_ports::time::Time;

use super::{BuildError, Engine, RunError};
use crate::models::{Parameter, Variable};

/// A state variable that is read ([`Engine::read`]).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reading(usize);

/// A parameter that is driven ([`Engine::drive`]).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Drive(usize);

/// What an engine reads and drives.
#[derive(Default)]
pub(super) struct Signals {
    readings: Vec<(PopulationId, Variable)>,
    drives: Vec<(PopulationId, Parameter)>,
    /// Step at which the last run began.
    run_from: i64,
}

impl Engine {
    /// From now on every run notes the state variable `variable` of this rank's neurons of `population`, by PyNN's name for
    /// recording it (`v`, `isyn_exc`, `gsyn_inh`, `w`, …), at the end of each of its steps.
    pub fn read(&mut self, population: PopulationId, variable: &str) -> Result<Reading, BuildError> {
        let cell = self.cell(population, "state variable", variable)?;
        let known = || cell.entry().state.iter().map(|state| state.name);
        let Some(found) = Variable::named(variable).filter(|_| known().any(|name| name == variable)) else {
            return Err(self.no_such(population, "state variable", variable, known().collect()));
        };
        self.signals.readings.push((population, found));
        self.team.each_share_mut(|share| share.add_reading(population, found));
        Ok(Reading(self.signals.readings.len() - 1))
    }

    /// What was read during the last run: a row for the end of each of its steps, a column for each of this rank's neurons in
    /// ascending order of index, row after row, in PyNN's unit.
    pub fn values(&self, reading: Reading, out: &mut Vec<f64>) {
        let width = self.own(self.signals.readings[reading.0].0).len();
        out.clear();
        out.resize((self.now - self.signals.run_from) as usize * width, 0.0);
        let mut first = 0;
        self.team.each_share(|share| first += share.copy_reading(reading.0, out, first, width));
    }

    /// The present values of a state variable of this rank's neurons of `population`, in ascending order of index; empty
    /// when it has none of them, or no such variable.
    pub fn state(&self, population: PopulationId, variable: Variable) -> Vec<f64> {
        let mut out = Vec::new();
        self.team.each_share(|share| {
            share.read_now(population, variable, &mut out);
        });
        out
    }

    /// The membrane potentials of this rank's neurons of `population`, in mV, in ascending order of index; empty when
    /// it has none.
    pub fn membrane_potential(&self, population: PopulationId) -> Vec<f64> {
        self.state(population, Variable::V)
    }

    /// Lets a parameter of this rank's neurons of `population` be set while it runs ([`Engine::set`]): `current` (nA), added
    /// to whatever else drives the cell, or `i_offset` (nA) or `v_thresh` (mV), where the cell has them.
    pub fn drive(&mut self, population: PopulationId, parameter: &str) -> Result<Drive, BuildError> {
        let kind = "parameter that can be set while it runs,";
        let cell = self.cell(population, kind, parameter)?;
        let entry = cell.entry();
        let has = |p: Parameter| p == Parameter::Current || entry.parameter(p.name()).is_some();
        let all = [Parameter::Current, Parameter::IOffset, Parameter::VThresh];
        let Some(found) = Parameter::named(parameter).filter(|p| has(*p)) else {
            let known = all.into_iter().filter(|p| has(*p)).map(Parameter::name).collect();
            return Err(self.no_such(population, kind, parameter, known));
        };
        self.signals.drives.push((population, found));
        self.team.each_share_mut(|share| share.add_driven(population, found));
        Ok(Drive(self.signals.drives.len() - 1))
    }

    /// Gives a driven parameter its values from now on: a row for each coming step, a column for each of this rank's neurons,
    /// row after row. The first row is the value at [`Engine::now`] and counts throughout the step that begins there; the last
    /// one holds on.
    pub fn set(&mut self, drive: Drive, rows: &[f64]) -> Result<(), RunError> {
        let (population, parameter) = self.signals.drives[drive.0];
        let width = self.own(population).len();
        if width == 0 {
            return Ok(());
        }
        if parameter == Parameter::VThresh {
            self.check_thresholds(population, rows, width)?;
        }
        let (from, mut first) = (self.now, 0);
        self.team.each_share_mut(|share| first += share.drive(drive.0, from, rows, first, width));
        Ok(())
    }

    /// Forgets what the last run has read.
    pub(super) fn begin_reading(&mut self) {
        self.signals.run_from = self.now;
        if !self.signals.readings.is_empty() {
            self.team.each_share_mut(super::share::Share::clear_readings);
        }
    }

    fn check_thresholds(&self, population: PopulationId, rows: &[f64], width: usize) -> Result<(), RunError> {
        let mut result = Ok(());
        self.team.each_share(|share| {
            let bad = |at: usize, v_thresh: f64| Some((at, share.check_threshold(population, v_thresh).err()?));
            if let (Ok(()), Some((at, error))) = (&result, rows.iter().enumerate().find_map(|(at, v)| bad(at, *v))) {
                result = Err(RunError::Parameter {
                    population: self.populations[population].name.clone(),
                    index: self.own(population).start + (at % width) as u32,
                    time: Time::ZERO + self.step * (self.now + (at / width) as i64),
                    error,
                });
            }
        });
        result
    }

    /// This rank's neurons of a population.
    fn own(&self, population: PopulationId) -> std::ops::Range<u32> {
        IndexMap::block(self.populations[population].size, self.part.ranks).range(self.part.rank)
    }

    /// The cell of a population of this component.
    fn cell(&self, population: PopulationId, kind: &'static str, name: &str) -> Result<Cell, BuildError> {
        match self.network.populations.get(population) {
            Some(p) if p.component == self.part.component => match p.model {
                Model::Cell { cell, .. } => Ok(cell),
                _ => Err(self.no_such(population, kind, name, vec![])),
            },
            _ => Err(self.no_such(population, kind, name, vec![])),
        }
    }

    fn no_such(&self, population: PopulationId, kind: &'static str, name: &str, known: Vec<&str>) -> BuildError {
        let known: Vec<String> = known.iter().map(|known| format!("`{known}`")).collect();
        BuildError::NoSuchVariable {
            population: self.populations.get(population).map_or_else(String::new, |p| p.name.clone()),
            kind,
            name: name.into(),
            known: if known.is_empty() { "none".into() } else { known.join(", ") },
        }
    }
}
