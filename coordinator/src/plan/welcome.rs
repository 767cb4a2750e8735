//! From the plan to each rank's part: the `Welcome` messages.

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use couple_network::description::{self, End, Network, Recorded, Recording, Value};
use couple_network::{values, variables};
use couple_ports::control::{
    Carried, Carrier, ChannelIn, ChannelOut, Columns, Input, Interpolation, MessageIn, MessageOut, Output,
    PROTOCOL_VERSION, SignalIn, SignalOut, Welcome, codec,
};

use super::Plan;
use super::channels::{Channel, Rank, columns, shared_columns};
use super::edges::{Carries, Link, named};

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
    /// In a journal, the number of a packet's link is the population's index in the description, for spikes; for samples
    /// it is the number of populations and the position among the recordings. A recording needs no link.
    pub fn welcomes(&self, network: &Network, options: &WelcomeOptions<'_>) -> io::Result<Vec<RankWelcome>> {
        let encoded = codec::to_bytes(network)?;
        Ok(self.ranks.iter().map(|rank| self.welcome(network, rank, options, encoded.clone())).collect())
    }

    fn welcome(&self, network: &Network, rank: &Rank, options: &WelcomeOptions<'_>, encoded: Vec<u8>) -> RankWelcome {
        let component = &self.components[rank.component];
        let wiring = Wiring::new(self, network, rank);
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
        let mut channels_out: Vec<_> = sends.map(|c| wiring.channel_out(c, carrier(c))).collect();
        let receives = self.channels.iter().filter(|c| c.to == rank.line);
        let channels_in: Vec<_> = receives.map(|c| wiring.channel_in(c, carrier(c))).collect();
        let journal = (!rank.recordings.is_empty()).then(|| journal_file(options.journals, rank));
        channels_out.extend(journal.as_ref().map(|path| wiring.journal_channel(path)));
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
            inputs: wiring.inputs.iter().map(|l| input(l)).collect(),
            signals_out: rank.signals.iter().map(|end| signal_out(network, end, rank.rank)).collect(),
            signals_in: wiring.signals_in.iter().map(|(l, id)| signal_in(network, l, *id, rank.rank)).collect(),
            messages_out: rank.messages.iter().map(|end| MessageOut { port: named(network, end) }).collect(),
            messages_in: wiring.messages_in.iter().map(|l| message_in(l)).collect(),
            channels_out,
            channels_in,
            lines: self.ranks.len() as u32,
        };
        RankWelcome { welcome, rings, journal }
    }
}

/// Where things stand in a rank's welcome.
struct Wiring<'a> {
    plan: &'a Plan,
    network: &'a Network,
    rank: &'a Rank,
    /// Links of spikes that it receives.
    inputs: Vec<&'a Link>,
    /// Links of signals of which it receives columns, with their position in [`Network::signals`].
    signals_in: Vec<(&'a Link, usize)>,
    /// Links of messages that it receives.
    messages_in: Vec<&'a Link>,
}

impl<'a> Wiring<'a> {
    fn new(plan: &'a Plan, network: &'a Network, rank: &'a Rank) -> Self {
        let mut wiring = Wiring { plan, network, rank, inputs: vec![], signals_in: vec![], messages_in: vec![] };
        for link in plan.links.iter().filter(|l| l.to == rank.component) {
            match link.carries {
                Carries::Spikes => wiring.inputs.push(link),
                Carries::Messages { .. } => wiring.messages_in.push(link),
                Carries::Signal { id, .. } => {
                    if !columns(network, &network.signals[id].to, rank.rank).is_empty() {
                        wiring.signals_in.push((link, id));
                    }
                }
            }
        }
        wiring
    }

    fn channel_out(&self, channel: &Channel, carrier: Carrier) -> ChannelOut {
        let peer = &self.plan.ranks[channel.to as usize];
        let carried = |link: &Link| match link.carries {
            Carries::Spikes => Carried::Events(position(&self.rank.outputs, &link.source)),
            Carries::Messages { id } => {
                Carried::Messages(position(&self.rank.messages, &self.network.messages[id].from))
            }
            Carries::Signal { id, .. } => {
                let signal = position(&self.rank.signals, &self.network.signals[id].from);
                self.columns(signal, id, self.rank, peer)
            }
        };
        ChannelOut {
            peer: peer.name.clone(),
            peer_line: Some(channel.to),
            credit: channel.credit,
            links: channel.links.iter().map(|&l| (l, carried(&self.plan.links[l as usize]))).collect(),
            carrier,
        }
    }

