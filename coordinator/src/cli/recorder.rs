//! Commands about recordings, done by the program that knows their format.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::Path;

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

/// Has `couple-recorder COMMAND FOLDER ARGUMENTS` print to where this program does; its exit code.
pub fn call(command: &str, folder: &Path, arguments: &[String]) -> io::Result<u8> {
    let recorder = programs::find(programs::RECORDER).map_err(io::Error::other)?;
    let status = std::process::Command::new(recorder).arg(command).arg(folder).args(arguments).status()?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(FAULT))
}
