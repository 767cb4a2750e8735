//! The setup phase: finding the coordinator, and learning this rank's part of the run.

use std::io;
use std::os::fd::OwnedFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixStream};
use std::path::Path;

use super::SessionError;
use super::desk::{Desk, Socket};
use super::inputs::Inputs;
use super::outputs::Outputs;
use super::runtime::Runtime;
use super::wait::LOOK_EVERY;
use crate::control::{
    Carried, Carrier, Columns, ENV_COMPONENT, ENV_RANK, ENV_SOCKET, ENV_TOKEN, FromCoordinator, FromRank, Hello,
    PROTOCOL_VERSION, Welcome,
};
use crate::event::MAX_WINDOW;
use crate::index::IndexSet;
use crate::status::StatusPage;
use crate::time::{Span, Time};
use crate::transport::journal::{self, JournalLink, JournalSignal};
use crate::transport::shm::{ShmReceiver, ShmSender};
use crate::transport::{Receiver, Sender};

/// Where the coordinator is, and who we are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Address {
    /// Name of the abstract Unix socket.
    pub socket: String,
    /// The run's secret.
    pub token: String,
    /// Component's name.
    pub component: String,
    /// Rank within the component.
    pub rank: u32,
}

impl Address {
    /// As `couple run` put it into the environment.
    pub fn from_environment() -> Result<Address, SessionError> {
        let get = |variable| {
            std::env::var(variable).map_err(|problem| {
                let problem = match problem {
                    std::env::VarError::NotPresent => "is not set".to_owned(),
                    std::env::VarError::NotUnicode(_) => "is not text".to_owned(),
                };
                SessionError::Environment { variable, problem }
            })
        };
        let (socket, token, component) = (get(ENV_SOCKET)?, get(ENV_TOKEN)?, get(ENV_COMPONENT)?);
        let rank = get(ENV_RANK)?;
        let problem = format!("is `{rank}` and no number");
        let rank = rank.parse().map_err(|_| SessionError::Environment { variable: ENV_RANK, problem })?;
        Ok(Address { socket, token, component, rank })
    }
}

/// A rank in the setup phase: it knows its part and builds its model.
pub struct Setup {
    welcome: Welcome,
    desk: Box<dyn Desk>,
    page: StatusPage,
    senders: Vec<Box<dyn Sender>>,
    receivers: Vec<Box<dyn Receiver>>,
}

impl Setup {
    /// Connects to the coordinator that started this process.
    pub fn connect() -> Result<Setup, SessionError> {
        Setup::connect_to(&Address::from_environment()?)
    }

    /// Connects to a coordinator.
    pub fn connect_to(address: &Address) -> Result<Setup, SessionError> {
        let connect = || UnixStream::connect_addr(&SocketAddr::from_abstract_name(address.socket.as_bytes())?);
        let lost = |source| SessionError::Connect { socket: address.socket.clone(), source };
        let mut socket = Socket::new(connect().map_err(lost)?);
        let hello = Hello {
            version: PROTOCOL_VERSION,
            token: address.token.clone(),
            component: address.component.clone(),
            rank: address.rank,
            pid: std::process::id(),
        };
        socket.send(FromRank::Hello(hello)).map_err(lost)?;
        let (answer, descriptors) = socket.receive_first().map_err(lost)?;
        let welcome = match answer {
            FromCoordinator::Welcome(welcome) => *welcome,
            FromCoordinator::Refused { reason } => return Err(SessionError::Refused(reason)),
            other => return Err(SessionError::Protocol(format!("{other:?} instead of a welcome"))),
        };
        if welcome.version != PROTOCOL_VERSION {
            return Err(SessionError::Version(welcome.version));
        }
        let descriptors = Descriptors(descriptors);
        let page = StatusPage::map(descriptors.get(0)?, welcome.lines);
        let page = page.map_err(|source| SessionError::SharedMemory { what: "the status page".to_owned(), source })?;
        let senders = welcome.channels_out.iter().map(|channel| descriptors.sender(&welcome, channel));
        let senders = senders.collect::<Result<_, _>>()?;
        let receivers = welcome.channels_in.iter().map(|channel| descriptors.receiver(channel));
        let receivers = receivers.collect::<Result<_, _>>()?;
        Setup::new(welcome, Box::new(socket), page, senders, receivers)
    }

    /// A rank whose channels are there already.
    pub(super) fn new(
        welcome: Welcome,
        desk: Box<dyn Desk>,
        page: StatusPage,
        senders: Vec<Box<dyn Sender>>,
        receivers: Vec<Box<dyn Receiver>>,
    ) -> Result<Setup, SessionError> {
        check(&welcome)?;
        Ok(Setup { welcome, desk, page, senders, receivers })
    }

