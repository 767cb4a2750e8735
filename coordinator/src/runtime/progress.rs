//! How far a run is: a bar on a terminal, a line now and then without one, or one JSON object for each event.

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use couple_ports::time::{Span, Time};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};

use super::report::tell;

/// Time between lines without a terminal.
const LINE_EVERY: Duration = Duration::from_secs(5);
/// Time between progress events.
const EVENT_EVERY: Duration = Duration::from_millis(500);

/// How progress is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Style {
    /// A bar or lines, as standard error is a terminal or not.
    Human,
    /// As `Human`, but without a summary at the end.
    Part,
    /// Objects, one a line, on standard output.
    Json,
    /// Nothing.
    Quiet,
}

/// Shows how far a run is.
pub struct Progress {
    style: Style,
    bar: Option<ProgressBar>,
    duration: Span,
    started: Option<Instant>,
    last: Instant,
}

impl Progress {
    /// For a run of `duration`.
    pub fn new(style: Style, duration: Span) -> Self {
        let bar =
            (matches!(style, Style::Human | Style::Part) && std::io::stderr().is_terminal()).then(|| bar(duration));
        Progress { style, bar, duration, started: None, last: Instant::now() }
    }
    /// Something happened, for tools.
    pub fn event(&self, event: &str, mut fields: Value) {
        if self.style == Style::Json {
            fields["event"] = json!(event);
            // A reader that has left does not end the run.
            let _ = writeln!(std::io::stdout().lock(), "{fields}");
        }
    }
    /// A simulator is made ready, which takes a while.
    pub fn preparing(&self, text: &str) {
        match (self.style, &self.bar) {
            (Style::Json, _) => self.event("preparing", json!({ "text": text })),
            (Style::Human | Style::Part, Some(bar)) => bar.println(text),
            (Style::Human | Style::Part, None) => tell(text),
            (Style::Quiet, _) => {}
        }
    }
    /// What is being done before the simulation begins.
    pub fn phase(&mut self, text: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(text.to_string());
            bar.tick();
        }
    }
    /// The simulation begins.
    pub fn begin(&mut self) {
        self.started = Some(Instant::now());
        self.last = Instant::now();
        if let Some(bar) = &self.bar {
            bar.reset_elapsed();
        }
    }
    /// Every rank has reached `time`; `straggler` is the last.
    pub fn reached(&mut self, time: Time, straggler: &str) {
        let Some(started) = self.started else { return };
        let pace = Pace::of(time, self.duration, started.elapsed());
        if let Some(bar) = &self.bar {
            bar.set_message(format!("{pace}, last: {straggler}"));
            bar.set_position(time.ns().max(0) as u64 / 1000);
            return;
        }
        let every = if self.style == Style::Json { EVENT_EVERY } else { LINE_EVERY };
        if self.style == Style::Quiet || self.last.elapsed() < every {
            return;
        }
        self.last = Instant::now();
        if self.style == Style::Json {
            let fields = json!({
                "simulated_ms": time.ms(), "duration_ms": self.duration.ms(),
                "real_time_factor": pace.factor, "left_s": pace.left, "straggler": straggler,
            });
            self.event("progress", fields);
        } else {
            tell(&format!("{time} of {} ({pace}), last: {straggler}", self.duration));
        }
    }
    /// Removes the bar, so that what follows stands alone.
    pub fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

fn bar(duration: Span) -> ProgressBar {
    let target = ProgressDrawTarget::stderr_with_hz(10);
    let bar = ProgressBar::with_draw_target(Some(duration.ns().max(0) as u64 / 1000), target);
    let style = ProgressStyle::with_template("{elapsed_precise} {bar:30} {percent:>3}% {msg}");
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar
}

/// How fast it goes.
struct Pace {
    /// Wall-clock time for a unit of simulated time.
    factor: Option<f64>,
    /// Seconds left.
    left: Option<f64>,
}

impl Pace {
    fn of(time: Time, duration: Span, elapsed: Duration) -> Self {
        let factor = (time > Time::ZERO).then(|| elapsed.as_secs_f64() / (time.ms() / 1e3));
        let left = factor.map(|factor| factor * (duration.ms() - time.ms()).max(0.0) / 1e3);
        Pace { factor, left }
    }
}

impl std::fmt::Display for Pace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.factor, self.left) {
            (Some(factor), Some(left)) => write!(f, "{factor:.2} s per simulated s, {left:.0} s left"),
            _ => f.write_str("beginning"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pace() {
        let pace = Pace::of(Time::from_ns(250_000_000), Span::from_ns(1_000_000_000), Duration::from_secs(1));
        assert_eq!((pace.factor, pace.left), (Some(4.0), Some(3.0)));
        assert_eq!(Pace::of(Time::ZERO, Span::ZERO, Duration::ZERO).to_string(), "beginning");
    }
}
