//! Who keeps a run from going on: reads the status lines of the ranks and follows who waits for whom.
//!
//! ```text
//!   detail.0 ──waits for──► ctx.1 ──waits for──► ctx.0        ctx.0 waits for nobody: it is the culprit
//! ```
//!
//! A process that was stopped in the middle of a wait still says that it waits. So the wait of a stopped process is
//! checked against the times published: if what it waits for is there already, that rank is the culprit.

use couple_ports::time::{Span, Time};

/// One rank, as its status line shows it.
#[derive(Clone, PartialEq, Debug)]
pub struct Standing {
    /// Simulated time reached: everything up to it is computed and sent.
    pub time: Time,
    /// The line of the peer that this rank waits for.
    pub waiting_on: Option<usize>,
    /// Its part is over.
    pub done: bool,
    /// The process is stopped (by a signal or a debugger).
    pub stopped: bool,
    /// Length of its next window.
    pub window: Span,
    /// For each peer it can wait for: how far this rank may go beyond the peer's time.
    pub leads: Vec<(usize, Span)>,
}

/// The rank that keeps the others from going on, and those that wait for it.
#[derive(Clone, PartialEq, Debug)]
pub struct Culprit {
    /// Its line.
    pub line: usize,
    /// Lines of ranks that wait for it, directly.
    pub waiting: Vec<usize>,
    /// It waits itself, and the chain of waits closes: no rank alone is at fault.
    pub cycle: bool,
}

/// The peer that `line` really waits for. A rank that runs is believed: it may also wait for room in a ring, which
/// the times do not show.
fn waits_for(ranks: &[Standing], line: usize) -> Option<usize> {
    let me = &ranks[line];
    let peer = me.waiting_on.filter(|peer| *peer < ranks.len() && *peer != line)?;
    if me.stopped && is_there(ranks, line, peer) { None } else { Some(peer) }
}

/// Whether `peer` is far enough, by the times published, for the next window of `line`.
pub fn is_there(ranks: &[Standing], line: usize, peer: usize) -> bool {
    let me = &ranks[line];
    let reached = |lead: Span| ranks[peer].time.saturating_add(lead) >= me.time.saturating_add(me.window);
    ranks[peer].done || me.leads.iter().filter(|(other, _)| *other == peer).all(|(_, lead)| reached(*lead))
}

/// The rank to blame for a standstill; `None` when all are done.
pub fn culprit(ranks: &[Standing]) -> Option<Culprit> {
    let slowest = |lines: &mut dyn Iterator<Item = usize>| lines.min_by_key(|line| (ranks[*line].time, *line));
    let busy = || (0..ranks.len()).filter(|line| !ranks[*line].done);
    let start = slowest(&mut busy())?;
    // The end of the chain of waits that begins at the slowest rank.
    let (mut line, mut seen, mut cycle) = (start, vec![start], false);
    while let Some(peer) = waits_for(ranks, line) {
        if ranks[peer].done {
            break;
        }
        cycle = seen.contains(&peer);
        if cycle {
            break;
        }
        seen.push(peer);
        line = peer;
    }
    if cycle {
        line = start;
    }
    let waiting = busy().filter(|other| *other != line && waits_for(ranks, *other) == Some(line)).collect();
    Some(Culprit { line, waiting, cycle })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rank(ms: i64, waiting_on: Option<usize>, leads: &[(usize, i64)]) -> Standing {
        let span = |ms: i64| Span::from_ns(ms * 1_000_000);
        Standing {
            time: Time::ZERO + span(ms),
            waiting_on,
            done: false,
            stopped: false,
            window: span(1),
            leads: leads.iter().map(|(peer, lead)| (*peer, span(*lead))).collect(),
        }
    }

    #[test]
    fn the_end_of_the_chain() {
        let ranks = [rank(5, Some(1), &[(1, 1)]), rank(4, Some(2), &[(2, 1)]), rank(3, None, &[])];
        assert_eq!(culprit(&ranks), Some(Culprit { line: 2, waiting: vec![1], cycle: false }));
    }

    #[test]
    fn a_rank_stopped_while_it_waited() {
        // Rank 0 says it waits for 1, but 1 has reached what 0 needs (5 + 1 - 1): rank 0 does not go on by itself.
        let mut ranks = [rank(5, Some(1), &[(1, 1)]), rank(6, Some(0), &[(0, 1)])];
        ranks[0].stopped = true;
        assert_eq!(culprit(&ranks), Some(Culprit { line: 0, waiting: vec![1], cycle: false }));
    }

    #[test]
    fn a_stopped_rank_that_waits_in_earnest_is_not_blamed() {
        let mut ranks = [rank(5, Some(1), &[(1, 1)]), rank(4, None, &[])];
        ranks[0].stopped = true;
        assert_eq!(culprit(&ranks).unwrap().line, 1);
    }

    #[test]
    fn a_true_cycle_is_told() {
        let ranks = [rank(5, Some(1), &[(1, 0)]), rank(5, Some(0), &[(0, 0)])];
        assert_eq!(culprit(&ranks), Some(Culprit { line: 0, waiting: vec![1], cycle: true }));
    }

    #[test]
    fn the_slowest_of_those_that_do_not_wait() {
        let ranks = [rank(9, None, &[]), rank(7, None, &[]), rank(8, Some(0), &[])];
        assert_eq!(culprit(&ranks).unwrap().line, 1);
    }

    #[test]
    fn ranks_that_are_done_are_not_blamed() {
        let mut ranks = [rank(5, None, &[]), rank(9, Some(0), &[])];
        ranks[0].done = true;
        assert_eq!(culprit(&ranks).unwrap().line, 1);
        ranks[1].done = true;
        assert_eq!(culprit(&ranks), None);
    }
}
