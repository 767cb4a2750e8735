//! A single-producer single-consumer ring of packets in shared memory. The layout is in docs/wire.md.
//!
//! ```text
//!      0  magic, version, capacity       written once
//!    128  tail, watermark                written by the sender; one cache line, so that a window without events
//!                                        costs one transfer
//!    256  head, closed                   written by the receiver
//!   4096  capacity bytes of packets      each contiguous; a packet that does not fit before the end starts anew at
//!                                        the beginning, behind a padding
//! ```
//!
//! `head` and `tail` count bytes since the start of the run. Each end keeps what it last read of the other's position
//! and looks again only when that is not enough. Every value the peer wrote is checked before use; a peer that breaks
//! the rules gets an error here, never a panic or an access outside of the ring.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering};

use super::{Receiver, Sender, TransportError};
use crate::control::PROTOCOL_VERSION;
use crate::memory::{self, Mapping};
use crate::packet::{HEADER_BYTES, Header, Kind, Packet, PacketError, WORD_BYTES};
use crate::time::Time;

const MAGIC: u64 = u64::from_le_bytes(*b"COUPLERG");
const SENDER_LINE: usize = 128;
const RECEIVER_LINE: usize = 256;
const DATA: usize = 4096;
/// The smallest ring.
pub const MIN_CAPACITY: u64 = 4096;
/// The largest ring.
pub const MAX_CAPACITY: u64 = 1 << 40;
/// A fragment takes at most this share of the ring, so that a ring less than half full always has room for one.
const SHARE: usize = 4;

/// Makes a ring of `capacity` bytes, a power of two from [`MIN_CAPACITY`] on.
pub fn create(capacity: u64) -> io::Result<OwnedFd> {
    check_capacity(capacity)?;
    let file = memory::create("couple-ring", capacity + DATA as u64)?;
    let mapping = Mapping::of(&file, capacity + DATA as u64)?;
    let words = mapping.start().cast::<u64>();
    // SAFETY: the mapping starts at a page boundary and is longer than three words; nobody else has the file yet.
    unsafe {
        words.write(MAGIC);
        words.add(1).write(u64::from(PROTOCOL_VERSION));
        words.add(2).write(capacity);
    }
    Ok(file)
}

fn check_capacity(capacity: u64) -> io::Result<()> {
    if capacity.is_power_of_two() && (MIN_CAPACITY..=MAX_CAPACITY).contains(&capacity) {
        return Ok(());
    }
    let text = format!("a ring of {capacity} bytes; the size must be a power of two, {MIN_CAPACITY} at least");
    Err(io::Error::new(io::ErrorKind::InvalidInput, text))
}

#[repr(C)]
struct SenderLine {
    tail: AtomicU64,
    watermark: AtomicI64,
}

#[repr(C)]
struct ReceiverLine {
    head: AtomicU64,
    closed: AtomicU32,
}

/// The mapped ring, as both ends see it.
#[derive(Debug)]
struct Ring {
    mapping: Mapping,
    capacity: usize,
}

impl Ring {
    fn map(file: impl AsFd, capacity: u64) -> io::Result<Ring> {
        check_capacity(capacity)?;
        let mapping = Mapping::of(file, capacity + DATA as u64)?;
        let words = mapping.start().cast::<u64>();
        // SAFETY: as in `create`; these words are written once, before the file is handed out.
        let head = unsafe { [words.read(), words.add(1).read(), words.add(2).read()] };
        if head != [MAGIC, u64::from(PROTOCOL_VERSION), capacity] {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the shared memory is no ring of this version"));
        }
        Ok(Ring { capacity: mapping.bytes() - DATA, mapping })
    }
    #[inline]
    fn sender(&self) -> &SenderLine {
        // SAFETY: the mapping is longer than DATA, the place is aligned, and the fields are atomics.
        unsafe { self.mapping.start().add(SENDER_LINE).cast().as_ref() }
    }
    #[inline]
    fn receiver(&self) -> &ReceiverLine {
        // SAFETY: as for `sender`.
        unsafe { self.mapping.start().add(RECEIVER_LINE).cast().as_ref() }
    }
    /// Where position `at` lies in the ring's bytes, and how many bytes there are up to the end.
    #[inline]
    fn place(&self, at: u64) -> (usize, usize) {
        let offset = (at & (self.capacity as u64 - 1)) as usize;
        (offset, self.capacity - offset)
    }
    /// The address of a byte; `offset` is below the capacity.
    #[inline]
    fn byte(&self, offset: usize) -> *mut u8 {
        debug_assert!(offset < self.capacity);
        // SAFETY: the mapping has `capacity` bytes behind DATA.
        unsafe { self.mapping.start().add(DATA + offset).as_ptr() }
    }
}

