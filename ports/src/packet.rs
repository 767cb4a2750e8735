//! Packets: a header of 32 bytes, and events, samples or messages of one link within one window, in words of eight
//! bytes. The layout is in docs/wire.md.
//!
//! Decoding never trusts the peer: [`Header::decode`] checks what can be told from the header,
//! [`Header::check_event`] each event against the link's width. What samples and messages must be is checked where
//! they are put together ([`crate::session`]).

use crate::event::{self, Event, MAX_WINDOW};
use crate::time::{Span, Time};

/// First bytes of each packet.
pub const MAGIC: u16 = 0x43C0;
/// Version of the packet layout.
pub const VERSION: u8 = 2;
/// Bytes of a header.
pub const HEADER_BYTES: usize = 32;
/// Bytes of one word: an event, a sample, or eight bytes of messages.
pub const WORD_BYTES: usize = 8;
/// The longest message.
pub const MAX_MESSAGE: usize = 1 << 16;

/// What a packet carries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Kind {
    /// Events of one link, possibly a part of those of its window.
    Events = 1,
    /// No events: everything up to `end`, on every link of the channel, has been sent.
    Watermark = 2,
    /// No meaning: fills the rest of a ring up to its end. Only the first eight bytes need to be there.
    Padding = 3,
    /// Samples of one link, possibly a part of the block of its window: rows of time, one value for each column.
    Samples = 4,
    /// Messages of one link, possibly a part of the stream of records of its window.
    Messages = 5,
}

impl Kind {
    /// What it carries, in a word.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Events => "events",
            Kind::Watermark => "a watermark",
            Kind::Padding => "nothing",
            Kind::Samples => "samples",
            Kind::Messages => "messages",
        }
    }
    /// True for kinds that carry words of one link within one window.
    fn has_words(self) -> bool {
        matches!(self, Kind::Events | Kind::Samples | Kind::Messages)
    }
}

/// A packet's header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    /// What the packet carries.
    pub kind: Kind,
    /// The link; 0 for a watermark.
    pub link: u32,
    /// Start of the window `(start, end]`.
    pub start: Time,
    /// End of the window: no event of the packet is later. It is the channel's watermark once that is published.
    pub end: Time,
    /// Number of words that follow: of events, for a packet of events.
    pub count: u32,
    /// Position of the first word in the window's block or stream; 0 for events, which have no order.
    pub position: u32,
}

/// A packet as it is received.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// Checked by [`Header::decode`].
    pub header: Header,
    /// As many as the header says; not checked yet.
    pub words: &'a [u64],
}

impl<'a> Packet<'a> {
    /// The words of a packet of events; not checked yet.
    #[inline]
    pub fn events(&self) -> &'a [Event] {
        event::from_words(self.words)
    }
}

