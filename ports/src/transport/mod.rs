//! Transports: how the packets of a channel get from one rank to another, or into a file.

pub mod journal;
