//! Messages: the records of a window as a stream of words, and the way back.
//!
//! A record is one word (offset from the window's start in the lower half, length in the upper one), then the bytes,
//! filled up to whole words. The layout is in docs/wire.md.

use super::SessionError;
use crate::control::{MessageIn, MessageOut};
use crate::packet::{Header, MAX_MESSAGE, Packet, PacketError, WORD_BYTES};
use crate::time::{Span, Time};

/// A port for sending: the records of the window at hand.
pub(super) struct MessagePort {
    name: String,
    pub(super) stream: Vec<u64>,
}

/// A link for messages: (link id, position among the ports).
pub(super) type MessageLink = (u32, usize);

impl MessagePort {
    pub(super) fn new(port: &MessageOut) -> MessagePort {
        MessagePort { name: port.port.clone(), stream: Vec::new() }
    }

    /// Adds a message to the window `(start, end]`.
    pub(super) fn send(&mut self, time: Time, bytes: &[u8], start: Time, end: Time) -> Result<(), SessionError> {
        let name = &self.name;
        let refuse = |text: String| Err(SessionError::Message(text));
        if time <= start || time > end {
            return refuse(format!(
                "a message was sent on `{name}` at {time}, outside of the window ({start}, {end}]; \
                 stamp it with the end of the step in which it was sent"
            ));
        }
        if bytes.len() > MAX_MESSAGE {
            return refuse(format!(
                "a message of {} bytes was sent on `{name}` at {time}; {MAX_MESSAGE} is the most, send it in parts",
                bytes.len()
            ));
        }
        if self.stream.len() > (u32::MAX as usize) - 2 * MAX_MESSAGE {
            return refuse(format!("too many messages were sent on `{name}` in the window ({start}, {end}]"));
        }
        let offset = (time - start).ns().cast_unsigned();
        self.stream.push(offset | (bytes.len() as u64) << 32);
        self.stream.extend(bytes.chunks(WORD_BYTES).map(|chunk| {
            let mut word = [0; WORD_BYTES];
            word[..chunk.len()].copy_from_slice(chunk);
            u64::from_le_bytes(word)
        }));
        Ok(())
    }
}

/// A message that arrived. Ordered as it is handed over.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Message {
    /// Stamp of the sender.
    time: Time,
    /// Position among [`crate::control::Welcome::messages_in`].
    pub(super) port: usize,
    lane: usize,
    number: u64,
    pub(super) bytes: Box<[u8]>,
}

/// A link for receiving.
pub(super) struct MessageQueue {
    /// Both ports, for messages to people.
    name: String,
    port: usize,
    link: u32,
    min_delay: Span,
    delay: Span,
    lanes: Vec<Lane>,
    /// What came before its window.
    held: Vec<Message>,
}

/// What comes over one channel.
struct Lane {
    /// The window whose stream is being received.
    start: Time,
    end: Time,
    /// Words of it so far.
    position: u32,
    /// Those that are no whole record yet.
    rest: Vec<u64>,
    /// Messages so far.
    number: u64,
}

impl MessageQueue {
    pub(super) fn new(port: usize, message: &MessageIn) -> MessageQueue {
        let MessageIn { link, min_delay, delay, .. } = *message;
        let name = format!("`{}` to `{}`", message.source, message.target);
        MessageQueue { name, port, link, min_delay, delay, lanes: Vec::new(), held: Vec::new() }
    }

    /// Adds a channel that carries this link, and gives its number.
    pub(super) fn lane(&mut self) -> usize {
        self.lanes.push(Lane { start: Time::ZERO, end: Time::ZERO, position: 0, rest: Vec::new(), number: 0 });
        self.lanes.len() - 1
    }

    /// Takes a packet.
    pub(super) fn take(&mut self, lane: usize, packet: &Packet<'_>) -> Result<(), PacketError> {
        let (number, port) = (lane, self.port);
        let lane = &mut self.lanes[lane];
        lane.follow(&packet.header)?;
        lane.rest.extend_from_slice(packet.words);
        let mut at = 0;
        while let Some(&first) = lane.rest.get(at) {
            let (offset, length) = (first as u32, (first >> 32) as u32);
            if offset == 0 || i64::from(offset) > packet.header.length().ns() {
                return Err(PacketError::Offset { offset, length: packet.header.length() });
            }
            if length as usize > MAX_MESSAGE {
                return Err(PacketError::TooLong { link: self.link, length });
            }
            let next = at + 1 + (length as usize).div_ceil(WORD_BYTES);
            let Some(words) = lane.rest.get(at + 1..next) else { break };
            let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
            bytes.truncate(length as usize);
            let time = lane.start + Span::from_ns(offset.into());
            self.held.push(Message { time, port, lane: number, number: lane.number, bytes: bytes.into() });
            lane.number += 1;
            at = next;
        }
        lane.rest.drain(..at);
        Ok(())
    }

    /// Moves what belongs to the window that ends at `end` to `due`, with the delay added to each stamp.
    pub(super) fn due(&mut self, end: Time, due: &mut Vec<(Time, Message)>) -> Result<(), PacketError> {
        let bound = end - self.min_delay;
        if let Some(lane) = self.lanes.iter().find(|lane| !lane.rest.is_empty() && lane.start < bound) {
            return Err(PacketError::Missing { link: self.link, due: bound, seen: lane.start });
        }
        let delay = self.delay;
        due.extend(self.held.extract_if(.., |message| message.time <= bound).map(|m| (m.time + delay, m)));
        Ok(())
    }
}

