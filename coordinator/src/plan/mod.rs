//! The planner: windows, links, channels and credits, chosen before anything is launched. Pure functions of the
//! network description; docs/time.md tells the rules with worked examples.
//!
//! ```text
//! description ─► links ─► component graph ─► loops ─► windows ─► credits ─► channels ─► a Welcome for each rank
//!                         (edges.rs)         (loops.rs)          (channels.rs)          (welcome.rs)
//! ```
//!
//! # Why no planned run can deadlock
//!
//! A rank waits for another in two ways only: for data, until the sender has reached `T + h - D`; and for credit,
//! until the receiver has reached `T + h - credit`. Suppose that all ranks wait. Then there is a cycle of waits; follow
//! the simulated time around it.
//!
//! * A wait for data inside a loop never leads to a rank with a greater time, and a cycle of such waits alone is
//!   excluded by the choice of the loop's window (see loops.rs).
//! * A wait for data between loops leads to a rank whose time is greater by less than `h`, the window of the one that
//!   waits, and always one step upstream.
//! * A wait for credit leads to a rank whose time is smaller by more than `credit - h`, somewhere downstream.
//!
//! Since data alone cannot close a cycle across loops, the cycle holds waits for credit. Between one of them and the
//! next, the walk goes upstream only, so it gains less than the sum of the windows of all components, and the wait for
//! credit itself loses more than `credit - h`. With `credit >= (sum of all windows) + (longest window)` the time gets
//! smaller all the way round, and yet must end where it began: a contradiction. The number of ranks does not matter, and
//! with fewer waits than those considered there are fewer cycles: ranks that have nothing to say to each other have no
//! channel. Then delays may no longer bound how far the ranks of a loop are apart, so that there, too, a credit does; the
//! argument allows credits anywhere.
//!
//! Signals and messages are links like those of spikes. A receiver that goes to `T` needs the samples up to `T - D`, and
//! with linear interpolation the next one; since a sender is always at the end of one of its steps, it has written that,
//! too, when it has reached `T - D`.

mod channels;
mod diagnose;
mod edges;
mod error;
mod footprint;
mod graph;
mod loops;
mod svg;
mod text;
mod welcome;

use couple_network::description::{ComponentId, Network, Simulator};
use couple_ports::time::Span;
use serde::Serialize;

pub use channels::{Channel, Memory, Rank};
pub use edges::{Carries, Feed, Link, LoopEdge};
pub use error::PlanError;
pub use footprint::{Footprint, footprints};
pub use graph::Graph;
pub use loops::Loop;
pub use welcome::{RankWelcome, WelcomeOptions, journal_file};

/// No window is longer: stamps in a packet are nanoseconds since its window began, in 32 bits.
pub const LONGEST_WINDOW: Span = Span::from_ns(4_000_000_000);
/// The planner chooses no longer window in a loop, so that progress is seen and a stop is obeyed soon.
pub const SANE_WINDOW: Span = Span::from_ns(100_000_000);
/// The window outside loops, where nothing limits it: long enough to make the exchange cheap, short enough for
/// the ranks downstream to work at the same time.
pub const FREE_WINDOW: Span = Span::from_ns(1_000_000);

/// What the user may choose about the plan.
#[derive(Clone, Copy, Default, Debug)]
pub struct PlanOptions {
    /// This window for every component, instead of the planner's choice.
    pub window_override: Option<Span>,
    /// Cores of the machine.
    pub cores: u32,
}

/// How a network will be run.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Plan {
    /// The run's name.
    pub run: String,
    /// Simulated time.
    #[serde(rename = "duration_ns")]
    pub duration: Span,
    /// The components, in the order of the description.
    pub components: Vec<PlannedComponent>,
    /// The links; a link's id is its position.
    pub links: Vec<Link>,
    /// The loops.
    pub loops: Vec<Loop>,
    /// All ranks, in canonical order; a rank's line in the status page is its position.
    pub ranks: Vec<Rank>,
    /// The channels between ranks; a channel's ring id is its position.
    pub channels: Vec<Channel>,
    /// Threads that compute.
    pub busy_threads: u32,
    /// Cores of the machine.
    pub cores: u32,
    /// True when waiting ranks may spin: there is a core for each busy thread.
    pub spin: bool,
    /// Bounds of the memory for the exchange.
    pub memory: Memory,
}

/// A component's part of the plan.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct PlannedComponent {
    /// Its name.
    pub name: String,
    /// Its simulator.
    pub simulator: Simulator,
    /// Its step.
    #[serde(rename = "step_ns")]
    pub step: Span,
    /// Its window.
    #[serde(rename = "window_ns")]
    pub window: Span,
    /// Its processes.
    pub ranks: u32,
    /// Threads of each process.
    pub threads: u32,
    /// Neurons and port indices that live here.
    pub neurons: u64,
    /// The loop it belongs to, as a position in [`Plan::loops`].
    pub in_loop: Option<usize>,
}

