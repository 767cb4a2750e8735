//! Analog signals of a thread's neurons: state variables that are noted after each step, and parameters that are set before it.
//!
//! ```text
//!   step k:   set: row of t[k-1]  →  advance the neurons over (t[k-1], t[k]]  →  note: row of t[k]
//! ```
//!
//! Rows are steps, columns this thread's neurons. A neuron is read and set by the thread that owns it, so that threads do not
//! meet over signals, and no value depends on their number.

use crate::models::{Neurons, Parameter, Variable};

/// A state variable that is noted after each step.
pub(super) struct Reading {
    /// Position of the population's block.
    pub(super) block: usize,
    pub(super) variable: Variable,
    /// Rows since the last [`Reading::clear`].
    values: Vec<f64>,
}

impl Reading {
    pub(super) fn new(block: usize, variable: Variable) -> Self {
        Reading { block, variable, values: Vec::new() }
    }
    /// Forgets all rows.
    pub(super) fn clear(&mut self) {
        self.values.clear();
    }
    /// Appends a row.
    pub(super) fn note(&mut self, neurons: &Neurons) {
        neurons.read(self.variable, &mut self.values);
    }
    /// Writes the rows to a block of `width` columns, from column `first` on.
    pub(super) fn copy_to(&self, columns: usize, out: &mut [f64], first: usize, width: usize) {
        if columns == 0 {
            return;
        }
        for (row, out) in self.values.chunks_exact(columns).zip(out.chunks_exact_mut(width)) {
            out[first..first + columns].copy_from_slice(row);
        }
    }
}

/// A parameter that is set before each step.
pub(super) struct Driven {
    /// Position of the population's block.
    pub(super) block: usize,
    pub(super) parameter: Parameter,
    columns: usize,
    /// The step after which the first row counts.
    from: i64,
    rows: Vec<f64>,
}

impl Driven {
    pub(super) fn new(block: usize, parameter: Parameter, columns: usize) -> Self {
        Driven { block, parameter, columns, from: 0, rows: Vec::new() }
    }
    /// Takes the columns from `first` on of a block of `width` columns, whose first row counts after step `from`.
    pub(super) fn take(&mut self, from: i64, block: &[f64], first: usize, width: usize) {
        self.from = from;
        self.rows.clear();
        let columns = first..first + self.columns;
        block.chunks_exact(width).for_each(|row| self.rows.extend(&row[columns.clone()]));
    }
    /// Sets the parameter for the step that ends at `step`; after the last row it stays as it is.
    pub(super) fn set(&self, step: i64, neurons: &mut Neurons) {
        if self.columns == 0 {
            return;
        }
        let row = usize::try_from(step - 1 - self.from).unwrap_or(usize::MAX);
        if let Some(values) = self.rows.chunks_exact(self.columns).nth(row) {
            neurons.set(self.parameter, values);
        }
    }
}
