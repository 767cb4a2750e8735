//! The receiving half of a session: which events belong to a window.

use super::SessionError;
use super::history::SignalLink;
use super::messages::{Message, MessageQueue};
use crate::control::{Carried, ChannelIn, Welcome};
use crate::event::Event;
use crate::packet::{Header, Kind, Packet, PacketError};
use crate::time::{Span, Time};
use crate::transport::{Receiver, TransportError};

/// All channels and links that this rank receives.
pub(super) struct Inputs {
    pub(super) channels: Vec<InChannel>,
    links: Vec<InLink>,
    stores: Stores,
    /// Events handed over so far.
    pub(super) received: u64,
}

/// A channel for receiving.
pub(super) struct InChannel {
    receiver: Box<dyn Receiver>,
    pub(super) peer: String,
    pub(super) peer_line: u32,
    min_delay: Span,
    /// The watermark when last looked at.
    seen: Time,
    /// Everything that starts before has been taken out.
    passed: Time,
    /// By link id.
    links: Vec<(u32, Target)>,
}

/// Where the packets of a link go.
#[derive(Clone, Copy)]
enum Target {
    /// To the input.
    Events(usize),
    /// To the signal, as a lane of it.
    Samples(usize, usize),
    /// To the message port, as a lane of it.
    Messages(usize, usize),
}

/// What is not handed over packet by packet.
struct Stores {
    signals: Vec<SignalLink>,
    messages: Vec<MessageQueue>,
}

/// A link for receiving events.
struct InLink {
    width: u32,
    min_delay: Span,
    delay: Span,
    held: Held,
}

/// Events that came before their window: taken out of a ring early, or behind the window's end.
#[derive(Default)]
struct Held {
    events: Vec<(Time, u32)>,
    /// The first ones have been handed over.
    used: usize,
    sorted: bool,
}

impl Held {
    fn push(&mut self, time: Time, index: u32) {
        self.events.push((time, index));
        self.sorted = false;
    }
    /// Hands over what is stamped up to `bound`, in order of time.
    fn take(&mut self, bound: Time, mut each: impl FnMut(u32, Time)) {
        if !self.sorted {
            self.events.drain(..self.used);
            self.used = 0;
            self.events.sort_unstable();
            self.sorted = true;
        }
        while let Some(&(time, index)) = self.events.get(self.used).filter(|(time, _)| *time <= bound) {
            self.used += 1;
            each(index, time);
        }
        if self.used == self.events.len() {
            self.events.clear();
            self.used = 0;
        }
    }
}

impl InChannel {
    fn new(
        welcome: &Welcome,
        channel: &ChannelIn,
        receiver: Box<dyn Receiver>,
        stores: &mut Stores,
    ) -> Result<InChannel, SessionError> {
        let mut links = Vec::new();
        for &carried in &channel.links {
            let nonsense =
                || SessionError::Protocol(format!("channel from {}: no place for {carried:?}", channel.peer));
            links.push(stores.target(welcome, carried, channel.min_delay).ok_or_else(nonsense)?);
        }
        links.sort_unstable_by_key(|(link, _)| *link);
        Ok(InChannel {
            receiver,
            peer: channel.peer.clone(),
            peer_line: channel.peer_line,
            min_delay: channel.min_delay,
            seen: Time::ZERO,
            passed: Time::ZERO,
            links,
        })
    }

    /// True when everything that the window ending at `end` needs has been sent.
    #[inline]
    pub(super) fn reached(&mut self, end: Time) -> bool {
        let need = end - self.min_delay;
        if self.seen < need {
            self.seen = self.receiver.watermark();
        }
        self.seen >= need
    }

    /// Where the packet goes, unless it is none that may come now.
    #[inline]
    fn admit(links: &[(u32, Target)], passed: Time, header: &Header) -> Result<Target, PacketError> {
        if header.start < passed {
            return Err(PacketError::Late { start: header.start, passed });
        }
        let found = links.binary_search_by_key(&header.link, |(link, _)| *link);
        let target = found.map(|at| links[at].1).map_err(|_| PacketError::Link(header.link))?;
        if header.kind == target.kind() { Ok(target) } else { Err(target.wrong(header)) }
    }

