//! Where ranks find the coordinator: an abstract Unix socket, which leaves no file behind, whatever happens.
//!
//! Anyone on the machine can connect to an abstract socket. So a peer must run as the same user (the kernel tells)
//! and know the run's secret (from its environment), and what it says before that is read with a short limit.

use std::io::{self, Read as _};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::SocketAddr;
use std::time::Duration;

use couple_ports::control::{FromCoordinator, FromRank, Hello, PROTOCOL_VERSION, codec};
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc::Sender;

/// Longest first message of a peer that is not known yet.
const LONGEST_HELLO: u32 = 64 << 10;
/// Time for the first message, once connected.
const HELLO_LIMIT: Duration = Duration::from_secs(10);

/// The socket of one run.
#[derive(Debug)]
pub struct Rendezvous {
    listener: UnixListener,
    address: String,
    token: String,
}

/// A process that connected.
#[derive(Debug)]
pub enum Caller {
    /// It knows the secret and speaks our version.
    Known {
        /// Its connection.
        stream: UnixStream,
        /// What it said.
        hello: Hello,
    },
    /// It was turned away.
    Refused {
        /// Process id, by the kernel.
        pid: Option<i32>,
        /// Why.
        reason: String,
    },
}

fn random_hex(bytes: usize) -> io::Result<String> {
    let mut random = vec![0; bytes];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut random)?;
    Ok(random.iter().map(|b| format!("{b:02x}")).collect())
}

impl Rendezvous {
    /// Opens a socket with a name and a secret that no other run has.
    pub fn open() -> io::Result<Self> {
        let address = format!("couple-{}-{}", std::process::id(), random_hex(8)?);
        let socket = SocketAddr::from_abstract_name(&address)?;
        let listener = std::os::unix::net::UnixListener::bind_addr(&socket)?;
        listener.set_nonblocking(true)?;
        Ok(Rendezvous { listener: UnixListener::from_std(listener)?, address, token: random_hex(16)? })
    }
    /// The socket's abstract name.
    pub fn address(&self) -> &str {
        &self.address
    }
    /// The run's secret.
    pub fn token(&self) -> &str {
        &self.token
    }
    /// Accepts processes for ever, telling `callers` about each. Run it as a task.
    pub async fn accept<E: Send + 'static>(self, callers: Sender<E>, event: fn(Caller) -> E) {
        // Connections of processes that do not speak are few: each holds one place until its limit.
        let places = std::sync::Arc::new(tokio::sync::Semaphore::new(512));
        loop {
            let Ok(place) = places.clone().acquire_owned().await else { return };
            let Ok((stream, _)) = self.listener.accept().await else {
                // Out of descriptors, or the peer is gone already: others may still come.
                tokio::time::sleep(Duration::from_millis(20)).await;
                continue;
            };
            let (callers, token) = (callers.clone(), self.token.clone());
            tokio::spawn(async move {
                if let Some(caller) = greet(stream, &token).await {
                    // The supervisor has left when this fails: then nobody needs to know.
                    let _ = callers.send(event(caller)).await;
                }
                drop(place);
            });
        }
    }
}

/// Hears a new peer's first message. `None` for a peer that is none of ours.
async fn greet(mut stream: UnixStream, token: &str) -> Option<Caller> {
    let credentials = stream.peer_cred().ok()?;
    if credentials.uid() != rustix::process::getuid().as_raw() {
        return None;
    }
    let body = tokio::time::timeout(HELLO_LIMIT, read_body(&mut stream, LONGEST_HELLO)).await.ok()?.ok()?;
    match judge(&body, token) {
        Ok(hello) => Some(Caller::Known { stream, hello }),
        Err(reason) => {
            refuse(&mut stream, &reason).await;
            Some(Caller::Refused { pid: credentials.pid(), reason })
        }
    }
}

/// Tells a peer why it cannot take part.
pub async fn refuse(stream: &mut UnixStream, reason: &str) {
    if let Ok(message) = codec::frame(&FromCoordinator::Refused { reason: reason.to_string() }) {
        // It may be gone already.
        let _ = tokio::time::timeout(HELLO_LIMIT, stream.write_all(&message)).await;
    }
}

/// Checks the first message: its version before anything else, since another version may look different after it.
fn judge(body: &[u8], token: &str) -> Result<Hello, String> {
    match version_of(body) {
        Some(PROTOCOL_VERSION) => {}
        Some(other) => {
            return Err(format!(
                "it speaks version {other} of the session protocol, this coordinator version {PROTOCOL_VERSION}; \
                 build both from the same release"
            ));
        }
        None => return Err("its first message is no greeting of the session protocol".to_string()),
    }
    match codec::from_bytes(body) {
        Ok(FromRank::Hello(hello)) if hello.token == token => Ok(hello),
        Ok(FromRank::Hello(_)) => Err("it does not know the secret of this run (COUPLE_TOKEN); \
             a process left over from another run, or one whose environment was changed"
            .to_string()),
        _ => Err("its first message is no greeting of the session protocol".to_string()),
    }
}

/// The version in a greeting: a zero byte for `Hello`, then the number, in the encoding's variable length.
fn version_of(body: &[u8]) -> Option<u32> {
    match body {
        [0, 251, a, b, ..] => Some(u32::from(u16::from_le_bytes([*a, *b]))),
        [0, 252, a, b, c, d, ..] => Some(u32::from_le_bytes([*a, *b, *c, *d])),
        [0, small @ 0..=250, ..] => Some(u32::from(*small)),
        _ => None,
    }
}

async fn read_body(from: &mut (impl AsyncRead + Unpin), longest: u32) -> io::Result<Vec<u8>> {
    let length = from.read_u32_le().await?;
    if length > longest {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("a message of {length} bytes is too long")));
    }
    // Grow with what really comes: a length alone makes us reserve nothing.
    let mut body = Vec::new();
    from.take(u64::from(length)).read_to_end(&mut body).await?;
    if body.len() == length as usize { Ok(body) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

/// Reads one message.
pub async fn read_message<T: DeserializeOwned>(from: &mut (impl AsyncRead + Unpin)) -> io::Result<T> {
    codec::from_bytes(&read_body(from, codec::MAX_MESSAGE).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hello(version: u32, token: &str) -> Vec<u8> {
        let token = token.to_string();
        let hello = Hello { version, token, component: "a".into(), rank: 0, pid: 1 };
        codec::to_bytes(&FromRank::Hello(hello)).unwrap()
    }

    #[test]
    fn a_version_is_read_whatever_follows() {
        for version in [0, 1, 250, 251, 65_535, 65_536, u32::MAX] {
            let mut body = hello(version, "t");
            body.truncate(6);
            assert_eq!(version_of(&body), Some(version));
        }
        assert_eq!(version_of(b""), None);
        assert_eq!(version_of(&[1, 1]), None);
    }

    #[test]
    fn strangers_are_told_why() {
        assert!(judge(&hello(PROTOCOL_VERSION, "t"), "t").is_ok());
        assert!(
            judge(&hello(PROTOCOL_VERSION + 1, "t"), "t")
                .unwrap_err()
                .contains(&format!("version {}", PROTOCOL_VERSION + 1))
        );
        assert!(judge(&hello(PROTOCOL_VERSION, "x"), "t").unwrap_err().contains("secret"));
        assert!(judge(&[0, PROTOCOL_VERSION as u8, 255, 3], "t").unwrap_err().contains("no greeting"));
        assert!(judge(b"GET / HTTP/1.1\r\n", "t").unwrap_err().contains("no greeting"));
    }
}
