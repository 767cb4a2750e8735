//! `couple setup`: makes simulators ready, and installs what programs in C and C++ are built with.

use std::path::{Path, PathBuf};

use clap::Args;

use super::{FAULT, WRONG_INPUT, complain};
use crate::runtime::programs;
use crate::setup::environment::Interpreter;
use crate::setup::{Progress, SetupError, arbor, brian2, client, nest, neuron};

/// Arguments of `couple setup`.
#[derive(Args, Debug)]
pub struct SetupArguments {
    /// Simulators to prepare: nest, neuron, brian2, arbor; or `client`, for programs in C and C++
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,
    /// Print nothing but the Python interpreter of the environment, for scripts that use the same simulator
    #[arg(long)]
    print_python: bool,
    /// Where `client` goes: headers, library, and files for pkg-config and CMake
    #[arg(long, value_name = "DIR")]
    prefix: Option<PathBuf>,
}

type Ensure = fn(Option<&str>, Progress<'_>) -> Result<Interpreter, SetupError>;

/// Simulators that are a Python package and nothing else.
const PACKAGES: [(&str, Ensure); 3] =
    [("neuron", neuron::ensure), ("brian2", brian2::ensure), ("arbor", arbor::ensure)];

/// Prepares simulators.
pub fn setup(arguments: &SetupArguments) -> u8 {
    for name in &arguments.names {
        if let Err(code) = prepare(name, arguments) {
            return code;
        }
    }
    0
}

fn prepare(name: &str, arguments: &SetupArguments) -> Result<(), u8> {
    let progress = |line: &str| eprintln!("{line}");
    let fault = |error: SetupError| {
        complain(&error);
        FAULT
    };
    let (version, python) = match name {
        "native" | "converter" => {
            println!("{name}: nothing to set up, it is part of couple");
            return Ok(());
        }
        "client" => return client(arguments.prefix.as_deref()),
        "nest" => {
            let environment = nest::ensure(None, &progress).map_err(fault)?;
            (environment.version, environment.python)
        }
        other => {
            let Some((_, ensure)) = PACKAGES.iter().find(|(name, _)| *name == other) else {
                complain(&format_args!(
                    "there is no simulator `{other}`\n  help: the simulators are native, nest, neuron, brian2 and arbor; \
                     `client` is for programs in C and C++"
                ));
                return Err(WRONG_INPUT);
            };
            let interpreter = ensure(None, &progress).map_err(fault)?;
            (interpreter.version, interpreter.python)
        }
    };
    match arguments.print_python {
        true => println!("{}", python.display()),
        false => println!("{name}: {version} with {}", python.display()),
    }
    Ok(())
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
