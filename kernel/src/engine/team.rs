//! The threads of a rank: the caller's and its workers, each with its share of the network.
//!
//! ```text
//!   caller   ──job──►┬─ advance ─┬─ deliver, report ─┬─ advance ─┬─ …
//!                    │           │                   │           │
//!   worker   ──wait─►┴─ advance ─┴─ deliver ─────────┴─ advance ─┴─ …      ┴ = barrier
//! ```
//!
//! One barrier a slice is enough, since spikes go to two sets of lists in turn: when a thread writes to a set again, all
//! have passed the barrier after the slice in which they read it.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::thread::JoinHandle;

use couple_network::description::{Network, PopulationId};
use couple_ports::index::{IndexMap, IndexSet};

use super::barrier::{Barrier, BreakOnPanic, Broken, Patience};
use super::share::{self, Share};
use super::spikes::SpikeLists;
use super::{BuildError, Part, RunError};

/// A stretch of steps to simulate: `(from, to]`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Job {
    pub(super) from: i64,
    pub(super) to: i64,
    /// The longest slice.
    pub(super) slice: i64,
}

/// What the workers are to do next.
#[derive(Clone, Copy)]
enum Order {
    Run(Turn),
    Leave,
}

/// A job, and the set of lists that its first slice writes to.
#[derive(Clone, Copy)]
struct Turn {
    job: Job,
    set: usize,
}

/// What all threads see.
struct Common {
    barrier: Barrier,
    order: Mutex<Order>,
    /// For each of the two sets, one list of spikes for each thread.
    lists: [Vec<RwLock<SpikeLists>>; 2],
    /// Spikes from elsewhere, taken in at the start of a job.
    ready: RwLock<SpikeLists>,
}

/// What the caller's thread does after each slice: (from, to, the lists of all threads).
pub(super) type AfterSlice<'a> = dyn FnMut(i64, i64, &[RwLockReadGuard<'_, SpikeLists>]) + 'a;

/// The threads of a rank.
pub(super) struct Team {
    common: Arc<Common>,
    shares: Vec<Arc<Mutex<Share>>>,
    workers: Vec<JoinHandle<()>>,
    /// The set of lists that the next slice writes to.
    set: usize,
    patience: Patience,
}

/// Builds the shares of all threads at the same time.
pub(super) fn build_shares(network: &Network, part: &Part, slice: usize) -> Result<Vec<Share>, BuildError> {
    let built: Vec<_> = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..part.threads)
            .map(|thread| {
                let builder = std::thread::Builder::new().name(format!("build {thread}"));
                builder.spawn_scoped(scope, move || Share::build(network, part, thread, slice))
            })
            .collect();
        let join = |handle: io::Result<std::thread::ScopedJoinHandle<'_, _>>| match handle {
            Ok(handle) => handle.join().unwrap_or_else(|_| Err(BuildError::Thread("it panicked".into()))),
            Err(error) => Err(BuildError::Thread(error.to_string())),
        };
        handles.into_iter().map(join).collect()
    });
    let mut shares = built.into_iter().collect::<Result<Vec<Share>, _>>()?;
    add_sources(network, part, &mut shares)?;
    Ok(shares)
}

/// Divides the spike sources that go through lists among the threads.
fn add_sources(network: &Network, part: &Part, shares: &mut [Share]) -> Result<(), BuildError> {
    for (population, p) in network.populations.iter().enumerate().filter(|(_, p)| p.model.is_stimulus()) {
        let wanted = Arc::new(share::sources(shares.iter(), population, p.size));
        let (Some(first), Some(last)) = (wanted.iter().next(), wanted.iter().last()) else { continue };
        let blocks = IndexMap::block(last + 1 - first, part.threads as u32);
        for (thread, share) in shares.iter_mut().enumerate() {
            let block = blocks.range(thread as u32);
            share.add_source(network, population, first + block.start..first + block.end, &wanted)?;
        }
    }
    Ok(())
}

impl Team {
    /// Starts the workers for all shares but the first, which is the caller's.
    pub(super) fn new(shares: Vec<Share>, populations: usize) -> io::Result<Self> {
        let threads = shares.len();
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let lists = || (0..threads).map(|_| RwLock::new(SpikeLists::new(populations))).collect();
        let common = Arc::new(Common {
            barrier: Barrier::new(threads, threads <= cores),
            order: Mutex::new(Order::Leave),
            lists: [lists(), lists()],
            ready: RwLock::new(SpikeLists::new(populations)),
        });
        let shares: Vec<_> = shares.into_iter().map(|share| Arc::new(Mutex::new(share))).collect();
        let mut team = Team { common, shares, workers: Vec::new(), set: 0, patience: Patience::default() };
        for thread in 1..threads {
            let (common, share) = (Arc::clone(&team.common), Arc::clone(&team.shares[thread]));
            let builder = std::thread::Builder::new().name(format!("kernel {thread}"));
            match builder.spawn(move || work(&common, &share, thread)) {
                Ok(worker) => team.workers.push(worker),
                Err(error) => {
                    // Those already started wait for an order that will not come.
                    team.common.barrier.break_up();
                    return Err(error);
                }
            }
        }
        Ok(team)
    }

