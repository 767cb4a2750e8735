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

use crate::control::{
    Carried, Carrier, ChannelIn, ChannelOut, Columns, Input, MessageIn, MessageOut, Output, PROTOCOL_VERSION, SignalIn,
    SignalOut, Welcome,
};
use crate::index::IndexMap;
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
        let link = self.new_link();
        let Output { population, width } = self.welcome(from).outputs[output as usize].clone();
        let inputs = &mut self.welcome(to).inputs;
        inputs.push(Input { link, source: population, target: None, width, min_delay, delay });
        let input = inputs.len() as u32 - 1;
        self.carry(from, to, link, [Carried::Events(output), Carried::Events(input)], min_delay);
    }

    /// Gives a rank a step of its own: its window is a multiple of it.
    pub fn step(&mut self, rank: usize, step: Span) {
        self.welcome(rank).step = step;
    }

    /// Adds an analog signal of the ranks, each of which has its block of the `width` columns.
    pub fn signal(&mut self, ranks: &[usize], population: &str, variable: &str, width: u32) {
        let blocks = IndexMap::block(width, ranks.len() as u32);
        for (block, &rank) in (0..).zip(ranks) {
            let own = blocks.range(block);
            self.welcome(rank).signals_out.push(SignalOut {
                population: population.to_owned(),
                variable: variable.to_owned(),
                unit: "mV".to_owned(),
                width,
                first: own.start,
                count: own.len() as u32,
                initial: vec![0.0],
            });
        }
    }

    /// Links the signal `source` of `from` to the port `target` of `to`, each of which has its block of the columns.
    /// `like` has the delay, the interpolation and the initial value.
    pub fn samples(&mut self, from: &[usize], source: &str, to: &[usize], target: &str, like: &SignalIn) {
        let link = self.new_link();
        let step = self.welcome(from[0]).step;
        let signal_of = |welcome: &Welcome| welcome.signals_out.iter().position(|signal| signal.port() == source);
        let Some(width) = signal_of(self.welcome(from[0])).map(|at| self.welcome(from[0]).signals_out[at].width) else {
            return;
        };
        let blocks = IndexMap::block(width, to.len() as u32);
        for (block, &to) in (0..).zip(to) {
            let own = blocks.range(block);
            let welcome = self.welcome(to);
            let min_delay = like.delay;
            let (first, count) = (own.start, own.len() as u32);
            let (source, target) = (source.to_owned(), target.to_owned());
            let signal = SignalIn { link, source, target, width, first, count, step, min_delay, ..like.clone() };
            welcome.signals_in.push(signal);
            let into = welcome.signals_in.len() as u32 - 1;
            for &from in from {
                let Some(out) = signal_of(self.welcome(from)) else { continue };
                let signal = &self.welcome(from).signals_out[out];
                let (first, end) = (signal.first.max(own.start), (signal.first + signal.count).min(own.end));
                let columns = |signal| Columns { signal, first, count: end.saturating_sub(first), every: step };
                if end > first {
                    let ends = [out as u32, into].map(|signal| Carried::Samples(columns(signal)));
                    self.carry(from, to, link, ends, min_delay);
                }
            }
        }
    }

    /// Adds a message port to a rank.
    pub fn message_port(&mut self, rank: usize, port: &str) {
        self.welcome(rank).messages_out.push(MessageOut { port: port.to_owned() });
    }

    /// Links a rank's message port to a port of another rank.
    pub fn messages(&mut self, from: usize, port: u32, to: usize, target: &str, delay: Span) {
        let link = self.new_link();
        let source = self.welcome(from).messages_out[port as usize].port.clone();
        let messages = &mut self.welcome(to).messages_in;
        messages.push(MessageIn { link, source, target: target.to_owned(), min_delay: delay, delay });
        let into = messages.len() as u32 - 1;
        self.carry(from, to, link, [Carried::Messages(port), Carried::Messages(into)], delay);
    }

    fn new_link(&mut self) -> u32 {
        self.links += 1;
        self.links - 1
    }

    /// Adds a link, as its two ends call it, to the channel between two ranks.
    fn carry(&mut self, from: usize, to: usize, link: u32, [out, into]: [Carried; 2], min_delay: Span) {
        let (from_name, to_name) = (format!("{}.0", self.parts[from + 1].0), format!("{}.0", self.parts[to + 1].0));
        let to_line = Some(to as u32);
        let sender = self.welcome(from);
        match sender.channels_out.iter_mut().find(|channel| channel.peer_line == to_line) {
            Some(channel) => channel.links.push((link, out)),
            None => sender.channels_out.push(ChannelOut {
                peer: to_name,
                peer_line: to_line,
                credit: None,
                links: vec![(link, out)],
                carrier: Carrier::Thread,
            }),
        }
        let receiver = self.welcome(to);
        match receiver.channels_in.iter_mut().find(|channel| channel.peer_line as usize == from) {
            Some(channel) => {
                channel.links.push(into);
                channel.min_delay = channel.min_delay.min(min_delay);
            }
            None => receiver.channels_in.push(ChannelIn {
                peer: from_name,
                peer_line: from as u32,
                credited: false,
                min_delay,
                links: vec![into],
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
        let link = self.new_link();
        self.welcome(rank).channels_out.push(ChannelOut {
            peer: "the journal".to_owned(),
            peer_line: None,
            credit: None,
            links: vec![(link, Carried::Events(output))],
            carrier: Carrier::Journal { path: path.to_string_lossy().into_owned() },
        });
    }

    /// Records a signal of a rank, a row each `every`, in a journal at `path`.
    pub fn record_signal(&mut self, rank: usize, signal: u32, every: Span, path: &std::path::Path) {
        let link = self.new_link();
        let welcome = self.welcome(rank);
        let &SignalOut { first, count, .. } = &welcome.signals_out[signal as usize];
        welcome.channels_out.push(ChannelOut {
            peer: "the journal".to_owned(),
            peer_line: None,
            credit: None,
            links: vec![(link, Carried::Samples(Columns { signal, first, count, every }))],
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
