//! The `couple` program.

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    couple::cli::end_on_fault();
    couple::cli::main(&couple::cli::Arguments::parse())
}
