//! Connectors without chance: `AllToAll`, `OneToOne`, `FromList`.

use std::ops::Range;

use super::{Pairs, Sources, Take};

pub(super) fn all_to_all(pairs: &Pairs, post: Range<u32>, take: &mut Take) {
    let mut pre: Vec<u32> = (0..pairs.from).collect();
    for post in post {
        if pairs.no_self {
            pre.clear();
            pre.extend((0..pairs.from).filter(|pre| *pre != post));
        }
        if !take(Sources { post, pre: &pre, rows: &[] }) {
            return;
        }
    }
}

pub(super) fn one_to_one(post: Range<u32>, take: &mut Take) {
    for post in post {
        if !take(Sources { post, pre: &[post], rows: &[post] }) {
            return;
        }
    }
}

/// The list is sorted by postsynaptic neuron; rows with the same one keep their order.
pub(super) fn from_list(list: &[(u32, u32)], post: Range<u32>, take: &mut Take) {
    let mut start = vec![0_usize; post.len() + 1];
    let here = || list.iter().enumerate().filter(|(_, (_, to))| post.contains(to));
    here().for_each(|(_, (_, to))| start[(to - post.start) as usize + 1] += 1);
    for i in 1..start.len() {
        start[i] += start[i - 1];
    }
    let mut next = start.clone();
    let mut pre = vec![0; start[post.len()]];
    let mut rows = pre.clone();
    for (row, (from, to)) in here() {
        let at = &mut next[(to - post.start) as usize];
        (pre[*at], rows[*at]) = (*from, row as u32);
        *at += 1;
    }
    for (post, bounds) in post.zip(start.windows(2)) {
        let range = bounds[0]..bounds[1];
        if !take(Sources { post, pre: &pre[range.clone()], rows: &rows[range] }) {
            return;
        }
    }
}
