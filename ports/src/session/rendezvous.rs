//! A small coordinator that blocks: the reference for the handshake, for tests and measurements.
//!
//! It knows nothing of configurations and starts no processes: it is given the welcomes, waits until all ranks have
//! come, hands each its part, and waits until all are done.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::AsFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::sync::atomic::{AtomicU32, Ordering};

use super::relay;
use super::setup::Address;
use crate::control::descriptors::{self, Incoming};
use crate::control::{FromCoordinator, FromRank, Hello, PROTOCOL_VERSION, Welcome};
use crate::status::{self, StatusPage};

/// A socket that ranks can come to.
#[derive(Debug)]
pub struct Rendezvous {
    listener: UnixListener,
    socket: String,
    token: String,
}

/// How the run ended, for each rank in the order of the welcomes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It reached the end, with so many spikes on each output.
    Done(Vec<u64>),
    /// It failed and said why.
    Failed(String),
    /// Its connection ended without a word.
    Gone,
}

struct Guest {
    stream: UnixStream,
    incoming: Incoming,
}

impl Guest {
    fn read(&mut self) -> io::Result<FromRank> {
        let silence = || io::Error::new(io::ErrorKind::TimedOut, "no message");
        let (message, _) = self.incoming.receive(&self.stream, None)?.ok_or_else(silence)?;
        Ok(message)
    }
}

fn bad(text: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text.into())
}

impl Rendezvous {
    /// Opens a socket under a name of its own.
    pub fn open() -> io::Result<Rendezvous> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let socket = format!("couple-rendezvous-{}-{number}", std::process::id());
        let listener = UnixListener::bind_addr(&SocketAddr::from_abstract_name(socket.as_bytes())?)?;
        Ok(Rendezvous { listener, token: format!("token of {socket}"), socket })
    }

    /// What a rank needs to come here; see also [`Rendezvous::environment`].
    pub fn address(&self, component: &str, rank: u32) -> Address {
        Address { socket: self.socket.clone(), token: self.token.clone(), component: component.to_owned(), rank }
    }

    /// The environment variables with which a process comes here.
    pub fn environment(&self, component: &str, rank: u32) -> [(&'static str, String); 4] {
        use crate::control::{ENV_COMPONENT, ENV_RANK, ENV_SOCKET, ENV_TOKEN};
        [
            (ENV_SOCKET, self.socket.clone()),
            (ENV_TOKEN, self.token.clone()),
            (ENV_COMPONENT, component.to_owned()),
            (ENV_RANK, rank.to_string()),
        ]
    }

    /// Runs the whole handshake for the ranks in `welcomes`, each with its component's name, and waits for their ends.
    /// When one rank fails, all are stopped.
    pub fn serve(self, parts: Vec<(String, Welcome)>) -> io::Result<Vec<Outcome>> {
        let (names, welcomes): (Vec<String>, Vec<Welcome>) = parts.into_iter().unzip();
        let lines = welcomes.iter().map(|w| w.lines).max().unwrap_or(1);
        let file = status::create(lines)?;
        let page = StatusPage::map(&file, lines)?;
        let mut guests = self.gather(&names, &welcomes)?;
        for ((welcome, guest), own) in welcomes.iter().zip(&guests).zip(relay::descriptors(&welcomes, &file)?) {
            let borrowed: Vec<_> = own.iter().map(AsFd::as_fd).collect();
            let message = FromCoordinator::Welcome(Box::new(welcome.clone()));
            descriptors::send(&guest.stream, &message, &borrowed)?;
        }
        match start(&welcomes, &mut guests) {
            Ok(None) => {}
            Ok(Some(early)) => {
                page.stop_all();
                return Ok(early);
            }
            Err(error) => {
                page.stop_all();
                return Err(error);
            }
        }
        Ok(finish(guests, &page))
    }

    /// Waits until each rank has said hello, and sorts the connections.
    fn gather(&self, names: &[String], welcomes: &[Welcome]) -> io::Result<Vec<Guest>> {
        let mut places: BTreeMap<(&str, u32), usize> = BTreeMap::new();
        for (position, (name, welcome)) in names.iter().zip(welcomes).enumerate() {
            places.insert((name, welcome.rank), position);
        }
        let mut guests: Vec<Option<Guest>> = welcomes.iter().map(|_| None).collect();
        while guests.iter().any(Option::is_none) {
            let (stream, _) = self.listener.accept()?;
            let mut guest = Guest { stream, incoming: Incoming::new() };
            let FromRank::Hello(hello) = guest.read()? else { continue };
            let place = places.get(&(hello.component.as_str(), hello.rank)).copied();
            match self.admit(&hello, place.filter(|place| guests[*place].is_none())) {
                Ok(place) => guests[place] = Some(guest),
                // Who was refused and did not wait for the reason needs none.
                Err(reason) => drop(descriptors::send(&guest.stream, &FromCoordinator::Refused { reason }, &[])),
            }
        }
        Ok(guests.into_iter().flatten().collect())
    }

    fn admit(&self, hello: &Hello, place: Option<usize>) -> Result<usize, String> {
        if hello.version != PROTOCOL_VERSION {
            return Err(format!("version {} of the protocol, here it is {PROTOCOL_VERSION}", hello.version));
        }
        if hello.token != self.token {
            return Err("it does not belong to this run".to_owned());
        }
        place.ok_or_else(|| format!("there is no free place for {} rank {}", hello.component, hello.rank))
    }
}

