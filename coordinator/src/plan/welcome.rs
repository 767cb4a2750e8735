//! From the plan to each rank's part: the `Welcome` messages.

use std::io;
use std::path::{Path, PathBuf};

use couple_network::description::Network;
use couple_ports::control::{Carried, Carrier, ChannelIn, ChannelOut, Input, Output, PROTOCOL_VERSION, Welcome, codec};

use super::Plan;
use super::channels::{Channel, Rank};
use super::edges::Link;

/// What a `Welcome` holds beyond the plan.
#[derive(Clone, Copy, Debug)]
pub struct WelcomeOptions<'a> {
    /// SHA-256 of the description, hex.
    pub config_hash: &'a str,
    /// Absolute path of the folder for journals; see [`journal_file`].
    pub journals: &'a Path,
    /// True when all ranks live in one process and get the ends of their channels from the launcher; false for rings
    /// in shared memory.
    pub in_process: bool,
}

/// A rank's `Welcome` and what goes with it.
#[derive(Clone, PartialEq, Debug)]
pub struct RankWelcome {
    /// The message.
    pub welcome: Welcome,
    /// Ids of the rings ([`Channel::id`]) whose file descriptors go with the message, in this order, after the status
    /// page: ring `rings[k]` is descriptor `k + 1`. Sending ends first, then receiving ends. Without shared memory
    /// this is the order in which the launcher hands over the ends.
    pub rings: Vec<u32>,
    /// The journal that the rank writes.
    pub journal: Option<PathBuf>,
}

/// The journal of a rank: `<component>.<rank>.journal` in the folder.
pub fn journal_file(journals: &Path, rank: &Rank) -> PathBuf {
    journals.join(format!("{}.journal", rank.name))
}

impl Plan {
    /// The `Welcome` of each rank, in the order of [`Plan::ranks`]. Fails only when the description cannot be encoded.
    ///
    /// In a journal, the number of a packet's link is the population's index in the description: a recording needs no
    /// link.
    pub fn welcomes(&self, network: &Network, options: &WelcomeOptions<'_>) -> io::Result<Vec<RankWelcome>> {
        let encoded = codec::to_bytes(network)?;
        Ok(self.ranks.iter().map(|rank| self.welcome(network, rank, options, encoded.clone())).collect())
    }

    fn welcome(&self, network: &Network, rank: &Rank, options: &WelcomeOptions<'_>, encoded: Vec<u8>) -> RankWelcome {
        let component = &self.components[rank.component];
        let inputs: Vec<&Link> = self.links.iter().filter(|l| l.to == rank.component).collect();
        let mut rings = Vec::new();
        let mut carrier = |channel: &Channel| {
            rings.push(channel.id);
            if options.in_process {
                Carrier::Thread
            } else {
                Carrier::Shm { descriptor: rings.len() as u32, capacity: channel.capacity }
            }
        };
        let sends = self.channels.iter().filter(|c| c.from == rank.line);
        let mut channels_out: Vec<_> = sends.map(|c| self.channel_out(rank, c, carrier(c))).collect();
        let receives = self.channels.iter().filter(|c| c.to == rank.line);
        let channels_in: Vec<_> = receives.map(|c| self.channel_in(&inputs, c, carrier(c))).collect();
        let journal = (!rank.recorded.is_empty()).then(|| journal_file(options.journals, rank));
        channels_out.extend(journal.as_ref().map(|path| journal_channel(rank, path)));
        let output = |&p: &usize| {
            let population = &network.populations[p];
            Output { population: population.name.clone(), width: population.size }
        };
        let welcome = Welcome {
            version: PROTOCOL_VERSION,
            config_hash: options.config_hash.to_string(),
            network: encoded,
            component: rank.component as u32,
            rank: rank.rank,
            ranks: component.ranks,
            line: rank.line,
            step: component.step,
            window: component.window,
            duration: self.duration,
            spin: self.spin,
            outputs: rank.outputs.iter().map(output).collect(),
            inputs: inputs.iter().map(|l| input(l)).collect(),
            signals_out: Vec::new(),
            signals_in: Vec::new(),
            messages_out: Vec::new(),
            messages_in: Vec::new(),
            channels_out,
            channels_in,
            lines: self.ranks.len() as u32,
        };
        RankWelcome { welcome, rings, journal }
    }

    fn channel_out(&self, rank: &Rank, channel: &Channel, carrier: Carrier) -> ChannelOut {
        let source = |link: u32| self.links[link as usize].source;
        ChannelOut {
            peer: self.ranks[channel.to as usize].name.clone(),
            peer_line: Some(channel.to),
            credit: channel.credit,
            links: channel.links.iter().map(|&l| (l, Carried::Events(output_position(rank, source(l))))).collect(),
            carrier,
        }
    }

    fn channel_in(&self, inputs: &[&Link], channel: &Channel, carrier: Carrier) -> ChannelIn {
        let position = |id: u32| inputs.iter().position(|l| l.id == id).expect("a channel's link ends at its receiver");
        ChannelIn {
            peer: self.ranks[channel.from as usize].name.clone(),
            peer_line: channel.from,
            credited: channel.credit.is_some(),
            min_delay: channel.min_delay,
            links: channel.links.iter().map(|&l| Carried::Events(position(l) as u32)).collect(),
            carrier,
        }
    }
}

fn input(link: &Link) -> Input {
    Input {
        link: link.id,
        source: link.source_name.clone(),
        target: link.target.clone(),
        width: link.width,
        min_delay: link.min_delay,
        delay: link.delay,
    }
}

fn journal_channel(rank: &Rank, path: &Path) -> ChannelOut {
    ChannelOut {
        peer: "journal".to_string(),
        peer_line: None,
        credit: None,
        links: rank.recorded.iter().map(|&p| (p as u32, Carried::Events(output_position(rank, p)))).collect(),
        carrier: Carrier::Journal { path: path.to_string_lossy().into_owned() },
    }
}

/// Where a population stands among the rank's outputs.
fn output_position(rank: &Rank, population: usize) -> u32 {
    let position = rank.outputs.iter().position(|&p| p == population);
    position.expect("what a rank sends or records is among its outputs") as u32
}
