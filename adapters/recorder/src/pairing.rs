//! Which spike of one recording is which spike of another: pairs the spikes of each neuron in order of time.

use couple_ports::time::Span;

use crate::Spike;
use crate::compare::Side;

/// What became of a spike.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Match {
    /// The same spike of A and of B.
    Pair(Spike, Spike),
    /// A spike without a partner.
    Alone(Spike, Side),
}

/// Sorts a train by neuron, then time, as [`pair`] wants it.
pub fn by_neuron(train: &mut [Spike]) {
    train.sort_unstable_by_key(|s| (s.index, s.time));
}

/// Hands each spike of two trains, sorted by neuron, to `each`: those of a neuron that are at most `tolerance` apart in
/// pairs, the others alone. No other way of pairing in order leaves fewer of them alone.
pub fn pair(a: &[Spike], b: &[Spike], tolerance: Span, mut each: impl FnMut(Match)) {
    let (mut i, mut j) = (0, 0);
    while i < a.len() || j < b.len() {
        match (a.get(i), b.get(j)) {
            (Some(x), Some(y)) if x.index == y.index && distance(x, y) <= tolerance => {
                each(Match::Pair(*x, *y));
                (i, j) = (i + 1, j + 1);
            }
            (Some(x), y) if y.is_none_or(|y| (x.index, x.time) < (y.index, y.time)) => {
                each(Match::Alone(*x, Side::A));
                i += 1;
            }
            (_, y) => {
                // Not both are at their end, and A's spike is not the earlier one: this is B's.
                y.iter().for_each(|y| each(Match::Alone(**y, Side::B)));
                j += 1;
            }
        }
    }
}

/// The spike of the same neuron that is nearest in time; `train` is sorted by neuron.
pub fn nearest(train: &[Spike], spike: Spike) -> Option<Spike> {
    let after = train.partition_point(|s| (s.index, s.time) < (spike.index, spike.time));
    let around = &train[after.saturating_sub(1)..train.len().min(after + 1)];
    around.iter().copied().filter(|s| s.index == spike.index).min_by_key(|s| distance(s, &spike))
}

fn distance(x: &Spike, y: &Spike) -> Span {
    let span = x.time - y.time;
    if span < Span::ZERO { -span } else { span }
}
