//! What every transport promises; one suite, run over each.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::collections::VecDeque;
use std::sync::mpsc;
use std::time::Duration;

use couple_ports::event::Event;
use couple_ports::packet::{Header, Kind, MAGIC, PacketError};
use couple_ports::time::{Span, Time};
use couple_ports::transport::shm::{self, ShmReceiver, ShmSender};
use couple_ports::transport::{Receiver, Sender, TransportError, thread};
use proptest::prelude::*;

const WINDOW: Span = Span::from_ns(1000);

fn window(n: i64) -> (Time, Time) {
    (Time::ZERO + WINDOW * n, Time::ZERO + WINDOW * (n + 1))
}

fn events(count: u32, from: u32) -> Vec<Event> {
    (0..count).map(|n| Event { index: from.wrapping_add(n), offset: n % 1000 + 1 }).collect()
}

/// Takes one packet: link, start and events.
fn take(receiver: &mut impl Receiver) -> Option<(u32, Time, Vec<Event>)> {
    let taken = receiver.peek().unwrap().map(|packet| {
        assert_eq!(packet.header.kind, Kind::Events);
        assert_eq!(packet.header.count as usize, packet.words.len());
        (packet.header.link, packet.header.start, packet.events().to_vec())
    });
    if taken.is_some() {
        receiver.release();
    }
    taken
}

/// Sends until all is taken or no more fits; how many were.
fn send(sender: &mut impl Sender, link: u32, n: i64, events: &[Event]) -> usize {
    let (start, end) = window(n);
    sender.try_send(link, start, end, events).unwrap()
}

fn watchdog(test: impl FnOnce() + Send + 'static) {
    let (done, wait) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        test();
        let _ = done.send(());
    });
    match wait.recv_timeout(Duration::from_secs(60)) {
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("it hangs"),
        _ => thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
    }
}

fn order_and_links(mut sender: impl Sender, mut receiver: impl Receiver) {
    assert!(take(&mut receiver).is_none());
    let (a, b) = (events(3, 10), events(2, 20));
    assert_eq!(send(&mut sender, 1, 0, &a), 3);
    assert_eq!(send(&mut sender, 2, 0, &b), 2);
    assert_eq!(send(&mut sender, 1, 1, &[]), 0);
    assert_eq!(send(&mut sender, 1, 1, &b), 2);
    assert_eq!(take(&mut receiver), Some((1, window(0).0, a)));
    // Peeking twice shows the same; nothing is taken before release.
    assert_eq!(receiver.peek().unwrap().unwrap().header.link, 2);
    assert_eq!(take(&mut receiver), Some((2, window(0).0, b.clone())));
    assert_eq!(take(&mut receiver), Some((1, window(1).0, b)));
    assert!(take(&mut receiver).is_none());
}

fn watermark_follows_data(mut sender: impl Sender, mut receiver: impl Receiver) {
    assert_eq!(receiver.watermark(), Time::ZERO);
    send(&mut sender, 1, 0, &events(1, 0));
    assert_eq!(receiver.watermark(), Time::ZERO);
    sender.publish(window(0).1).unwrap();
    assert_eq!(receiver.watermark(), window(0).1);
    assert!(take(&mut receiver).is_some());
    sender.publish(window(1).1).unwrap();
    assert_eq!(receiver.watermark(), window(1).1);
    sender.finish().unwrap();
    assert_eq!(receiver.watermark(), Time::MAX);
}

/// Bursts far larger than the room: fragments arrive in order, each once.
fn bursts_are_fragmented(mut sender: impl Sender, mut receiver: impl Receiver) {
    let burst = events(200_000, 5);
    let (mut sent, mut got, mut blocked) = (0, Vec::new(), 0);
    while got.len() < burst.len() {
        sent += send(&mut sender, 7, 3, &burst[sent..]);
        if sent < burst.len() {
            blocked += 1;
            assert!(receiver.crowded(), "a sender that finds no room must be seen");
        }
        // One packet at a time, so that positions go round in all ways.
        if let Some((link, start, part)) = take(&mut receiver) {
            assert_eq!((link, start), (7, window(3).0));
            got.extend(part);
        }
    }
    assert!(blocked > 0, "the burst must not fit at once, or this tests nothing");
    assert!(got == burst);
    assert!(take(&mut receiver).is_none() && !receiver.crowded());
}

