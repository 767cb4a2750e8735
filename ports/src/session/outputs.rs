//! The sending half of a session: gathering what a window emits, and which of it goes where.

use super::SessionError;
use super::blocks::{BlockLink, Signal};
use super::messages::{MessageLink, MessagePort};
use crate::control::{Carried, ChannelOut, Welcome};
use crate::event::Event;
use crate::index::IndexSet;
use crate::time::{Span, Time};
use crate::transport::{Sender, TransportError};

/// All ports and channels that this rank sends.
pub(super) struct Outputs {
    ports: Vec<Port>,
    pub(super) signals: Vec<Signal>,
    pub(super) messages: Vec<MessagePort>,
    pub(super) channels: Vec<OutChannel>,
    /// The first event that cannot be.
    fault: Option<Fault>,
}

/// A port of this rank: the events of the window at hand.
struct Port {
    population: String,
    width: u32,
    events: Vec<Event>,
    emitted: u64,
}

#[derive(Clone, Copy)]
struct Fault {
    output: usize,
    index: u32,
    time: Time,
}

/// A channel for sending.
pub(super) struct OutChannel {
    pub(super) sender: Box<dyn Sender>,
    pub(super) peer: String,
    pub(super) peer_line: Option<u32>,
    /// How far this rank may be ahead of the receiver.
    pub(super) credit: Option<Span>,
    pub(super) links: Vec<OutLink>,
    pub(super) blocks: Vec<BlockLink>,
    pub(super) messages: Vec<MessageLink>,
}

/// A link for sending events.
pub(super) struct OutLink {
    pub(super) link: u32,
    pub(super) output: usize,
    filter: Filter,
}

/// Which events of a port go over a link.
enum Filter {
    Nothing,
    Everything,
    Flags(Vec<bool>),
}

impl Filter {
    fn new(set: &IndexSet, width: u32) -> Filter {
        match set.len() {
            0 => Filter::Nothing,
            n if n == width => Filter::Everything,
            _ => Filter::Flags(set.flags(width)),
        }
    }
}

impl OutLink {
    /// The events of the port that go over this link; `scratch` is used where these are not all.
    #[inline]
    pub(super) fn select<'a>(&self, events: &'a [Event], scratch: &'a mut Vec<Event>) -> &'a [Event] {
        match &self.filter {
            Filter::Nothing => &[],
            Filter::Everything => events,
            Filter::Flags(flags) => {
                scratch.clear();
                scratch.extend(events.iter().filter(|event| flags[event.index as usize]));
                scratch
            }
        }
    }
}

impl OutChannel {
    /// A channel with its links; `None` when these do not fit the welcome.
    fn new(welcome: &Welcome, channel: &ChannelOut, sender: Box<dyn Sender>, sets: &[IndexSet]) -> Option<OutChannel> {
        if sets.len() != channel.links.len() {
            return None;
        }
        let (mut links, mut blocks, mut messages) = (Vec::new(), Vec::new(), Vec::new());
        for (&(link, carried), set) in channel.links.iter().zip(sets) {
            match carried {
                Carried::Events(output) => {
                    let width = welcome.outputs.get(output as usize)?.width;
                    let filter = set.is_valid(width).then(|| Filter::new(set, width))?;
                    links.push(OutLink { link, output: output as usize, filter });
                }
                Carried::Samples(columns) => blocks.push(BlockLink::new(link, columns, welcome)?),
                Carried::Messages(port) => {
                    welcome.messages_out.get(port as usize)?;
                    messages.push((link, port as usize));
                }
            }
        }
        Some(OutChannel {
            sender,
            peer: channel.peer.clone(),
            peer_line: channel.peer_line,
            credit: channel.credit,
            links,
            blocks,
            messages,
        })
    }

    pub(super) fn error(&self, time: Time, source: TransportError) -> SessionError {
        SessionError::Channel { incoming: false, peer: self.peer.clone(), time, source: Box::new(source) }
    }
}

