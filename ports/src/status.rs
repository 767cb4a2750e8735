//! The status page: one line of 128 bytes for each rank, with its progress and its doorbell.
//!
//! ```text
//!   byte   0  time  waiting_on  state  windows  sent  received  sleeps  waited     written by the rank, often
//!         64  bell  sleeping  stop                                                 written by others, seldom
//! ```
//!
//! A rank that waits sleeps on the `bell` of its own line; whoever makes progress that it may wait for wakes it:
//!
//! ```text
//!   sleeper                              waker
//!   seen = bell                          publish (watermark, time, space)
//!   sleeping = 1                         fence(SeqCst)
//!   fence(SeqCst)                        if sleeping: sleeping = 0, bell += 1, futex_wake(bell)
//!   if what I wait for is there: return
//!   futex_wait(bell, seen)
//! ```
//!
//! The two fences make it impossible that the sleeper misses what was published and the waker misses the sleeper. The bell
//! is read before the flag is set: a waker that was late for the sleep before may clear the flag of this one, but then it
//! rings after the bell was read, and the sleeper does not sleep. (A test goes through all interleavings.)

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering, fence};
use std::time::Duration;

use rustix::thread::futex;

use crate::control::PROTOCOL_VERSION;
use crate::memory::{self, Mapping};
use crate::time::Time;

const MAGIC: u64 = u64::from_le_bytes(*b"COUPLESP");
const HEAD_BYTES: usize = 128;
/// The most lines that a page has.
pub const MAX_LINES: u32 = 1 << 20;

/// One rank's line. All fields may be written by a faulty peer: readers take them as hints.
#[repr(C, align(128))]
#[derive(Debug, Default)]
pub struct Line {
    progress: ProgressWords,
    door: Door,
}

#[repr(C, align(64))]
#[derive(Debug, Default)]
struct ProgressWords {
    time: AtomicI64,
    waiting_on: AtomicU32,
    state: AtomicU32,
    windows: AtomicU64,
    sent: AtomicU64,
    received: AtomicU64,
    sleeps: AtomicU64,
    waited: AtomicU64,
}

#[repr(C, align(64))]
#[derive(Debug, Default)]
struct Door {
    bell: AtomicU32,
    sleeping: AtomicU32,
    stop: AtomicU32,
}

/// What a rank is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum State {
    /// Not yet started: building its part of the network.
    Setup = 0,
    /// In the simulation.
    Running = 1,
    /// The last window is done.
    Done = 2,
    /// It cannot go on.
    Failed = 3,
}

/// A rank's progress, read at once but not atomically as a whole.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Progress {
    /// Simulated time reached: everything up to it has been sent.
    pub time: Time,
    /// The line of the rank that it waits for.
    pub waiting_on: Option<u32>,
    /// What it is doing.
    pub state: State,
    /// Windows done.
    pub windows: u64,
    /// Spikes emitted.
    pub sent: u64,
    /// Spikes received.
    pub received: u64,
    /// How often it slept to wait.
    pub sleeps: u64,
    /// Wall-clock time that it waited for others, but for waits too short to be worth a look at the clock.
    pub waited: Duration,
}

/// How a sleep ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Woken {
    /// It did not sleep: what it waits for was there.
    Ready,
    /// Rung, or for no reason: look again.
    Rung,
    /// Nobody rang in time.
    TimedOut,
}