    /// Takes all packets that start before `bound` and keeps what is in them; false when there were none.
    fn keep(
        &mut self,
        inputs: &mut [InLink],
        stores: &mut Stores,
        now: Time,
        bound: Time,
    ) -> Result<bool, SessionError> {
        let failed = |source| InChannel::error(&self.peer, now, source);
        let mut any = false;
        while let Some(packet) = self.receiver.peek().map_err(failed)? {
            if packet.header.start >= bound {
                break;
            }
            let kept = match InChannel::admit(&self.links, self.passed, &packet.header) {
                Ok(Target::Events(input)) => inputs[input].deliver(packet, Time::MIN, |_, _| {}),
                Ok(target) => stores.take(target, &packet),
                Err(error) => Err(error),
            };
            kept.map_err(|source| InChannel::error(&self.peer, now, source))?;
            self.receiver.release();
            any = true;
        }
        Ok(any)
    }

    fn error(peer: &str, time: Time, source: impl Into<TransportError>) -> SessionError {
        SessionError::Channel { incoming: true, peer: peer.to_owned(), time, source: Box::new(source.into()) }
    }
}

impl Target {
    #[inline]
    fn kind(self) -> Kind {
        match self {
            Target::Events(_) => Kind::Events,
            Target::Samples(..) => Kind::Samples,
            Target::Messages(..) => Kind::Messages,
        }
    }
    #[cold]
    fn wrong(self, header: &Header) -> PacketError {
        PacketError::OfKind { link: header.link, got: header.kind.name(), expected: self.kind().name() }
    }
}

impl Stores {
    /// Takes a packet that is none of events.
    fn take(&mut self, target: Target, packet: &Packet<'_>) -> Result<(), PacketError> {
        match target {
            Target::Events(_) => Ok(()),
            Target::Samples(signal, lane) => self.signals[signal].take(lane, packet),
            Target::Messages(port, lane) => self.messages[port].take(lane, packet),
        }
    }

    /// Where a link goes, as far as there is such a thing with a lookahead of `least`.
    fn target(&mut self, welcome: &Welcome, carried: Carried, least: Span) -> Option<(u32, Target)> {
        match carried {
            Carried::Events(position) => {
                let input = welcome.inputs.get(position as usize).filter(|input| input.min_delay >= least)?;
                Some((input.link, Target::Events(position as usize)))
            }
            Carried::Samples(columns) => {
                let signal = columns.signal as usize;
                let link = welcome.signals_in.get(signal).filter(|link| link.min_delay >= least)?;
                Some((link.link, Target::Samples(signal, self.signals.get_mut(signal)?.lane(columns)?)))
            }
            Carried::Messages(position) => {
                let port = position as usize;
                let link = welcome.messages_in.get(port).filter(|link| link.min_delay >= least)?;
                Some((link.link, Target::Messages(port, self.messages.get_mut(port)?.lane())))
            }
        }
    }
}

impl InLink {
    /// Hands over the events of a packet that lie within `bound` and keeps the others.
    #[inline]
    fn deliver(&mut self, packet: Packet<'_>, bound: Time, mut each: impl FnMut(u32, Time)) -> Result<(), PacketError> {
        let (header, events) = (packet.header, packet.events());
        let length = header.length().ns();
        let fault = |event: Event| header.check_event(event, self.width);
        if header.end <= bound {
            // Up to `bound` no sum overflows, whatever the sender wrote.
            let base = header.start + self.delay;
            for &event in events {
                // One subtraction covers offset 0 as well: it wraps to a large number.
                if event.index >= self.width || i64::from(event.offset.wrapping_sub(1)) >= length {
                    return fault(event);
                }
                each(event.index, Time::from_ns(base.ns() + i64::from(event.offset)));
            }
            return Ok(());
        }
        for &event in events {
            header.check_event(event, self.width)?;
            let time = event.time(header.start);
            if time <= bound {
                each(event.index, time + self.delay);
            } else {
                self.held.push(time, event.index);
            }
        }
        Ok(())
    }
}

impl Inputs {
    pub(super) fn new(welcome: &Welcome, receivers: Vec<Box<dyn Receiver>>) -> Result<Inputs, SessionError> {
        let mut links = Vec::new();
        for input in &welcome.inputs {
            let (width, min_delay, delay) = (input.width, input.min_delay, input.delay);
            links.push(InLink { width, min_delay, delay, held: Held::default() });
        }
        let mut stores = Stores {
            signals: welcome.signals_in.iter().map(|signal| SignalLink::new(signal, welcome)).collect(),
            messages: welcome.messages_in.iter().enumerate().map(|(n, port)| MessageQueue::new(n, port)).collect(),
        };
        let channels = welcome.channels_in.iter().zip(receivers);
        let channels = channels.map(|(channel, receiver)| InChannel::new(welcome, channel, receiver, &mut stores));
        let channels = channels.collect::<Result<_, _>>()?;
        stores.signals.iter().try_for_each(SignalLink::check)?;
        Ok(Inputs { channels, links, stores, received: 0 })
    }

