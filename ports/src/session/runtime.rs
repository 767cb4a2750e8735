//! The simulation phase: from window to window.

use std::io;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use super::SessionError;
use super::desk::Desk;
use super::exchange::{Exchange, wake};
use super::inputs::Inputs;
use super::outputs::Outputs;
use super::wait::{LOOK_EVERY, Patience, Waiter};
use crate::control::{FromCoordinator, FromRank, Welcome};
use crate::event::{self, Event};
use crate::packet::Header;
use crate::status::{State, StatusPage, publish_fence};
use crate::time::{Span, Time};

/// The interval `(start, end]` that a component runs between two exchanges.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Window {
    /// Everything up to here has been simulated.
    pub start: Time,
    /// Simulate up to here, inclusively.
    pub end: Time,
}

/// A rank in the simulation phase.
///
/// Dropping it before [`Runtime::finish`] tells the coordinator that the component failed.
pub struct Runtime {
    pub(super) exchange: Exchange,
    pub(super) waiter: Waiter,
    pub(super) window: Option<Window>,
    pub(super) step: Span,
    length: Span,
    duration: Span,
    /// Whom to wake when a window is done.
    bells: Vec<u32>,
    scratch: Vec<Event>,
    pub(super) words: Vec<u64>,
    /// False when this rank sends nothing but events.
    rich: bool,
    sent: u64,
    windows: u64,
    /// Coarse clock, in nanoseconds, from which on the coordinator's socket is looked at again.
    look_at: i64,
    left: bool,
}

impl Runtime {
    pub(super) fn new(
        welcome: &Welcome,
        inputs: Inputs,
        outputs: Outputs,
        page: StatusPage,
        desk: Box<dyn Desk>,
    ) -> Runtime {
        let patience = if welcome.spin { Patience::SPIN } else { Patience::SHARE };
        let receivers = welcome.channels_out.iter().filter_map(|channel| channel.peer_line);
        let creditors = welcome.channels_in.iter().filter(|channel| channel.credited).map(|channel| channel.peer_line);
        let mut bells: Vec<u32> = receivers.chain(creditors).collect();
        bells.sort_unstable();
        bells.dedup();
        let waiter = Waiter { page, line: welcome.line, desk, patience, sleeps: 0, waited: Duration::ZERO };
        waiter.own().set_state(State::Running);
        Runtime {
            exchange: Exchange { inputs, outputs, now: Time::ZERO },
            waiter,
            window: None,
            step: welcome.step,
            length: welcome.window,
            duration: welcome.duration,
            bells,
            scratch: Vec::new(),
            words: Vec::new(),
            rich: !welcome.signals_out.is_empty() || !welcome.messages_out.is_empty(),
            sent: 0,
            windows: 0,
            look_at: 0,
            left: false,
        }
    }

    /// How this rank waits; for measurements.
    #[doc(hidden)]
    pub fn set_patience(&mut self, patience: Patience) {
        self.waiter.patience = patience;
    }

    /// Simulated time reached.
    pub fn now(&self) -> Time {
        self.exchange.now
    }

    /// Ends the window at hand: sends what was emitted and publishes its end. Then waits until the next window may be
    /// run; `None` at the end of the simulation.
    ///
    /// An error is told to the coordinator at once: the session is over then.
    #[inline]
    pub fn next_window(&mut self) -> Result<Option<Window>, SessionError> {
        let next = self.advance();
        if let Err(error) = &next {
            self.leave(&error.to_string());
        }
        next
    }

    fn advance(&mut self) -> Result<Option<Window>, SessionError> {
        self.end_window()?;
        self.look()?;
        let start = self.exchange.now;
        let last = Time::ZERO + self.duration;
        if start >= last {
            return Ok(None);
        }
        let end = (start + self.length).min(last);
        self.wait_for_credit(end)?;
        self.wait_for_input(end)?;
        let window = Window { start, end };
        self.window = Some(window);
        Ok(Some(window))
    }

    /// Calls `each` with (input, global index, time stamp) for the events of this window: those of each link with an
    /// emission time in `(T-D, T+h-D]`, each once, in no particular order. To be called once in each window. The time
    /// stamp is the emission time plus the link's delay.
    pub fn for_each_input(&mut self, each: impl FnMut(usize, u32, Time)) -> Result<(), SessionError> {
        let Some(window) = self.window else { return Ok(()) };
        let page = &self.waiter.page;
        let handed = self.exchange.inputs.hand_over(window.start, window.end, each, |line| wake(page, line));
        if let Err(error) = &handed {
            self.leave(&error.to_string());
        }
        handed
    }