/// Why bytes are no packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PacketError {
    /// Fewer bytes than a header.
    #[error("{have} bytes are less than a packet's header of {HEADER_BYTES}")]
    Short {
        /// Bytes there are.
        have: usize,
    },
    /// Not the start of a packet.
    #[error("a packet starts with {MAGIC:#06x}, not with {0:#06x}")]
    Magic(u16),
    /// Another layout.
    #[error("packet layout version {0}; this program has version {VERSION}, use the same couple on both sides")]
    Version(u8),
    /// Unknown kind.
    #[error("unknown kind {0} of packet")]
    Kind(u8),
    /// Reserved bits are set.
    #[error("the reserved field of a packet is {0:#x} instead of 0")]
    Reserved(u32),
    /// The window is empty, turned round, or longer than an offset can tell.
    #[error("a packet cannot reach from {start} to {end}")]
    Range {
        /// Start as received.
        start: Time,
        /// End as received.
        end: Time,
    },
    /// More words than bytes, or words in a packet without.
    #[error("a packet of {count} words, where there is room for {room}")]
    Count {
        /// Words announced.
        count: u32,
        /// Words that the bytes can hold.
        room: usize,
    },
    /// A link that the channel does not carry.
    #[error("a packet of link {0}, which is not on this channel")]
    Link(u32),
    /// A packet of another kind than its link.
    #[error("a packet of {got} on link {link}, which carries {expected}")]
    OfKind {
        /// The link.
        link: u32,
        /// What the packet carries.
        got: &'static str,
        /// What the link carries.
        expected: &'static str,
    },
    /// A part of a block of samples or of a stream of messages is missing, comes twice, or belongs to another window.
    #[error(
        "link {link}: word {position} of the window from {start}, where word {expected} of the window from {from} \
         is next"
    )]
    Order {
        /// The link.
        link: u32,
        /// Start as received.
        start: Time,
        /// Position as received.
        position: u32,
        /// Start of the window that is next.
        from: Time,
        /// Position that is next.
        expected: u32,
    },
    /// A block of samples that is longer than its window.
    #[error("link {link}: {values} samples for {rows} steps of {columns} columns")]
    Block {
        /// The link.
        link: u32,
        /// Values up to the end of the packet.
        values: u64,
        /// Steps in the window.
        rows: u64,
        /// Columns that the channel carries.
        columns: u32,
    },
    /// A sample that is no number.
    #[error("link {link}: a sample of column {column} that is infinite or no number")]
    NotFinite {
        /// The link.
        link: u32,
        /// Global column.
        column: u32,
    },
    /// A message that is too long.
    #[error("link {link}: a message of {length} bytes; {MAX_MESSAGE} is the most")]
    TooLong {
        /// The link.
        link: u32,
        /// Bytes announced.
        length: u32,
    },
    /// Samples or messages that were declared sent did not come.
    #[error("link {link}: what should have come up to {due} ends at {seen}")]
    Missing {
        /// The link.
        link: u32,
        /// What the watermark promised.
        due: Time,
        /// Where it ends.
        seen: Time,
    },
    /// A neuron that does not exist.
    #[error("an event of neuron {index}, where the population has {width}")]
    Index {
        /// Index as received.
        index: u32,
        /// Neurons of the population.
        width: u32,
    },
    /// A time outside of the packet's window.
    #[error("an event {offset} ns after the start of a window of {length}")]
    Offset {
        /// Offset as received.
        offset: u32,
        /// Length of the window.
        length: Span,
    },
    /// A window that had been completed already.
    #[error("a packet that starts at {start}, after everything up to {passed} had been declared sent")]
    Late {
        /// Start as received.
        start: Time,
        /// What the watermark had promised.
        passed: Time,
    },
}

impl Header {
    /// The header of an event packet.
    pub fn events(link: u32, start: Time, end: Time, count: u32) -> Header {
        Header { kind: Kind::Events, link, start, end, count, position: 0 }
    }
    /// The header of words of one link; `count` is filled in by who sends.
    pub fn words(kind: Kind, link: u32, start: Time, end: Time) -> Header {
        Header { kind, link, start, end, count: 0, position: 0 }
    }
    /// The header of a watermark.
    pub fn watermark(start: Time, end: Time) -> Header {
        Header { kind: Kind::Watermark, link: 0, start, end, count: 0, position: 0 }
    }
    /// Bytes of the whole packet.
    pub const fn packet_bytes(&self) -> usize {
        HEADER_BYTES + self.count as usize * WORD_BYTES
    }
    /// The header of `count` words of this packet, `skipped` words behind its first one.
    #[inline]
    pub(crate) fn fragment(&self, skipped: usize, count: usize) -> Header {
        // The whole is at most u32::MAX words long where positions count.
        let position = if self.kind == Kind::Events { 0 } else { self.position.wrapping_add(skipped as u32) };
        Header { count: count as u32, position, ..*self }
    }
    /// The length of the window.
    pub fn length(&self) -> Span {
        Span::from_ns(self.end.ns().saturating_sub(self.start.ns()))
    }

