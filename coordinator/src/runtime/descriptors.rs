//! Sends a message together with file descriptors without blocking: the framing of
//! [`couple_ports::control::descriptors`], for a socket that belongs to the coordinator's event loop.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::Arc;

use couple_ports::control::descriptors::BATCH;
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags};
use tokio::io::Interest;
use tokio::net::UnixStream;

/// Sends `frame` with `files`: empty frames carry those that are too many for one.
pub async fn send(stream: &UnixStream, frame: &[u8], files: &[Arc<OwnedFd>]) -> io::Result<()> {
    let last = files.len().saturating_sub(1) / BATCH * BATCH;
    for batch in files[..last].chunks(BATCH) {
        send_batch(stream, &[0; 4], batch).await?;
    }
    send_batch(stream, frame, &files[last..]).await
}

/// Sends all bytes, the descriptors with the first.
async fn send_batch(stream: &UnixStream, mut bytes: &[u8], mut files: &[Arc<OwnedFd>]) -> io::Result<()> {
    while !bytes.is_empty() {
        let sent = stream.async_io(Interest::WRITABLE, || send_once(stream, bytes, files)).await?;
        bytes = &bytes[sent..];
        files = &[];
    }
    Ok(())
}

fn send_once(stream: &UnixStream, bytes: &[u8], files: &[Arc<OwnedFd>]) -> io::Result<usize> {
    let files: Vec<_> = files.iter().map(|file| file.as_fd()).collect();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(BATCH))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !files.is_empty() && !control.push(SendAncillaryMessage::ScmRights(&files)) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "too many descriptors at once"));
    }
    Ok(rustix::net::sendmsg(stream, &[io::IoSlice::new(bytes)], &mut control, SendFlags::NOSIGNAL)?)
}