    /// Emits a spike of global `index` on `output`, stamped within the window. False when it is not, or when it is of no
    /// neuron there is; the next [`Runtime::next_window`] will then fail, with the reason ([`Runtime::check_emitted`]).
    #[inline]
    pub fn emit(&mut self, output: usize, index: u32, time: Time) -> bool {
        let (start, length) = match self.window {
            Some(window) => (window.start, (window.end - window.start).ns() as u32),
            None => (self.exchange.now, 0),
        };
        self.exchange.outputs.emit(output, index, time, start, length)
    }

    /// Why the first refused spike was refused.
    pub fn check_emitted(&self) -> Result<(), SessionError> {
        let now = self.exchange.now;
        let window = self.window.unwrap_or(Window { start: now, end: now });
        self.exchange.outputs.check(window.start, window.end)
    }

    /// The end of the simulation, reached when [`Runtime::next_window`] gave `None`: says so and waits until all
    /// components have reached it.
    pub fn finish(mut self) -> Result<(), SessionError> {
        let result = self.try_finish();
        match &result {
            Ok(()) => self.left = true,
            Err(error) => self.leave(&error.to_string()),
        }
        result
    }

    /// Tells the coordinator that the component cannot go on.
    pub fn fail(mut self, message: &str) {
        self.leave(message);
    }

    fn try_finish(&mut self) -> Result<(), SessionError> {
        self.end_window()?;
        let time = self.exchange.now;
        if time < Time::ZERO + self.duration {
            return Err(SessionError::Early { time, duration: self.duration });
        }
        self.close()?;
        self.waiter.own().set_state(State::Done);
        let gone = |error: io::Error| SessionError::CoordinatorGone { time, reason: error.to_string() };
        let emitted = self.exchange.outputs.emitted();
        self.waiter.desk.send(FromRank::Done { emitted }).map_err(gone)?;
        loop {
            match self.waiter.desk.receive(LOOK_EVERY).map_err(gone)? {
                Some(FromCoordinator::Bye) => return Ok(()),
                Some(other) => return Err(SessionError::Protocol(format!("{other:?} instead of Bye"))),
                None => self.waiter.look(&self.exchange, true)?,
            }
        }
    }

    /// Makes everyone independent of this rank.
    fn close(&mut self) -> Result<(), SessionError> {
        self.exchange.inputs.close();
        let now = self.exchange.now;
        for channel in &mut self.exchange.outputs.channels {
            let finished = channel.sender.finish();
            finished.map_err(|source| channel.error(now, source))?;
        }
        self.ring();
        Ok(())
    }

    /// Leaves before the end.
    pub(super) fn leave(&mut self, message: &str) {
        if self.left {
            return;
        }
        self.left = true;
        self.waiter.own().set_state(State::Failed);
        // Nobody may wait for room in rings that nobody empties; what was sent so far stays readable. Whoever waits
        // for our watermark is stopped by the coordinator. It may be gone: then there is nobody to tell.
        self.exchange.inputs.close();
        let _ = self.waiter.desk.send(FromRank::Failed { message: message.to_owned() });
        // Recordings are whole up to here, also those of who has been silent for a while.
        self.exchange
            .outputs
            .channels
            .iter_mut()
            .filter(|c| c.peer_line.is_none())
            .for_each(|c| drop(c.sender.finish()));
        let _ = self.waiter.desk.send(FromRank::Left { emitted: self.exchange.outputs.emitted() });
        self.ring();
    }

    /// Sends what was emitted in the window, then publishes its end.
    fn end_window(&mut self) -> Result<(), SessionError> {
        self.check_emitted()?;
        let Some(window) = self.window.take() else { return Ok(()) };
        if self.rich {
            self.check_written(window)?;
        }
        for channel in 0..self.exchange.outputs.channels.len() {
            for link in 0..self.exchange.outputs.channels[channel].links.len() {
                let output = self.exchange.outputs.channels[channel].links[link].output;
                if !self.exchange.outputs.is_silent(output) {
                    self.send(window, channel, link, output)?;
                }
            }
            if self.rich {
                self.send_signals(window, channel)?;
            }
            let channel = &mut self.exchange.outputs.channels[channel];
            let published = channel.sender.publish(window.end);
            published.map_err(|source| channel.error(window.start, source))?;
        }
        self.exchange.now = window.end;
        self.sent += self.exchange.outputs.clear();
        if self.rich {
            self.clear_signals();
        }
        self.windows += 1;
        let own = self.waiter.own();
        own.set_counts(self.windows, self.sent, self.exchange.inputs.received, self.waiter.sleeps);
        own.set_time(window.end);
        self.ring();
        Ok(())
    }

