//! Welcomes by hand: small runs for tests and measurements, without a configuration and a planner.
//!
//! ```
//! use couple_ports::session::wiring::{Carry, Wiring};
//! use couple_ports::time::Span;
//! let ms = Span::from_ns(1_000_000);
//! let mut wiring = Wiring::new(ms * 100);
//! let a = wiring.rank("a", ms);
//! let b = wiring.rank("b", ms);
//! let spikes = wiring.output(a, "E", 10);
//! wiring.link(a, spikes, b, ms * 2, Span::ZERO);
//! let welcomes = wiring.welcomes(Carry::Thread);
//! assert_eq!(welcomes[1].1.inputs[0].source, "E");
//! ```

use crate::control::{Carried, Carrier, ChannelIn, ChannelOut, Input, Output, PROTOCOL_VERSION, Welcome};
use crate::time::Span;

/// How all channels between ranks travel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Carry {
    /// Queues within one process.
    Thread,
    /// Rings in shared memory, of so many bytes.
    Shm(u64),
}

/// Ranks, each of a component of its own, and links between them.
#[derive(Clone, Debug)]
pub struct Wiring {
    parts: Vec<(String, Welcome)>,
    links: u32,
}

impl Wiring {
    /// No ranks yet, for a run of `duration`.
    pub fn new(duration: Span) -> Wiring {
        let template = Welcome {
            version: PROTOCOL_VERSION,
            config_hash: String::new(),
            network: Vec::new(),
            component: 0,
            rank: 0,
            ranks: 1,
            line: 0,
            step: duration,
            window: duration,
            duration,
            spin: false,
            outputs: Vec::new(),
            inputs: Vec::new(),
            signals_out: Vec::new(),
            signals_in: Vec::new(),
            messages_out: Vec::new(),
            messages_in: Vec::new(),
            channels_out: Vec::new(),
            channels_in: Vec::new(),
            lines: 0,
        };
        Wiring { parts: vec![(String::new(), template)], links: 0 }
    }

    /// Adds a rank with its window, and gives its number.
    pub fn rank(&mut self, component: &str, window: Span) -> usize {
        let number = self.parts.len() - 1;
        let line = number as u32;
        let rank = Welcome { component: line, line, step: window, window, ..self.parts[0].1.clone() };
        self.parts.push((component.to_owned(), rank));
        number
    }

    /// What a rank is told.
    pub fn welcome(&mut self, rank: usize) -> &mut Welcome {
        &mut self.parts[rank + 1].1
    }

    /// Adds a port for sending to a rank, and gives its number.
    pub fn output(&mut self, rank: usize, population: &str, width: u32) -> u32 {
        let outputs = &mut self.welcome(rank).outputs;
        outputs.push(Output { population: population.to_owned(), width });
        outputs.len() as u32 - 1
    }

    /// Links an output to a rank. Links between the same two ranks share a channel.
    pub fn link(&mut self, from: usize, output: u32, to: usize, min_delay: Span, delay: Span) {
        let link = self.links;
        self.links += 1;
        let (from_name, to_name) = (format!("{}.0", self.parts[from + 1].0), format!("{}.0", self.parts[to + 1].0));
        let sender = self.welcome(from);
        let Output { population, width } = sender.outputs[output as usize].clone();
        let to_line = Some(to as u32);
        match sender.channels_out.iter_mut().find(|channel| channel.peer_line == to_line) {
            Some(channel) => channel.links.push((link, Carried::Events(output))),
            None => sender.channels_out.push(ChannelOut {
                peer: to_name,
                peer_line: to_line,
                credit: None,
                links: vec![(link, Carried::Events(output))],
                carrier: Carrier::Thread,
            }),
        }
        let receiver = self.welcome(to);
        let input = receiver.inputs.len() as u32;
        receiver.inputs.push(Input { link, source: population, target: None, width, min_delay, delay });
        match receiver.channels_in.iter_mut().find(|channel| channel.peer_line as usize == from) {
            Some(channel) => {
                channel.links.push(Carried::Events(input));
                channel.min_delay = channel.min_delay.min(min_delay);
            }
            None => receiver.channels_in.push(ChannelIn {
                peer: from_name,
                peer_line: from as u32,
                credited: false,
                min_delay,
                links: vec![Carried::Events(input)],
                carrier: Carrier::Thread,
            }),
        }
    }

    /// Bounds how far `from` may be ahead of `to`.
    pub fn credit(&mut self, from: usize, to: usize, credit: Span) {
        let out = &mut self.welcome(from).channels_out;
        out.iter_mut().filter(|c| c.peer_line == Some(to as u32)).for_each(|c| c.credit = Some(credit));
        let into = &mut self.welcome(to).channels_in;
        into.iter_mut().filter(|c| c.peer_line as usize == from).for_each(|c| c.credited = true);
    }

    /// Records an output of a rank in a journal at `path`.
    pub fn record(&mut self, rank: usize, output: u32, path: &std::path::Path) {
        let link = self.links;
        self.links += 1;
        self.welcome(rank).channels_out.push(ChannelOut {
            peer: "the journal".to_owned(),
            peer_line: None,
            credit: None,
            links: vec![(link, Carried::Events(output))],
            carrier: Carrier::Journal { path: path.to_string_lossy().into_owned() },
        });
    }

    /// Each rank's component and welcome, in the order of their numbers.
    pub fn welcomes(&self, carry: Carry) -> Vec<(String, Welcome)> {
        let mut parts = self.parts[1..].to_vec();
        let lines = parts.len() as u32;
        for (_, welcome) in &mut parts {
            welcome.lines = lines;
            let mut descriptor = 0;
            let mut carrier = || match carry {
                Carry::Thread => Carrier::Thread,
                Carry::Shm(capacity) => {
                    descriptor += 1;
                    Carrier::Shm { descriptor, capacity }
                }
            };
            let between = welcome.channels_out.iter_mut().filter(|channel| channel.peer_line.is_some());
            between.for_each(|channel| channel.carrier = carrier());
            welcome.channels_in.iter_mut().for_each(|channel| channel.carrier = carrier());
        }
        parts
    }
}
