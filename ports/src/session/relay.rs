//! What a coordinator computes for the handshake, as pure functions of all ranks' [`Welcome`]s: who is at the other
//! end of each channel, which descriptors each rank gets, and which indices each sender sends.

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use crate::control::{Carried, Carrier, Welcome};
use crate::index::IndexSet;
use crate::transport::shm;

/// The two ends of a channel between ranks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pair {
    /// The sender: position among the welcomes.
    pub sender: usize,
    /// Position in its [`Welcome::channels_out`].
    pub channel_out: usize,
    /// The receiver: position among the welcomes.
    pub receiver: usize,
    /// Position in its [`Welcome::channels_in`].
    pub channel_in: usize,
}

/// The welcomes or the needs contradict each other.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct RelayError(String);

/// Finds the two ends of each channel. Several channels from one rank to another are paired in order.
pub fn pairs(welcomes: &[Welcome]) -> Result<Vec<Pair>, RelayError> {
    // (sender's line, receiver's line, which of several) → (receiver, channel_in)
    let mut open = HashMap::new();
    for (receiver, welcome) in welcomes.iter().enumerate() {
        let mut seen = HashMap::new();
        for (channel_in, channel) in welcome.channels_in.iter().enumerate() {
            let nth = seen.entry(channel.peer_line).or_insert(0u32);
            open.insert((channel.peer_line, welcome.line, *nth), (receiver, channel_in));
            *nth += 1;
        }
    }
    let mut pairs = Vec::new();
    for (sender, welcome) in welcomes.iter().enumerate() {
        let mut seen = HashMap::new();
        for (channel_out, channel) in welcome.channels_out.iter().enumerate() {
            let Some(line) = channel.peer_line else { continue };
            let nth = seen.entry(line).or_insert(0u32);
            let found = open.remove(&(welcome.line, line, *nth));
            *nth += 1;
            let (receiver, channel_in) = found
                .ok_or_else(|| RelayError(format!("nobody receives from line {} at {}", welcome.line, channel.peer)))?;
            pairs.push(Pair { sender, channel_out, receiver, channel_in });
        }
    }
    if let Some((sender, receiver, _)) = open.keys().next() {
        return Err(RelayError(format!("line {receiver} waits for line {sender}, which sends nothing to it")));
    }
    Ok(pairs)
}

/// From what each rank needs (for each of its inputs), what each rank is to send: for each of its channels, for each
/// of the channel's links. Journals get everything; links of samples and of messages need no indices.
pub fn wanted(welcomes: &[Welcome], needed: &[Vec<IndexSet>]) -> Result<Vec<Vec<Vec<IndexSet>>>, RelayError> {
    check_needed(welcomes, needed)?;
    let all = |welcome: &Welcome, carried: Carried| {
        let output = carried.events().and_then(|output| welcome.outputs.get(output as usize));
        IndexSet::all(output.map_or(0, |o| o.width))
    };
    let mut wanted: Vec<Vec<Vec<IndexSet>>> = welcomes
        .iter()
        .map(|w| w.channels_out.iter().map(|c| c.links.iter().map(|&(_, carried)| all(w, carried)).collect()).collect())
        .collect();
    for pair in pairs(welcomes)? {
        let channel = &welcomes[pair.sender].channels_out[pair.channel_out];
        let receiver = &welcomes[pair.receiver];
        let events = channel.links.iter().enumerate().filter(|(_, (_, carried))| carried.events().is_some());
        for (position, &(link, _)) in events {
            let input = receiver
                .inputs
                .iter()
                .position(|input| input.link == link)
                .ok_or_else(|| RelayError(format!("{} has no input of link {link}", channel.peer)))?;
            wanted[pair.sender][pair.channel_out][position] = needed[pair.receiver][input].clone();
        }
    }
    Ok(wanted)
}

fn check_needed(welcomes: &[Welcome], needed: &[Vec<IndexSet>]) -> Result<(), RelayError> {
    if needed.len() != welcomes.len() {
        return Err(RelayError(format!("{} ranks, but the needs of {}", welcomes.len(), needed.len())));
    }
    for (welcome, sets) in welcomes.iter().zip(needed) {
        let who = || format!("component {} rank {}", welcome.component, welcome.rank);
        if sets.len() != welcome.inputs.len() {
            return Err(RelayError(format!("{} told the needs of {} inputs", who(), sets.len())));
        }
        if let Some((input, _)) = welcome.inputs.iter().zip(sets).find(|(input, set)| !set.is_valid(input.width)) {
            return Err(RelayError(format!("{} needs indices of {} that do not exist", who(), input.source)));
        }
    }
    Ok(())
}

/// Makes the rings of all channels and sorts the descriptors as the welcomes say: for each rank the status page first.
pub fn descriptors(welcomes: &[Welcome], status: impl AsFd) -> io::Result<Vec<Vec<OwnedFd>>> {
    let bad = |text: String| io::Error::new(io::ErrorKind::InvalidInput, text);
    let mut slots: Vec<Vec<(u32, OwnedFd)>> = Vec::new();
    for _ in welcomes {
        slots.push(vec![(0, status.as_fd().try_clone_to_owned()?)]);
    }
    for pair in pairs(welcomes).map_err(|e| bad(e.to_string()))? {
        let out = &welcomes[pair.sender].channels_out[pair.channel_out].carrier;
        let into = &welcomes[pair.receiver].channels_in[pair.channel_in].carrier;
        match (out, into) {
            (&Carrier::Shm { descriptor: first, capacity }, &Carrier::Shm { descriptor: second, capacity: same })
                if same == capacity =>
            {
                let ring = shm::create(capacity)?;
                slots[pair.sender].push((first, ring.try_clone()?));
                slots[pair.receiver].push((second, ring));
            }
            (Carrier::Thread, Carrier::Thread) => {}
            _ => return Err(bad(format!("the ends of a channel differ: {out:?} and {into:?}"))),
        }
    }
    slots.into_iter().map(in_order).collect()
}

/// Sorts by position; each position from 0 on must be there once.
fn in_order(mut slots: Vec<(u32, OwnedFd)>) -> io::Result<Vec<OwnedFd>> {
    slots.sort_by_key(|(position, _)| *position);
    if !slots.iter().enumerate().all(|(i, (position, _))| i as u32 == *position) {
        let text = "the descriptors of a rank are not numbered one by one from 1";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
    }
    Ok(slots.into_iter().map(|(_, descriptor)| descriptor).collect())
}