impl Outputs {
    pub(super) fn new(
        welcome: &Welcome,
        senders: Vec<Box<dyn Sender>>,
        wanted: &[Vec<IndexSet>],
    ) -> Result<Outputs, SessionError> {
        let mut channels = Vec::new();
        if wanted.len() != welcome.channels_out.len() {
            return Err(SessionError::Protocol(format!(
                "indices wanted for {} channels of {}",
                wanted.len(),
                welcome.channels_out.len()
            )));
        }
        for ((channel, sender), sets) in welcome.channels_out.iter().zip(senders).zip(wanted) {
            let nonsense = || SessionError::Protocol(format!("the links of the channel to {}", channel.peer));
            channels.push(OutChannel::new(welcome, channel, sender, sets).ok_or_else(nonsense)?);
        }
        let port = |o: &crate::control::Output| Port {
            population: o.population.clone(),
            width: o.width,
            events: Vec::new(),
            emitted: 0,
        };
        Ok(Outputs {
            ports: welcome.outputs.iter().map(port).collect(),
            signals: welcome.signals_out.iter().map(Signal::new).collect(),
            messages: welcome.messages_out.iter().map(MessagePort::new).collect(),
            channels,
            fault: None,
        })
    }

    /// Adds an event to the window `(start, start + length]`; false when it cannot be.
    #[inline]
    pub(super) fn emit(&mut self, output: usize, index: u32, time: Time, start: Time, length: u32) -> bool {
        let offset = time.ns().wrapping_sub(start.ns());
        match self.ports.get_mut(output) {
            // One comparison for both ends: an offset of 0 or less wraps to a large number.
            Some(port) if index < port.width && (offset.wrapping_sub(1)).cast_unsigned() < u64::from(length) => {
                port.events.push(Event { index, offset: offset as u32 });
                true
            }
            _ => self.refuse(output, index, time),
        }
    }

    #[cold]
    fn refuse(&mut self, output: usize, index: u32, time: Time) -> bool {
        self.fault.get_or_insert(Fault { output, index, time });
        false
    }

    /// The error of the first event that cannot be.
    pub(super) fn check(&self, start: Time, end: Time) -> Result<(), SessionError> {
        let Some(Fault { output, index, time }) = self.fault else { return Ok(()) };
        Err(SessionError::Emit(match self.ports.get(output) {
            None => format!("a spike was emitted on output {output}, but there are {}", self.ports.len()),
            Some(port) if index >= port.width => format!(
                "a spike of neuron {index} of {} was emitted, which has {} neurons",
                port.population, port.width
            ),
            Some(port) => format!(
                "a spike of neuron {index} of {} was emitted at {time}, outside of the window ({start}, {end}]; \
                 a stamp is the end of the step in which the threshold was crossed",
                port.population
            ),
        }))
    }

    /// The events of an output's window, to be given back by [`Outputs::put_back`].
    #[inline]
    pub(super) fn take(&mut self, output: usize) -> Vec<Event> {
        std::mem::take(&mut self.ports[output].events)
    }
    #[inline]
    pub(super) fn put_back(&mut self, output: usize, events: Vec<Event>) {
        self.ports[output].events = events;
    }
    /// True when the output has no event in this window.
    #[inline]
    pub(super) fn is_silent(&self, output: usize) -> bool {
        self.ports[output].events.is_empty()
    }

    /// Everything has been sent: counts and forgets it. Returns how many events there were.
    #[inline]
    pub(super) fn clear(&mut self) -> u64 {
        let mut all = 0;
        for port in &mut self.ports {
            let count = port.events.len() as u64;
            port.emitted += count;
            all += count;
            port.events.clear();
        }
        all
    }

    /// Events of each output, over the whole run.
    pub(super) fn emitted(&self) -> Vec<u64> {
        self.ports.iter().map(|port| port.emitted).collect()
    }
}
