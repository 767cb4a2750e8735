//! Control messages together with file descriptors, over a Unix socket.
//!
//! A message is a frame as in [`super::codec`]. Descriptors ride on the first byte of a frame, at most [`BATCH`] on
//! each. Where there are more, frames of length zero carry the first ones and the message's own frame the rest, so
//! that whoever has read a message has all its descriptors.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, recvmsg, sendmsg,
};
use serde::{Serialize, de::DeserializeOwned};

use super::codec;

/// Descriptors on one frame; the kernel allows 253.
pub const BATCH: usize = 200;
const CHUNK: usize = 1 << 20;

/// Sends `message` with its descriptors. Waits while the socket is full, also where it does not block.
///
/// A program that uses tokio calls it in `spawn_blocking` with a duplicate of the socket's descriptor.
pub fn send<T: Serialize>(socket: impl AsFd, message: &T, descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
    let socket = socket.as_fd();
    let last = descriptors.len().saturating_sub(1) / BATCH * BATCH;
    for batch in descriptors[..last].chunks(BATCH) {
        send_bytes(socket, &[0; 4], batch)?;
    }
    send_bytes(socket, &codec::frame(message)?, &descriptors[last..])
}

/// Sends all bytes, the descriptors with the first.
fn send_bytes(socket: BorrowedFd<'_>, mut bytes: &[u8], mut descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
    while !bytes.is_empty() {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(BATCH))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        if !descriptors.is_empty() && !control.push(SendAncillaryMessage::ScmRights(descriptors)) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "too many descriptors at once"));
        }
        match sendmsg(socket, &[IoSlice::new(bytes)], &mut control, SendFlags::NOSIGNAL) {
            Ok(sent) => {
                bytes = &bytes[sent..];
                descriptors = &[];
            }
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => {
                wait(socket, PollFlags::OUT, None)?;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Waits until the socket can be read or written; false when the time is over.
fn wait(socket: BorrowedFd<'_>, what: PollFlags, timeout: Option<Duration>) -> io::Result<bool> {
    let timeout = timeout
        .map(|t| Timespec { tv_sec: i64::try_from(t.as_secs()).unwrap_or(i64::MAX), tv_nsec: t.subsec_nanos().into() });
    let mut fds = [PollFd::from_borrowed_fd(socket, what)];
    match poll(&mut fds, timeout.as_ref()) {
        Ok(ready) => Ok(ready > 0),
        Err(Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// The receiving side of a socket: gathers bytes and descriptors until a message is complete.
#[derive(Debug, Default)]
pub struct Incoming {
    bytes: Vec<u8>,
    descriptors: Vec<OwnedFd>,
}

impl Incoming {
    /// Nothing received yet.
    pub fn new() -> Incoming {
        Incoming::default()
    }

    /// The next message and the descriptors that came with it; `None` when `timeout` is over (no timeout: waits as
    /// long as it takes). A peer that closed is an error of kind `UnexpectedEof`.
    pub fn receive<T: DeserializeOwned>(
        &mut self,
        socket: impl AsFd,
        timeout: Option<Duration>,
    ) -> io::Result<Option<(T, Vec<OwnedFd>)>> {
        loop {
            if let Some(message) = self.take()? {
                return Ok(Some((message, std::mem::take(&mut self.descriptors))));
            }
            if !wait(socket.as_fd(), PollFlags::IN, timeout)? {
                if timeout.is_some() {
                    return Ok(None);
                }
                continue;
            }
            self.read_some(socket.as_fd())?;
        }
    }

    /// Takes a complete message out of the bytes that are here.
    fn take<T: DeserializeOwned>(&mut self) -> io::Result<Option<T>> {
        while let Some(length) = self.bytes.first_chunk::<4>() {
            let length = u32::from_le_bytes(*length);
            if length > codec::MAX_MESSAGE {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "a message longer than 1 GiB"));
            }
            let end = 4 + length as usize;
            if length == 0 {
                self.bytes.drain(..4);
                continue;
            }
            let Some(body) = self.bytes.get(4..end) else { return Ok(None) };
            let message = codec::from_bytes(body);
            self.bytes.drain(..end);
            return message.map(Some);
        }
        Ok(None)
    }

    /// Bytes that the frame at hand still lacks, some of them at least.
    fn missing(&self) -> usize {
        let whole = match self.bytes.first_chunk::<4>() {
            Some(length) => 4 + u32::from_le_bytes(*length) as usize,
            None => 4,
        };
        whole.saturating_sub(self.bytes.len()).clamp(1, CHUNK)
    }

    /// Reads what is there, but nothing of the next frame: its descriptors would come with it.
    fn read_some(&mut self, socket: BorrowedFd<'_>) -> io::Result<()> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(BATCH))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let filled = self.bytes.len();
        self.bytes.resize(filled + self.missing(), 0);
        let got = recvmsg(
            socket,
            &mut [IoSliceMut::new(&mut self.bytes[filled..])],
            &mut control,
            RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT,
        );
        self.bytes.truncate(filled + got.as_ref().map_or(0, |got| got.bytes));
        let got = match got {
            Ok(got) => got,
            Err(Errno::INTR | Errno::AGAIN) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(descriptors) = message {
                self.descriptors.extend(descriptors);
            }
        }
        if got.flags.contains(ReturnFlags::CTRUNC) {
            let text = "descriptors were lost on the way: too many open files? (ulimit -n)";
            return Err(io::Error::other(text));
        }
        if got.bytes == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the other side closed the connection"));
        }
        Ok(())
    }
}

/// False when the other side has closed the connection. Does not wait and takes nothing.
pub fn is_open(socket: impl AsFd) -> bool {
    let mut byte = [0u8; 1];
    let looked = rustix::net::recv(socket, &mut byte[..], RecvFlags::PEEK | RecvFlags::DONTWAIT);
    match looked {
        Ok((_, read)) => read > 0,
        Err(error) => matches!(error, Errno::AGAIN | Errno::INTR),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixStream;

    #[test]
    fn messages_bring_their_descriptors() {
        let (a, b) = UnixStream::pair().unwrap();
        let file = crate::memory::create("probe", 4096).unwrap();
        let sender = std::thread::spawn(move || {
            for count in [0, 1, 200, 201, 450] {
                let descriptors = vec![file.as_fd(); count];
                // Longer than the socket's buffer, so that it must be sent in parts.
                send(&a, &(count, vec![7u8; 300_000]), &descriptors).unwrap();
            }
        });
        let mut incoming = Incoming::new();
        for count in [0usize, 1, 200, 201, 450] {
            let ((told, body), descriptors) =
                incoming.receive::<(usize, Vec<u8>)>(&b, None).unwrap().expect("no timeout was given");
            assert_eq!((told, body.len(), descriptors.len()), (count, 300_000, count));
            assert!(descriptors.iter().all(|d| crate::memory::Mapping::of(d, 4096).is_ok()));
        }
        sender.join().unwrap();
        assert!(!is_open(&b));
        let end = incoming.receive::<u8>(&b, None).unwrap_err();
        assert_eq!(end.kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn a_timeout_keeps_what_came_in_part() {
        let (mut a, b) = UnixStream::pair().unwrap();
        let frame = codec::frame(&"hello".to_owned()).unwrap();
        let mut incoming = Incoming::new();
        let soon = Some(Duration::from_millis(10));
        io::Write::write_all(&mut a, &frame[..6]).unwrap();
        assert!(incoming.receive::<String>(&b, soon).unwrap().is_none());
        assert!(is_open(&b));
        io::Write::write_all(&mut a, &frame[6..]).unwrap();
        assert_eq!(incoming.receive::<String>(&b, soon).unwrap().unwrap().0, "hello");
    }
}
