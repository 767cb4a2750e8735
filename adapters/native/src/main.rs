//! `couple-native`: one rank of a native component. `couple run` starts it.

use std::process::ExitCode;

use couple_native::NativeError;
use couple_ports::session::Setup;

/// The exit code of a component that failed.
const FAILED: u8 = 3;

fn main() -> ExitCode {
    match Setup::connect().map_err(NativeError::from).and_then(couple_native::run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("couple-native: {error}");
            ExitCode::from(FAILED)
        }
    }
}
