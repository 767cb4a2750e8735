//! Events: spikes as they travel, eight bytes each.

use crate::time::{Span, Time};

#[cfg(not(target_endian = "little"))]
compile_error!("packets are little-endian and read without a copy; this machine would need a conversion");

/// A spike within a packet.
#[repr(C, align(8))]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Event {
    /// Global index within the sending population.
    pub index: u32,
    /// Nanoseconds since the packet's start, at least 1: windows are open on the left.
    pub offset: u32,
}

/// Bytes of one event.
pub const EVENT_BYTES: usize = size_of::<Event>();
const _: () = assert!(size_of::<Event>() == size_of::<u64>() && align_of::<Event>() == align_of::<u64>());

/// The longest window: an offset has 32 bits of nanoseconds.
pub const MAX_WINDOW: Span = Span::from_ns(u32::MAX as i64);

impl Event {
    /// The event of neuron `index` at `time`, in a packet that starts at `start`; `None` when the time does not lie
    /// within `(start, start + MAX_WINDOW]`.
    #[inline]
    pub fn new(index: u32, time: Time, start: Time) -> Option<Event> {
        let offset = time.ns().checked_sub(start.ns())?;
        u32::try_from(offset).ok().filter(|o| *o > 0).map(|offset| Event { index, offset })
    }
    /// Its time stamp.
    #[inline]
    pub fn time(self, start: Time) -> Time {
        Time::from_ns(start.ns().saturating_add(i64::from(self.offset)))
    }
    /// As on the wire: index, offset, both little-endian.
    pub fn to_bytes(self) -> [u8; EVENT_BYTES] {
        let mut bytes = [0; EVENT_BYTES];
        bytes[..4].copy_from_slice(&self.index.to_le_bytes());
        bytes[4..].copy_from_slice(&self.offset.to_le_bytes());
        bytes
    }
    /// From the wire.
    pub fn from_bytes(bytes: [u8; EVENT_BYTES]) -> Event {
        let [a, b, c, d, e, f, g, h] = bytes;
        Event { index: u32::from_le_bytes([a, b, c, d]), offset: u32::from_le_bytes([e, f, g, h]) }
    }
}

/// The bytes of `events`, as on the wire.
pub fn as_bytes(events: &[Event]) -> &[u8] {
    // SAFETY: Event is repr(C) of two u32 without padding, so each of its bytes is initialised; the length is the
    // slice's own, and u8 has no alignment.
    unsafe { std::slice::from_raw_parts(events.as_ptr().cast(), size_of_val(events)) }
}

/// The same events as words of a packet.
#[inline]
pub fn as_words(events: &[Event]) -> &[u64] {
    // SAFETY: Event has the size and the alignment of u64 and no padding; any initialised bytes are a u64.
    unsafe { std::slice::from_raw_parts(events.as_ptr().cast(), events.len()) }
}

/// The same words as events.
#[inline]
pub fn from_words(words: &[u64]) -> &[Event] {
    // SAFETY: Event has the size and the alignment of u64, and any bytes are an event.
    unsafe { std::slice::from_raw_parts(words.as_ptr().cast(), words.len()) }
}

/// The events in `bytes`; a rest shorter than one event is left out.
pub fn iter_bytes(bytes: &[u8]) -> impl ExactSizeIterator<Item = Event> + '_ {
    bytes.as_chunks::<EVENT_BYTES>().0.iter().map(|chunk| Event::from_bytes(*chunk))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_the_fields() {
        let events = [Event { index: 1, offset: 2 }, Event { index: 0x0403_0201, offset: u32::MAX }];
        assert_eq!(as_bytes(&events), [1, 0, 0, 0, 2, 0, 0, 0, 1, 2, 3, 4, 255, 255, 255, 255]);
        assert_eq!(iter_bytes(as_bytes(&events)).collect::<Vec<_>>(), events);
        assert_eq!(as_bytes(&events[..1]), events[0].to_bytes());
        assert_eq!(as_words(&events), [0x2_0000_0001, 0xFFFF_FFFF_0403_0201]);
        assert_eq!(from_words(as_words(&events)), events);
    }

    #[test]
    fn windows_are_open_on_the_left() {
        let start = Time::from_ns(100);
        assert_eq!(Event::new(3, Time::from_ns(100), start), None);
        assert_eq!(Event::new(3, Time::from_ns(99), start), None);
        assert_eq!(Event::new(3, Time::from_ns(101), start), Some(Event { index: 3, offset: 1 }));
        assert_eq!(Event::new(3, start + MAX_WINDOW, start).map(|e| e.time(start)), Some(start + MAX_WINDOW));
        assert_eq!(Event::new(3, start + MAX_WINDOW + Span::from_ns(1), start), None);
    }
}
