//! `couple run`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use couple_ports::time::Span;

use super::input::{self, Ready};
use super::{Configuration, FAULT, WRONG_INPUT, complain};
use crate::config::RunOptions;
use crate::runtime::{self, Job, Limits, RunError, Style};

/// Arguments of `couple run`.
#[derive(Args, Debug)]
pub struct RunArguments {
    #[command(flatten)]
    configuration: Configuration,
    /// Name of the run and of its folder; the date and the run's name unless given
    #[arg(long, value_name = "LABEL", allow_hyphen_values = true)]
    label: Option<String>,
    /// Why the run is made, for its record
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    reason: Option<String>,
    /// Folder of all runs
    #[arg(long, value_name = "DIR", default_value = "runs")]
    out: PathBuf,
    /// End the run when simulated time does not advance for so long (wall-clock time) [default: 10 s, or as the
    /// configuration says]
    #[arg(long, value_name = "TIME", value_parser = wall_clock)]
    stall_limit: Option<Duration>,
    /// End the run when a process takes longer to build its part of the network (wall-clock time) [default: 600 s]
    #[arg(long, value_name = "TIME", value_parser = wall_clock)]
    setup_limit: Option<Duration>,
    /// Show neither progress nor summary, only what goes wrong
    #[arg(long, short)]
    quiet: bool,
}

fn wall_clock(text: &str) -> Result<Duration, String> {
    let unit = if text.ends_with(|c: char| c.is_ascii_digit()) { "; write a unit, as in \"10 s\"" } else { "" };
    let span: Span = text.parse().map_err(|e| format!("{e}{unit}"))?;
    match u64::try_from(span.ns()) {
        Ok(ns) if ns > 0 && unit.is_empty() => Ok(Duration::from_nanos(ns)),
        _ => Err(format!("`{text}` is no length of time{unit}")),
    }
}

/// Limits of a run as its configuration says.
pub fn limits(options: &RunOptions) -> Limits {
    Limits { stall: wall(options.stall_limit), connect: wall(options.connect_timeout), setup: SETUP_LIMIT }
}

/// Time to build a part of the network, unless `--setup-limit` says otherwise.
const SETUP_LIMIT: Duration = Duration::from_secs(600);

fn wall(span: Span) -> Duration {
    Duration::from_nanos(span.ns().max(0).unsigned_abs())
}

/// Runs a configuration.
pub fn run(arguments: &RunArguments) -> u8 {
    let Some(ready) = input::ready(&arguments.configuration) else { return WRONG_INPUT };
    let style = match (arguments.configuration.json, arguments.quiet) {
        (true, _) => Style::Json,
        (_, true) => Style::Quiet,
        _ => Style::Human,
    };
    let Ready { loaded, plan } = &ready;
    let given = limits(&loaded.options);
    let job = Job {
        network: &loaded.network,
        plan,
        file: &arguments.configuration.file,
        resolved: &loaded.resolved_toml,
        directory: &loaded.options.directory,
        set: &arguments.configuration.set,
        label: arguments.label.as_deref(),
        reason: arguments.reason.as_deref(),
        out: &arguments.out,
        limits: Limits {
            stall: arguments.stall_limit.unwrap_or(given.stall),
            setup: arguments.setup_limit.unwrap_or(given.setup),
            ..given
        },
        style,
    };
    match runtime::run(&job) {
        Ok(code) => code,
        Err(error) => {
            if style == Style::Json {
                println!("{}", serde_json::json!({ "event": "error", "message": error.to_string() }));
            } else {
                complain(&error);
            }
            match error {
                RunError::Folder(_) => WRONG_INPUT,
                _ => FAULT,
            }
        }
    }
}