    /// Wakes all who may wait for this rank.
    #[inline]
    fn ring(&self) {
        if self.bells.is_empty() {
            return;
        }
        publish_fence();
        let lines = self.waiter.page.lines();
        self.bells.iter().for_each(|line| lines[*line as usize].wake());
    }

    /// Sends one link's events of the window, waiting for room where it must.
    fn send(&mut self, window: Window, channel: usize, link: usize, output: usize) -> Result<(), SessionError> {
        let events = self.exchange.outputs.take(output);
        let mut scratch = std::mem::take(&mut self.scratch);
        let out = &mut self.exchange.outputs.channels[channel];
        let rest = event::as_words(out.links[link].select(&events, &mut scratch));
        let header = Header::events(out.links[link].link, window.start, window.end, 0);
        let result = self.send_all(channel, header, rest);
        self.scratch = scratch;
        self.exchange.outputs.put_back(output, events);
        result
    }

    /// Sends words of one link, waiting for room where it must.
    pub(super) fn send_all(
        &mut self,
        channel: usize,
        mut header: Header,
        mut rest: &[u64],
    ) -> Result<(), SessionError> {
        if rest.is_empty() {
            return Ok(());
        }
        let peer = self.exchange.outputs.channels[channel].peer_line;
        let page = self.waiter.page.clone();
        let mut offer = |exchange: &mut Exchange| {
            let out = &mut exchange.outputs.channels[channel];
            let taken = out.sender.try_send_words(&header, rest);
            let taken = taken.map_err(|source| out.error(header.start, source))?;
            header = header.fragment(taken, 0);
            rest = &rest[taken..];
            if !rest.is_empty()
                && let Some(line) = peer
            {
                // The receiver may sleep, waiting for our watermark: it must make room.
                wake(&page, line);
            }
            Ok(rest.is_empty())
        };
        if offer(&mut self.exchange)? {
            return Ok(());
        }
        self.waiter.wait(&mut self.exchange, peer, &mut offer)
    }

    #[inline]
    fn wait_for_credit(&mut self, end: Time) -> Result<(), SessionError> {
        for channel in 0..self.exchange.outputs.channels.len() {
            let out = &self.exchange.outputs.channels[channel];
            let (Some(credit), Some(line)) = (out.credit, out.peer_line) else { continue };
            let need = end - credit;
            if self.waiter.page.lines()[line as usize].time() < need {
                let page = self.waiter.page.clone();
                let mut ready = |_: &mut Exchange| Ok(page.lines()[line as usize].time() >= need);
                self.waiter.wait(&mut self.exchange, Some(line), &mut ready)?;
            }
        }
        Ok(())
    }

    #[inline]
    fn wait_for_input(&mut self, end: Time) -> Result<(), SessionError> {
        for position in 0..self.exchange.inputs.channels.len() {
            let channel = &mut self.exchange.inputs.channels[position];
            if !channel.reached(end) {
                let line = channel.peer_line;
                let mut ready = |exchange: &mut Exchange| Ok(exchange.inputs.channels[position].reached(end));
                self.waiter.wait(&mut self.exchange, Some(line), &mut ready)?;
            }
        }
        Ok(())
    }

    /// Looks at the stop flag, and now and then at the coordinator's socket, so that a rank that never waits ends too.
    #[inline]
    fn look(&mut self) -> Result<(), SessionError> {
        let clock = clock_gettime(ClockId::MonotonicCoarse);
        let now = clock.tv_sec * 1_000_000_000 + clock.tv_nsec;
        let due = now >= self.look_at;
        if due {
            self.look_at = now + duration_ns(LOOK_EVERY);
        }
        self.waiter.look(&self.exchange, due)
    }
}

fn duration_ns(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

impl Drop for Runtime {
    fn drop(&mut self) {
        let why = if std::thread::panicking() { "the program panicked" } else { "the program left before the end" };
        self.leave(why);
    }
}
