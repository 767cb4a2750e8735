//! What goes from port to port as it is: spikes, signals, messages.

use couple_ports::time::Span;
use serde::{Deserialize, Serialize};

use super::{PopulationId, Value};

/// A link that hands the spikes of one population to the port of a program, as they are.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Connection {
    /// The sending population.
    pub from: PopulationId,
    /// The receiving population: a [`Model::Port`](super::Model::Port) of a
    /// [`Simulator::Script`](super::Simulator::Script) component, as wide as the sender.
    pub to: PopulationId,
    /// Added to the time stamp of each spike.
    pub delay: Span,
}

/// One end of a link: a variable of a population.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct End {
    /// The population.
    pub population: PopulationId,
    /// The variable's name.
    pub variable: String,
}

/// A link that carries the samples of an output variable to an input variable of the same unit and width.
///
/// The receiver at `t` has the sender's signal at `t - delay`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct SignalConnection {
    /// The sending variable.
    pub from: End,
    /// The receiving variable.
    pub to: End,
    /// A positive multiple of the receiver's step.
    pub delay: Span,
    /// What the signal is between two samples of the sender.
    pub interpolation: Interpolation,
    /// The sample at time 0 and before: of one neuron or of all.
    pub initial: Value,
}

impl SignalConnection {
    /// Whether what the receiver has at any time of its grid depends on samples of earlier times alone, on these steps.
    /// Between two samples linear interpolation needs the later one, too.
    ///
    /// How far the receiver may be ahead of the sender is the delay in both cases: a sender is always at the end of one
    /// of its steps, so that with `t - delay` it has also reached the sample behind.
    pub fn is_causal(&self, sender: Span, receiver: Span) -> bool {
        let behind = sender - common(common(sender, receiver), self.delay);
        self.interpolation == Interpolation::Hold || self.delay > behind
    }
    /// The shortest delay with which linear interpolation is causal, on these steps.
    pub fn shortest_linear(sender: Span, receiver: Span) -> Span {
        let behind = sender - common(sender, receiver);
        receiver * (behind.steps(receiver) + 1)
    }
}

/// The greatest common divisor.
fn common(a: Span, b: Span) -> Span {
    let (mut a, mut b) = (a.ns(), b.ns());
    while b != 0 {
        (a, b) = (b, a % b);
    }
    Span::from_ns(a)
}

/// What a signal is between two samples.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Interpolation {
    /// The earlier one.
    #[default]
    Hold,
    /// On the straight line between them.
    Linear,
}

/// A link that carries messages from one program to another.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct MessageConnection {
    /// The sending port.
    pub from: End,
    /// The receiving port.
    pub to: End,
    /// Added to each message's time stamp; a positive multiple of the receiver's step.
    pub delay: Span,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linear_interpolation_needs_the_sample_behind() {
        let us = |us: i64| Span::from_ns(us * 1000);
        let end = |variable: &str| End { population: 0, variable: variable.into() };
        let link = |delay, interpolation| SignalConnection {
            from: end("v"),
            to: end("x"),
            delay,
            interpolation,
            initial: Value::Constant(0.0),
        };
        for (sender, receiver, delay, causal, shortest) in [
            (100, 100, 100, true, 100),
            // Each time of the receiver is a sample's.
            (25, 100, 100, true, 100),
            (100, 25, 100, true, 100),
            (100, 25, 75, false, 100),
            (1000, 100, 1000, true, 1000),
            (1000, 100, 900, false, 1000),
            (100, 30, 120, true, 120),
            (100, 30, 90, false, 120),
        ] {
            assert!(link(us(delay), Interpolation::Hold).is_causal(us(sender), us(receiver)));
            assert_eq!(link(us(delay), Interpolation::Linear).is_causal(us(sender), us(receiver)), causal);
            assert_eq!(SignalConnection::shortest_linear(us(sender), us(receiver)), us(shortest));
            assert!(link(us(shortest), Interpolation::Linear).is_causal(us(sender), us(receiver)));
        }
    }
}