    /// This rank's part of the run.
    pub fn welcome(&self) -> &Welcome {
        &self.welcome
    }

    /// The network description, encoded by [`crate::control::codec::to_bytes`].
    pub fn network_bytes(&self) -> &[u8] {
        &self.welcome.network
    }

    /// The model is built, and needs these indices of each of [`Welcome::inputs`]: waits until all ranks are ready,
    /// and begins the simulation.
    pub fn start(mut self, needed: Vec<IndexSet>) -> Result<Runtime, SessionError> {
        if let Err(error) = self.check_needed(&needed) {
            self.fail(&error.to_string());
            return Err(error);
        }
        let gone = |error: io::Error| SessionError::CoordinatorGone { time: Time::ZERO, reason: error.to_string() };
        self.desk.send(FromRank::Ready { needed }).map_err(gone)?;
        let wanted = loop {
            match self.desk.receive(LOOK_EVERY).map_err(gone)? {
                Some(FromCoordinator::Start { wanted }) => break wanted,
                Some(FromCoordinator::Refused { reason }) => return Err(SessionError::Refused(reason)),
                Some(other) => return Err(SessionError::Protocol(format!("{other:?} instead of Start"))),
                None if self.page.lines()[self.welcome.line as usize].stopped() => {
                    return Err(SessionError::Stopped { time: Time::ZERO });
                }
                None => {}
            }
        };
        let inputs = Inputs::new(&self.welcome, self.receivers)?;
        let outputs = Outputs::new(&self.welcome, self.senders, &wanted)?;
        Ok(Runtime::new(&self.welcome, inputs, outputs, self.page, self.desk))
    }

    /// Tells the coordinator that the component cannot take part.
    pub fn fail(mut self, message: &str) {
        // If the coordinator is gone there is nobody to tell.
        let _ = self.desk.send(FromRank::Failed { message: message.to_owned() });
    }

    fn check_needed(&self, needed: &[IndexSet]) -> Result<(), SessionError> {
        let inputs = &self.welcome.inputs;
        if needed.len() != inputs.len() {
            let text = format!("{} sets were given for {} inputs", needed.len(), inputs.len());
            return Err(SessionError::Needed(text));
        }
        match inputs.iter().zip(needed).find(|(input, set)| !set.is_valid(input.width)) {
            Some((input, _)) => {
                Err(SessionError::Needed(format!("of {}, some are beyond its {} neurons", input.source, input.width)))
            }
            None => Ok(()),
        }
    }
}

/// Refuses a welcome that would make us do what cannot be done.
fn check(welcome: &Welcome) -> Result<(), SessionError> {
    let nonsense = |text: &str| Err(SessionError::Protocol(text.to_owned()));
    if welcome.window > MAX_WINDOW {
        return Err(SessionError::WindowTooLong(welcome.window));
    }
    if welcome.window <= Span::ZERO || welcome.duration < Span::ZERO {
        return nonsense("a window or a duration that is not positive");
    }
    let lines = welcome.lines;
    let out = welcome.channels_out.iter().filter_map(|c| c.peer_line);
    if std::iter::once(welcome.line)
        .chain(out)
        .chain(welcome.channels_in.iter().map(|c| c.peer_line))
        .any(|l| l >= lines)
    {
        return nonsense("a line beyond the status page");
    }
    if welcome.channels_out.iter().flat_map(|c| &c.links).any(|(_, link)| welcome.port_of(link).is_none()) {
        return nonsense("a channel of an output that is not there");
    }
    if welcome.channels_in.iter().flat_map(|c| &c.links).any(|link| welcome.source_of(link).is_none()) {
        return nonsense("a channel of an input that is not there");
    }
    check_signals(welcome)?;
    let spans = welcome.channels_in.iter().map(|c| c.min_delay).chain(welcome.inputs.iter().map(|i| i.delay));
    let spans = spans.chain(welcome.messages_in.iter().map(|port| port.min_delay));
    if spans.chain(welcome.channels_out.iter().filter_map(|c| c.credit)).any(|span| span < Span::ZERO) {
        return nonsense("a negative delay or credit");
    }
    Ok(())
}

