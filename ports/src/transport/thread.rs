//! A channel between threads of one process: a bounded queue of packets.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use crossbeam_queue::ArrayQueue;

use super::{Receiver, Sender, TransportError};
use crate::packet::{Header, Packet};
use crate::time::Time;

/// Packets that a channel holds unless said otherwise.
pub const PACKETS: usize = 256;
/// Words of one packet; more are fragmented.
const MOST: usize = 1 << 14;

#[derive(Debug)]
struct Shared {
    packets: ArrayQueue<(Header, Vec<u64>)>,
    /// Emptied vectors on their way back, so that a running channel does not allocate.
    spare: ArrayQueue<Vec<u64>>,
    watermark: AtomicI64,
    closed: AtomicBool,
}

/// The sending end.
#[derive(Debug)]
pub struct ThreadSender(Arc<Shared>);

/// The receiving end.
#[derive(Debug)]
pub struct ThreadReceiver {
    shared: Arc<Shared>,
    current: Option<(Header, Vec<u64>)>,
}

/// Makes a channel that holds up to `packets` packets.
pub fn channel(packets: usize) -> (ThreadSender, ThreadReceiver) {
    let shared = Arc::new(Shared {
        packets: ArrayQueue::new(packets.max(2)),
        spare: ArrayQueue::new(packets.max(2)),
        watermark: AtomicI64::new(0),
        closed: AtomicBool::new(false),
    });
    (ThreadSender(Arc::clone(&shared)), ThreadReceiver { shared, current: None })
}

impl Sender for ThreadSender {
    fn try_send_words(&mut self, header: &Header, words: &[u64]) -> Result<usize, TransportError> {
        let mut sent = 0;
        for fragment in words.chunks(MOST) {
            if self.0.closed.load(Ordering::Acquire) {
                return Ok(words.len());
            }
            if self.0.packets.is_full() {
                break;
            }
            let mut copy = self.0.spare.pop().unwrap_or_default();
            copy.extend_from_slice(fragment);
            if self.0.packets.push((header.fragment(sent, fragment.len()), copy)).is_err() {
                break;
            }
            sent += fragment.len();
        }
        Ok(sent)
    }

    fn publish(&mut self, watermark: Time) -> Result<(), TransportError> {
        self.0.watermark.store(watermark.ns(), Ordering::Release);
        Ok(())
    }

    fn finish(&mut self) -> Result<(), TransportError> {
        self.publish(Time::MAX)
    }
}

impl Receiver for ThreadReceiver {
    fn watermark(&self) -> Time {
        Time::from_ns(self.shared.watermark.load(Ordering::Acquire))
    }

    fn peek(&mut self) -> Result<Option<Packet<'_>>, TransportError> {
        if self.current.is_none() {
            self.current = self.shared.packets.pop();
        }
        Ok(self.current.as_ref().map(|(header, words)| Packet { header: *header, words }))
    }

    fn release(&mut self) {
        if let Some((_, mut words)) = self.current.take() {
            words.clear();
            // A vector for which there is no room is freed.
            let _ = self.shared.spare.push(words);
        }
    }

    fn crowded(&self) -> bool {
        self.shared.packets.len() * 2 > self.shared.packets.capacity()
    }

    fn close(&mut self) {
        self.shared.closed.store(true, Ordering::Release);
    }
}
