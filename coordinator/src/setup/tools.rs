//! Programs that the set-up runs: found along PATH, their words passed on or kept for the error.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;

use rustix::process::Signal;

use super::{Progress, SetupError};

/// How much of a failing program's output goes into the error.
const LAST_LINES: usize = 15;

/// Where programs are looked for.
#[derive(Clone, Debug)]
pub(super) struct Tools {
    path: OsString,
    /// Keep the variables that tell Python where modules are.
    python_variables: bool,
}

impl Tools {
    /// Along the user's PATH.
    pub fn from_environment() -> Self {
        Tools { path: std::env::var_os("PATH").unwrap_or_default(), python_variables: false }
    }

    /// The same, for an interpreter of the user's: it may find NEST through PYTHONPATH.
    pub fn as_user(&self) -> Self {
        Tools { python_variables: true, ..self.clone() }
    }

    /// Along `path`.
    #[cfg(test)]
    pub fn along(path: impl Into<OsString>) -> Self {
        Tools { path: path.into(), python_variables: false }
    }

    /// The program called `name`; a name with a slash is a path.
    pub fn find(&self, name: &str) -> Option<PathBuf> {
        if name.contains('/') {
            return Some(PathBuf::from(name)).filter(|p| p.is_file());
        }
        std::env::split_paths(&self.path).map(|folder| folder.join(name)).find(|p| p.is_file())
    }

    fn command<S: AsRef<OsStr>>(&self, program: &Path, arguments: &[S]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).env("PATH", &self.path).stdin(Stdio::null());
        if !self.python_variables {
            // Python of the managed environment must not pick up what another Python was told.
            command.env_remove("PYTHONHOME").env_remove("PYTHONPATH");
        }
        die_with_us(&mut command);
        command
    }

    /// Standard output of a program that is expected to succeed; `None` when it does not.
    pub fn ask<S: AsRef<OsStr>>(&self, program: &Path, arguments: &[S]) -> Option<String> {
        let output = self.command(program, arguments).stderr(Stdio::null()).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_string())
    }

    /// Runs a program, each line of its output being progress. The error holds its last lines.
    pub fn run<S: AsRef<OsStr>>(
        &self,
        program: &Path,
        arguments: &[S],
        progress: Progress<'_>,
        failed: impl FnOnce(String) -> SetupError,
    ) -> Result<(), SetupError> {
        let mut command = self.command(program, arguments);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = match child {
            Ok(child) => child,
            Err(error) => return Err(failed(format!("{} could not be started: {error}", program.display()))),
        };
        let (lines, received) = mpsc::channel();
        if let Some(output) = child.stdout.take() {
            send_lines(output, lines.clone());
        }
        if let Some(errors) = child.stderr.take() {
            send_lines(errors, lines);
        }
        let mut last = VecDeque::new();
        for line in received {
            progress(&line);
            if last.len() == LAST_LINES {
                last.pop_front();
            }
            last.push_back(line);
        }
        match child.wait() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(failed(format!("{status}\n    {}", last.make_contiguous().join("\n    ")))),
            Err(error) => Err(failed(error.to_string())),
        }
    }
}

/// Has the kernel kill the program when we are gone: left alone, it would go on to write into what the next set-up makes.
fn die_with_us(command: &mut Command) {
    let arm = || Ok(rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?);
    // SAFETY: between fork and exec only async-signal-safe calls are allowed; `arm` makes one plain system call and
    // allocates nothing.
    unsafe {
        command.pre_exec(arm);
    }
}

fn send_lines(from: impl Read + Send + 'static, to: mpsc::Sender<String>) {
    std::thread::spawn(move || {
        for line in BufReader::new(from).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line).trim_end().to_string();
            if !line.is_empty() && to.send(line).is_err() {
                return;
            }
        }
    });
}
