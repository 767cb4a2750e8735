//! docs/time.md is true: its configurations are planned, and what it says about them is compared.

use std::path::Path;

use couple_ports::control::Interpolation;
use couple_ports::samples::Rows;
use couple_ports::time::{Span, Time};

use super::super::{Plan, PlanError, PlanOptions, WelcomeOptions, plan};
use super::ms;

const PAGE: &str = include_str!("../../../../docs/time.md");

/// An example of the page: its configuration and what stands between it and the next one.
struct Example {
    name: String,
    network: couple_network::description::Network,
    places: crate::config::Places,
    told: String,
}

fn examples() -> Vec<Example> {
    let blocks = PAGE.split("```toml\n").skip(1);
    let example = |block: &str| {
        let (toml, told) = block.split_once("\n```\n").expect("the block ends");
        let loaded = crate::config::parse(Path::new("time.md"), toml, &[]);
        let loaded = loaded.unwrap_or_else(|wrong| panic!("{}", crate::config::render_all(&wrong, false)));
        let (network, places) = (loaded.network, loaded.places);
        Example { name: network.name.clone(), network, places, told: told.to_string() }
    };
    blocks.map(example).collect()
}

fn example(name: &str) -> Example {
    examples().into_iter().find(|e| e.name == name).expect("an example of this name")
}

impl Example {
    fn plan(&self) -> Result<Plan, PlanError> {
        plan(&self.network, &PlanOptions { window_override: None, cores: 2 })
    }
    /// The cells of the table that follows, without its head.
    fn table(&self) -> Vec<Vec<String>> {
        let rows = self.told.lines().skip_while(|l| !l.starts_with('|')).take_while(|l| l.starts_with('|')).skip(2);
        rows.map(|row| row.trim_matches('|').split('|').map(|cell| cell.trim().to_string()).collect()).collect()
    }
}

#[test]
fn every_example_is_planned_as_the_page_says() {
    let examples = examples();
    assert_eq!(examples.len(), 6);
    for example in examples {
        let (_, text) = example.told.split_once("```text\n").expect("each example is followed by what is said of it");
        let (text, _) = text.split_once("\n```").expect("the block ends");
        let said = match example.plan() {
            Ok(plan) => plan.text(),
            Err(error) => format!("{error}\n{}", miette::Diagnostic::help(&error).expect("a remedy")),
        };
        for line in text.lines() {
            assert!(said.lines().any(|l| l.trim() == line.trim()), "{}: `{line}` is not in\n{said}", example.name);
        }
    }
}

#[test]
fn the_table_of_what_is_handed_over_is_true() {
    let example = example("pair");
    let plan = example.plan().unwrap();
    let delay = |to: &str| {
        let to = plan.components.iter().position(|c| c.name == to).unwrap();
        plan.links.iter().find(|l| l.to == to).unwrap().min_delay
    };
    let delays = [Span::ZERO, delay("thalamus"), delay("cortex")];
    let (window, end) = (plan.components[0].window, Time::ZERO + plan.duration);
    let mut start = Time::ZERO;
    let mut rows = Vec::new();
    while start < end {
        let next = (start + window).min(end);
        rows.push(delays.map(|d| format!("({}, {}]", (start - d).ms(), (next - d).ms())).to_vec());
        start = next;
    }
    assert_eq!(example.table(), rows);
}

#[test]
fn the_table_of_what_is_seen_of_a_signal_is_true() {
    let example = example("signal");
    let signal = &example.network.signals[0];
    let step = example.network.components[0].step;
    let rows = Rows { values: &[0.0, 10.0, 20.0, 30.0], columns: 1, first: 0, step };
    let seen = |at, how| {
        let mut seen = [f64::NAN];
        rows.see(at, how, &mut seen);
        seen[0].to_string()
    };
    let table = example.table();
    assert_eq!(table.len(), 7);
    for row in table {
        let time = Time::ZERO + Span::from_ms(row[0].parse().unwrap()).unwrap();
        assert!((time - Time::ZERO).is_multiple_of(example.network.components[1].step));
        let at = time - signal.delay;
        assert_eq!(row[1..], [at.ms().to_string(), seen(at, Interpolation::Hold), seen(at, Interpolation::Linear)]);
    }
}

#[test]
fn the_table_of_turns_is_true() {
    let example = example("turns");
    let options = WelcomeOptions { config_hash: "", journals: Path::new("/"), in_process: true };
    let welcomes = example.plan().unwrap().welcomes(&example.network, &options).unwrap();
    let mut reached = [Time::ZERO; 2];
    let mut rows = Vec::new();
    for turn in 1..=4 {
        let next = |rank: usize| reached[rank] + welcomes[rank].welcome.window;
        let may = |rank: &usize| {
            let mut channels = welcomes[*rank].welcome.channels_in.iter();
            channels.all(|c| reached[c.peer_line as usize] >= next(*rank) - c.min_delay)
        };
        let ready: Vec<usize> = (0..2).filter(may).collect();
        assert_eq!(ready.len(), 1, "only one may run");
        reached[ready[0]] = next(ready[0]);
        let name = &example.network.components[ready[0]].name;
        rows.push(vec![turn.to_string(), name.clone(), reached[ready[0]].to_string()]);
    }
    assert_eq!(example.table(), rows);
}

#[test]
fn the_least_credit_of_the_chain_is_as_told() {
    let plan = example("chain").plan().unwrap();
    let windows = || plan.components.iter().map(|c| c.window);
    assert_eq!(windows().sum::<Span>() + windows().max().unwrap(), ms("9.9"));
    assert!(PAGE.contains("here 1 + 0.9 + 4 + 4 = 9.9 ms"));
}

#[test]
fn the_constants_are_as_told() {
    assert_eq!(super::super::FREE_WINDOW, ms("1"));
    assert_eq!(super::super::SANE_WINDOW, ms("100"));
}

#[test]
fn a_refusal_points_at_the_delays() {
    let example = example("refused");
    let diagnostic = example.plan().unwrap_err().diagnose(&example.network, &example.places);
    let line = |place: &crate::config::Place| place.line_column().0;
    // The longest delay, which needs the smallest change, first; then the other one.
    let (longest, other) = (diagnostic.place.as_ref().unwrap(), diagnostic.related.as_ref().unwrap());
    assert!(line(longest) > line(&other.0));
    assert_eq!((diagnostic.label.as_str(), other.1.as_str()), ("0.8 ms", "0.5 ms"));
    let text = diagnostic.render(false);
    assert!(text.contains("no window for the loop") && text.contains("at least 1 ms"), "{text}");
}
