//! Control plane vocabulary: what a rank and the coordinator say to each other over the rendezvous socket.
//!
//! ```text
//!   rank                                   coordinator
//!    │ Hello    who, version, token          │
//!    │──────────────────────────────────────►│
//!    │                Welcome  description,  │
//!    │◄──────────────────────────────────────│  + file descriptors: the status page, then one per ring
//!    │ Ready    indices needed by each input │
//!    │──────────────────────────────────────►│  … all ranks ready …
//!    │                Start  indices to send │
//!    │◄──────────────────────────────────────│
//!    │        (simulation: data plane only; progress goes through the status page)
//!    │ Done | Failed                         │
//!    │──────────────────────────────────────►│
//!    │                                 Bye   │  all ranks are done: leave
//!    │◄──────────────────────────────────────│
//! ```
//!
//! Each message is a little-endian u32 length and that many bytes ([`codec`]). The first bytes of the first message
//! in both directions are fixed for all versions, so that a version mismatch is always told as such.

pub mod codec;
pub mod descriptors;
mod signals;

use serde::{Deserialize, Serialize};

use crate::index::IndexSet;
use crate::time::Span;

pub use signals::{Carried, Columns, Interpolation, MessageIn, MessageOut, SignalIn, SignalOut};

/// Version of the control messages, the status page and the packet layout together. Peers must be equal.
pub const PROTOCOL_VERSION: u32 = 2;

/// Environment variable: the abstract Unix socket of the coordinator.
pub const ENV_SOCKET: &str = "COUPLE_SOCKET";
/// Environment variable: the secret of the run.
pub const ENV_TOKEN: &str = "COUPLE_TOKEN";
/// Environment variable: the component's name.
pub const ENV_COMPONENT: &str = "COUPLE_COMPONENT";
/// Environment variable: the rank within the component.
pub const ENV_RANK: &str = "COUPLE_RANK";

/// What a rank says.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum FromRank {
    /// First word: who I am.
    Hello(Hello),
    /// The model is built; for each input link the source indices that have a target on this rank.
    Ready {
        /// In the order of [`Welcome::inputs`].
        needed: Vec<IndexSet>,
    },
    /// The last window is done and everything is sent.
    Done {
        /// Spikes of this rank's outputs, one count for each of [`Welcome::outputs`].
        emitted: Vec<u64>,
    },
    /// The component cannot go on.
    Failed {
        /// What happened, with place and remedy.
        message: String,
    },
    /// The last word of a rank that leaves a simulation before its end, after [`FromRank::Failed`].
    Left {
        /// Spikes up to then, as in [`FromRank::Done`].
        emitted: Vec<u64>,
    },
}

/// The first message of a rank.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Hello {
    /// [`PROTOCOL_VERSION`] of the rank. Stays the first field in all versions.
    pub version: u32,
    /// The run's secret, as found in the environment.
    pub token: String,
    /// Component's name.
    pub component: String,
    /// Rank within the component.
    pub rank: u32,
    /// Process id.
    pub pid: u32,
}

/// What the coordinator says.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum FromCoordinator {
    /// Answer to [`Hello`].
    Welcome(Box<Welcome>),
    /// The rank cannot take part (wrong version, wrong token, unknown name, a second process for the same rank).
    Refused {
        /// Why.
        reason: String,
    },
    /// All ranks are ready.
    Start {
        /// For each of [`Welcome::channels_out`], for each of its links: the indices to send. Empty for links of
        /// samples and messages, whose columns the welcome tells.
        wanted: Vec<Vec<IndexSet>>,
    },
    /// All ranks are done.
    Bye,
}

