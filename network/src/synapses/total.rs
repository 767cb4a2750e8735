//! `FixedTotalNumber`: the total is divided among the postsynaptic neurons down a binary tree.
//!
//! ```text
//!                0..8: n                  each node splits its number between its halves by one draw of its
//!               /       \                 own stream: binomial with replacement, hypergeometric without.
//!          0..4: k     4..8: n-k          A rank visits the nodes above and in its range only.
//!          /    \       /    \
//! ```
//!
//! All postsynaptic neurons have the same number of allowed sources, so that the split of a node depends on sizes alone.
//! Given its number, each neuron then chooses its sources by itself.

use std::ops::Range;

use super::{Chooser, Pairs, Sources, Take, purpose};
use crate::description::{Network, Projection};
use crate::random::{Key, Stream, binomial, hypergeometric};

pub(super) fn fixed_total_number(
    network: &Network,
    p: &Projection,
    pairs: &Pairs,
    n: u64,
    with_replacement: bool,
    post: Range<u32>,
    take: &mut Take,
) {
    let key = purpose(network, p, "source");
    let mut chooser = Chooser::new(with_replacement, pairs.sources());
    let mut pre = Vec::new();
    for_each_count(network, p, pairs, n, with_replacement, post, &mut |post, count| {
        pre.clear();
        let mut stream = Stream::new(key, u64::from(post));
        chooser.choose(&mut stream, count as u32, pairs.sources(), |choice| pre.push(pairs.partner(post, choice)));
        take(Sources { post, pre: &pre, rows: &[] })
    });
}

/// Calls `take` with each neuron of `post` and its number of synapses, until it says false.
pub(super) fn for_each_count(
    network: &Network,
    p: &Projection,
    pairs: &Pairs,
    n: u64,
    with_replacement: bool,
    post: Range<u32>,
    take: &mut dyn FnMut(u32, u64) -> bool,
) {
    let tree = Tree { key: purpose(network, p, "total"), sources: u64::from(pairs.sources()), with_replacement, post };
    if pairs.to > 0 && pairs.sources() > 0 {
        tree.visit(0..pairs.to, n, take);
    }
}

struct Tree {
    key: Key,
    /// Allowed sources of each postsynaptic neuron.
    sources: u64,
    with_replacement: bool,
    /// Where the caller is interested.
    post: Range<u32>,
}

impl Tree {
    /// False when the caller wants no more.
    fn visit(&self, node: Range<u32>, n: u64, take: &mut dyn FnMut(u32, u64) -> bool) -> bool {
        if node.start >= self.post.end || node.end <= self.post.start {
            return true;
        }
        if node.len() == 1 {
            return take(node.start, n);
        }
        let middle = node.start + (node.end - node.start) / 2;
        let left = self.split(&node, u64::from(middle - node.start), n);
        self.visit(node.start..middle, left, take) && self.visit(middle..node.end, n - left, take)
    }

    /// How many of the `n` synapses of a node fall on its first `half` neurons.
    fn split(&self, node: &Range<u32>, half: u64, n: u64) -> u64 {
        let size = u64::from(node.end - node.start);
        // A range is a node's own number in every tree.
        let mut stream = Stream::new(self.key, u64::from(node.start) << 32 | u64::from(node.end));
        if self.with_replacement {
            binomial(&mut stream, n, half, size)
        } else {
            hypergeometric(&mut stream, size.saturating_mul(self.sources), half.saturating_mul(self.sources), n)
        }
    }
}