/// Plans a run.
///
/// ```
/// # use couple::plan::{plan, PlanOptions};
/// # use couple_network::description::Network;
/// # use couple_ports::time::Span;
/// # let network = Network { name: "nothing".into(), seed: 1, duration: Span::from_ns(1_000_000), components: vec![],
/// #     populations: vec![], projections: vec![], connections: vec![], signals: vec![], messages: vec![], recordings: vec![] };
/// let plan = plan(&network, &PlanOptions { window_override: None, cores: 4 })?;
/// assert!(plan.links.is_empty());
/// # Ok::<(), couple::plan::PlanError>(())
/// ```
pub fn plan(network: &Network, options: &PlanOptions) -> Result<Plan, PlanError> {
    check_grid(network)?;
    let mut links = edges::links(network)?;
    let edges = edges::edges(network, &links);
    let mut loops = loops::loops(network, &edges)?;
    let mut windows = windows(network, &loops);
    if let Some(window) = options.window_override {
        check_override(network, &loops, window)?;
        loops.iter_mut().for_each(|l| loops::override_window(network, l, &edges, window));
        windows.fill(window);
    }
    let in_loop = |c: ComponentId| loops.iter().position(|l| l.members.contains(&c));
    let components: Vec<_> =
        (0..network.components.len()).map(|c| planned_component(network, c, windows[c], in_loop(c))).collect();
    let ranks = channels::ranks(network, &links);
    let channels = channels::channels(network, &components, &edges, &mut links);
    let memory = channels::memory(network, &links, &ranks, &channels);
    let busy_threads = components.iter().map(|c| c.ranks * c.threads).sum();
    Ok(Plan {
        run: network.name.clone(),
        duration: network.duration,
        components,
        links,
        loops,
        ranks,
        channels,
        busy_threads,
        cores: options.cores,
        spin: busy_threads <= options.cores,
        memory,
    })
}

fn planned_component(network: &Network, id: ComponentId, window: Span, in_loop: Option<usize>) -> PlannedComponent {
    let component = &network.components[id];
    PlannedComponent {
        name: component.name.clone(),
        simulator: component.simulator,
        step: component.step,
        window,
        ranks: component.ranks,
        threads: component.threads,
        neurons: network.populations.iter().filter(|p| p.component == id).map(|p| u64::from(p.size)).sum(),
        in_loop,
    }
}

/// Refuses steps and durations that span no grid.
fn check_grid(network: &Network) -> Result<(), PlanError> {
    let positive = |what: String, value: i64, shown: String| {
        if value > 0 { Ok(()) } else { Err(PlanError::NotPositive { what, value: shown }) }
    };
    let duration = network.duration;
    positive("the duration".into(), duration.ns(), duration.to_string())?;
    for component in &network.components {
        let (name, step) = (&component.name, component.step);
        positive(format!("the step of component `{name}`"), step.ns(), step.to_string())?;
        positive(format!("the number of ranks of component `{name}`"), component.ranks.into(), "0".into())?;
        positive(format!("the number of threads of component `{name}`"), component.threads.into(), "0".into())?;
        if step > LONGEST_WINDOW {
            return Err(PlanError::Step { component: name.clone(), step, limit: LONGEST_WINDOW });
        }
        if !duration.is_multiple_of(step) {
            let below = step * duration.steps(step);
            return Err(PlanError::Duration { component: name.clone(), step, duration, below, above: below + step });
        }
    }
    Ok(())
}

/// The window of each component: that of its loop, or the longest multiple of its step up to [`FREE_WINDOW`], one
/// step at least.
fn windows(network: &Network, loops: &[Loop]) -> Vec<Span> {
    let free = |step: Span| step * FREE_WINDOW.steps(step).max(1);
    let mut windows: Vec<Span> = network.components.iter().map(|c| free(c.step)).collect();
    for planned in loops {
        planned.members.iter().for_each(|&c| windows[c] = planned.window);
    }
    windows
}

/// Refuses a window that some component cannot have.
fn check_override(network: &Network, loops: &[Loop], window: Span) -> Result<(), PlanError> {
    if window <= Span::ZERO {
        return Err(PlanError::NotPositive { what: "the window".into(), value: window.to_string() });
    }
    for (id, component) in network.components.iter().enumerate() {
        let name = || component.name.clone();
        if !window.is_multiple_of(component.step) {
            return Err(PlanError::WindowGrid { component: name(), step: component.step, window });
        }
        let (allowed, by) = match loops.iter().find(|l| l.members.contains(&id)) {
            Some(planned) => (planned.longest_window(), Some(Box::new(planned.limit.clone()))),
            None => (component.step * LONGEST_WINDOW.steps(component.step), None),
        };
        if window > allowed {
            return Err(PlanError::WindowLong { component: name(), window, allowed, by });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