    pub(super) fn set_spin(&mut self, spin: bool) {
        self.common.barrier.set_spin(spin);
    }

    /// The spikes from elsewhere that the next job begins with.
    pub(super) fn ready(&self) -> RwLockWriteGuard<'_, SpikeLists> {
        self.common.ready.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does a job with all threads.
    pub(super) fn run(&mut self, job: Job, after: &mut AfterSlice<'_>) -> Result<(), RunError> {
        let turn = Turn { job, set: self.set };
        *lock(&self.common.order) = Order::Run(turn);
        let _guard = BreakOnPanic(&self.common.barrier);
        let patience = &mut self.patience;
        let done = self.common.barrier.wait(patience).and_then(|()| {
            let mut share = lock(&self.shares[0]);
            perform(&self.common, patience, &mut share, 0, turn, after)
        });
        match done {
            Ok(set) => {
                self.set = set;
                Ok(())
            }
            Err(Broken) => Err(RunError::Thread),
        }
    }

    /// Calls `each` with the shares in the order of their neurons.
    pub(super) fn each_share(&self, mut each: impl FnMut(&Share)) {
        self.shares.iter().for_each(|share| each(&lock(share)));
    }

    /// The same, to change them.
    pub(super) fn each_share_mut(&mut self, mut each: impl FnMut(&mut Share)) {
        self.shares.iter().for_each(|share| each(&mut lock(share)));
    }

    /// The sum of a quantity over the shares.
    pub(super) fn sum(&self, of: impl Fn(&Share) -> usize) -> u64 {
        let mut sum = 0;
        self.each_share(|share| sum += of(share) as u64);
        sum
    }

    /// The neurons of `population` that have a target on this rank.
    pub(super) fn sources(&self, population: PopulationId, size: u32) -> IndexSet {
        let shares: Vec<_> = self.shares.iter().map(|share| lock(share)).collect();
        share::sources(shares.iter().map(|share| &**share), population, size)
    }
}

impl Drop for Team {
    fn drop(&mut self) {
        *lock(&self.common.order) = Order::Leave;
        // An error means that a thread is gone already, and that the others know.
        let _ = self.common.barrier.wait(&mut self.patience);
        for worker in self.workers.drain(..) {
            let _ = worker.join();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A worker's life.
fn work(common: &Common, share: &Mutex<Share>, thread: usize) {
    let _guard = BreakOnPanic(&common.barrier);
    let mut patience = Patience::default();
    while common.barrier.wait(&mut patience).is_ok() {
        let order = *lock(&common.order);
        let Order::Run(turn) = order else { return };
        let mut share = lock(share);
        if perform(common, &mut patience, &mut share, thread, turn, &mut |_, _, _| ()).is_err() {
            return;
        }
    }
}

/// One thread's part of a job. Returns the set of lists that the next job begins with.
fn perform(
    common: &Common,
    patience: &mut Patience,
    share: &mut Share,
    thread: usize,
    turn: Turn,
    after: &mut AfterSlice<'_>,
) -> Result<usize, Broken> {
    let Turn { job, mut set } = turn;
    let write = |set: usize| common.lists[set][thread].write().unwrap_or_else(PoisonError::into_inner);
    if job.from == 0 {
        // Spikes of sources are made a slice ahead, so that any delay is long enough.
        let mut lists = write(set);
        lists.clear();
        share.make_source_spikes(job.slice, &mut lists);
        drop(lists);
        common.barrier.wait(patience)?;
        deliver(common, share, set);
        set = 1 - set;
    }
    let ready = common.ready.read().unwrap_or_else(PoisonError::into_inner);
    share.deliver(&ready);
    drop(ready);
    let mut from = job.from;
    while from < job.to {
        let to = (from + job.slice).min(job.to);
        let mut lists = write(set);
        lists.clear();
        share.advance(from, to, &mut lists);
        share.make_source_spikes(to + job.slice, &mut lists);
        drop(lists);
        common.barrier.wait(patience)?;
        deliver(common, share, set);
        if thread == 0 {
            let lists: Vec<_> =
                common.lists[set].iter().map(|list| list.read().unwrap_or_else(PoisonError::into_inner)).collect();
            after(from, to, &lists);
        }
        set = 1 - set;
        from = to;
    }
    Ok(set)
}

/// Takes in the spikes of all threads.
fn deliver(common: &Common, share: &mut Share, set: usize) {
    for list in &common.lists[set] {
        share.deliver(&list.read().unwrap_or_else(PoisonError::into_inner));
    }
}
