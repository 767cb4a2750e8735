//! `couple crosscheck`: the same network on several simulators in turn, and where they differ.
//!
//! ```text
//!   configuration ─► what can be moved ─┬─► on native ─► run ─┐
//!                    (moves.rs)         ├─► on nest ───► run ─┼─► crosscheck.json ─► couple-recorder crosscheck
//!                                       └─► on neuron ─► run ─┘                      table, report.json, picture
//! ```
//!
//! Each run is one as `couple run` makes it, in a folder of its own. A simulator that cannot take part is named with
//! the reason, and the others go on.

mod assumptions;
mod moves;

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use couple_ports::time::Span;
use serde_json::{Value, json};

use super::input::{self, Ready};
use super::{Configuration, FAULT, WRONG_INPUT, complain, recorder, run};
use crate::config::{self, Diagnostic, Severity};
use crate::runtime::{self, FolderError, Job, RunError, Style};

use moves::Moves;

/// A component failed.
const FAILED: u8 = 3;
/// The user ended it.
const INTERRUPTED: u8 = 130;
/// Causes told of a simulator that cannot take part.
const CAUSES: usize = 3;

/// Arguments of `couple crosscheck`.
#[derive(Args, Debug)]
pub struct CrosscheckArguments {
    #[command(flatten)]
    configuration: Configuration,
    /// Simulators to place the cells on, one after the other; the others are compared with the first
    #[arg(long, value_name = "NAME,…", value_enum, value_delimiter = ',', required = true)]
    on: Vec<Target>,
    /// Variables to record and compare beside the spikes, such as `v`
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    variables: Vec<String>,
    /// Time between samples of the variables [default: one step]
    #[arg(long, value_name = "TIME")]
    interval: Option<Span>,
    /// Pair spikes of a neuron that are at most so far apart (a number is in ms)
    #[arg(long, value_name = "TIME", default_value = "1", value_parser = not_negative)]
    tolerance_ms: Span,
    /// Start of the picture's time axis
    #[arg(long, value_name = "TIME")]
    from: Option<Span>,
    /// End of the picture's time axis
    #[arg(long, value_name = "TIME")]
    to: Option<Span>,
    /// Name of the cross-check and of its folder; the date and the run's name unless given
    #[arg(long, value_name = "LABEL", allow_hyphen_values = true)]
    label: Option<String>,
    /// Folder of all runs
    #[arg(long, value_name = "DIR", default_value = "runs")]
    out: PathBuf,
    /// Show nothing but the report and what goes wrong
    #[arg(long, short)]
    quiet: bool,
}

fn not_negative(text: &str) -> Result<Span, String> {
    let span: Span = text.parse().map_err(|e: couple_ports::time::TimeError| e.to_string())?;
    if span < Span::ZERO { Err("a tolerance is not negative".to_string()) } else { Ok(span) }
}

/// Where cells can be placed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Target {
    /// The native kernel
    Native,
    /// NEST
    Nest,
    /// NEURON; with a fixed step, unless the configuration has `cvode`
    Neuron,
    /// NEURON with a variable step
    NeuronCvode,
    /// Brian2
    Brian2,
    /// Arbor
    Arbor,
}

impl Target {
    /// Its name in reports, and of its folder.
    fn name(self) -> &'static str {
        match self {
            Target::Native => "native",
            Target::Nest => "nest",
            Target::Neuron => "neuron",
            Target::NeuronCvode => "neuron-cvode",
            Target::Brian2 => "brian2",
            Target::Arbor => "arbor",
        }
    }
    /// Its name in a configuration.
    fn simulator(self) -> &'static str {
        match self {
            Target::NeuronCvode => "neuron",
            other => other.name(),
        }
    }
}

/// How it went with a simulator.
#[derive(PartialEq, Eq)]
enum Outcome {
    Done,
    Failed(String),
    Interrupted,
    LeftOut(String),
}

/// A simulator that was asked to take part.
struct Participant {
    target: Target,
    outcome: Outcome,
    assumptions: Vec<String>,
}

impl Participant {
    /// As the recorder reads it.
    fn to_json(&self) -> Value {
        let (status, reason) = match &self.outcome {
            Outcome::Done => ("done", None),
            Outcome::Failed(reason) => ("failed", Some(reason.as_str())),
            Outcome::Interrupted => ("failed", Some("interrupted")),
            Outcome::LeftOut(reason) => ("left_out", Some(reason.as_str())),
        };
        let Participant { target, assumptions, .. } = self;
        json!({ "simulator": target.name(), "status": status, "reason": reason, "assumptions": assumptions })
    }
}