/// The same for analog signals and messages.
fn check_signals(welcome: &Welcome) -> Result<(), SessionError> {
    let (step, window) = (welcome.step, welcome.window);
    let grid = step > Span::ZERO && window.is_multiple_of(step) && welcome.duration.is_multiple_of(step);
    let none = welcome.signals_in.is_empty() && welcome.signals_out.is_empty();
    if !(grid || none) {
        let text = format!("analog signals with a step of {step}, of which the window {window} is no multiple");
        return Err(SessionError::Protocol(text));
    }
    let own = |width: u32, first: u32, count: u32, initial: &[f64]| {
        let values = initial.len() <= 1 || initial.len() == count as usize;
        first.checked_add(count).is_some_and(|end| end <= width) && values && initial.iter().all(|v| v.is_finite())
    };
    let out = welcome.signals_out.iter().find(|s| !own(s.width, s.first, s.count, &s.initial));
    if let Some(signal) = out {
        return Err(SessionError::Protocol(format!("the columns or the initial values of `{}`", signal.port())));
    }
    for signal in &welcome.signals_in {
        let times = !signal.initial.is_empty()
            && signal.step > Span::ZERO
            && signal.delay > Span::ZERO
            // A sender is always at the end of one of its steps: with `t - delay` it has also reached the sample behind.
            && signal.min_delay <= signal.delay;
        if !times || !own(signal.width, signal.first, signal.count, &signal.initial) {
            let text = format!("the times, columns or initial values of `{}` to `{}`", signal.source, signal.target);
            return Err(SessionError::Protocol(text));
        }
    }
    match welcome.messages_in.iter().find(|port| port.min_delay > port.delay) {
        Some(port) => Err(SessionError::Protocol(format!("the delay of `{}` to `{}`", port.source, port.target))),
        None => Ok(()),
    }
}

/// The descriptors that came with the welcome.
struct Descriptors(Vec<OwnedFd>);

impl Descriptors {
    fn get(&self, position: u32) -> Result<&OwnedFd, SessionError> {
        let missing = || SessionError::Protocol(format!("descriptor {position} of {}", self.0.len()));
        self.0.get(position as usize).ok_or_else(missing)
    }

    fn sender(&self, welcome: &Welcome, channel: &crate::control::ChannelOut) -> Result<Box<dyn Sender>, SessionError> {
        match &channel.carrier {
            Carrier::Shm { descriptor, capacity } => {
                let sender = ShmSender::map(self.get(*descriptor)?, *capacity);
                let what = || format!("the ring to {}", channel.peer);
                Ok(Box::new(sender.map_err(|source| SessionError::SharedMemory { what: what(), source })?))
            }
            Carrier::Journal { path } => open_journal(welcome, channel, Path::new(path)),
            Carrier::Thread => Err(thread_carrier()),
        }
    }

    fn receiver(&self, channel: &crate::control::ChannelIn) -> Result<Box<dyn Receiver>, SessionError> {
        match &channel.carrier {
            Carrier::Shm { descriptor, capacity } => {
                let receiver = ShmReceiver::map(self.get(*descriptor)?, *capacity);
                let what = || format!("the ring from {}", channel.peer);
                Ok(Box::new(receiver.map_err(|source| SessionError::SharedMemory { what: what(), source })?))
            }
            Carrier::Journal { .. } => Err(SessionError::Protocol("a journal to receive from".to_owned())),
            Carrier::Thread => Err(thread_carrier()),
        }
    }
}

fn thread_carrier() -> SessionError {
    SessionError::Protocol("a channel within one process for a rank of its own process".to_owned())
}

/// Makes the journal of a channel.
pub(super) fn open_journal(
    welcome: &Welcome,
    channel: &crate::control::ChannelOut,
    path: &Path,
) -> Result<Box<dyn Sender>, SessionError> {
    let (mut links, mut signals) = (Vec::new(), Vec::new());
    for &(link, carried) in &channel.links {
        let missing = || SessionError::Protocol(format!("{carried:?} to record"));
        match carried {
            Carried::Events(output) => {
                let output = welcome.outputs.get(output as usize).ok_or_else(missing)?;
                links.push(JournalLink { link, population: output.population.clone(), width: output.width });
            }
            Carried::Samples(columns) => {
                signals.push(journal_signal(welcome, link, columns).ok_or_else(missing)?);
            }
            Carried::Messages(_) => return Err(missing()),
        }
    }
    let made = journal::Writer::create_with(path, links, signals);
    let failed = |source: journal::JournalError| SessionError::Channel {
        incoming: false,
        peer: channel.peer.clone(),
        time: Time::ZERO,
        source: Box::new(source.into()),
    };
    Ok(Box::new(made.map_err(failed)?))
}

/// What a journal says of a signal; `None` when the rank has no such columns.
fn journal_signal(welcome: &Welcome, link: u32, columns: Columns) -> Option<JournalSignal> {
    let Columns { signal, first, count, every } = columns;
    let signal = welcome.signals_out.get(signal as usize)?;
    let skip = first.checked_sub(signal.first)? as usize;
    let initial = match &signal.initial[..] {
        short if short.len() <= 1 => short.to_vec(),
        all => all.get(skip..skip.checked_add(count as usize)?)?.to_vec(),
    };
    Some(JournalSignal {
        link,
        population: signal.population.clone(),
        variable: signal.variable.clone(),
        unit: signal.unit.clone(),
        width: signal.width,
        first,
        count,
        every,
        initial,
    })
}