    fn channel_in(&self, channel: &Channel, carrier: Carrier) -> ChannelIn {
        let peer = &self.plan.ranks[channel.from as usize];
        let carried = |&id: &u32| match self.plan.links[id as usize].carries {
            Carries::Spikes => Carried::Events(place(self.inputs.iter().position(|l| l.id == id))),
            Carries::Messages { .. } => Carried::Messages(place(self.messages_in.iter().position(|l| l.id == id))),
            Carries::Signal { id: signal, .. } => {
                let place = place(self.signals_in.iter().position(|(l, _)| l.id == id));
                self.columns(place, signal, peer, self.rank)
            }
        };
        ChannelIn {
            peer: peer.name.clone(),
            peer_line: channel.from,
            credited: channel.credit.is_some(),
            min_delay: channel.min_delay,
            links: channel.links.iter().map(carried).collect(),
            carrier,
        }
    }

    /// The columns of a signal that two ranks share; `place` is the signal's in this rank's welcome.
    fn columns(&self, place: u32, signal: usize, sender: &Rank, receiver: &Rank) -> Carried {
        let shared = shared_columns(self.network, &self.network.signals[signal], sender.rank, receiver.rank);
        let every = self.network.components[sender.component].step;
        Carried::Samples(Columns { signal: place, first: shared.start, count: shared.len() as u32, every })
    }

    fn journal_channel(&self, path: &Path) -> ChannelOut {
        ChannelOut {
            peer: "journal".to_string(),
            peer_line: None,
            credit: None,
            links: self.rank.recordings.iter().map(|&r| self.recorded(r)).collect(),
            carrier: Carrier::Journal { path: path.to_string_lossy().into_owned() },
        }
    }

    /// A recording as a link of the journal.
    fn recorded(&self, recording: usize) -> (u32, Carried) {
        let Recording { population, variable } = &self.network.recordings[recording];
        match variable {
            Recorded::Spikes => (*population as u32, Carried::Events(position(&self.rank.outputs, population))),
            Recorded::Analog { variable, interval } => {
                let end = End { population: *population, variable: variable.clone() };
                let own = columns(self.network, &end, self.rank.rank);
                let columns = Columns {
                    signal: position(&self.rank.signals, &end),
                    first: own.start,
                    count: own.len() as u32,
                    every: *interval,
                };
                ((self.network.populations.len() + recording) as u32, Carried::Samples(columns))
            }
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

fn message_in(link: &Link) -> MessageIn {
    MessageIn {
        link: link.id,
        source: link.source_name.clone(),
        target: link.target.clone().unwrap_or_default(),
        min_delay: link.min_delay,
        delay: link.delay,
    }
}

fn signal_out(network: &Network, end: &End, rank: u32) -> SignalOut {
    let population = &network.populations[end.population];
    let own = columns(network, end, rank);
    let (unit, width) = unit_and_width(network, end);
    // Where nothing else tells it, what those who receive the signal have; else it is not known.
    let sent = || network.signals.iter().find(|s| s.from == *end).map(|s| &s.initial);
    let initial = variables::start(population, &end.variable).or_else(sent);
    let initial = initial.map_or(vec![], |value| numbers(network, end, value, own.clone()));
    SignalOut {
        population: population.name.clone(),
        variable: end.variable.clone(),
        unit,
        width,
        first: own.start,
        count: own.len() as u32,
        initial,
    }
}

fn signal_in(network: &Network, link: &Link, id: usize, rank: u32) -> SignalIn {
    let signal = &network.signals[id];
    let own = columns(network, &signal.to, rank);
    let (unit, width) = unit_and_width(network, &signal.from);
    SignalIn {
        link: link.id,
        source: link.source_name.clone(),
        target: link.target.clone().unwrap_or_default(),
        unit,
        width,
        first: own.start,
        count: own.len() as u32,
        step: network.components[link.from].step,
        delay: signal.delay,
        min_delay: link.min_delay,
        interpolation: match signal.interpolation {
            description::Interpolation::Hold => Interpolation::Hold,
            description::Interpolation::Linear => Interpolation::Linear,
        },
        initial: numbers(network, &signal.from, &signal.initial, own),
    }
}

fn unit_and_width(network: &Network, end: &End) -> (String, u32) {
    let population = &network.populations[end.population];
    let info = variables::find(population, &end.variable);
    let width = info.as_ref().map_or(population.size, |v| v.width);
    (info.as_ref().and_then(|v| v.unit()).unwrap_or_default().to_string(), width)
}

/// One number for all, or one for each of the columns. What is drawn is what the cell itself draws: it belongs to the
/// variable at `end`.
fn numbers(network: &Network, end: &End, value: &Value, columns: Range<u32>) -> Vec<f64> {
    match value {
        Value::Constant(number) => vec![*number],
        _ => values::expand(network, end.population, &end.variable, value, columns),
    }
}

/// Where something stands in a list that holds it.
fn position<T: PartialEq>(list: &[T], item: &T) -> u32 {
    place(list.iter().position(|other| other == item))
}

fn place(position: Option<usize>) -> u32 {
    position.expect("what a channel carries is told by its ends") as u32
}
