//! `couple doctor`: which simulators are there, what each can do, and how to get the others.
//!
//! A simulator counts as there when it could be used just now: a Python package was imported, a program of couple's own is
//! where it is looked for. What is there but cannot be used is *broken*, with the reason and the command that makes it anew.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clap::Args;

use crate::runtime::{self, programs};
use crate::setup::{arbor, brian2, nest, neuron};

/// Arguments of `couple doctor`.
#[derive(Args, Debug)]
pub struct DoctorArguments {
    /// Print an object for tools
    #[arg(long)]
    json: bool,
}

/// What may be there.
struct Part {
    name: &'static str,
    what: What,
    /// What it does for a run.
    does: &'static str,
}

enum What {
    /// A program beside couple.
    Program(&'static str),
    /// A Python package in the managed environment that `couple setup` makes; `version` is a program that prints it.
    Package { installed: fn() -> Option<PathBuf>, version: &'static str },
}

const PARTS: &[Part] = &[
    Part {
        name: "native",
        what: What::Program(programs::NATIVE),
        does: "standard cells; spikes and analog signals in and out; plastic synapses",
    },
    Part {
        name: "nest",
        what: What::Package {
            installed: nest::installed,
            version: "import os; os.environ['PYNEST_QUIET'] = '1'; import nest; print(nest.__version__)",
        },
        does: "standard cells or a script; spikes and analog signals in and out; plastic synapses",
    },
    Part {
        name: "neuron",
        what: What::Package {
            installed: neuron::installed,
            version: "import neuron; neuron.h.Section(); print(neuron.__version__)",
        },
        does: "standard cells or a script; spikes and analog signals in and out; plastic synapses",
    },
    Part {
        name: "brian2",
        what: What::Package {
            installed: brian2::installed,
            version: "import brian2; print(brian2.__version__); brian2.utils.logger.clean_up_logging()",
        },
        does: "standard cells or a script; spikes and analog signals in and out; plastic synapses",
    },
    Part {
        name: "arbor",
        what: What::Package { installed: arbor::installed, version: "import arbor; print(arbor.__version__)" },
        does: "a script; spikes out only: Arbor's Python interface takes no input while it runs",
    },
    Part {
        name: "converter",
        what: What::Program(programs::CONVERTER),
        does: "rates to spikes, spikes to rates, thresholds, linear maps, gain and offset",
    },
    Part { name: "recorder", what: What::Program(programs::RECORDER), does: "recordings, comparisons, plots" },
];

/// What was found of a part.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    /// It works: version, where there is one, and place.
    There { version: Option<String>, place: PathBuf },
    /// It is not there; how to get it.
    Missing { get: String },
    /// It is there and does not work: where, why, and how to make it anew.
    Broken { place: PathBuf, why: String, get: String },
}

/// Looks for everything a run may need.
pub fn doctor(arguments: &DoctorArguments) -> u8 {
    // Each import takes up to a second.
    let looks: Vec<_> = PARTS.iter().map(|part| std::thread::spawn(|| look(part))).collect();
    let found = looks.into_iter().zip(PARTS).filter_map(|(look, part)| Some((part, look.join().ok()?)));
    if arguments.json {
        found.for_each(|(part, found)| println!("{}", as_json(part, &found)));
        return 0;
    }
    println!("{:10}  {} cores", "machine", runtime::cores());
    for (part, found) in found {
        let name = part.name;
        match found {
            Found::There { version, place } => {
                println!(
                    "{name:10}  found{}: {}",
                    version.map(|v| format!(" {v}")).unwrap_or_default(),
                    place.display()
                );
            }
            Found::Missing { get } => println!("{name:10}  missing: {get}"),
            Found::Broken { place, why, get } => {
                println!("{name:10}  broken: {}", place.display());
                println!("{:12}{why}", "");
                println!("{:12}{get}", "");
            }
        }
        println!("{:12}{}", "", part.does);
    }
    println!("{:10}  any program that uses the session, in Python, C, C++ or Rust; see docs/components.md", "script");
    0
}

fn as_json(part: &Part, found: &Found) -> serde_json::Value {
    let (state, version, place, text, get) = match found {
        Found::There { version, place } => ("found", version.as_deref(), Some(place), None, None),
        Found::Missing { get } => ("missing", None, None, None, Some(get)),
        Found::Broken { place, why, get } => ("broken", None, Some(place), Some(why), Some(get)),
    };
    serde_json::json!({
        "name": part.name,
        "found": state == "found",
        "state": state,
        "version": version,
        "place": place,
        "why": text,
        "get": get,
        "does": part.does,
    })
}

fn look(part: &Part) -> Found {
    match part.what {
        What::Program(program) => match programs::find(program) {
            Ok(place) => Found::There { version: None, place },
            Err(missing) => Found::Missing { get: missing.to_string() },
        },
        What::Package { installed, version } => match installed() {
            None => Found::Missing {
                get: format!("`couple setup {}` gets it; `couple run` does so when it needs it", part.name),
            },
            Some(python) => try_import(part.name, &python, version),
        },
    }
}

/// Has the interpreter import the simulator.
fn try_import(name: &str, python: &Path, program: &str) -> Found {
    let mut command = Command::new(python);
    command.args(["-c", program]).stdin(Stdio::null()).env_remove("PYTHONHOME").env_remove("PYTHONPATH");
    let broken = |why: String| {
        let folder = python.parent().and_then(Path::parent).unwrap_or(python);
        let get = format!("`rm -r {} && couple setup {name}` makes it anew", folder.display());
        Found::Broken { place: python.to_path_buf(), why, get }
    };
    match command.output() {
        Err(error) => broken(format!("it does not start: {error}")),
        Ok(output) if output.status.success() => {
            let version = String::from_utf8_lossy(&output.stdout).lines().last().map(|line| line.trim().to_string());
            Found::There { version, place: python.to_path_buf() }
        }
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            let last = said.lines().map(str::trim).rfind(|line| !line.is_empty());
            broken(last.map_or_else(|| format!("its import ends with {}", output.status), str::to_string))
        }
    }
}
