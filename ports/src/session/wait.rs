//! How a rank waits: spin while there are cores to spare, then let others run, then sleep on its doorbell.

use std::time::{Duration, Instant};

use super::SessionError;
use super::desk::Desk;
use super::exchange::Exchange;
use crate::status::{Line, StatusPage, Woken};

/// How often a rank that waits or computes looks whether the coordinator is still there.
pub const LOOK_EVERY: Duration = Duration::from_millis(100);

/// How long each stage of a wait lasts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Patience {
    /// Spin for so long.
    pub spin: Duration,
    /// Then offer the core to others so many times.
    pub yields: u32,
}

impl Patience {
    /// Every thread of the run has a core to itself.
    pub const SPIN: Patience = Patience { spin: Duration::from_micros(200), yields: 8 };
    /// There are more threads than cores: spinning would take the core from whom we wait for.
    pub const SHARE: Patience = Patience { spin: Duration::ZERO, yields: 16 };
}

/// Waits on behalf of one rank.
pub(super) struct Waiter {
    pub(super) page: StatusPage,
    pub(super) line: u32,
    pub(super) desk: Box<dyn Desk>,
    pub(super) patience: Patience,
    /// How often it slept.
    pub(super) sleeps: u64,
    /// How long it waited: from the first look at the clock within each wait.
    pub(super) waited: Duration,
}

/// What is waited for; true when it is there. Called many times.
pub(super) type Ready<'a> = dyn FnMut(&mut Exchange) -> Result<bool, SessionError> + 'a;

impl Waiter {
    /// The line of this rank.
    #[inline]
    pub(super) fn own(&self) -> &Line {
        &self.page.lines()[self.line as usize]
    }

    /// Returns once `ready` is true. `peer` is whom we wait for, for those who watch.
    #[cold]
    pub(super) fn wait(
        &mut self,
        exchange: &mut Exchange,
        peer: Option<u32>,
        ready: &mut Ready<'_>,
    ) -> Result<(), SessionError> {
        let mut begun = None;
        let result = self.wait_since(exchange, peer, ready, &mut begun);
        if let Some(begun) = begun {
            self.waited += begun.elapsed();
            self.own().set_waited(self.waited);
        }
        result
    }

    /// Waits; `begun` is when the clock was read for the first time, if it was.
    fn wait_since(
        &mut self,
        exchange: &mut Exchange,
        peer: Option<u32>,
        ready: &mut Ready<'_>,
        begun: &mut Option<Instant>,
    ) -> Result<(), SessionError> {
        if self.spin(exchange, ready, begun)? {
            return Ok(());
        }
        begun.get_or_insert_with(Instant::now);
        self.own().set_waiting_on(peer);
        for _ in 0..self.patience.yields {
            if ready(exchange)? {
                self.own().set_waiting_on(None);
                return Ok(());
            }
            exchange.relieve(&self.page)?;
            rustix::thread::sched_yield();
        }
        while !ready(exchange)? {
            self.sleep(exchange, ready)?;
        }
        self.own().set_waiting_on(None);
        Ok(())
    }

    /// Spins for a while; true when `ready`.
    fn spin(
        &mut self,
        exchange: &mut Exchange,
        ready: &mut Ready<'_>,
        begun: &mut Option<Instant>,
    ) -> Result<bool, SessionError> {
        if self.patience.spin.is_zero() {
            return Ok(false);
        }
        // The clock is read for the first time after some rounds: most waits are over by then.
        loop {
            for _ in 0..256 {
                if ready(exchange)? {
                    return Ok(true);
                }
                std::hint::spin_loop();
            }
            exchange.relieve(&self.page)?;
            let now = Instant::now();
            if now >= *begun.get_or_insert(now) + self.patience.spin {
                return Ok(false);
            }
        }
    }

    /// Sleeps until rung, but not for long.
    fn sleep(&mut self, exchange: &mut Exchange, ready: &mut Ready<'_>) -> Result<(), SessionError> {
        exchange.relieve(&self.page)?;
        let mut failure = None;
        self.sleeps += 1;
        let woken = self.own().sleep(
            || {
                ready(exchange).unwrap_or_else(|error| {
                    failure = Some(error);
                    true
                })
            },
            LOOK_EVERY,
        );
        if let Some(error) = failure {
            return Err(error);
        }
        self.look(exchange, woken == Woken::TimedOut)
    }

    /// Fails when this rank is asked to leave, or when there is nobody left to ask it.
    pub(super) fn look(&self, exchange: &Exchange, at_socket: bool) -> Result<(), SessionError> {
        let time = exchange.now;
        if self.own().stopped() {
            return Err(SessionError::Stopped { time });
        }
        if at_socket && !self.desk.is_open() {
            let reason = "its connection is closed".to_owned();
            return Err(SessionError::CoordinatorGone { time, reason });
        }
        Ok(())
    }
}
