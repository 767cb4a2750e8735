//! `couple-converter`: one rank of a component of converters. `couple run` starts it.

use std::process::ExitCode;

use couple_converter::ConverterError;
use couple_ports::session::Setup;

/// The exit code of a component that failed.
const FAILED: u8 = 3;

fn main() -> ExitCode {
    match Setup::connect().map_err(ConverterError::from).and_then(couple_converter::run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("couple-converter: {error}");
            ExitCode::from(FAILED)
        }
    }
}