impl Line {
    /// Simulated time reached.
    #[inline]
    pub fn time(&self) -> Time {
        Time::from_ns(self.progress.time.load(Ordering::Acquire))
    }
    /// Publishes simulated time: everything up to it has been sent.
    #[inline]
    pub fn set_time(&self, time: Time) {
        self.progress.time.store(time.ns(), Ordering::Release);
    }
    /// Publishes what this rank is doing.
    pub fn set_state(&self, state: State) {
        self.progress.state.store(state as u32, Ordering::Release);
    }
    /// Publishes whom this rank waits for.
    pub fn set_waiting_on(&self, line: Option<u32>) {
        self.progress.waiting_on.store(line.map_or(0, |l| l.saturating_add(1)), Ordering::Relaxed);
    }
    /// Publishes the counts of this rank.
    #[inline]
    pub fn set_counts(&self, windows: u64, sent: u64, received: u64, sleeps: u64) {
        self.progress.windows.store(windows, Ordering::Relaxed);
        self.progress.sent.store(sent, Ordering::Relaxed);
        self.progress.received.store(received, Ordering::Relaxed);
        self.progress.sleeps.store(sleeps, Ordering::Relaxed);
    }
    /// Publishes how long this rank has waited for others.
    pub fn set_waited(&self, waited: Duration) {
        self.progress.waited.store(u64::try_from(waited.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
    /// The rank's progress.
    pub fn progress(&self) -> Progress {
        let words = &self.progress;
        Progress {
            time: self.time(),
            waiting_on: words.waiting_on.load(Ordering::Relaxed).checked_sub(1),
            state: match words.state.load(Ordering::Acquire) {
                0 => State::Setup,
                1 => State::Running,
                2 => State::Done,
                _ => State::Failed,
            },
            windows: words.windows.load(Ordering::Relaxed),
            sent: words.sent.load(Ordering::Relaxed),
            received: words.received.load(Ordering::Relaxed),
            sleeps: words.sleeps.load(Ordering::Relaxed),
            waited: Duration::from_nanos(words.waited.load(Ordering::Relaxed)),
        }
    }
    /// True when the coordinator asks this rank to leave.
    #[inline]
    pub fn stopped(&self) -> bool {
        self.door.stop.load(Ordering::Relaxed) != 0
    }
    /// Asks this rank to leave, and wakes it.
    pub fn stop(&self) {
        self.door.stop.store(1, Ordering::SeqCst);
        self.door.sleeping.store(0, Ordering::SeqCst);
        self.door.bell.fetch_add(1, Ordering::SeqCst);
        // An error of a wake means that nobody sleeps there.
        let _ = futex::wake(&self.door.bell, futex::Flags::empty(), 1);
    }

    /// Wakes the rank if it sleeps. What it may wait for must have been published, and [`publish_fence`] passed.
    #[inline]
    pub fn wake(&self) {
        if self.door.sleeping.load(Ordering::Relaxed) != 0 {
            self.wake_sleeper();
        }
    }
    #[cold]
    fn wake_sleeper(&self) {
        // Of several wakers only one makes the system call.
        if self.door.sleeping.swap(0, Ordering::SeqCst) != 0 {
            self.door.bell.fetch_add(1, Ordering::SeqCst);
            let _ = futex::wake(&self.door.bell, futex::Flags::empty(), 1);
        }
    }

    /// Sleeps on this rank's own bell unless `ready` holds. Only the rank itself may do so.
    pub fn sleep(&self, ready: impl FnOnce() -> bool, timeout: Duration) -> Woken {
        let door = &self.door;
        let seen = door.bell.load(Ordering::SeqCst);
        door.sleeping.store(1, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        let woken = if ready() || self.stopped() {
            Woken::Ready
        } else {
            let timeout = futex::Timespec {
                tv_sec: i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX),
                tv_nsec: timeout.subsec_nanos().into(),
            };
            match futex::wait(&door.bell, futex::Flags::empty(), seen, Some(&timeout)) {
                Err(rustix::io::Errno::TIMEDOUT) => Woken::TimedOut,
                _ => Woken::Rung,
            }
        };
        door.sleeping.store(0, Ordering::SeqCst);
        woken
    }
}

/// Stands between publishing progress and [`Line::wake`]; one for all that is published and all that are woken.
#[inline]
pub fn publish_fence() {
    fence(Ordering::SeqCst);
}

/// All ranks' lines, in shared memory or within this process.
#[derive(Clone, Debug)]
pub struct StatusPage {
    lines: NonNull<Line>,
    count: u32,
    _owner: Arc<Owner>,
}

#[derive(Debug)]
enum Owner {
    Shared(#[expect(dead_code, reason = "keeps the mapping")] Mapping),
    Heap(NonNull<[Line]>),
}

// SAFETY: lines hold atomics only; the owner is moved as a whole and frees them once.
unsafe impl Send for Owner {}
// SAFETY: `&Owner` gives no access.
unsafe impl Sync for Owner {}
// SAFETY: the page is a shared slice of lines of atomics, kept alive by the owner.
unsafe impl Send for StatusPage {}
// SAFETY: as above.
unsafe impl Sync for StatusPage {}

impl Drop for Owner {
    fn drop(&mut self) {
        if let Owner::Heap(lines) = *self {
            // SAFETY: the pointer came from Box::into_raw in `heap` and is freed here only.
            drop(unsafe { Box::from_raw(lines.as_ptr()) });
        }
    }
}

fn page_bytes(lines: u32) -> u64 {
    HEAD_BYTES as u64 + u64::from(lines) * size_of::<Line>() as u64
}

/// Makes a status page of `lines` lines in shared memory.
pub fn create(lines: u32) -> io::Result<OwnedFd> {
    let file = memory::create("couple-status", page_bytes(lines))?;
    let head = Mapping::of(&file, page_bytes(lines))?;
    let words = head.start().cast::<u64>();
    // SAFETY: the mapping starts at a page boundary and has HEAD_BYTES at least; nobody else has the file yet.
    unsafe {
        words.write(MAGIC);
        words.add(1).write(u64::from(PROTOCOL_VERSION) | u64::from(lines) << 32);
    }
    Ok(file)
}

impl StatusPage {
    /// Maps a page made by [`create`].
    pub fn map(file: impl AsFd, lines: u32) -> io::Result<StatusPage> {
        let bad = |text: &str| io::Error::new(io::ErrorKind::InvalidData, text.to_owned());
        if lines == 0 || lines > MAX_LINES {
            return Err(bad("a status page of no or of too many lines"));
        }
        let mapping = Mapping::of(file, page_bytes(lines))?;
        let words = mapping.start().cast::<u64>();
        // SAFETY: as in `create`; these words are written once, before the file is handed out.
        let head = unsafe { [words.read(), words.add(1).read()] };
        if head != [MAGIC, u64::from(PROTOCOL_VERSION) | u64::from(lines) << 32] {
            return Err(bad("the shared memory is no status page of this version"));
        }
        // SAFETY: the page has HEAD_BYTES and then `lines` lines; HEAD_BYTES keeps the alignment of 128.
        let first = unsafe { mapping.start().add(HEAD_BYTES) }.cast();
        Ok(StatusPage { lines: first, count: lines, _owner: Arc::new(Owner::Shared(mapping)) })
    }

    /// A page within this process.
    pub fn heap(lines: u32) -> StatusPage {
        let lines: Box<[Line]> = (0..lines).map(|_| Line::default()).collect();
        let count = lines.len() as u32;
        let lines = NonNull::from(Box::leak(lines));
        StatusPage { lines: lines.cast(), count, _owner: Arc::new(Owner::Heap(lines)) }
    }

    /// All lines.
    #[inline]
    pub fn lines(&self) -> &[Line] {
        // SAFETY: `lines` points to `count` lines that live as long as the owner, which we hold; lines consist of
        // atomics, for which any bytes are valid and which may be shared with other processes.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr(), self.count as usize) }
    }

    /// The line of one rank; `None` when there is no such line.
    #[inline]
    pub fn line(&self, line: u32) -> Option<&Line> {
        self.lines().get(line as usize)
    }

    /// Asks every rank to leave.
    pub fn stop_all(&self) {
        self.lines().iter().for_each(Line::stop);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_two_cache_lines() {
        assert_eq!(size_of::<Line>(), 128);
        assert_eq!(std::mem::offset_of!(Line, door), 64);
    }

    #[test]
    fn shared_pages_are_the_same_memory() {
        let file = create(3).unwrap();
        let (a, b) = (StatusPage::map(&file, 3).unwrap(), StatusPage::map(&file, 3).unwrap());
        a.line(2).unwrap().set_time(Time::from_ns(5));
        a.line(2).unwrap().set_waiting_on(Some(0));
        a.line(2).unwrap().set_state(State::Running);
        let seen = b.line(2).unwrap().progress();
        assert_eq!((seen.time, seen.waiting_on, seen.state), (Time::from_ns(5), Some(0), State::Running));
        assert!(b.line(3).is_none());
        assert!(StatusPage::map(&file, 4).is_err());
        assert!(StatusPage::map(memory::create("x", page_bytes(3)).unwrap(), 3).is_err());
        b.stop_all();
        assert!(a.lines().iter().all(Line::stopped));
    }

    /// The interleavings that matter, one by one: what comes before, or during, the last look ends the sleep.
    #[test]
    fn a_ring_at_any_moment_ends_the_sleep() {
        let page = StatusPage::heap(1);
        let line = &page.lines()[0];
        let long = Duration::from_secs(20);
        assert_eq!(line.sleep(|| true, long), Woken::Ready);
        // Between the last look and the system call: the bell has moved on, so that the call does not sleep.
        let rung = || {
            line.wake();
            false
        };
        assert_eq!(line.sleep(rung, long), Woken::Rung);
        assert_eq!(line.sleep(|| false, Duration::from_millis(1)), Woken::TimedOut);
        // Nobody sleeps: nothing is rung, and the next sleep is not ended by it.
        line.wake();
        assert_eq!(line.sleep(|| false, Duration::from_millis(1)), Woken::TimedOut);
        line.stop();
        assert_eq!(line.sleep(|| false, long), Woken::Ready);
    }

    /// The state of sleeper and waker between two of their steps.
    #[derive(Clone, Copy, PartialEq, Eq, Hash)]
    struct Model {
        published: u32,
        sleeping: bool,
        bell: u32,
        /// Of the sleeper: the item it waits for, its next step, the bell it read.
        wanted: u32,
        step: u32,
        seen: u32,
        /// Of the waker: the item it publishes, its next step.
        item: u32,
        waker: u32,
    }

    const ITEMS: u32 = 3;
    const ASLEEP: u32 = 4;

    impl Model {
        /// One step of the sleeper; `None` when it sleeps or has got everything.
        fn sleeper(mut self, bell_first: bool) -> Option<Model> {
            if self.wanted > ITEMS {
                return None;
            }
            let read = if bell_first { 0 } else { 1 };
            match self.step {
                0 | 1 if self.step == read => self.seen = self.bell,
                0 | 1 => self.sleeping = true,
                2 if self.published >= self.wanted => {
                    (self.sleeping, self.wanted, self.step) = (false, self.wanted + 1, 0);
                    return Some(self);
                }
                2 => {}
                3 if self.bell == self.seen => {}
                3 => {
                    (self.sleeping, self.step) = (false, 0);
                    return Some(self);
                }
                _ => return None,
            }
            self.step += 1;
            Some(self)
        }

        /// One step of the waker; `None` when it has published everything.
        fn waker(mut self) -> Option<Model> {
            if self.item > ITEMS {
                return None;
            }
            self.waker += 1;
            let over = match self.waker {
                1 => {
                    self.published = self.item;
                    false
                }
                2 => !self.sleeping,
                3 => !std::mem::take(&mut self.sleeping),
                4 => {
                    self.bell += 1;
                    false
                }
                _ => {
                    if self.step == ASLEEP {
                        (self.sleeping, self.step) = (false, 0);
                    }
                    true
                }
            };
            if over {
                (self.item, self.waker) = (self.item + 1, 0);
            }
            Some(self)
        }
    }

    /// Goes through all interleavings; true when one of them ends with the sleeper asleep.
    fn loses_a_wake_up(bell_first: bool) -> bool {
        let start = Model { published: 0, sleeping: false, bell: 0, wanted: 1, step: 0, seen: 0, item: 1, waker: 0 };
        let (mut known, mut open) = (std::collections::HashSet::from([start]), vec![start]);
        while let Some(state) = open.pop() {
            let next = [state.sleeper(bell_first), state.waker()];
            if next == [None, None] && state.step == ASLEEP {
                return true;
            }
            open.extend(next.into_iter().flatten().filter(|next| known.insert(*next)));
        }
        false
    }

    #[test]
    fn no_interleaving_of_sleeper_and_waker_loses_a_wake_up() {
        assert!(!loses_a_wake_up(true));
        assert!(loses_a_wake_up(false), "the order of the sleeper's first two steps matters, and the model shows it");
    }

    /// Two threads hand a turn back and forth, each sleeping at once: a lost wake-up would show as a sleep that times
    /// out although it is our turn.
    #[test]
    fn no_wake_up_is_lost() {
        let page = StatusPage::heap(2);
        let turn = AtomicU64::new(0);
        let play = |me: u64| {
            let (own, peer) = (&page.lines()[me as usize], &page.lines()[1 - me as usize]);
            for round in 0..20_000 {
                let mine = 2 * round + me;
                while turn.load(Ordering::Acquire) != mine {
                    let woken = own.sleep(|| turn.load(Ordering::Acquire) == mine, Duration::from_secs(20));
                    assert_ne!(woken, Woken::TimedOut, "round {round}: lost wake-up");
                }
                turn.store(mine + 1, Ordering::Release);
                publish_fence();
                peer.wake();
            }
        };
        std::thread::scope(|scope| {
            scope.spawn(|| play(0));
            scope.spawn(|| play(1));
        });
    }
}
