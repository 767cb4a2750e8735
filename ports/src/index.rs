//! Index maps and index sets: which rank owns which global index of a port, and which indices a rank needs.

use serde::{Deserialize, Serialize};

/// Which rank of a component owns which global index of a port.
///
/// Indices are dealt out in contiguous blocks, the first ranks taking one more where the width does not divide.
///
/// ```
/// use couple_ports::index::IndexMap;
/// let map = IndexMap::block(10, 3);
/// assert_eq!(map.range(0), 0..4);
/// assert_eq!(map.range(2), 7..10);
/// assert_eq!(map.owner(4), 1);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct IndexMap {
    width: u32,
    ranks: u32,
}

impl IndexMap {
    /// `width` indices in contiguous blocks over `ranks` ranks (at least one).
    pub const fn block(width: u32, ranks: u32) -> Self {
        IndexMap { width, ranks: if ranks == 0 { 1 } else { ranks } }
    }
    /// The number of global indices.
    pub const fn width(&self) -> u32 {
        self.width
    }
    /// The number of ranks.
    pub const fn ranks(&self) -> u32 {
        self.ranks
    }
    /// The global indices that `rank` owns.
    pub fn range(&self, rank: u32) -> std::ops::Range<u32> {
        let start = |r: u32| {
            let (base, extra) = (self.width / self.ranks, self.width % self.ranks);
            r * base + r.min(extra)
        };
        start(rank)..start(rank + 1)
    }
    /// The rank that owns global `index`.
    pub fn owner(&self, index: u32) -> u32 {
        let (base, extra) = (self.width / self.ranks, self.width % self.ranks);
        let long = extra * (base + 1);
        if index < long { index / (base + 1) } else { extra + (index - long) / base.max(1) }
    }
}

/// A set of global indices of one port, as sorted, disjoint, half-open ranges; small on the wire for the
/// common cases *all* and *none*.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct IndexSet {
    ranges: Vec<(u32, u32)>,
}

impl IndexSet {
    /// The empty set.
    pub fn empty() -> Self {
        Self::default()
    }
    /// Every index below `width`.
    pub fn all(width: u32) -> Self {
        IndexSet { ranges: if width == 0 { vec![] } else { vec![(0, width)] } }
    }
    /// The indices for which `flags` is true.
    pub fn from_flags(flags: &[bool]) -> Self {
        let mut set = Self::default();
        for (index, _) in flags.iter().enumerate().filter(|(_, on)| **on) {
            set.push(index as u32);
        }
        set
    }
    /// Adds `index`, which must be greater than every index in the set.
    fn push(&mut self, index: u32) {
        match self.ranges.last_mut() {
            Some(last) if last.1 == index => last.1 += 1,
            _ => self.ranges.push((index, index + 1)),
        }
    }
    /// True when no index is in the set.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }
    /// How many indices are in the set.
    pub fn len(&self) -> u32 {
        self.ranges.iter().map(|(a, b)| b - a).sum()
    }
    /// True when `index` is in the set.
    pub fn contains(&self, index: u32) -> bool {
        let after = self.ranges.partition_point(|r| r.0 <= index);
        after > 0 && index < self.ranges[after - 1].1
    }
    /// The indices in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.ranges.iter().flat_map(|&(a, b)| a..b)
    }
    /// One flag for each index below `width`.
    pub fn flags(&self, width: u32) -> Vec<bool> {
        let mut flags = vec![false; width as usize];
        self.iter().filter(|i| *i < width).for_each(|i| flags[i as usize] = true);
        flags
    }
    /// False when the ranges are not sorted, overlap, are empty, or reach past `width`: a peer sent nonsense.
    pub fn is_valid(&self, width: u32) -> bool {
        let ordered = self.ranges.windows(2).all(|w| w[0].1 <= w[1].0);
        ordered && self.ranges.iter().all(|&(a, b)| a < b && b <= width)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn block_map_covers_each_index_once() {
        for width in [0, 1, 2, 7, 10, 1000] {
            for ranks in 1..6 {
                let map = IndexMap::block(width, ranks);
                let mut next = 0;
                for rank in 0..ranks {
                    let range = map.range(rank);
                    assert_eq!(range.start, next);
                    range.clone().for_each(|i| assert_eq!(map.owner(i), rank, "{width} {ranks} {i}"));
                    next = range.end;
                }
                assert_eq!(next, width);
            }
        }
    }

    #[test]
    fn set_round_trip() {
        let flags = [true, true, false, true, false, false, true];
        let set = IndexSet::from_flags(&flags);
        assert_eq!(set.flags(7), flags);
        assert_eq!(set.len(), 4);
        assert!(set.contains(3) && !set.contains(4) && !set.contains(7));
        assert!(set.is_valid(7) && !set.is_valid(6));
    }
}