/// A rank's part in the run.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Welcome {
    /// [`PROTOCOL_VERSION`] of the coordinator. Stays the first field in all versions.
    pub version: u32,
    /// SHA-256 of the description, hex: what was checked is what runs.
    pub config_hash: String,
    /// The network description, encoded by [`codec::to_bytes`].
    pub network: Vec<u8>,
    /// Index of the component in the description.
    pub component: u32,
    /// Rank within the component.
    pub rank: u32,
    /// Ranks of the component.
    pub ranks: u32,
    /// Line of this rank in the status page.
    pub line: u32,
    /// Integration step.
    pub step: Span,
    /// Window.
    pub window: Span,
    /// Simulated time of the run; a whole number of windows, but for a shorter last one.
    pub duration: Span,
    /// Spin before sleeping: true when the run has no more busy threads than cores.
    pub spin: bool,
    /// Ports that this rank sends: the populations of its component that have a link or a recording.
    pub outputs: Vec<Output>,
    /// Links that this rank receives.
    pub inputs: Vec<Input>,
    /// Analog signals of this rank, of which it writes the samples of each window.
    pub signals_out: Vec<SignalOut>,
    /// Analog signals that this rank receives.
    pub signals_in: Vec<SignalIn>,
    /// Message ports that this rank sends.
    pub messages_out: Vec<MessageOut>,
    /// Message links that this rank receives.
    pub messages_in: Vec<MessageIn>,
    /// Where events, samples and messages go.
    pub channels_out: Vec<ChannelOut>,
    /// Where they come from.
    pub channels_in: Vec<ChannelIn>,
    /// Lines in the status page.
    pub lines: u32,
}

impl Welcome {
    /// The port at the sending end of a link of [`Welcome::channels_in`], for messages to people.
    pub fn source_of(&self, carried: &Carried) -> Option<&str> {
        match *carried {
            Carried::Events(input) => Some(&self.inputs.get(input as usize)?.source),
            Carried::Samples(columns) => Some(&self.signals_in.get(columns.signal as usize)?.source),
            Carried::Messages(port) => Some(&self.messages_in.get(port as usize)?.source),
        }
    }

    /// The port at the sending end of a link of [`Welcome::channels_out`], for messages to people.
    pub fn port_of(&self, carried: &Carried) -> Option<String> {
        match *carried {
            Carried::Events(output) => Some(self.outputs.get(output as usize)?.population.clone()),
            Carried::Samples(columns) => Some(self.signals_out.get(columns.signal as usize)?.port()),
            Carried::Messages(port) => Some(self.messages_out.get(port as usize)?.port.clone()),
        }
    }
}

/// A port of this rank for sending.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Output {
    /// The population.
    pub population: String,
    /// Number of global indices.
    pub width: u32,
}

/// A link for receiving; its events may come over several channels, one for each rank of the sender.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Input {
    /// Id of the link, the same on both sides; in each packet.
    pub link: u32,
    /// The sending population.
    pub source: String,
    /// The receiving port, for a plain connection; `None` when the link feeds the component's projections.
    pub target: Option<String>,
    /// Number of global indices of the source.
    pub width: u32,
    /// Shortest delay between the stamp of a spike and its effect here.
    pub min_delay: Span,
    /// Added to each stamp on reception (a plain connection's delay; zero for projections, whose synapses add theirs).
    pub delay: Span,
}

/// A one-way path of packets to one rank of another component, or into a journal.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ChannelOut {
    /// Shown in messages: `component.rank`.
    pub peer: String,
    /// The receiver's line in the status page; `None` for a journal.
    pub peer_line: Option<u32>,
    /// How far this rank may be ahead of the receiver, where the link is in no loop.
    pub credit: Option<Span>,
    /// The links carried: (link id, what it carries, by its position in [`Welcome::outputs`],
    /// [`Welcome::signals_out`] or [`Welcome::messages_out`]).
    pub links: Vec<(u32, Carried)>,
    /// The carrier.
    pub carrier: Carrier,
}

/// The receiving end of a channel.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ChannelIn {
    /// Shown in messages: `component.rank`.
    pub peer: String,
    /// The sender's line in the status page.
    pub peer_line: u32,
    /// True when the sender may wait for this rank's progress.
    pub credited: bool,
    /// Shortest delay over the links of the channel: this rank may go to `T` when the watermark is `T - min_delay`.
    pub min_delay: Span,
    /// The links carried, by their positions in [`Welcome::inputs`], [`Welcome::signals_in`] or
    /// [`Welcome::messages_in`].
    pub links: Vec<Carried>,
    /// The carrier.
    pub carrier: Carrier,
}

/// How a channel's packets travel.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Carrier {
    /// A ring in shared memory.
    Shm {
        /// Position among the file descriptors that come with the message (0 is the status page).
        descriptor: u32,
        /// Bytes of the ring, a power of two.
        capacity: u64,
    },
    /// Within one process; the ends are handed over by the launcher.
    Thread,
    /// Appended to a file: a recording.
    Journal {
        /// Path of the file, absolute.
        path: String,
    },
}
