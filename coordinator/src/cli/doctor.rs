//! `couple doctor` and `couple setup`: which simulators are there, and how to get the others.

use std::path::{Path, PathBuf};

use clap::Args;

use super::{FAULT, WRONG_INPUT, complain};
use crate::runtime::{self, programs};
use crate::setup::{brian2, client, nest, neuron};

/// Arguments of `couple doctor`.
#[derive(Args, Debug)]
pub struct DoctorArguments {
    /// Print an object for tools
    #[arg(long)]
    json: bool,
}

/// Arguments of `couple setup`.
#[derive(Args, Debug)]
pub struct SetupArguments {
    /// Simulators to prepare
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,
    /// Print nothing but the Python interpreter of the environment, for scripts that use the same simulator
    #[arg(long)]
    print_python: bool,
    /// Where `client` goes: headers, library, and files for pkg-config and CMake
    #[arg(long, value_name = "DIR")]
    prefix: Option<PathBuf>,
}

/// One thing that a run may need.
struct Finding {
    name: &'static str,
    found: Result<String, String>,
}

/// Looks for everything a run may need.
pub fn doctor(arguments: &DoctorArguments) -> u8 {
    let program = |name: &'static str, program| Finding {
        name,
        found: programs::find(program).map(|path| path.display().to_string()).map_err(|missing| missing.to_string()),
    };
    let findings = [program("native", programs::NATIVE), program("recorder", programs::RECORDER), nest()];
    if arguments.json {
        for Finding { name, found } in &findings {
            let (found, text) = (found.is_ok(), found.as_ref().unwrap_or_else(|missing| missing));
            println!("{}", serde_json::json!({ "name": name, "found": found, "text": text }));
        }
        return 0;
    }
    println!("{:10}  {} cores", "machine", runtime::cores());
    for Finding { name, found } in &findings {
        match found {
            Ok(place) => println!("{name:10}  found: {place}"),
            Err(missing) => println!("{name:10}  missing: {missing}"),
        }
    }
    0
}

fn nest() -> Finding {
    let installed = nest::installed().map(|python| python.display().to_string());
    let missing = || "`couple setup nest` installs it; `couple run` does so when it needs it".to_string();
    Finding { name: "nest", found: installed.ok_or_else(missing) }
}

/// Installs what programs in C and C++ are built with.
fn client(prefix: Option<&Path>) -> Result<(), u8> {
    let Some(prefix) = prefix else {
        complain(&"`couple setup client` needs a folder\n  help: add  --prefix DIR, for example  --prefix ~/.local");
        return Err(WRONG_INPUT);
    };
    let library = programs::find(nest::LIBRARY).map_err(|missing| {
        complain(&missing);
        FAULT
    })?;
    client::install(prefix, &library).map_err(|error| {
        complain(&error);
        FAULT
    })?;
    println!("client: headers and library are in {}", prefix.display());
    Ok(())
}

/// Prepares simulators.
pub fn setup(arguments: &SetupArguments) -> u8 {
    for name in &arguments.names {
        match name.as_str() {
            "native" => println!("native: nothing to set up, it is part of couple"),
            "nest" => match nest::ensure(None, &|line| eprintln!("{line}")) {
                Ok(environment) if arguments.print_python => println!("{}", environment.python.display()),
                Ok(environment) => println!("nest: {} with {}", environment.version, environment.python.display()),
                Err(error) => {
                    complain(&error);
                    return FAULT;
                }
            },
            "client" => {
                if let Err(code) = client(arguments.prefix.as_deref()) {
                    return code;
                }
            }
            "neuron" | "brian2" => {
                let ensure = if name == "neuron" { neuron::ensure } else { brian2::ensure };
                match ensure(None, &|line| eprintln!("{line}")) {
                    Ok(found) if arguments.print_python => println!("{}", found.python.display()),
                    Ok(found) => println!("{name}: {} with {}", found.version, found.python.display()),
                    Err(error) => {
                        complain(&error);
                        return FAULT;
                    }
                }
            }
            other => {
                complain(&format_args!(
                    "there is no simulator `{other}`\n  help: the simulators are native, nest, neuron and brian2; \
                     `client` is for programs in C and C++"
                ));
                return WRONG_INPUT;
            }
        }
    }
    0
}