/// A block of samples and a stream of messages far larger than the room: each fragment tells where it belongs.
fn blocks_keep_their_order(mut sender: impl Sender, mut receiver: impl Receiver) {
    let words: Vec<u64> = (0..100_000).map(|n: u64| n.wrapping_mul(0x9E37_79B9_7F4A_7C15)).collect();
    for (link, kind) in [(1, Kind::Samples), (2, Kind::Messages)] {
        let (start, end) = window(0);
        let (mut sent, mut got) = (0, Vec::new());
        while got.len() < words.len() {
            let header = Header { position: sent as u32, ..Header::words(kind, link, start, end) };
            sent += sender.try_send_words(&header, &words[sent..]).unwrap();
            while let Some(packet) = receiver.peek().unwrap() {
                let header = packet.header;
                assert_eq!((header.kind, header.link, header.start, header.end), (kind, link, start, end));
                assert_eq!((header.position as usize, header.count as usize), (got.len(), packet.words.len()));
                got.extend_from_slice(packet.words);
                receiver.release();
            }
        }
        assert!(got == words);
        let empty = sender.try_send_words(&Header::words(kind, link, start, end), &[]).unwrap();
        assert!(empty == 0 && receiver.peek().unwrap().is_none());
    }
}

fn a_closed_receiver_takes_all(mut sender: impl Sender, mut receiver: impl Receiver) {
    let some = events(100, 0);
    let mut filled = 0;
    while send(&mut sender, 1, 0, &some) == some.len() {
        filled += 1;
        assert!(filled < 1_000_000, "a channel must be bounded");
    }
    receiver.close();
    assert_eq!(send(&mut sender, 1, 0, &some), some.len());
    assert_eq!(send(&mut sender, 1, 0, &events(100_000, 0)), 100_000);
}

/// A thread at each end; the receiver goes by the watermark alone.
fn threads_agree(mut sender: impl Sender, mut receiver: impl Receiver) {
    const WINDOWS: i64 = 3000;
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for n in 0..WINDOWS {
                for link in 0..2 {
                    let all = events((n as u32 * 37 + link) % 300, n as u32);
                    let mut rest = &all[..];
                    while !rest.is_empty() {
                        rest = &rest[send(&mut sender, link, n, rest)..];
                        std::thread::yield_now();
                    }
                }
                sender.publish(window(n).1).unwrap();
            }
        });
        for n in 0..WINDOWS {
            let mut got = [Vec::new(), Vec::new()];
            let mut complete = false;
            loop {
                // First the watermark, then the packets: what it covers must be there.
                let covered = receiver.watermark() >= window(n).1;
                while let Some(packet) = receiver.peek().unwrap() {
                    if packet.header.start > window(n).0 {
                        break;
                    }
                    assert_eq!((packet.header.start, packet.header.end), window(n));
                    got[packet.header.link as usize].extend_from_slice(packet.events());
                    receiver.release();
                }
                if complete {
                    break;
                }
                complete = covered;
                std::thread::yield_now();
            }
            for (link, got) in got.iter().enumerate() {
                assert!(*got == events((n as u32 * 37 + link as u32) % 300, n as u32), "window {n}");
            }
        }
    });
}