impl MessageQueue {
    pub(super) fn error(&self, time: Time, source: PacketError) -> SessionError {
        SessionError::Message(format!("messages from {}, at simulated time {time}: {source}", self.name))
    }
}

impl Lane {
    /// Checks that a packet is the next one.
    fn follow(&mut self, header: &Header) -> Result<(), PacketError> {
        let new = header.position == 0 && self.rest.is_empty() && header.start >= self.end;
        let next = header.position != 0
            && (header.start, header.end, header.position) == (self.start, self.end, self.position);
        if !new && !next {
            return Err(PacketError::Order {
                link: header.link,
                start: header.start,
                position: header.position,
                from: self.start,
                expected: self.position,
            });
        }
        (self.start, self.end) = (header.start, header.end);
        self.position = header.position.wrapping_add(header.count);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::Kind;
    use proptest::prelude::*;

    fn ns(ns: i64) -> Time {
        Time::from_ns(ns)
    }

    fn queue() -> MessageQueue {
        let (source, target) = ("P.command".to_owned(), "E.told".to_owned());
        let delay = Span::from_ns(1000);
        let mut queue = MessageQueue::new(0, &MessageIn { link: 3, source, target, min_delay: delay, delay });
        assert_eq!((queue.lane(), queue.lane()), (0, 1));
        queue
    }

    fn stream(messages: &[(i64, &[u8])]) -> Vec<u64> {
        let mut port = MessagePort::new(&MessageOut { port: "P.command".to_owned() });
        messages.iter().for_each(|(time, bytes)| port.send(ns(*time), bytes, ns(0), ns(1000)).unwrap());
        port.stream
    }

    /// Takes a stream in parts of so many words.
    fn take(queue: &mut MessageQueue, lane: usize, words: &[u64], part: usize) -> Result<(), PacketError> {
        for (number, words) in words.chunks(part).enumerate() {
            let position = (number * part) as u32;
            let header = Header { position, count: words.len() as u32, ..window(0) };
            queue.take(lane, &Packet { header, words })?;
        }
        Ok(())
    }

    fn window(start: i64) -> Header {
        Header::words(Kind::Messages, 3, ns(start), ns(start + 1000))
    }

    #[test]
    fn streams_are_read_however_they_are_cut() {
        let long: Vec<u8> = (0..1000).map(|n| n as u8).collect();
        let first = stream(&[(700, b"b"), (300, b""), (700, &long)]);
        let second = stream(&[(1, b"12345678"), (700, b"a")]);
        for part in 1..200 {
            let mut queue = queue();
            take(&mut queue, 1, &first, part).unwrap();
            take(&mut queue, 0, &second, part).unwrap();
            let mut due = Vec::new();
            queue.due(ns(1699), &mut due).unwrap();
            assert_eq!(due.len(), 2);
            queue.due(ns(2000), &mut due).unwrap();
            due.sort_unstable();
            let told: Vec<_> = due.iter().map(|(time, message)| (time.ns(), &message.bytes[..])).collect();
            let expected: [(i64, &[u8]); 5] =
                [(1001, b"12345678"), (1300, b""), (1700, b"a"), (1700, b"b"), (1700, &long)];
            assert_eq!(told, expected);
        }
    }

    #[test]
    fn each_fault_is_told() {
        let words = stream(&[(500, b"0123456789")]);
        let mut queue = queue();
        take(&mut queue, 0, &words[..2], 2).unwrap();
        assert!(queue.due(ns(1000), &mut Vec::new()).is_ok(), "nothing of that window is due");
        assert!(matches!(queue.due(ns(1001), &mut Vec::new()), Err(PacketError::Missing { link: 3, .. })));
        assert!(matches!(take(&mut queue, 0, &words, 3), Err(PacketError::Order { position: 0, expected: 2, .. })));
        let next = Packet { header: Header { count: 1, ..window(1000) }, words: &[5] };
        assert!(matches!(queue.take(0, &next), Err(PacketError::Order { .. })), "in the middle of a record");
        assert!(matches!(take(&mut queue, 1, &[1001], 1), Err(PacketError::Offset { offset: 1001, .. })));
        let long = 5 | 65537 << 32;
        assert!(matches!(
            take(&mut super::tests::queue(), 1, &[long], 1),
            Err(PacketError::TooLong { length: 65537, .. })
        ));
    }

    proptest! {
        /// Whatever comes, it is an error at worst, and memory grows with what came.
        #[test]
        fn packets_of_any_kind_never_panic(
            packets in proptest::collection::vec(
                (0usize..2, 0i64..3, 0u32..4, proptest::collection::vec(prop_oneof![0u64..2000, any::<u64>()], 0..9)),
                0..40,
            ),
        ) {
            let mut queue = queue();
            let mut due = Vec::new();
            for (lane, start, position, words) in packets {
                let header = Header { position, count: words.len() as u32, ..window(start * 1000) };
                let _ = queue.take(lane, &Packet { header, words: &words });
                let _ = queue.due(ns(start * 700), &mut due);
            }
            prop_assert!(due.iter().all(|(_, message)| message.bytes.len() < 400));
        }
    }
}
