//! Signals and messages of a window.

use std::sync::Arc;

use couple_ports::session::SessionError;
use couple_ports::time::Time;
use ndarray::ArrayView2;

use crate::directory::Port;
use crate::session::{MessageInput, MessageOutput, SignalInput, SignalOutput};
use crate::window::{Arrived, again};
use crate::{Error, Message, Window};

impl Window<'_> {
    /// A signal on this component's grid: row `n` holds at `start + n * step`, so that there is one row more than steps.
    /// A column for each neuron of this rank, in the unit of the configuration.
    ///
    /// What is integrated from a step's beginning on is driven by the row of that beginning; the last row is the first
    /// one of the next window.
    pub fn signal(&mut self, input: SignalInput) -> Result<ArrayView2<'_, f64>, Error> {
        let Port { links, .. } = &self.session.ports[input.0];
        let link = links[0];
        let component = self.session.component.clone();
        self.session.running()?.samples(link).map_err(|source| Error::Session { component, source })
    }

    /// Writes a signal: one row for each step, the values at its end, and a column for each neuron of this rank. Once in
    /// each window.
    pub fn write(&mut self, output: SignalOutput, block: ArrayView2<'_, f64>) -> Result<(), Error> {
        let steps = self.steps();
        let Port { links, count, .. } = &self.session.ports[output.0];
        let shape = (steps, *count as usize);
        if block.dim() != shape {
            let (rows, columns) = block.dim();
            let message = format!(
                "a block of {rows} rows and {columns} columns was written; the window has {} steps and the signal {} columns",
                shape.0, shape.1
            );
            return Err(self.port_failed(output.0, message));
        }
        let link = links.first().copied();
        self.check_finite(output, block)?;
        let Some(link) = link else { return Ok(()) };
        let written = self.session.running()?.write_samples(link, block);
        written.map_err(|source| self.port_failed(output.0, source.to_string()))
    }

    fn check_finite(&self, output: SignalOutput, block: ArrayView2<'_, f64>) -> Result<(), Error> {
        let Some(((row, column), value)) = block.indexed_iter().find(|(_, value)| !value.is_finite()) else {
            return Ok(());
        };
        let time = self.start + self.session.step() * (row as i64 + 1);
        let neuron = self.session.ports[output.0].first as usize + column;
        Err(self.port_failed(
            output.0,
            format!("the value of neuron {neuron} at {time} is {value}, which is no finite number"),
        ))
    }

    fn port_failed(&self, port: usize, message: String) -> Error {
        self.session.port_error(&self.session.ports[port].name, message)
    }

    /// The messages that arrive in `(start, end]`, in order of time. Shared, as the spikes are.
    pub fn messages(&mut self, input: MessageInput) -> Result<Arc<Vec<Message>>, Error> {
        if !self.session.arrived.has_messages {
            self.take_messages()?;
        }
        let arrived = &self.session.arrived;
        let link = self.session.ports[input.0].links.first();
        Ok(link.map_or_else(Arc::default, |link| arrived.messages[arrived.message_slots[*link]].clone()))
    }

    fn take_messages(&mut self) -> Result<(), Error> {
        let (run, arrived) = self.session.run_and_arrived()?;
        let Arrived { message_slots, messages, .. } = arrived;
        let mut lists: Vec<Vec<Message>> = messages.iter_mut().map(again).collect();
        let taken = run.for_each_message(|input, time, bytes| {
            lists[message_slots[input]].push(Message { time, bytes: bytes.to_vec() });
        });
        // Stable: messages of one time stay in the order of their links.
        lists.iter_mut().for_each(|list| list.sort_by_key(|message| message.time));
        *messages = lists.into_iter().map(Arc::new).collect();
        arrived.has_messages = true;
        taken.map_err(|source: SessionError| self.session.session_error(source))
    }

    /// Sends a message, stamped after the window's start and up to its end.
    pub fn send(&mut self, output: MessageOutput, time: Time, bytes: &[u8]) -> Result<(), Error> {
        let Some(&link) = self.session.ports[output.0].links.first() else { return Ok(()) };
        let sent = self.session.running()?.send_message(link, time, bytes);
        sent.map_err(|source| self.port_failed(output.0, source.to_string()))
    }
}