/// Compares with a plain queue under any interleaving of sends and takes.
fn like_a_queue(mut sender: impl Sender, mut receiver: impl Receiver, steps: &[(u8, u16)]) {
    let mut model: VecDeque<(u32, i64, Event)> = VecDeque::new();
    for (n, &(what, count)) in steps.iter().enumerate() {
        if what < 3 {
            let all = events(count.into(), u32::from(what) << 20 | n as u32);
            let sent = send(&mut sender, what.into(), n as i64, &all);
            model.extend(all[..sent].iter().map(|event| (u32::from(what), n as i64, *event)));
        } else if let Some((link, start, part)) = take(&mut receiver) {
            for event in part {
                let (expected, n, sent) = model.pop_front().expect("something that was never sent");
                assert_eq!((link, start, event), (expected, window(n).0, sent));
            }
        }
    }
    while let Some((_, _, part)) = take(&mut receiver) {
        for event in part {
            assert_eq!(Some(event), model.pop_front().map(|(_, _, sent)| sent));
        }
    }
    assert!(model.is_empty(), "{} events were lost", model.len());
}

fn ring(capacity: u64) -> (ShmSender, ShmReceiver) {
    let file = shm::create(capacity).unwrap();
    (ShmSender::map(&file, capacity).unwrap(), ShmReceiver::map(&file, capacity).unwrap())
}

macro_rules! conformance {
    ($name:ident, $make:expr) => {
        mod $name {
            use super::*;
            macro_rules! case {
                ($case:ident) => {
                    #[test]
                    fn $case() {
                        watchdog(|| {
                            let (sender, receiver) = $make;
                            super::$case(sender, receiver);
                        });
                    }
                };
            }
            case!(order_and_links);
            case!(watermark_follows_data);
            case!(bursts_are_fragmented);
            case!(blocks_keep_their_order);
            case!(a_closed_receiver_takes_all);
            case!(threads_agree);

            proptest! {
                #[test]
                fn like_a_queue(steps in proptest::collection::vec((0u8..6, 0u16..600), 1..200)) {
                    let (sender, receiver) = $make;
                    super::like_a_queue(sender, receiver, &steps);
                }
            }
        }
    };
}

conformance!(shm_smallest, ring(shm::MIN_CAPACITY));
conformance!(shm_larger, ring(1 << 16));
conformance!(threads, thread::channel(4));

/// What a faulty peer may write into shared memory is an error, and never worse.
mod faulty_peers {
    use super::*;

    const CAPACITY: u64 = 4096;

    /// What a receiver makes of these bytes and this position.
    fn receive(bytes: &[u8], tail: u64) -> Result<usize, TransportError> {
        let file = shm::create(CAPACITY).unwrap();
        shm::damage::write(&file, CAPACITY, bytes, tail).unwrap();
        let mut receiver = ShmReceiver::map(&file, CAPACITY).unwrap();
        let mut packets = 0;
        while let Some(packet) = receiver.peek()? {
            assert!(packet.words.len() * 8 + 32 <= CAPACITY as usize);
            std::hint::black_box(packet.events().iter().map(|event| u64::from(event.index)).sum::<u64>());
            receiver.release();
            packets += 1;
        }
        Ok(packets)
    }

    fn packet(count: u32, there: u32) -> Vec<u8> {
        let (start, end) = window(0);
        let mut bytes = Header::events(1, start, end, count).encode().to_vec();
        events(there, 0).iter().for_each(|event| bytes.extend(event.to_bytes()));
        bytes
    }

    #[test]
    fn a_good_packet_is_taken() {
        assert_eq!(receive(&packet(3, 3), 56).unwrap(), 1);
    }

    #[test]
    fn positions_that_cannot_be() {
        for tail in [CAPACITY + 8, u64::MAX, u64::MAX - 7, 57, 1 << 63] {
            assert!(matches!(receive(&packet(3, 3), tail), Err(TransportError::Ring(_))), "{tail}");
        }
        let file = shm::create(CAPACITY).unwrap();
        let mut sender = ShmSender::map(&file, CAPACITY).unwrap();
        let (start, end) = window(0);
        while sender.try_send(1, start, end, &events(50, 0)).unwrap() == 50 {}
        for head in [u64::MAX, 1, 1 << 40] {
            shm::damage::set_head(&file, CAPACITY, head).unwrap();
            let error = sender.try_send(1, start, end, &events(50, 0));
            assert!(matches!(error, Err(TransportError::Ring(_))), "{head}: {error:?}");
        }
    }