    /// Hands over the events of the window that ends at `end`; `freed` is called with the line of each sender whose
    /// ring has more room now.
    pub(super) fn hand_over(
        &mut self,
        now: Time,
        end: Time,
        mut each: impl FnMut(usize, u32, Time),
        mut freed: impl FnMut(u32),
    ) -> Result<(), SessionError> {
        let mut count = 0;
        for (position, link) in self.links.iter_mut().enumerate() {
            if !link.held.events.is_empty() {
                let delay = link.delay;
                link.held.take(end - link.min_delay, |index, time| {
                    count += 1;
                    each(position, index, time + delay);
                });
            }
        }
        for channel in &mut self.channels {
            let bound = end - channel.min_delay;
            let mut any = false;
            let failed = |source| InChannel::error(&channel.peer, now, source);
            while let Some(packet) = channel.receiver.peek().map_err(failed)? {
                if packet.header.start >= bound {
                    break;
                }
                let target = InChannel::admit(&channel.links, channel.passed, &packet.header)
                    .map_err(|source| InChannel::error(&channel.peer, now, source))?;
                let delivered = if let Target::Events(position) = target {
                    let link = &mut self.links[position];
                    link.deliver(packet, end - link.min_delay, |index, time| {
                        count += 1;
                        each(position, index, time);
                    })
                } else {
                    self.stores.take(target, &packet)
                };
                delivered.map_err(|source| InChannel::error(&channel.peer, now, source))?;
                channel.receiver.release();
                any = true;
            }
            channel.passed = channel.passed.max(bound);
            if any {
                freed(channel.peer_line);
            }
        }
        self.received += count;
        Ok(())
    }

    /// Takes everything out of rings that are more than half full, so that no sender waits for room in vain.
    pub(super) fn relieve(&mut self, now: Time, mut freed: impl FnMut(u32)) -> Result<(), SessionError> {
        for channel in self.channels.iter_mut().filter(|channel| channel.receiver.crowded()) {
            channel.keep(&mut self.links, &mut self.stores, now, Time::MAX)?;
            freed(channel.peer_line);
        }
        Ok(())
    }

    /// Takes everything of the window that ends at `end` out of the rings. Events are kept for [`Inputs::hand_over`].
    fn collect(&mut self, now: Time, end: Time, mut freed: impl FnMut(u32)) -> Result<(), SessionError> {
        for channel in &mut self.channels {
            let bound = end - channel.min_delay;
            if channel.passed < bound {
                if channel.keep(&mut self.links, &mut self.stores, now, bound)? {
                    freed(channel.peer_line);
                }
                channel.passed = bound;
            }
        }
        Ok(())
    }

    /// What the window `(start, end]` sees of a signal: rows of so many columns.
    pub(super) fn samples(
        &mut self,
        signal: usize,
        start: Time,
        end: Time,
        freed: impl FnMut(u32),
    ) -> Result<(&[f64], usize), SessionError> {
        self.collect(start, end, freed)?;
        let all = self.stores.signals.len();
        let missing = || SessionError::Signal(format!("there is no incoming signal {signal}; there are {all}"));
        let link = self.stores.signals.get_mut(signal).ok_or_else(missing)?;
        link.see(start, end)
    }

    /// The messages of the window `(start, end]`, in order.
    pub(super) fn messages(
        &mut self,
        start: Time,
        end: Time,
        freed: impl FnMut(u32),
    ) -> Result<Vec<(Time, Message)>, SessionError> {
        self.collect(start, end, freed)?;
        let mut due = Vec::new();
        for queue in &mut self.stores.messages {
            queue.due(end, &mut due).map_err(|source| queue.error(start, source))?;
        }
        due.sort_unstable();
        Ok(due)
    }

    /// No sender needs to wait for this rank any more.
    pub(super) fn close(&mut self) {
        self.channels.iter_mut().for_each(|channel| channel.receiver.close());
    }
}
