//! Arbor: a Python with Arbor 0.12.

use std::path::{Path, PathBuf};

use super::cache::Cache;
use super::environment::{self, Interpreter, Simulator};
use super::nest::Command;
use super::tools::Tools;
use super::{Progress, SetupError};

const ARBOR: Simulator = Simulator {
    name: "arbor",
    title: "Arbor",
    module: "arbor",
    package: "arbor",
    version: "0.12.2",
    series: "0.12",
    requirements: &["arbor==0.12.2", "numpy==2.4.6; python_version >= '3.11'", "numpy==2.2.6; python_version < '3.11'"],
    oldest: (3, 10),
    download: "55 MB; 155 MB when unpacked",
};

/// Makes Arbor ready, and says where it is. `python` is the component's own interpreter; without it the managed
/// environment is used, and made when it is not there. Quick when nothing is missing.
pub fn ensure(python: Option<&str>, progress: Progress<'_>) -> Result<Interpreter, SetupError> {
    ARBOR.ensure(&Cache::open()?, &Tools::from_environment(), python, progress)
}

/// The interpreter of the managed environment, if that has been made; makes nothing.
pub fn installed() -> Option<PathBuf> {
    Some(ARBOR.installed(&Cache::open().ok()?, &Tools::from_environment())?.python)
}

/// The command of each rank of an Arbor component; `library` is the path of [`super::nest::LIBRARY`].
pub fn command(interpreter: &Interpreter, library: &Path, progress: Progress<'_>) -> Result<Command, SetupError> {
    environment::command(interpreter, "couple.arbor", library, vec![], progress)
}
