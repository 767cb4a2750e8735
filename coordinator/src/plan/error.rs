//! Why a network cannot be run, found before anything is launched.

use couple_ports::time::Span;
use miette::Diagnostic;
use thiserror::Error;

use super::edges::{Feed, LoopEdge};

/// Why there is no plan.
#[derive(Clone, PartialEq, Debug, Error, Diagnostic)]
pub enum PlanError {
    /// A step or the duration is zero or negative, or a component has no rank.
    #[error("{what} must be positive, it is {value}")]
    #[diagnostic(code(couple::plan::not_positive))]
    NotPositive {
        /// What: "the step of component `x`".
        what: String,
        /// Its value.
        value: String,
    },
    /// The run does not end on the grid of a component.
    #[error("the duration {duration} is no whole number of steps of component `{component}` ({step})")]
    #[diagnostic(code(couple::plan::duration), help("the nearest durations are {below} and {above}"))]
    Duration {
        /// The component.
        component: String,
        /// Its step.
        step: Span,
        /// The run's duration.
        duration: Span,
        /// The longest shorter duration on the grid.
        below: Span,
        /// The shortest longer duration on the grid.
        above: Span,
    },
    /// The steps of a loop's members have no common multiple within reach.
    #[error("the steps of the components in a loop meet too seldom: {}", steps_text(.steps))]
    #[diagnostic(
        code(couple::plan::steps),
        help("choose steps that are multiples of each other, for example 0.1 ms and 0.025 ms")
    )]
    Steps {
        /// Component and step.
        steps: Vec<(String, Span)>,
    },
    /// A step that is longer than a packet can cover.
    #[error("the step {step} of component `{component}` is longer than the longest window, {limit}")]
    #[diagnostic(code(couple::plan::step))]
    Step {
        /// The component.
        component: String,
        /// Its step.
        step: Span,
        /// The longest window.
        limit: Span,
    },
    /// A loop without a window of delay.
    #[error(
        "no window for the loop of {}: none of its delays reaches {needed}, the shortest window ({}): {}",
        names(.components), steps_text(.steps), edges_text(.cycle)
    )]
    #[diagnostic(
        code(couple::plan::no_window),
        help("{}", no_window_help(.components, .steps, *.needed))
    )]
    NoWindow {
        /// The components of the cycle, in order.
        components: Vec<String>,
        /// The steps of all members of the loop.
        steps: Vec<(String, Span)>,
        /// The edges of the cycle.
        cycle: Vec<LoopEdge>,
        /// The delay that one edge of the cycle needs.
        needed: Span,
    },
    /// The window asked for is off a component's grid.
    #[error("the window {window} is no whole number of steps of component `{component}` ({step})")]
    #[diagnostic(code(couple::plan::window_grid), help("leave the window out to let the planner choose"))]
    WindowGrid {
        /// The component.
        component: String,
        /// Its step.
        step: Span,
        /// The window asked for.
        window: Span,
    },
    /// The window asked for is longer than the delays allow.
    #[error("the window {window} is too long for component `{component}`: at most {allowed}, because of {}", limit_text(.by))]
    #[diagnostic(code(couple::plan::window_long), help("leave the window out, or ask for {allowed} or less"))]
    WindowLong {
        /// The component.
        component: String,
        /// The window asked for.
        window: Span,
        /// The longest window.
        allowed: Span,
        /// The delay that limits it; the packet format if none does.
        by: Option<Box<LoopEdge>>,
    },
    /// A connection that does not leave its component.
    #[error("the connection from `{from}` to `{to}` stays within component `{component}`")]
    #[diagnostic(
        code(couple::plan::inner_connection),
        help("connections join ports of different components; within one component use a projection")
    )]
    InnerConnection {
        /// The source population.
        from: String,
        /// The target port.
        to: String,
        /// The component of both.
        component: String,
    },
    /// A signal whose samples would be needed before they are there.
    #[error("the delay {delay} of {by} is too short to interpolate between samples that are {step} apart")]
    #[diagnostic(
        code(couple::plan::interpolation),
        help("use a delay of at least {needed}, or interpolation = \"hold\"")
    )]
    Interpolation {
        /// Which signal.
        by: Feed,
        /// Its delay.
        delay: Span,
        /// The sender's step.
        step: Span,
        /// The shortest delay that is long enough.
        needed: Span,
    },
    /// A delay that is negative.
    #[error("the delay of {by} is negative: {delay}")]
    #[diagnostic(code(couple::plan::negative_delay), help("what is sent acts after it was sent: use a delay >= 0"))]
    NegativeDelay {
        /// Which projection, connection, signal or message link.
        by: Feed,
        /// Its delay.
        delay: Span,
    },
}

/// "`a`, `b` and `c`".
pub(super) fn names(names: &[String]) -> String {
    let quoted: Vec<_> = names.iter().map(|n| format!("`{n}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

fn steps_text(steps: &[(String, Span)]) -> String {
    let each: Vec<_> = steps.iter().map(|(name, step)| format!("step of `{name}` {step}")).collect();
    each.join(", ")
}

fn limit_text(by: &Option<Box<LoopEdge>>) -> String {
    by.as_ref().map_or("the packet format".to_string(), |edge| format!("the loop's delay {edge}"))
}

fn no_window_help(cycle: &[String], steps: &[(String, Span)], needed: Span) -> String {
    match (cycle, steps.iter().max_by_key(|(_, step)| *step)) {
        // NEST exchanges spikes among its own neurons at the end of each of its windows.
        ([alone], Some((slowest, _))) if slowest != alone => format!(
            "make this delay within `{alone}` at least {needed}, give `{slowest}` a shorter step, or place these \
             populations on a component with simulator = \"native\""
        ),
        _ => format!("make one of these delays at least {needed}, or place these populations on one component"),
    }
}

fn edges_text(edges: &[LoopEdge]) -> String {
    let each: Vec<_> = edges.iter().map(LoopEdge::to_string).collect();
    each.join("; ")
}
