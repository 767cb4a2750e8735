//! `couple-recorder`: recorded spikes, from journals to SONATA, and questions about them.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use couple_ports::time::{Span, Time, TimeError};
use couple_recorder::{Error, Population, Signal, Spikes, compare, crosscheck, finish, plot, plural, statistics};
use serde_json::json;

/// Exit code: the input is wrong.
const WRONG_INPUT: u8 = 2;
/// Exit code: results differ.
const DIFFERENT: u8 = 5;

/// Recorded spikes: from the journals of a run to a SONATA file, and questions about them.
#[derive(Parser)]
// Its users call it as `couple show …`.
#[command(name = "couple-recorder", bin_name = "couple", version, propagate_version = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Makes spikes.h5 from the journals of a run; works after a crash, and does nothing the second time.
    Finish {
        /// Folder of the run.
        run: PathBuf,
        /// Prints JSON.
        #[arg(long)]
        json: bool,
    },
    /// Are two recordings equal? Exit code 0 when they are, 5 with the first difference when not.
    Compare {
        /// A run's folder or label, or a SONATA file.
        a: PathBuf,
        /// A run's folder or label, or a SONATA file.
        b: PathBuf,
        /// Spikes of a neuron that are at most so far apart count as the same (a number is in ms).
        #[arg(long, value_name = "TIME", default_value = "0", value_parser = tolerance)]
        tolerance_ms: Span,
        /// Compares up to this time only.
        #[arg(long, value_name = "TIME", value_parser = time)]
        until: Option<Time>,
        /// Prints JSON.
        #[arg(long)]
        json: bool,
    },
    /// Populations, neurons, spikes, rates and regularity.
    Show {
        /// A run's folder or label, or a SONATA file.
        run: PathBuf,
        /// Prints JSON.
        #[arg(long)]
        json: bool,
    },
    /// Compares the runs of a cross-check, as `couple crosscheck` does at its end. Exit code 0 when all agree, 5 when not.
    Crosscheck {
        /// Folder of the cross-check.
        folder: PathBuf,
        /// Spikes of a neuron that are at most so far apart are paired (a number is in ms).
        #[arg(long, value_name = "TIME", default_value = "1", value_parser = tolerance)]
        tolerance_ms: Span,
        /// Start of the picture's time axis.
        #[arg(long, value_name = "TIME", value_parser = time)]
        from: Option<Time>,
        /// End of the picture's time axis.
        #[arg(long, value_name = "TIME", value_parser = time)]
        to: Option<Time>,
        /// Prints JSON.
        #[arg(long)]
        json: bool,
    },
    /// Draws a raster, and the traces of analog variables, as an SVG picture.
    Plot {
        /// A run's folder or label, or a SONATA file.
        run: PathBuf,
        /// The picture.
        #[arg(short, long, default_value = "raster.svg")]
        output: PathBuf,
        /// Start of the time axis.
        #[arg(long, value_parser = time)]
        from: Option<Time>,
        /// End of the time axis.
        #[arg(long, value_parser = time)]
        to: Option<Time>,
        /// Draws at most so many neurons, taken evenly.
        #[arg(long, default_value_t = 2000)]
        max_neurons: u64,
        /// Draws at most so many neurons of each analog variable, taken evenly.
        #[arg(long, default_value_t = 5)]
        max_traces: u64,
    },
}

fn time(text: &str) -> Result<Time, TimeError> {
    text.parse::<Span>().map(|span| Time::ZERO + span)
}

fn tolerance(text: &str) -> Result<Span, String> {
    let span: Span = text.parse().map_err(|e: TimeError| e.to_string())?;
    if span < Span::ZERO { Err("a tolerance is not negative".to_string()) } else { Ok(span) }
}

fn main() -> ExitCode {
    let command = Arguments::parse().command;
    let json = match &command {
        Command::Finish { json, .. }
        | Command::Compare { json, .. }
        | Command::Show { json, .. }
        | Command::Crosscheck { json, .. } => *json,
        Command::Plot { .. } => false,
    };
    match run(command) {
        Ok(code) => code,
        Err(error) => {
            tell(&error, json);
            ExitCode::from(WRONG_INPUT)
        }
    }
}

