//! Sends a message together with file descriptors, without blocking.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags};
use tokio::io::Interest;
use tokio::net::UnixStream;

/// Descriptors that Linux takes with one message.
const AT_ONCE: usize = 250;

/// Sends `bytes` with `files`.
pub async fn send(stream: &UnixStream, bytes: &[u8], files: &[Arc<OwnedFd>]) -> io::Result<()> {
    let mut sent = 0;
    let mut left = files;
    while sent < bytes.len() {
        let batch = &left[..left.len().min(AT_ONCE)];
        sent += stream.async_io(Interest::WRITABLE, || send_once(stream, &bytes[sent..], batch)).await?;
        left = &left[batch.len()..];
    }
    Ok(())
}

fn send_once(stream: &UnixStream, bytes: &[u8], files: &[Arc<OwnedFd>]) -> io::Result<usize> {
    use std::os::fd::AsFd as _;
    let borrowed: Vec<_> = files.iter().map(|file| file.as_fd()).collect();
    let mut space = vec![std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(AT_ONCE))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !borrowed.is_empty() && !control.push(SendAncillaryMessage::ScmRights(&borrowed)) {
        return Err(io::Error::other("too many descriptors for one message"));
    }
    Ok(rustix::net::sendmsg(stream, &[io::IoSlice::new(bytes)], &mut control, SendFlags::NOSIGNAL)?)
}