    /// As on the wire.
    pub fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[0..2].copy_from_slice(&MAGIC.to_le_bytes());
        bytes[2] = VERSION;
        bytes[3] = self.kind as u8;
        bytes[4..8].copy_from_slice(&self.link.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.start.ns().to_le_bytes());
        bytes[16..24].copy_from_slice(&self.end.ns().to_le_bytes());
        bytes[24..28].copy_from_slice(&self.count.to_le_bytes());
        bytes[28..32].copy_from_slice(&self.position.to_le_bytes());
        bytes
    }

    /// Reads a header and checks it, except for the number of bytes that follow it ([`Header::check_room`]) and for
    /// what needs the channel's links.
    #[inline]
    pub fn decode(bytes: &[u8; HEADER_BYTES]) -> Result<Header, PacketError> {
        let u32_at = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let time_at =
            |at: usize| Time::from_ns((u64::from(u32_at(at)) | u64::from(u32_at(at + 4)) << 32).cast_signed());
        let kind = Kind::decode([bytes[0], bytes[1], bytes[2], bytes[3]])?;
        let (count, position) = (u32_at(24), u32_at(28));
        let header = Header { kind, link: u32_at(4), start: time_at(8), end: time_at(16), count, position };
        if position != 0 && !matches!(kind, Kind::Samples | Kind::Messages) {
            return Err(PacketError::Reserved(position));
        }
        let length = header.end.ns().checked_sub(header.start.ns());
        let right = match kind {
            Kind::Events | Kind::Samples | Kind::Messages => length.is_some_and(|n| n > 0 && n <= MAX_WINDOW.ns()),
            Kind::Watermark => length.is_some_and(|n| n >= 0),
            Kind::Padding => true,
        };
        if !right {
            return Err(PacketError::Range { start: header.start, end: header.end });
        }
        if !kind.has_words() && header.count != 0 {
            return Err(PacketError::Count { count: header.count, room: 0 });
        }
        Ok(header)
    }

    /// Reads a header from bytes that hold the whole packet.
    #[cfg(test)]
    fn decode_packet(bytes: &[u8]) -> Result<Header, PacketError> {
        let first = bytes.first_chunk().ok_or(PacketError::Short { have: bytes.len() })?;
        let header = Header::decode(first)?;
        header.check_room(bytes.len() - HEADER_BYTES)?;
        Ok(header)
    }

    /// Refuses a packet of more words than `bytes` bytes behind the header can hold.
    #[inline]
    pub fn check_room(&self, bytes: usize) -> Result<(), PacketError> {
        let room = bytes / WORD_BYTES;
        if self.count as usize <= room { Ok(()) } else { Err(PacketError::Count { count: self.count, room }) }
    }

    /// Refuses an event outside of the window or of the population.
    #[inline]
    pub fn check_event(&self, event: Event, width: u32) -> Result<(), PacketError> {
        if event.index >= width {
            return Err(PacketError::Index { index: event.index, width });
        }
        if event.offset == 0 || i64::from(event.offset) > self.length().ns() {
            return Err(PacketError::Offset { offset: event.offset, length: self.length() });
        }
        Ok(())
    }
}

