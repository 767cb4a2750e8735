//! The sending half of analog signals: the block of samples of a window, and which of it goes where.

use ndarray::ArrayView2;

use super::SessionError;
use crate::control::{Columns, SignalOut, Welcome};
use crate::samples;
use crate::time::{Span, Time};

/// A signal of this rank: its samples of the window at hand.
pub(super) struct Signal {
    /// `population.variable`
    name: String,
    /// The first of the rank's columns.
    first: u32,
    columns: usize,
    /// Bits of the samples, row by row.
    pub(super) words: Vec<u64>,
    written: bool,
}

/// A link for samples.
pub(super) struct BlockLink {
    pub(super) link: u32,
    pub(super) signal: usize,
    /// Columns of the signal's block before those of the link.
    skip: usize,
    columns: usize,
    every: Span,
}

impl BlockLink {
    pub(super) fn new(link: u32, columns: Columns, welcome: &Welcome) -> Option<BlockLink> {
        let signal = welcome.signals_out.get(columns.signal as usize)?;
        let skip = columns.first.checked_sub(signal.first)?;
        let inside = skip.checked_add(columns.count)? <= signal.count;
        let right = inside && columns.count > 0 && columns.every.is_multiple_of(welcome.step);
        right.then_some(BlockLink {
            link,
            signal: columns.signal as usize,
            skip: skip as usize,
            columns: columns.count as usize,
            every: columns.every,
        })
    }
}

impl Signal {
    pub(super) fn new(signal: &SignalOut) -> Signal {
        let columns = signal.count as usize;
        Signal { name: signal.port(), first: signal.first, columns, words: Vec::new(), written: false }
    }

    /// Takes the block of the window `(start, end]`.
    pub(super) fn write(
        &mut self,
        block: ArrayView2<'_, f64>,
        start: Time,
        end: Time,
        step: Span,
    ) -> Result<(), SessionError> {
        let name = &self.name;
        let refuse = |text: String| Err(SessionError::Signal(text));
        if self.written {
            return refuse(format!("the samples of `{name}` of the window ({start}, {end}] were written twice"));
        }
        let rows = samples::rows(start, end, step) as usize;
        if block.dim() != (rows, self.columns) {
            return refuse(format!(
                "a block of {} rows and {} columns was written to `{name}`, but the window ({start}, {end}] has {rows} \
                 steps of {step} and this rank has {} columns; write one row for each step that ends in the window",
                block.nrows(),
                block.ncols(),
                self.columns
            ));
        }
        // A block of 2^32 words cannot be told in a packet.
        if u32::try_from(block.len()).is_err() {
            return refuse(format!("{} samples of `{name}` in one window are too many; shorten it", block.len()));
        }
        let odd = || block.indexed_iter().find(|(_, value)| !value.is_finite());
        if !block.iter().all(|value| value.is_finite())
            && let Some(((row, column), value)) = odd()
        {
            let (neuron, time) = (self.first as usize + column, start + step * (row as i64 + 1));
            return refuse(format!(
                "a sample of `{name}` is {value}: that of index {neuron} at {time}; samples must be finite numbers"
            ));
        }
        self.words.clear();
        self.words.extend(block.iter().map(|value| value.to_bits()));
        self.written = true;
        Ok(())
    }

    /// Why there is nothing to write now.
    pub(super) fn outside(&self) -> SessionError {
        SessionError::Signal(format!("samples of `{}` were written outside of a window", self.name))
    }

    /// Refuses a window without a block.
    pub(super) fn check(&self, start: Time, end: Time) -> Result<(), SessionError> {
        if self.written || self.columns == 0 {
            return Ok(());
        }
        Err(SessionError::Signal(format!(
            "the samples of `{}` of the window ({start}, {end}] were not written; \
             write a block in each window, before the next one begins",
            self.name
        )))
    }

    /// The next window begins.
    pub(super) fn clear(&mut self) {
        self.written = false;
        self.words.clear();
    }

    /// Those of `words`, the signal's own of the window `(start, …]`, that go over a link; `scratch` is used where these
    /// are not all.
    pub(super) fn select<'a>(
        &self,
        words: &'a [u64],
        link: &BlockLink,
        start: Time,
        step: Span,
        scratch: &'a mut Vec<u64>,
    ) -> &'a [u64] {
        if link.columns == self.columns && link.every == step {
            return words;
        }
        scratch.clear();
        let first = samples::first_row(start, step);
        let apart = link.every.steps(step);
        let numbered = (first..).zip(words.chunks_exact(self.columns.max(1)));
        for (_, row) in numbered.filter(|(number, _)| number % apart == 0) {
            scratch.extend_from_slice(&row[link.skip..link.skip + link.columns]);
        }
        scratch
    }
}
