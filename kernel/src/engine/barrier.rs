//! The point at which the threads of a rank meet: once for each slice.
//!
//! Who comes early spins for a while, if spinning is allowed, then sleeps. Spinning is for machines where every thread
//! has a core: on a crowded one it takes the core from the thread that is waited for. Since other programs may crowd the
//! machine at any time, a thread that has spun in vain goes to sleep at once the next times, more of them each time
//! that it fails again.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};

/// Rounds of spinning, some tens of microseconds.
const SPINS: u32 = 2000;
/// The most meetings in a row without a spin, after spins in vain.
const MOST_SKIPS: u32 = 255;

/// What a thread has learnt about spinning.
#[derive(Default)]
pub(super) struct Patience {
    /// Meetings to come in which it does not spin.
    left: u32,
    /// How many there were to be after the last spin in vain.
    skips: u32,
}

impl Patience {
    fn spins(&mut self) -> bool {
        let spins = self.left == 0;
        self.left = self.left.saturating_sub(1);
        spins
    }
    fn spun(&mut self, in_vain: bool) {
        self.skips = if in_vain { (2 * self.skips + 1).min(MOST_SKIPS) } else { 0 };
        self.left = self.skips;
    }
}

/// A barrier that is used again and again.
pub(super) struct Barrier {
    threads: usize,
    arrived: AtomicUsize,
    round: AtomicU32,
    sleepers: AtomicUsize,
    spin: AtomicBool,
    broken: AtomicBool,
    lock: Mutex<()>,
    wake: Condvar,
}

/// A thread has panicked: the others must not wait for it.
#[derive(Debug)]
pub(super) struct Broken;

impl Barrier {
    /// For `threads` threads.
    pub(super) fn new(threads: usize, spin: bool) -> Self {
        Barrier {
            threads,
            arrived: AtomicUsize::new(0),
            round: AtomicU32::new(0),
            sleepers: AtomicUsize::new(0),
            spin: AtomicBool::new(spin),
            broken: AtomicBool::new(false),
            lock: Mutex::new(()),
            wake: Condvar::new(),
        }
    }

    /// Allows or forbids spinning.
    pub(super) fn set_spin(&self, spin: bool) {
        self.spin.store(spin, Ordering::Relaxed);
    }

    /// Returns when all threads have called it. What each wrote before is seen by all after.
    pub(super) fn wait(&self, patience: &mut Patience) -> Result<(), Broken> {
        if self.threads == 1 {
            return Ok(());
        }
        let round = self.round.load(Ordering::Acquire);
        if self.arrived.fetch_add(1, Ordering::AcqRel) + 1 == self.threads {
            // Nobody comes again before the round changes.
            self.arrived.store(0, Ordering::Relaxed);
            self.advance();
        } else {
            self.await_other_than(round, patience);
        }
        if self.broken.load(Ordering::Acquire) { Err(Broken) } else { Ok(()) }
    }

    /// Lets all pass, now and in future, with an error.
    pub(super) fn break_up(&self) {
        self.broken.store(true, Ordering::Release);
        self.advance();
    }

    fn advance(&self) {
        // Sequentially consistent, with the other half in `sleep`: either a sleeper sees the new round before it sleeps,
        // or it is counted here and woken.
        self.round.fetch_add(1, Ordering::SeqCst);
        if self.sleepers.load(Ordering::SeqCst) > 0 {
            let _held = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
            self.wake.notify_all();
        }
    }

    fn await_other_than(&self, round: u32, patience: &mut Patience) {
        if self.spin.load(Ordering::Relaxed) && patience.spins() {
            for _ in 0..SPINS {
                if self.round.load(Ordering::Acquire) != round {
                    patience.spun(false);
                    return;
                }
                std::hint::spin_loop();
            }
            patience.spun(true);
        }
        self.sleep(round);
    }

    fn sleep(&self, round: u32) {
        let mut held = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        self.sleepers.fetch_add(1, Ordering::SeqCst);
        while self.round.load(Ordering::SeqCst) == round && !self.broken.load(Ordering::SeqCst) {
            held = self.wake.wait(held).unwrap_or_else(PoisonError::into_inner);
        }
        self.sleepers.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Breaks the barrier when its thread panics.
pub(super) struct BreakOnPanic<'a>(pub(super) &'a Barrier);

impl Drop for BreakOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.break_up();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::AtomicU64;

    #[test]
    fn nobody_is_ahead_by_more_than_a_round() {
        for spin in [false, true] {
            let (threads, rounds) = (4, 2000);
            let barrier = Arc::new(Barrier::new(threads, spin));
            let sum = Arc::new(AtomicU64::new(0));
            std::thread::scope(|scope| {
                for _ in 0..threads {
                    scope.spawn(|| {
                        let mut patience = Patience::default();
                        for round in 1..=rounds {
                            sum.fetch_add(1, Ordering::Relaxed);
                            barrier.wait(&mut patience).expect("nobody panics");
                            let seen = sum.load(Ordering::Relaxed);
                            assert!(seen >= round * threads as u64 && seen <= (round + 1) * threads as u64);
                            barrier.wait(&mut patience).expect("nobody panics");
                        }
                    });
                }
            });
        }
    }

    #[test]
    fn a_panic_lets_the_others_go() {
        let barrier = Barrier::new(2, true);
        std::thread::scope(|scope| {
            let fails = scope.spawn(|| {
                let _guard = BreakOnPanic(&barrier);
                panic!("on purpose");
            });
            assert!(barrier.wait(&mut Patience::default()).is_err());
            assert!(fails.join().is_err());
        });
    }
}