fn run(command: Command) -> Result<ExitCode, Error> {
    match command {
        Command::Finish { run, json } => {
            let finished = finish(&run)?;
            let spikes: u64 = finished.populations.iter().map(|p| p.spikes).sum();
            let path = finished.path.display();
            let complete = finished.complete();
            if json {
                let object = json!({
                    "path": path.to_string(), "made": finished.made, "spikes": spikes,
                    "populations": finished.populations.iter().map(population).collect::<Vec<_>>(),
                    "complete_ms": complete.map(Time::ms),
                    "signals": finished.signals.iter().map(signal).collect::<Vec<_>>(),
                    "notes": finished.notes,
                });
                say(&object.to_string());
            } else if finished.made {
                note(&finished.notes);
                let complete = complete.map_or(String::new(), |t| format!(", complete up to {t}"));
                let populations = plural(finished.populations.len() as u64, "population");
                say(&format!("{path}: {} of {populations}{complete}", plural(spikes, "spike")));
                for s in &finished.signals {
                    let (samples, neurons) = (plural(s.rows, "sample"), plural(s.neurons.len() as u64, "neuron"));
                    say(&format!("{}: {samples} of {neurons}, every {}", s.name(), s.step));
                }
            } else {
                say(&format!("{path} was finished before"));
            }
            Ok(ExitCode::SUCCESS)
        }
        Command::Compare { a, b, tolerance_ms, until, json } => {
            let (a, b) = (open(&a)?, open(&b)?);
            let outcome = compare::compare(&a, &b, compare::Options { tolerance: tolerance_ms, until })?;
            say(&if json { to_json(&outcome) } else { compare::report(&outcome) });
            Ok(if outcome.equal { ExitCode::SUCCESS } else { ExitCode::from(DIFFERENT) })
        }
        Command::Show { run, json } => {
            let summary = statistics::summarise(&open(&run)?)?;
            say(&if json { to_json(&summary) } else { statistics::table(&summary) });
            Ok(ExitCode::SUCCESS)
        }
        Command::Crosscheck { folder, tolerance_ms, from, to, json } => {
            let (manifest, recordings) = crosscheck::Recordings::open(&folder)?;
            let check = crosscheck::check(manifest, &recordings, tolerance_ms)?;
            let picture = crosscheck::picture::Options { from, to, tolerance: tolerance_ms };
            let picture = crosscheck::picture::draw(&recordings, picture)?;
            let (object, text) = (to_json(&check), crosscheck::table::text(&check));
            for (name, content) in [("report.json", &object), ("report.txt", &text), ("crosscheck.svg", &picture)] {
                let path = folder.join(name);
                std::fs::write(&path, content).map_err(|source| Error::Io { doing: "write", path, source })?;
            }
            say(if json { &object } else { &text });
            Ok(if check.equal { ExitCode::SUCCESS } else { ExitCode::from(DIFFERENT) })
        }
        Command::Plot { run, output, from, to, max_neurons, max_traces } => {
            check_picture(&output)?;
            let picture = plot::raster(&open(&run)?, plot::Options { from, to, max_neurons, max_traces })?;
            std::fs::write(&output, picture).map_err(|source| Error::Io { doing: "write", path: output, source })?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn population(population: &Population) -> serde_json::Value {
    json!({
        "name": population.name, "neurons": population.size, "spikes": population.spikes,
        "complete_ms": population.complete.map(Time::ms),
    })
}

fn signal(signal: &Signal) -> serde_json::Value {
    json!({
        "population": signal.population, "variable": signal.variable, "unit": signal.unit,
        "neurons": signal.neurons.len(), "samples": signal.rows, "interval_ms": signal.step.ms(),
    })
}

/// Formats that a file's name may promise.
const OTHER_PICTURES: [&str; 12] =
    ["png", "jpg", "jpeg", "pdf", "gif", "tif", "tiff", "eps", "ps", "bmp", "webp", "html"];

/// Refuses to write an SVG under a name that promises something else.
fn check_picture(output: &Path) -> Result<(), Error> {
    let ending = output.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_lowercase();
    if OTHER_PICTURES.contains(&ending.as_str()) {
        return Err(Error::Picture { path: output.to_path_buf() });
    }
    Ok(())
}

/// Opens a recording by its path, or a run in the folder `runs` by its label, or a file of that run.
fn open(path: &Path) -> Result<Spikes, Error> {
    let labelled = Path::new("runs").join(path);
    let spikes = Spikes::open(if !path.exists() && labelled.exists() { &labelled } else { path })?;
    note(spikes.notes());
    Ok(spikes)
}

fn note(notes: &[String]) {
    notes.iter().for_each(|note| eprintln!("note: {note}"));
}

fn to_json(value: &impl serde::Serialize) -> String {
    // Only a map with keys that are no text can fail here, and there is none.
    serde_json::to_string_pretty(value).unwrap_or_else(|e| json!({ "error": e.to_string() }).to_string())
}

/// Prints a line; a reader that has left (`| head`) is no error, a full disk is one.
fn say(text: &str) {
    use std::io::{ErrorKind, Write};
    if let Err(error) = writeln!(std::io::stdout(), "{text}")
        && error.kind() != ErrorKind::BrokenPipe
    {
        eprintln!("error: cannot write to standard output: {error}");
        std::process::exit(1);
    }
}

fn tell(error: &Error, json: bool) {
    if json {
        eprintln!("{}", json!({ "error": error.to_string(), "help": error.help() }));
        return;
    }
    eprintln!("error: {error}");
    if let Some(help) = error.help() {
        eprintln!("help: {help}");
    }
}