/// Runs and compares.
pub fn crosscheck(arguments: &CrosscheckArguments) -> u8 {
    if let Some(twice) = (1..arguments.on.len()).find(|&i| arguments.on[..i].contains(&arguments.on[i])) {
        let name = arguments.on[twice].name();
        complain(&format_args!("`{name}` is asked for twice\n  help: name each simulator once in --on"));
        return WRONG_INPUT;
    }
    if let (Some(from), Some(to)) = (arguments.from.or(Some(Span::ZERO)), arguments.to)
        && from >= to
    {
        complain(&format_args!("there is nothing to draw between {from} and {to}\n  help: --from is before --to"));
        return WRONG_INPUT;
    }
    let Some(given) = input::ready(&arguments.configuration) else { return WRONG_INPUT };
    let moves = match Moves::of(&given.loaded.network, &arguments.variables, arguments.interval) {
        Ok(moves) => moves,
        Err(reason) => {
            complain(&reason);
            return WRONG_INPUT;
        }
    };
    let folder = match claim(arguments, &given.loaded.network.name) {
        Ok(folder) => folder,
        Err(error) => {
            complain(&error);
            return WRONG_INPUT;
        }
    };
    let check = Check { arguments, moves, folder };
    match check.go() {
        Ok(code) => code,
        Err(error) => {
            complain(&error);
            FAULT
        }
    }
}

fn claim(arguments: &CrosscheckArguments, name: &str) -> Result<PathBuf, FolderError> {
    let name = format!("{name}-crosscheck");
    runtime::claim(&arguments.out, arguments.label.as_deref(), &name).map(|(_, path)| path)
}

/// A cross-check under way.
struct Check<'a> {
    arguments: &'a CrosscheckArguments,
    moves: Moves,
    folder: PathBuf,
}

