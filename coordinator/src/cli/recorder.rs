//! Commands about recordings, done by the program that knows their format.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;

use super::{FAULT, complain};
use crate::runtime::programs;

/// Becomes `couple-recorder COMMAND ARGUMENTS`; returns only when that is impossible.
pub fn pass_on(command: &str, arguments: &[OsString]) -> u8 {
    let recorder = match programs::find(programs::RECORDER) {
        Ok(recorder) => recorder,
        Err(missing) => {
            complain(&missing);
            return FAULT;
        }
    };
    let error = std::process::Command::new(&recorder).arg(command).args(arguments).exec();
    complain(&format_args!("cannot start {}: {error}", recorder.display()));
    FAULT
}