/// The sending end.
#[derive(Debug)]
pub struct ShmSender {
    ring: Ring,
    tail: u64,
    /// The receiver's position when last looked at.
    head: u64,
    closed: bool,
}

/// The receiving end.
#[derive(Debug)]
pub struct ShmReceiver {
    ring: Ring,
    head: u64,
    /// The sender's position when last looked at.
    tail: u64,
    /// Bytes of the packet last seen.
    current: usize,
}

impl ShmSender {
    /// Maps the sending end of a new ring.
    pub fn map(file: impl AsFd, capacity: u64) -> io::Result<ShmSender> {
        Ok(ShmSender { ring: Ring::map(file, capacity)?, tail: 0, head: 0, closed: false })
    }

    /// True when `need` bytes can be written at the tail.
    #[inline]
    fn has_room(&mut self, need: usize) -> Result<bool, TransportError> {
        if self.tail + need as u64 - self.head <= self.ring.capacity as u64 {
            return Ok(true);
        }
        let line = self.ring.receiver();
        let head = line.head.load(Ordering::Acquire);
        if head < self.head || head > self.tail || !head.is_multiple_of(WORD_BYTES as u64) {
            return Err(TransportError::Ring("the receiver's position went back or beyond the sender's"));
        }
        self.head = head;
        self.closed = line.closed.load(Ordering::Acquire) != 0;
        Ok(self.tail + need as u64 - self.head <= self.ring.capacity as u64)
    }

    /// Writes one packet at the tail, where there is room for it and `padding`.
    #[inline]
    fn write(&mut self, header: &Header, words: &[u64], padding: usize) {
        let (mut offset, _) = self.ring.place(self.tail);
        if padding > 0 {
            let mark = Header { kind: Kind::Padding, ..*header }.encode();
            // SAFETY: padding is at least eight bytes, as all positions are multiples of eight; they are ours to write
            // since `has_room` said so, and the receiver does not read them before the tail is published.
            unsafe { self.ring.byte(offset).copy_from_nonoverlapping(mark.as_ptr(), 8) };
            self.tail += padding as u64;
            offset = 0;
        }
        let to = self.ring.byte(offset);
        let bytes = size_of_val(words);
        // SAFETY: HEADER_BYTES + bytes bytes lie between `offset` and the end of the ring (or else there is a padding)
        // and are ours to write as above.
        unsafe {
            to.copy_from_nonoverlapping(header.encode().as_ptr(), HEADER_BYTES);
            to.add(HEADER_BYTES).copy_from_nonoverlapping(words.as_ptr().cast(), bytes);
        }
        self.tail += (HEADER_BYTES + bytes) as u64;
    }
}

impl Sender for ShmSender {
    #[inline]
    fn try_send_words(&mut self, header: &Header, words: &[u64]) -> Result<usize, TransportError> {
        let most = (self.ring.capacity / SHARE - HEADER_BYTES) / WORD_BYTES;
        let before = self.tail;
        let mut sent = 0;
        for fragment in words.chunks(most) {
            let need = HEADER_BYTES + size_of_val(fragment);
            let (_, to_end) = self.ring.place(self.tail);
            let padding = if need > to_end { to_end } else { 0 };
            if !self.has_room(need + padding)? {
                if self.closed {
                    sent = words.len();
                }
                break;
            }
            self.write(&header.fragment(sent, fragment.len()), fragment, padding);
            sent += fragment.len();
        }
        if self.tail != before {
            self.ring.sender().tail.store(self.tail, Ordering::Release);
        }
        Ok(sent)
    }

    #[inline]
    fn publish(&mut self, watermark: Time) -> Result<(), TransportError> {
        self.ring.sender().watermark.store(watermark.ns(), Ordering::Release);
        Ok(())
    }

    fn finish(&mut self) -> Result<(), TransportError> {
        self.publish(Time::MAX)
    }
}

impl ShmReceiver {
    /// Maps the receiving end of a new ring.
    pub fn map(file: impl AsFd, capacity: u64) -> io::Result<ShmReceiver> {
        Ok(ShmReceiver { ring: Ring::map(file, capacity)?, head: 0, tail: 0, current: 0 })
    }