    #[test]
    fn packets_that_reach_too_far() {
        let count = |tail| match receive(&packet(100, 3), tail) {
            Err(TransportError::Packet(PacketError::Count { count, room })) => (count, room),
            other => panic!("{other:?}"),
        };
        assert_eq!(count(56), (100, 3));
        assert!(receive(&packet(u32::MAX, 3), 56).unwrap_err().to_string().contains("room for 3"));
        assert!(matches!(receive(&packet(0, 0), 24), Err(TransportError::Packet(PacketError::Short { have: 24 }))));
        let mut padding = MAGIC.to_le_bytes().to_vec();
        padding.extend([couple_ports::packet::VERSION, 3, 0, 0, 0, 0]);
        assert!(matches!(receive(&padding, 8), Err(TransportError::Ring(_))));
    }

    proptest! {
        #[test]
        fn garbage(bytes in proptest::collection::vec(any::<u8>(), 0..4096), tail in 0u64..5000) {
            let _ = receive(&bytes, tail);
        }

        #[test]
        fn damaged_packets(at in 0usize..56, value: u8, tail in 0u64..10) {
            let mut bytes = packet(3, 3);
            bytes[at] = value;
            let _ = receive(&bytes, tail * 8);
        }
    }

    #[test]
    fn rings_that_are_none() {
        let file = shm::create(8192).unwrap();
        assert!(ShmReceiver::map(&file, 4096).is_err());
        assert!(ShmReceiver::map(couple_ports::memory::create("x", 8192).unwrap(), 4096).is_err());
        assert!(shm::create(5000).is_err() && shm::create(0).is_err() && shm::create(1 << 50).is_err());
    }
}

/// Two processes: this test starts itself again as the other end.
mod processes {
    use super::*;
    use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
    use std::process::Command;

    const CAPACITY: u64 = 1 << 14;
    const WINDOWS: i64 = 2000;

    #[test]
    fn a_ring_between_processes() {
        if let Ok(descriptor) = std::env::var("CONFORMANCE_RING") {
            return send_all(descriptor.parse().unwrap());
        }
        watchdog(|| {
            let file = shm::create(CAPACITY).unwrap();
            rustix::io::fcntl_setfd(&file, rustix::io::FdFlags::empty()).unwrap();
            let mut child = Command::new(std::env::current_exe().unwrap())
                .args(["processes::a_ring_between_processes", "--exact", "--nocapture"])
                .env("CONFORMANCE_RING", file.as_raw_fd().to_string())
                .stdout(std::process::Stdio::null())
                .spawn()
                .unwrap();
            let mut receiver = ShmReceiver::map(&file, CAPACITY).unwrap();
            let mut got = Vec::new();
            while receiver.watermark() < Time::MAX {
                if let Some(status) = child.try_wait().unwrap() {
                    assert!(status.success(), "{status}");
                }
                while let Some((_, _, part)) = take(&mut receiver) {
                    got.extend(part);
                }
                std::thread::yield_now();
            }
            while let Some((_, _, part)) = take(&mut receiver) {
                got.extend(part);
            }
            assert!(child.wait().unwrap().success());
            let expected: Vec<Event> = (0..WINDOWS).flat_map(|n| events(n as u32 % 500, n as u32)).collect();
            assert!(got == expected);
        });
    }

    fn send_all(descriptor: i32) {
        // SAFETY: the parent passed this descriptor on, and nobody else in this process uses it.
        let file = unsafe { OwnedFd::from_raw_fd(descriptor) };
        let mut sender = ShmSender::map(&file, CAPACITY).unwrap();
        for n in 0..WINDOWS {
            let all = events(n as u32 % 500, n as u32);
            let mut rest = &all[..];
            while !rest.is_empty() {
                rest = &rest[send(&mut sender, 1, n, rest)..];
                std::thread::yield_now();
            }
            sender.publish(window(n).1).unwrap();
        }
        sender.finish().unwrap();
    }
}
