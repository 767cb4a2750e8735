//! From what each rank needs to what each rank sends.

use couple_ports::control::{ChannelOut, Welcome};
use couple_ports::index::IndexSet;

use super::member::Member;

/// Checks what a rank says it needs against its part.
pub fn check(welcome: &Welcome, needed: &[IndexSet]) -> Result<(), String> {
    if needed.len() != welcome.inputs.len() {
        return Err(format!("asked for {} inputs, but has {}", needed.len(), welcome.inputs.len()));
    }
    let bad = welcome.inputs.iter().zip(needed).find(|(input, set)| !set.is_valid(input.width));
    match bad {
        Some((input, _)) => {
            Err(format!("asked for neurons that `{}` does not have; it has {}", input.source, input.width))
        }
        None => Ok(()),
    }
}

/// What the rank at `line` sends: for each of its channels, for each link, what the receiver needs. A journal gets all.
pub fn wanted(members: &[Member], line: usize) -> Vec<Vec<IndexSet>> {
    members[line].welcome.channels_out.iter().map(|channel| channel_wants(members, line, channel)).collect()
}

fn channel_wants(members: &[Member], line: usize, channel: &ChannelOut) -> Vec<IndexSet> {
    let receiver = channel.peer_line.map(|peer| &members[peer as usize]);
    let link_wants = |&(link, output): &(u32, u32)| match receiver {
        None => IndexSet::all(members[line].welcome.outputs[output as usize].width),
        Some(receiver) => {
            let input = receiver.welcome.inputs.iter().position(|input| input.link == link);
            input.map(|input| receiver.needed[input].clone()).unwrap_or_default()
        }
    };
    channel.links.iter().map(link_wants).collect()
}
