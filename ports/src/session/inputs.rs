//! The receiving half of a session: which events belong to a window.

use super::SessionError;
use crate::control::Welcome;
use crate::event::Event;
use crate::packet::{Header, Packet, PacketError};
use crate::time::{Span, Time};
use crate::transport::{Receiver, TransportError};

/// All channels and links that this rank receives.
pub(super) struct Inputs {
    pub(super) channels: Vec<InChannel>,
    links: Vec<InLink>,
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
    /// (link id, position among the inputs), sorted.
    links: Vec<(u32, u32)>,
}

/// A link for receiving.
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
    /// True when everything that the window ending at `end` needs has been sent.
    #[inline]
    pub(super) fn reached(&mut self, end: Time) -> bool {
        let need = end - self.min_delay;
        if self.seen < need {
            self.seen = self.receiver.watermark();
        }
        self.seen >= need
    }

    /// Where the packet's link stands among the inputs, unless the packet is none that may come now.
    #[inline]
    fn admit(links: &[(u32, u32)], passed: Time, header: &Header) -> Result<usize, PacketError> {
        if header.start < passed {
            return Err(PacketError::Late { start: header.start, passed });
        }
        let found = links.binary_search_by_key(&header.link, |(link, _)| *link);
        found.map(|at| links[at].1 as usize).map_err(|_| PacketError::Link(header.link))
    }

    fn error(peer: &str, time: Time, source: impl Into<TransportError>) -> SessionError {
        SessionError::Channel { incoming: true, peer: peer.to_owned(), time, source: source.into() }
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
        let mut channels = Vec::new();
        for (channel, receiver) in welcome.channels_in.iter().zip(receivers) {
            let input = |position: u32| {
                let input = welcome.inputs.get(position as usize).filter(|i| i.min_delay >= channel.min_delay);
                input.map(|input| (input.link, position)).ok_or_else(|| {
                    SessionError::Protocol(format!("channel from {}: no input {position} of its delay", channel.peer))
                })
            };
            let mut links =
                channel.links.iter().filter_map(|link| link.events()).map(input).collect::<Result<Vec<_>, _>>()?;
            links.sort_unstable();
            channels.push(InChannel {
                receiver,
                peer: channel.peer.clone(),
                peer_line: channel.peer_line,
                min_delay: channel.min_delay,
                seen: Time::ZERO,
                passed: Time::ZERO,
                links,
            });
        }
        Ok(Inputs { channels, links, received: 0 })
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
                let position = InChannel::admit(&channel.links, channel.passed, &packet.header)
                    .map_err(|source| InChannel::error(&channel.peer, now, source))?;
                let link = &mut self.links[position];
                let delivered = link.deliver(packet, end - link.min_delay, |index, time| {
                    count += 1;
                    each(position, index, time);
                });
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
            let failed = |source| InChannel::error(&channel.peer, now, source);
            while let Some(packet) = channel.receiver.peek().map_err(failed)? {
                let position = InChannel::admit(&channel.links, channel.passed, &packet.header)
                    .map_err(|source| InChannel::error(&channel.peer, now, source))?;
                let kept = self.links[position].deliver(packet, Time::MIN, |_, _| {});
                kept.map_err(|source| InChannel::error(&channel.peer, now, source))?;
                channel.receiver.release();
            }
            freed(channel.peer_line);
        }
        Ok(())
    }

    /// No sender needs to wait for this rank any more.
    pub(super) fn close(&mut self) {
        self.channels.iter_mut().for_each(|channel| channel.receiver.close());
    }
}
