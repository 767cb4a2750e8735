//! Loops of the component graph and the windows they allow.
//!
//! A component at time `T` may run its window to `T + h` when each of its senders has reached `T + h - D`, `D` being
//! the shortest delay of the edge. Which windows let a loop run for ever?
//!
//! **All members of a loop have the same window** `h`, a multiple of all their steps. Their times are then multiples
//! of `h`, and receiver `i` waits for sender `j` exactly as long as
//!
//! ```text
//! T_j < T_i + h - D        that is, both being multiples of h,        T_j <= T_i - floor(D / h) * h
//! ```
//!
//! * If all members wait, there is a cycle of waits. Going round it, the time never grows, and it shrinks at each
//!   edge with `D >= h`; back at the start it must be what it was. So a deadlock needs **a cycle all of whose delays
//!   are shorter than `h`**. At the start (all times zero) such a cycle is a deadlock at once. Hence a loop runs if
//!   and only if its edges with `D < h` form no cycle.
//! * The last window may be shorter, ending at `E` with `T_i <= E <= T_i + h`. A wait then means `T_j < E - D`, so
//!   `T_j <= T_i` (a sender at `E` keeps nobody waiting), and `T_j < T_i` if `D >= h`. The argument is the same.
//!
//! With `m` the shortest delay of the loop and `base` the least common multiple of the steps:
//!
//! * `m >= base`: the largest multiple `h <= m` of `base`. No edge is shorter than `h`: all members run **at the same
//!   time**.
//! * otherwise they **take turns**: let `w` be the smallest over all cycles of the cycle's longest delay. The edges
//!   with `D < h` are free of cycles as long as `h <= w`, so `h` is the largest multiple of `base` up to `w`.
//! * `w < base`: there is no window, and the run is refused.

use couple_network::description::{ComponentId, Network};
use couple_ports::time::Span;
use serde::Serialize;

use super::edges::{Edge, LoopEdge};
use super::{LONGEST_WINDOW, PlanError, SANE_WINDOW};

/// A strongly connected part of the component graph, and its window.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Loop {
    /// The members, ascending.
    pub members: Vec<ComponentId>,
    /// Their names.
    pub names: Vec<String>,
    /// The least common multiple of their steps.
    #[serde(rename = "base_ns")]
    pub base: Span,
    /// The window of all members.
    #[serde(rename = "window_ns")]
    pub window: Span,
    /// True when some member must wait for another within each window; false when all run at the same time.
    pub turns: bool,
    /// The edge that limits the window.
    pub limit: LoopEdge,
    /// Why members take turns: the edges shorter than the window.
    pub short: Vec<LoopEdge>,
}

impl Loop {
    /// The longest window that this loop allows.
    pub fn longest_window(&self) -> Span {
        self.base * self.limit.delay.min(LONGEST_WINDOW).steps(self.base)
    }
}

/// The strongly connected parts of a graph of `n` nodes: for each node the number of its part, parts numbered by
/// their first node.
pub(super) fn parts(n: usize, edges: &[Edge]) -> Vec<usize> {
    let mut reaches = vec![vec![false; n]; n];
    edges.iter().for_each(|e| reaches[e.from][e.to] = true);
    for via in 0..n {
        let through = reaches[via].clone();
        for row in reaches.iter_mut().filter(|row| row[via]) {
            row.iter_mut().zip(&through).for_each(|(to, on)| *to |= on);
        }
    }
    let mut part = vec![usize::MAX; n];
    let mut next = 0;
    for a in 0..n {
        if part[a] == usize::MAX {
            (a..n).filter(|&b| b == a || (reaches[a][b] && reaches[b][a])).for_each(|b| part[b] = next);
            next += 1;
        }
    }
    part
}

/// The loops: parts with an edge inside, in the order of their first member.
pub(super) fn loops(network: &Network, edges: &[Edge]) -> Result<Vec<Loop>, PlanError> {
    let part = parts(network.components.len(), edges);
    let count = part.iter().max().map_or(0, |last| last + 1);
    let mut loops = Vec::new();
    for number in 0..count {
        let inner: Vec<&Edge> = edges.iter().filter(|e| part[e.from] == number && part[e.to] == number).collect();
        if !inner.is_empty() {
            let members = (0..part.len()).filter(|&c| part[c] == number).collect();
            loops.push(plan_loop(network, members, &inner)?);
        }
    }
    Ok(loops)
}

