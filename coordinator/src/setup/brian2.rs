//! Brian2: a Python with Brian2 2.9.

use std::path::{Path, PathBuf};

use super::cache::Cache;
use super::environment::{self, Interpreter, Simulator};
use super::nest::Command;
use super::tools::Tools;
use super::{Progress, SetupError};

const BRIAN2: Simulator = Simulator {
    name: "brian2",
    title: "Brian2",
    module: "brian2",
    package: "brian2",
    version: "2.9.0",
    series: "2.9",
    // Brian2 2.9 uses what NumPy 2.4 has no more; 2.3.5 is the last release before.
    requirements: &["brian2==2.9.0", "numpy==2.3.5; python_version >= '3.11'", "numpy==2.2.6; python_version < '3.11'"],
    oldest: (3, 10),
    download: "40 MB; 215 MB when unpacked",
};

/// Makes Brian2 ready, and says where it is. `python` is the component's own interpreter; without it the managed
/// environment is used, and made when it is not there. Quick when nothing is missing.
pub fn ensure(python: Option<&str>, progress: Progress<'_>) -> Result<Interpreter, SetupError> {
    BRIAN2.ensure(&Cache::open()?, &Tools::from_environment(), python, progress)
}

/// The interpreter of the managed environment, if that has been made; makes nothing.
pub fn installed() -> Option<PathBuf> {
    Some(BRIAN2.installed(&Cache::open().ok()?, &Tools::from_environment())?.python)
}

/// The command of each rank of a Brian2 component; `library` is the path of [`super::nest::LIBRARY`].
pub fn command(interpreter: &Interpreter, library: &Path, progress: Progress<'_>) -> Result<Command, SetupError> {
    environment::command(interpreter, "couple.brian2", library, vec![], progress)
}
