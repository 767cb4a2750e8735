//! The encoding of control messages: bincode, behind this one module so that it stays replaceable.

use std::io;

use serde::{Serialize, de::DeserializeOwned};

/// The longest message accepted: a peer cannot make us allocate without bound.
pub const MAX_MESSAGE: u32 = 1 << 30;

/// Encodes a value.
pub fn to_bytes<T: Serialize>(value: &T) -> io::Result<Vec<u8>> {
    bincode::serde::encode_to_vec(value, bincode::config::standard())
        .map_err(|e| io::Error::new(io::ErrorKind::InvalidInput, e.to_string()))
}

/// Decodes a value; bytes left over are an error.
pub fn from_bytes<T: DeserializeOwned>(bytes: &[u8]) -> io::Result<T> {
    let bad = |text: String| io::Error::new(io::ErrorKind::InvalidData, text);
    let config = bincode::config::standard().with_limit::<{ MAX_MESSAGE as usize }>();
    let (value, used) = bincode::serde::decode_from_slice(bytes, config).map_err(|e| bad(e.to_string()))?;
    if used == bytes.len() {
        Ok(value)
    } else {
        Err(bad(format!("{} bytes left over after the message", bytes.len() - used)))
    }
}

/// Encodes a message with its length in front.
pub fn frame<T: Serialize>(message: &T) -> io::Result<Vec<u8>> {
    let body = to_bytes(message)?;
    let length = u32::try_from(body.len()).ok().filter(|n| *n <= MAX_MESSAGE);
    let length = length.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "message longer than 1 GiB"))?;
    let mut framed = Vec::with_capacity(body.len() + 4);
    framed.extend_from_slice(&length.to_le_bytes());
    framed.extend_from_slice(&body);
    Ok(framed)
}
