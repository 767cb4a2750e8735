//! The simulation phase, as far as analog signals and messages go.

use ndarray::ArrayView2;

use super::SessionError;
use super::exchange::wake;
use super::runtime::{Runtime, Window};
use crate::packet::{Header, Kind};
use crate::time::Time;

impl Runtime {
    /// Gives the samples of the window at hand on [`signals_out`](crate::control::Welcome::signals_out)`[signal]`: a row
    /// for each of this rank's steps that ends in the window, in order of time, and a column for each of its neurons, in
    /// the signal's unit. To be called once in each window.
    ///
    /// An error names the signal. It is told to the coordinator at once: the session is over then.
    pub fn write_samples(&mut self, signal: usize, block: ArrayView2<'_, f64>) -> Result<(), SessionError> {
        let written = self.try_write_samples(signal, block);
        self.leave_on_error(written)
    }

    /// What the window at hand sees of [`signals_in`](crate::control::Welcome::signals_in)`[signal]`: a row for its start
    /// and one for the end of each of this rank's steps, and a column for each of its neurons. A row for time `t` is the
    /// signal at `t` minus the link's delay, held or interpolated. The first row is the last one of the window before.
    pub fn samples(&mut self, signal: usize) -> Result<ArrayView2<'_, f64>, SessionError> {
        if let Err(error) = self.see(signal) {
            self.leave(&error.to_string());
            return Err(error);
        }
        let rows = self.window.map_or(0, |window| (window.end - window.start).steps(self.step) as usize + 1);
        let (values, columns) = self.see(signal)?;
        let shape = |error: ndarray::ShapeError| SessionError::Signal(error.to_string());
        ArrayView2::from_shape((rows, columns), values).map_err(shape)
    }

    /// Sends a message on [`messages_out`](crate::control::Welcome::messages_out)`[port]`, stamped within the window at
    /// hand: up to [`MAX_MESSAGE`](crate::packet::MAX_MESSAGE) bytes, which are nobody's concern but the receiver's.
    ///
    /// An error names the port. It is told to the coordinator at once: the session is over then.
    pub fn send_message(&mut self, port: usize, time: Time, bytes: &[u8]) -> Result<(), SessionError> {
        let sent = self.try_send_message(port, time, bytes);
        self.leave_on_error(sent)
    }

    /// Calls `each` with (position among [`messages_in`](crate::control::Welcome::messages_in), time, bytes) for the
    /// messages of this window, ordered by time and then as they were sent. The time is the message's stamp plus the
    /// link's delay. To be called once in each window.
    pub fn for_each_message(&mut self, mut each: impl FnMut(usize, Time, &[u8])) -> Result<(), SessionError> {
        let Some(window) = self.window else { return Ok(()) };
        let page = &self.waiter.page;
        let due = self.exchange.inputs.messages(window.start, window.end, |line| wake(page, line));
        let due = self.leave_on_error(due)?;
        due.iter().for_each(|(time, message)| each(message.port, *time, &message.bytes));
        Ok(())
    }

    fn try_write_samples(&mut self, signal: usize, block: ArrayView2<'_, f64>) -> Result<(), SessionError> {
        let all = self.exchange.outputs.signals.len();
        let missing = || SessionError::Signal(format!("there is no outgoing signal {signal}; there are {all}"));
        let step = self.step;
        let window = self.window;
        let signal = self.exchange.outputs.signals.get_mut(signal).ok_or_else(missing)?;
        let Some(Window { start, end }) = window else { return Err(signal.outside()) };
        signal.write(block, start, end, step)
    }

    fn try_send_message(&mut self, port: usize, time: Time, bytes: &[u8]) -> Result<(), SessionError> {
        let all = self.exchange.outputs.messages.len();
        let missing = || SessionError::Message(format!("there is no outgoing message port {port}; there are {all}"));
        let port = self.exchange.outputs.messages.get_mut(port).ok_or_else(missing)?;
        let now = self.exchange.now;
        let Window { start, end } = self.window.unwrap_or(Window { start: now, end: now });
        port.send(time, bytes, start, end)
    }

    fn see(&mut self, signal: usize) -> Result<(&[f64], usize), SessionError> {
        let outside = || SessionError::Signal(format!("incoming signal {signal} was asked for outside of a window"));
        let window = self.window.ok_or_else(outside)?;
        let page = &self.waiter.page;
        self.exchange.inputs.samples(signal, window.start, window.end, |line| wake(page, line))
    }

    fn leave_on_error<T>(&mut self, result: Result<T, SessionError>) -> Result<T, SessionError> {
        if let Err(error) = &result {
            self.leave(&error.to_string());
        }
        result
    }

    /// Refuses a window for which a signal was not written.
    pub(super) fn check_written(&self, window: Window) -> Result<(), SessionError> {
        self.exchange.outputs.signals.iter().try_for_each(|signal| signal.check(window.start, window.end))
    }

    /// Sends what a channel carries beside events.
    pub(super) fn send_signals(&mut self, window: Window, channel: usize) -> Result<(), SessionError> {
        let Window { start, end } = window;
        let mut scratch = std::mem::take(&mut self.words);
        for link in 0..self.exchange.outputs.channels[channel].blocks.len() {
            let outputs = &mut self.exchange.outputs;
            let link = &outputs.channels[channel].blocks[link];
            let (signal, header) = (link.signal, Header::words(Kind::Samples, link.link, start, end));
            // Out of the way while this rank may have to wait and take packets in.
            let taken = std::mem::take(&mut outputs.signals[signal].words);
            let words = outputs.signals[signal].select(&taken, link, start, self.step, &mut scratch);
            let sent = self.send_all(channel, header, words);
            self.exchange.outputs.signals[signal].words = taken;
            sent?;
        }
        self.words = scratch;
        for link in 0..self.exchange.outputs.channels[channel].messages.len() {
            let (link, port) = self.exchange.outputs.channels[channel].messages[link];
            let stream = std::mem::take(&mut self.exchange.outputs.messages[port].stream);
            let sent = self.send_all(channel, Header::words(Kind::Messages, link, start, end), &stream);
            self.exchange.outputs.messages[port].stream = stream;
            sent?;
        }
        Ok(())
    }

    /// Everything has been sent: forgets it.
    pub(super) fn clear_signals(&mut self) {
        self.exchange.outputs.signals.iter_mut().for_each(super::blocks::Signal::clear);
        self.exchange.outputs.messages.iter_mut().for_each(|port| port.stream.clear());
    }
}