fn plan_loop(network: &Network, members: Vec<ComponentId>, edges: &[&Edge]) -> Result<Loop, PlanError> {
    let component = |&c: &ComponentId| &network.components[c];
    let steps = || members.iter().map(component).map(|c| (c.name.clone(), c.step)).collect::<Vec<_>>();
    let base = members.iter().map(component).try_fold(Span::from_ns(1), |base, c| base.lcm(c.step));
    let base = base.filter(|base| *base <= LONGEST_WINDOW).ok_or_else(|| PlanError::Steps { steps: steps() })?;
    let shortest = edges.iter().min_by_key(|e| e.delay).expect("a loop has an edge");
    let cycle = tightest_cycle(edges);
    let longest_of_cycle = cycle.iter().max_by_key(|e| e.delay).expect("a loop has a cycle");
    let limit = if shortest.delay >= base { shortest } else { longest_of_cycle };
    if limit.delay < base {
        return Err(PlanError::NoWindow {
            components: cycle.iter().map(|e| network.components[e.from].name.clone()).collect(),
            steps: steps(),
            cycle: cycle.iter().map(|e| e.named(network)).collect(),
            needed: base,
        });
    }
    let window = base * limit.delay.min(SANE_WINDOW.max(base)).steps(base);
    let mut planned = Loop {
        names: members.iter().map(component).map(|c| c.name.clone()).collect(),
        members,
        base,
        window,
        turns: false,
        limit: limit.named(network),
        short: Vec::new(),
    };
    set_window(network, &mut planned, edges, window);
    Ok(planned)
}

/// Sets the window of a loop, and who waits for whom with it.
fn set_window(network: &Network, planned: &mut Loop, edges: &[&Edge], window: Span) {
    planned.window = window;
    planned.short = edges.iter().filter(|e| e.delay < window).map(|e| e.named(network)).collect();
    planned.turns = !planned.short.is_empty();
}

/// Sets the window of a loop to one that was asked for; it must be one that the loop allows.
pub(super) fn override_window(network: &Network, planned: &mut Loop, edges: &[Edge], window: Span) {
    let member = |c| planned.members.contains(&c);
    let inner: Vec<&Edge> = edges.iter().filter(|e| member(e.from) && member(e.to)).collect();
    set_window(network, planned, &inner, window);
}

/// A cycle whose longest delay is the smallest among all cycles (the *tightest* cycle), its edges in order.
fn tightest_cycle<'e>(edges: &[&'e Edge]) -> Vec<&'e Edge> {
    let mut delays: Vec<Span> = edges.iter().map(|e| e.delay).collect();
    delays.sort_unstable();
    delays.dedup();
    let cycle = |bound: &Span| {
        let within: Vec<&Edge> = edges.iter().copied().filter(|e| e.delay <= *bound).collect();
        find_cycle(&within)
    };
    // More edges never destroy a cycle, so the smallest sufficient bound is found by bisection.
    let first = delays.partition_point(|bound| cycle(bound).is_none());
    delays.get(first).and_then(cycle).unwrap_or_default()
}

/// Some cycle of the graph, if it has one: removes nodes without a successor until only nodes are left from which
/// one can walk on for ever, and walks.
fn find_cycle<'e>(edges: &[&'e Edge]) -> Option<Vec<&'e Edge>> {
    let mut left = edges.to_vec();
    loop {
        let before = left.len();
        let kept: Vec<_> = left.iter().copied().filter(|e| left.iter().any(|next| next.from == e.to)).collect();
        left = kept;
        if left.len() == before {
            break;
        }
    }
    let mut walk = vec![*left.first()?];
    loop {
        let end = walk.last()?.to;
        if let Some(start) = walk.iter().position(|e| e.from == end) {
            return Some(walk.split_off(start));
        }
        walk.push(left.iter().copied().find(|e| e.from == end)?);
    }
}