impl Check<'_> {
    /// Makes all runs, then has them compared.
    fn go(&self) -> std::io::Result<u8> {
        let mut participants: Vec<Participant> = Vec::new();
        for (number, &target) in self.arguments.on.iter().enumerate() {
            if !self.arguments.quiet && !self.arguments.configuration.json {
                eprintln!("{} ({} of {})", target.name(), number + 1, self.arguments.on.len());
            }
            participants.push(self.participant(target));
            // What has been done can be compared, whatever becomes of the rest.
            self.write_down(&participants)?;
            if participants.iter().any(|p| p.outcome == Outcome::Interrupted) {
                return Ok(INTERRUPTED);
            }
        }
        let done = participants.iter().filter(|p| p.outcome == Outcome::Done).count();
        let failed = participants.iter().any(|p| matches!(p.outcome, Outcome::Failed(_)));
        if done == 0 {
            return Ok(self.nobody(&participants, failed));
        }
        let code = self.compare()?;
        Ok(match () {
            () if failed => FAILED,
            // One simulator agrees with itself: nothing was checked.
            () if done == 1 && code == 0 => WRONG_INPUT,
            () => code,
        })
    }

    /// Makes the run on `target`.
    fn participant(&self, target: Target) -> Participant {
        let ready = match self.ready(target) {
            Ok(ready) => ready,
            Err(reason) => return Participant { target, outcome: Outcome::LeftOut(reason), assumptions: Vec::new() },
        };
        let outcome = match self.run(target, &ready) {
            Ok(0) => Outcome::Done,
            Ok(INTERRUPTED) => Outcome::Interrupted,
            Ok(code) => Outcome::Failed(failure(&self.folder.join(target.name()), code)),
            Err(error @ (RunError::Program { .. } | RunError::Files(_))) => Outcome::LeftOut(error.to_string()),
            Err(error) => Outcome::Failed(error.to_string()),
        };
        Participant { target, outcome, assumptions: assumptions::of(&ready.loaded.network, &self.moves) }
    }

    /// Writes down who took part, for the comparison.
    fn write_down(&self, participants: &[Participant]) -> std::io::Result<()> {
        let manifest = json!({
            "file": self.arguments.configuration.file.display().to_string(),
            "moved": self.moves.populations,
            "participants": participants.iter().map(Participant::to_json).collect::<Vec<_>>(),
        });
        std::fs::write(self.folder.join("crosscheck.json"), format!("{manifest:#}\n"))
    }

    /// The network on `target`, or why it cannot be there.
    fn ready(&self, target: Target) -> Result<Ready, String> {
        let Configuration { file, .. } = &self.arguments.configuration;
        let loaded = config::load_without(file, &self.sets(target), &self.moves.without(target));
        loaded.and_then(input::planned).map_err(|diagnostics| causes(&diagnostics))
    }

    /// What is set for the run on `target`.
    fn sets(&self, target: Target) -> Vec<String> {
        self.arguments.configuration.set.iter().cloned().chain(self.moves.sets(target)).collect()
    }

    fn run(&self, target: Target, Ready { loaded, plan }: &Ready) -> Result<u8, RunError> {
        let Configuration { file, json, .. } = &self.arguments.configuration;
        let reason = format!("cross-check on {}", target.name());
        runtime::run(&Job {
            network: &loaded.network,
            plan,
            file,
            resolved: &loaded.resolved_toml,
            directory: &loaded.options.directory,
            set: &self.sets(target),
            label: Some(target.name()),
            reason: Some(&reason),
            out: &self.folder,
            limits: run::limits(&loaded.options),
            style: if *json || self.arguments.quiet { Style::Quiet } else { Style::Part },
        })
    }

    /// Has the runs compared; the exit code.
    fn compare(&self) -> std::io::Result<u8> {
        let mut words = vec!["--tolerance-ms".into(), self.arguments.tolerance_ms.to_string()];
        for (option, time) in [("--from", self.arguments.from), ("--to", self.arguments.to)] {
            words.extend(time.into_iter().flat_map(|time| [option.to_string(), time.to_string()]));
        }
        if self.arguments.configuration.json {
            words.push("--json".into());
        }
        let code = recorder::call("crosscheck", &self.folder, &words)?;
        if !self.arguments.configuration.json && !self.arguments.quiet {
            println!("{}", self.folder.join("crosscheck.svg").display());
        }
        Ok(code)
    }

    /// Nothing ran: why.
    fn nobody(&self, participants: &[Participant], failed: bool) -> u8 {
        let participants: Vec<Value> = participants.iter().map(Participant::to_json).collect();
        if self.arguments.configuration.json {
            println!("{}", json!({ "equal": false, "participants": participants, "populations": [] }));
        }
        for participant in &participants {
            let text = |field: &str| participant[field].as_str().unwrap_or_default().trim_end().to_string();
            complain(&format_args!("{} does not take part: {}", text("simulator"), text("reason")));
        }
        if failed { FAILED } else { WRONG_INPUT }
    }
}

/// What is wrong, in a line for each cause.
fn causes(diagnostics: &[Diagnostic]) -> String {
    let errors: Vec<_> = diagnostics.iter().filter(|d| d.severity == Severity::Error).collect();
    let line = |d: &&Diagnostic| {
        // What this program set itself has no line of its own.
        let place = d.place.as_ref().filter(|place| place.source.name != "--set");
        let place = place.map_or(String::new(), |place| format!("{}:{}: ", place.source.name, place.line_column().0));
        let help = d.help.as_ref().map_or(String::new(), |help| format!(" ({help})"));
        format!("{place}{}{help}", d.message)
    };
    let mut lines: Vec<String> = errors.iter().map(line).collect();
    lines.dedup();
    if let Some(more) = lines.len().checked_sub(CAUSES).filter(|more| *more > 0) {
        lines.truncate(CAUSES);
        lines.push(format!("and {more} more"));
    }
    lines.join("\n  ")
}

/// Why a run ended early, of its record.
fn failure(run: &Path, code: u8) -> String {
    let record = std::fs::read(run.join("record.json")).unwrap_or_default();
    let record: Value = serde_json::from_slice(&record).unwrap_or_default();
    let failure = &record["outcome"]["failure"];
    let (Some(component), Some(what)) = (failure["component"].as_str(), failure["what"].as_str()) else {
        return format!("exit code {code}; see {}", run.display());
    };
    let mut text = format!("component `{component}` (rank {}) {what}", failure["rank"]);
    if let Some(time) = failure["simulated_ms"].as_f64() {
        text += &format!("; it had reached {time} ms of simulated time");
    }
    for line in failure["last_lines"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        text += &format!("\n    | {line}");
    }
    if let Some(log) = failure["log"].as_str() {
        text += &format!("\n  its log: {log}");
    }
    text
}