impl Kind {
    /// Reads the first four bytes of a packet: magic, version and kind.
    #[inline]
    pub fn decode(bytes: [u8; 4]) -> Result<Kind, PacketError> {
        let [a, b, version, kind] = bytes;
        let magic = u16::from_le_bytes([a, b]);
        if magic != MAGIC {
            return Err(PacketError::Magic(magic));
        }
        if version != VERSION {
            return Err(PacketError::Version(version));
        }
        match kind {
            1 => Ok(Kind::Events),
            2 => Ok(Kind::Watermark),
            3 => Ok(Kind::Padding),
            4 => Ok(Kind::Samples),
            5 => Ok(Kind::Messages),
            other => Err(PacketError::Kind(other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn header() -> Header {
        Header::events(7, Time::from_ns(1000), Time::from_ns(3000), 2)
    }

    #[test]
    fn layout_is_fixed() {
        let bytes = Header::events(0x0A0B_0C0D, Time::from_ns(-2), Time::from_ns(258), 5).encode();
        #[rustfmt::skip]
        assert_eq!(bytes, [
            0xC0, 0x43, 2, 1, 0x0D, 0x0C, 0x0B, 0x0A,
            0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
            2, 1, 0, 0, 0, 0, 0, 0,
            5, 0, 0, 0, 0, 0, 0, 0,
        ]);
        let block = Header { position: 258, ..Header::words(Kind::Samples, 1, Time::ZERO, Time::from_ns(1)) }.encode();
        assert_eq!((block[3], &block[28..]), (4, &[2, 1, 0, 0][..]));
        assert_eq!(Header::words(Kind::Messages, 1, Time::ZERO, Time::from_ns(1)).encode()[3], 5);
    }

    #[test]
    fn each_fault_is_named() {
        let good = header().encode();
        assert_eq!(Header::decode(&good), Ok(header()));
        let with = |at: usize, value: u8| {
            let mut bytes = good;
            bytes[at] = value;
            Header::decode(&bytes)
        };
        assert!(matches!(with(0, 0), Err(PacketError::Magic(_))));
        assert_eq!(with(2, 9), Err(PacketError::Version(9)));
        assert_eq!(with(3, 0), Err(PacketError::Kind(0)));
        assert_eq!(with(3, 77), Err(PacketError::Kind(77)));
        assert_eq!(with(28, 1), Err(PacketError::Reserved(1)));
        assert!(matches!(with(17, 0), Err(PacketError::Range { .. })), "end before start");
        assert!(matches!(with(22, 1), Err(PacketError::Range { .. })), "longer than an offset");
        assert!(matches!(with(3, 2), Err(PacketError::Count { count: 2, room: 0 })), "a watermark with events");
        assert_eq!(Header::decode_packet(&good[..31]), Err(PacketError::Short { have: 31 }));
        assert_eq!(Header::decode_packet(&good), Err(PacketError::Count { count: 2, room: 0 }));
    }

    #[test]
    fn events_must_fit_window_and_population() {
        let check = |index, offset| header().check_event(Event { index, offset }, 10);
        assert_eq!(check(9, 2000), Ok(()));
        assert_eq!(check(0, 1), Ok(()));
        assert!(matches!(check(10, 1), Err(PacketError::Index { index: 10, width: 10 })));
        assert!(matches!(check(0, 0), Err(PacketError::Offset { .. })));
        assert!(matches!(check(0, 2001), Err(PacketError::Offset { .. })));
    }

    proptest! {
        #[test]
        fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Header::decode_packet(&bytes);
        }

        #[test]
        fn damaged_headers_never_panic_and_never_lie(
            at in 0usize..HEADER_BYTES, value: u8, room in 0usize..64, index: u32, offset: u32
        ) {
            let mut bytes = header().encode().to_vec();
            bytes[at] = value;
            bytes.resize(HEADER_BYTES + room, 0);
            if let Ok(read) = Header::decode_packet(&bytes) {
                prop_assert!(read.packet_bytes() <= bytes.len());
                if read.kind == Kind::Events && read.check_event(Event { index, offset }, 100).is_ok() {
                    let time = Event { index, offset }.time(read.start);
                    prop_assert!(index < 100 && time > read.start && time <= read.end);
                }
            }
        }

        #[test]
        fn round_trip_of_blocks(position: u32, count: u32, messages: bool) {
            let kind = if messages { Kind::Messages } else { Kind::Samples };
            let header = Header { position, count, ..Header::words(kind, 3, Time::ZERO, Time::from_ns(9)) };
            prop_assert_eq!(Header::decode(&header.encode()), Ok(header));
        }

        #[test]
        fn round_trip(link: u32, start in -(1i64 << 60)..(1i64 << 60), length in 1..=i64::from(u32::MAX), count: u32) {
            let start = Time::from_ns(start);
            let header = Header::events(link, start, start + Span::from_ns(length), count);
            prop_assert_eq!(Header::decode(&header.encode()), Ok(header));
        }
    }
}