/// From Ready to Start; gives the outcomes when a rank failed before.
fn start(welcomes: &[Welcome], guests: &mut [Guest]) -> io::Result<Option<Vec<Outcome>>> {
    let mut needed = Vec::new();
    for at in 0..guests.len() {
        let failed = match guests[at].read() {
            Ok(FromRank::Ready { needed: sets }) => {
                needed.push(sets);
                continue;
            }
            Ok(FromRank::Failed { message }) => Outcome::Failed(message),
            Ok(other) => return Err(bad(format!("{other:?} instead of Ready"))),
            Err(_) => Outcome::Gone,
        };
        let mut outcomes = vec![Outcome::Gone; guests.len()];
        outcomes[at] = failed;
        return Ok(Some(outcomes));
    }
    let wanted = relay::wanted(welcomes, &needed).map_err(|error| bad(error.to_string()))?;
    for (guest, wanted) in guests.iter().zip(wanted) {
        descriptors::send(&guest.stream, &FromCoordinator::Start { wanted }, &[])?;
    }
    Ok(None)
}

/// Waits for the end of each rank, each on a thread, so that the first failure is noticed at once.
fn finish(guests: Vec<Guest>, page: &StatusPage) -> Vec<Outcome> {
    let left = AtomicU32::new(guests.len() as u32);
    let (said, farewell) = (std::sync::Mutex::new(false), std::sync::Condvar::new());
    std::thread::scope(|scope| {
        let ends: Vec<_> = guests
            .into_iter()
            .map(|mut guest| {
                let (left, said, farewell) = (&left, &said, &farewell);
                scope.spawn(move || {
                    let outcome = match guest.read() {
                        Ok(FromRank::Done { emitted }) => Outcome::Done(emitted),
                        Ok(FromRank::Failed { message }) => Outcome::Failed(message),
                        Ok(_) | Err(_) => Outcome::Gone,
                    };
                    if !matches!(outcome, Outcome::Done(_)) {
                        page.stop_all();
                    }
                    // The last one says farewell for all; the connections stay open until then.
                    let mut all = said.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                    if left.fetch_sub(1, Ordering::AcqRel) == 1 {
                        *all = true;
                        farewell.notify_all();
                    }
                    while !*all {
                        all = farewell.wait(all).unwrap_or_else(std::sync::PoisonError::into_inner);
                    }
                    drop(all);
                    // A rank that failed does not wait for it.
                    let _ = descriptors::send(&guest.stream, &FromCoordinator::Bye, &[]);
                    outcome
                })
            })
            .collect();
        ends.into_iter().map(|end| end.join().unwrap_or(Outcome::Gone)).collect()
    })
}
