//! `FixedNumberPre` and `FixedNumberPost`.

use std::ops::Range;

use super::{Chooser, Pairs, Sources, Take, purpose};
use crate::description::{Network, Projection};
use crate::random::Stream;

/// One stream for each postsynaptic neuron.
pub(super) fn fixed_number_pre(
    network: &Network,
    p: &Projection,
    pairs: &Pairs,
    n: u32,
    with_replacement: bool,
    post: Range<u32>,
    take: &mut Take,
) {
    let key = purpose(network, p, "source");
    let mut chooser = Chooser::new(with_replacement, pairs.sources());
    let mut pre = Vec::with_capacity(n as usize);
    for post in post {
        pre.clear();
        let mut stream = Stream::new(key, u64::from(post));
        chooser.choose(&mut stream, n, pairs.sources(), |choice| pre.push(pairs.partner(post, choice)));
        if !take(Sources { post, pre: &pre, rows: &[] }) {
            return;
        }
    }
}

/// One stream for each presynaptic neuron: every rank walks through all of them and keeps what falls into its range, once
/// to count and once to place.
pub(super) fn fixed_number_post(
    network: &Network,
    p: &Projection,
    pairs: &Pairs,
    n: u32,
    with_replacement: bool,
    post: Range<u32>,
    take: &mut Take,
) {
    let mut targets = Targets::new(network, p, pairs, n, with_replacement);
    let first = post.start;
    let mut start = vec![0_usize; post.len() + 1];
    targets.for_each_in(&post, |_, to| start[(to - first) as usize + 1] += 1);
    for i in 1..start.len() {
        start[i] += start[i - 1];
    }
    let mut next = start.clone();
    let mut pre = vec![0; start[post.len()]];
    targets.for_each_in(&post, |from, to| {
        let at = &mut next[(to - first) as usize];
        pre[*at] = from;
        *at += 1;
    });
    for (post, bounds) in post.zip(start.windows(2)) {
        if !take(Sources { post, pre: &pre[bounds[0]..bounds[1]], rows: &[] }) {
            return;
        }
    }
}

/// How many synapses `FixedNumberPost` makes onto `post`.
pub(super) fn count_post(
    network: &Network,
    p: &Projection,
    pairs: &Pairs,
    n: u32,
    with_replacement: bool,
    post: Range<u32>,
) -> u64 {
    if post == (0..pairs.to) {
        return u64::from(pairs.from) * u64::from(n);
    }
    let mut sum = 0;
    Targets::new(network, p, pairs, n, with_replacement).for_each_in(&post, |_, _| sum += 1);
    sum
}

/// The targets of each presynaptic neuron.
struct Targets<'a> {
    pairs: &'a Pairs,
    n: u32,
    key: crate::random::Key,
    chooser: Chooser,
}

impl<'a> Targets<'a> {
    fn new(network: &Network, p: &Projection, pairs: &'a Pairs, n: u32, with_replacement: bool) -> Self {
        let chooser = Chooser::new(with_replacement, pairs.targets());
        Targets { pairs, n, key: purpose(network, p, "target"), chooser }
    }

    /// Calls `each` with (pre, post) for every synapse onto `post`, by presynaptic neuron and order of draw.
    fn for_each_in(&mut self, post: &Range<u32>, mut each: impl FnMut(u32, u32)) {
        for from in 0..self.pairs.from {
            let mut stream = Stream::new(self.key, u64::from(from));
            self.chooser.choose(&mut stream, self.n, self.pairs.targets(), |choice| {
                let to = self.pairs.partner(from, choice);
                if post.contains(&to) {
                    each(from, to);
                }
            });
        }
    }
}
