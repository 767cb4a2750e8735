//! `FixedProbability`: each allowed pair independently.

use std::ops::Range;

use super::{Pairs, Sources, Take};
use crate::random::{Key, Stream};

/// Walks through the allowed sources of each neuron with geometric strides, so that the cost is that of the synapses
/// made and not of the pairs asked.
pub(super) fn fixed_probability(key: Key, pairs: &Pairs, p: f64, post: Range<u32>, take: &mut Take) {
    if p >= 1.0 {
        return super::given::all_to_all(pairs, post, take);
    }
    if p <= 0.0 {
        return;
    }
    let sources = f64::from(pairs.sources());
    // 1 / ln(1 - p)
    let scale = 1.0 / libm::log1p(-p);
    let mut pre = Vec::new();
    for post in post {
        let mut stream = Stream::new(key, u64::from(post));
        pre.clear();
        let mut at = -1.0;
        loop {
            // Failures before the next success: floor(ln u / ln(1 - p)).
            at += 1.0 + (libm::log(stream.open()) * scale).trunc();
            if at >= sources {
                break;
            }
            pre.push(pairs.partner(post, at as u32));
        }
        if !take(Sources { post, pre: &pre, rows: &[] }) {
            return;
        }
    }
}