    /// Looks at the sender's position; false when nothing is there.
    #[inline]
    fn look(&mut self) -> Result<bool, TransportError> {
        if self.head != self.tail {
            return Ok(true);
        }
        let tail = self.ring.sender().tail.load(Ordering::Acquire);
        let there = tail.checked_sub(self.head).filter(|n| *n <= self.ring.capacity as u64);
        if there.is_none_or(|n| !n.is_multiple_of(WORD_BYTES as u64)) {
            return Err(TransportError::Ring("the sender's position went back or more than a ring ahead"));
        }
        self.tail = tail;
        Ok(self.head != self.tail)
    }

    /// Reads the header at the head, where there is something, and skips paddings; `None` when nothing is behind them.
    fn header(&mut self) -> Result<Option<(Header, usize)>, TransportError> {
        while self.look()? {
            let there = (self.tail - self.head) as usize;
            let (offset, to_end) = self.ring.place(self.head);
            let from = self.ring.byte(offset);
            let mut bytes = [0; HEADER_BYTES];
            let readable = there.min(to_end).min(HEADER_BYTES);
            // SAFETY: `readable` bytes lie before the end of the ring; the sender does not write before the tail.
            unsafe { bytes.as_mut_ptr().copy_from_nonoverlapping(from, readable) };
            if Kind::decode([bytes[0], bytes[1], bytes[2], bytes[3]])? == Kind::Padding {
                if there < to_end {
                    return Err(TransportError::Ring("a padding that does not reach the end"));
                }
                self.head += to_end as u64;
                self.ring.receiver().head.store(self.head, Ordering::Release);
                continue;
            }
            if readable < HEADER_BYTES {
                return Err(PacketError::Short { have: readable }.into());
            }
            let header = Header::decode(&bytes)?;
            header.check_room(there.min(to_end) - HEADER_BYTES)?;
            return Ok(Some((header, offset)));
        }
        Ok(None)
    }
}

impl Receiver for ShmReceiver {
    #[inline]
    fn watermark(&self) -> Time {
        Time::from_ns(self.ring.sender().watermark.load(Ordering::Acquire))
    }

    #[inline]
    fn peek(&mut self) -> Result<Option<Packet<'_>>, TransportError> {
        // Nothing new is the common case of the hot path.
        if !self.look()? {
            return Ok(None);
        }
        let Some((header, offset)) = self.header()? else { return Ok(None) };
        self.current = header.packet_bytes();
        let from = self.ring.byte(offset);
        // SAFETY: check_room made sure that the words lie between `offset` and the tail and before the end of the
        // ring; all positions are multiples of eight, so they are aligned; any bytes are valid words; and a sender
        // that keeps to the rules does not write before `release`, which the borrow of `self` delays.
        let words = unsafe { std::slice::from_raw_parts(from.add(HEADER_BYTES).cast::<u64>(), header.count as usize) };
        Ok(Some(Packet { header, words }))
    }

    #[inline]
    fn release(&mut self) {
        self.head += self.current as u64;
        self.current = 0;
        self.ring.receiver().head.store(self.head, Ordering::Release);
    }

    fn crowded(&self) -> bool {
        let tail = self.ring.sender().tail.load(Ordering::Relaxed);
        tail.wrapping_sub(self.head) > self.ring.capacity as u64 / 2
    }

    fn close(&mut self) {
        self.ring.receiver().closed.store(1, Ordering::Release);
    }
}

/// For tests of what a faulty peer can do: writes raw bytes and positions into the memory of a ring.
#[doc(hidden)]
pub mod damage {
    use super::*;

    /// Writes `bytes` at position 0 and sets the tail.
    pub fn write(file: impl AsFd, capacity: u64, bytes: &[u8], tail: u64) -> io::Result<()> {
        let ring = Ring::map(file, capacity)?;
        assert!(bytes.len() <= ring.capacity, "more bytes than the ring has");
        // SAFETY: in bounds as asserted.
        unsafe { ring.byte(0).copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
        ring.sender().tail.store(tail, Ordering::Release);
        Ok(())
    }
    /// Sets the receiver's position.
    pub fn set_head(file: impl AsFd, capacity: u64, head: u64) -> io::Result<()> {
        Ring::map(file, capacity)?.receiver().head.store(head, Ordering::Release);
        Ok(())
    }
}
