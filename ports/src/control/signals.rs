//! Analog signals and messages, as ranks are told of them.

use serde::{Deserialize, Serialize};

use crate::time::Span;

/// What a link of a channel carries.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Carried {
    /// Spikes: position among the outputs or the inputs.
    Events(u32),
    /// Samples of an analog signal, or some of its columns.
    Samples(Columns),
    /// Messages: position among the message ports of the rank.
    Messages(u32),
}

impl Carried {
    /// The position of a link of events.
    pub fn events(&self) -> Option<u32> {
        match self {
            Carried::Events(position) => Some(*position),
            _ => None,
        }
    }
    /// What it carries, in a word: `spikes`, `samples` or `messages`.
    pub fn word(&self) -> &'static str {
        match self {
            Carried::Events(_) => "spikes",
            Carried::Samples(_) => "samples",
            Carried::Messages(_) => "messages",
        }
    }
}

/// The columns of a signal that a channel carries: those that both ranks own.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Columns {
    /// Position among the rank's signals.
    pub signal: u32,
    /// The first column, as an index within the whole population.
    pub first: u32,
    /// How many, at least one.
    pub count: u32,
    /// The time from one row to the next: the sender's step; for a recording, its interval, a multiple of that. A row
    /// is stamped with a multiple of it.
    pub every: Span,
}

/// How samples are found between those that were sent.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub enum Interpolation {
    /// The last one up to that time.
    #[default]
    Hold,
    /// On the straight line between the two around that time.
    Linear,
}

/// An analog signal of this rank.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct SignalOut {
    /// The population.
    pub population: String,
    /// Its variable.
    pub variable: String,
    /// Unit of the samples.
    pub unit: String,
    /// Columns of the whole population.
    pub width: u32,
    /// This rank writes the columns from here on,
    pub first: u32,
    /// so many.
    pub count: u32,
    /// The value at time 0, for recordings: one for each own column, or one for all; empty when it is unknown.
    pub initial: Vec<f64>,
}

impl SignalOut {
    /// `population.variable`, as in the configuration.
    pub fn port(&self) -> String {
        format!("{}.{}", self.population, self.variable)
    }
}

/// An analog signal that this rank receives.
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize)]
pub struct SignalIn {
    /// Id of the link, the same on both sides; in each packet.
    pub link: u32,
    /// The sending port, `population.variable`.
    pub source: String,
    /// The receiving port, `population.variable`.
    pub target: String,
    /// Unit of the samples.
    pub unit: String,
    /// Columns of the whole population.
    pub width: u32,
    /// This rank gets the columns from here on,
    pub first: u32,
    /// so many.
    pub count: u32,
    /// The sender's step: samples are stamped with its multiples.
    pub step: Span,
    /// The signal is seen so much later than it was sampled.
    pub delay: Span,
    /// The link's lookahead: this rank may go to `T` when the samples up to `T - min_delay` have been sent. At most
    /// `delay`, also with linear interpolation: a sender is always at the end of one of its steps.
    pub min_delay: Span,
    /// What is seen between samples.
    pub interpolation: Interpolation,
    /// The sample at and before time 0: one for each own column, or one for all.
    pub initial: Vec<f64>,
}

/// A message port of this rank, for sending.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct MessageOut {
    /// `population.variable`.
    pub port: String,
}

/// A message link that this rank receives. Messages may come from each rank of the sender.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct MessageIn {
    /// Id of the link, the same on both sides; in each packet.
    pub link: u32,
    /// The sending port, `population.variable`.
    pub source: String,
    /// The receiving port, `population.variable`.
    pub target: String,
    /// Shortest delay between a message's stamp and its delivery: its lookahead.
    pub min_delay: Span,
    /// Added to each stamp on reception.
    pub delay: Span,
}
