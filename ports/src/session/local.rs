//! All ranks of a run as threads of one process: the `thread` transport, and tests.
//!
//! [`connect`] takes the welcomes of all ranks and gives a [`Setup`] for each, to be moved to threads of their own.
//! Channels whose carrier is [`Carrier::Thread`] become bounded queues, [`Carrier::Shm`] rings in memory that the
//! threads share, [`Carrier::Journal`] files.

use std::io;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::desk::Desk;
use super::setup::{Setup, open_journal};
use super::{SessionError, relay};
use crate::control::{Carrier, FromCoordinator, FromRank, Welcome};
use crate::index::IndexSet;
use crate::status::StatusPage;
use crate::transport::shm::{self, ShmReceiver, ShmSender};
use crate::transport::{Receiver, Sender, thread};

/// Connects the ranks described by `welcomes`, all of the same run, with each other. The setups are in the same order.
///
/// Also gives the status page, with which the caller can watch and stop the run.
pub fn connect(welcomes: Vec<Welcome>) -> Result<(Vec<Setup>, StatusPage), SessionError> {
    let protocol = |error: relay::RelayError| SessionError::Protocol(error.to_string());
    let lines = welcomes.iter().map(|w| w.lines).max().unwrap_or(0);
    let page = StatusPage::heap(lines);
    let mut senders: Vec<Vec<Option<Box<dyn Sender>>>> = Vec::new();
    let mut receivers: Vec<Vec<Option<Box<dyn Receiver>>>> = Vec::new();
    for welcome in &welcomes {
        senders.push(welcome.channels_out.iter().map(|_| None).collect());
        receivers.push(welcome.channels_in.iter().map(|_| None).collect());
        for (channel, slot) in welcome.channels_out.iter().zip(senders.last_mut().into_iter().flatten()) {
            if let Carrier::Journal { path } = &channel.carrier {
                *slot = Some(open_journal(welcome, channel, Path::new(path))?);
            }
        }
    }
    for pair in relay::pairs(&welcomes).map_err(protocol)? {
        let (sender, receiver) = ends(&welcomes[pair.sender].channels_out[pair.channel_out].carrier)?;
        senders[pair.sender][pair.channel_out] = Some(sender);
        receivers[pair.receiver][pair.channel_in] = Some(receiver);
    }
    let hub = Arc::new(Hub::new(&welcomes, page.clone()));
    let mut setups = Vec::new();
    for (rank, ((welcome, senders), receivers)) in welcomes.into_iter().zip(senders).zip(receivers).enumerate() {
        let missing = || SessionError::Protocol("a channel without another end".to_owned());
        let senders = senders.into_iter().collect::<Option<_>>().ok_or_else(missing)?;
        let receivers = receivers.into_iter().collect::<Option<_>>().ok_or_else(missing)?;
        let desk = Local { hub: Arc::clone(&hub), rank, done: false };
        setups.push(Setup::new(welcome, Box::new(desk), page.clone(), senders, receivers)?);
    }
    Ok((setups, page))
}

type Ends = (Box<dyn Sender>, Box<dyn Receiver>);

/// The two ends of a channel within this process.
fn ends(carrier: &Carrier) -> Result<Ends, SessionError> {
    let failed = |source| SessionError::SharedMemory { what: "a ring".to_owned(), source };
    match *carrier {
        Carrier::Thread => {
            let (sender, receiver) = thread::channel(thread::PACKETS);
            Ok((Box::new(sender), Box::new(receiver)))
        }
        Carrier::Shm { capacity, .. } => {
            let file = shm::create(capacity).map_err(failed)?;
            let sender = ShmSender::map(&file, capacity).map_err(failed)?;
            Ok((Box::new(sender), Box::new(ShmReceiver::map(&file, capacity).map_err(failed)?)))
        }
        Carrier::Journal { .. } => Err(SessionError::Protocol("a journal between two ranks".to_owned())),
    }
}

/// The coordinator's part of the handshake, among threads.
struct Hub {
    /// The welcomes without the network, which the relay does not look at.
    welcomes: Vec<Welcome>,
    page: StatusPage,
    state: Mutex<HubState>,
    changed: Condvar,
}

struct HubState {
    needed: Vec<Option<Vec<IndexSet>>>,
    wanted: Option<Vec<Vec<Vec<IndexSet>>>>,
    done: usize,
    failed: bool,
}

impl Hub {
    fn new(welcomes: &[Welcome], page: StatusPage) -> Hub {
        let welcomes: Vec<Welcome> = welcomes
            .iter()
            .map(|w| Welcome {
                network: Vec::new(),
                outputs: w.outputs.clone(),
                inputs: w.inputs.clone(),
                signals_out: w.signals_out.clone(),
                signals_in: w.signals_in.clone(),
                messages_out: w.messages_out.clone(),
                messages_in: w.messages_in.clone(),
                channels_out: w.channels_out.clone(),
                channels_in: w.channels_in.clone(),
                config_hash: String::new(),
                ..*w
            })
            .collect();
        let state = HubState { needed: vec![None; welcomes.len()], wanted: None, done: 0, failed: false };
        Hub { welcomes, page, state: Mutex::new(state), changed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, HubState> {
        // A panic of another rank is reported by its own thread; the state is consistent after each statement.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the run for everyone.
    fn fail(&self, state: &mut HubState) {
        state.failed = true;
        self.page.stop_all();
    }
}

/// One rank's way to the hub.
struct Local {
    hub: Arc<Hub>,
    rank: usize,
    done: bool,
}

impl Desk for Local {
    fn send(&mut self, message: FromRank) -> io::Result<()> {
        let mut state = self.hub.lock();
        match message {
            FromRank::Hello(_) | FromRank::Left { .. } => {}
            FromRank::Ready { needed } => {
                state.needed[self.rank] = Some(needed);
                if let Some(needed) = state.needed.iter().cloned().collect::<Option<Vec<_>>>() {
                    match relay::wanted(&self.hub.welcomes, &needed) {
                        Ok(wanted) => state.wanted = Some(wanted),
                        Err(error) => {
                            self.hub.fail(&mut state);
                            return Err(io::Error::new(io::ErrorKind::InvalidInput, error.to_string()));
                        }
                    }
                }
            }
            FromRank::Done { .. } => {
                state.done += 1;
                self.done = true;
            }
            FromRank::Failed { .. } => self.hub.fail(&mut state),
        }
        self.hub.changed.notify_all();
        Ok(())
    }

    fn receive(&mut self, timeout: Duration) -> io::Result<Option<FromCoordinator>> {
        let mut state = self.hub.lock();
        let all = self.hub.welcomes.len();
        let message = |state: &HubState| match &state.wanted {
            Some(_) if self.done => (state.done == all).then_some(FromCoordinator::Bye),
            Some(wanted) => Some(FromCoordinator::Start { wanted: wanted[self.rank].clone() }),
            None => None,
        };
        if message(&state).is_none() && !state.failed {
            let waited = self.hub.changed.wait_timeout(state, timeout);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        Ok(message(&state))
    }

    fn is_open(&self) -> bool {
        true
    }
}

impl Drop for Local {
    /// A rank that leaves without a word ends the run.
    fn drop(&mut self) {
        if !self.done {
            let mut state = self.hub.lock();
            self.hub.fail(&mut state);
            self.hub.changed.notify_all();
        }
    }
}
