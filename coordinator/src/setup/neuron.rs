//! NEURON: a Python with NEURON 9, and the mechanisms of the standard cells.

use std::path::{Path, PathBuf};

use super::cache::Cache;
use super::environment::{self, Interpreter, Simulator};
use super::nest::Command;
use super::tools::Tools;
use super::{Progress, SetupError};

const NEURON: Simulator = Simulator {
    name: "neuron",
    title: "NEURON",
    module: "neuron",
    package: "neuron",
    version: "9.0.2",
    series: "9",
    requirements: &[
        "neuron==9.0.2",
        // For nrnivmodl, which NEURON's package does not ask for.
        "setuptools<82",
        "numpy==2.4.6; python_version >= '3.11'",
        "numpy==2.2.6; python_version < '3.11'",
    ],
    oldest: (3, 10),
    download: "40 MB; 250 MB when unpacked",
};

/// Makes NEURON ready, and says where it is. `python` is the component's own interpreter; without it the managed
/// environment is used, and made when it is not there. Quick when nothing is missing.
pub fn ensure(python: Option<&str>, progress: Progress<'_>) -> Result<Interpreter, SetupError> {
    NEURON.ensure(&Cache::open()?, &Tools::from_environment(), python, progress)
}

/// The interpreter of the managed environment, if that has been made; makes nothing.
pub fn installed() -> Option<PathBuf> {
    Some(NEURON.installed(&Cache::open().ok()?, &Tools::from_environment())?.python)
}

/// The command of each rank of a NEURON component; `library` is the path of [`super::nest::LIBRARY`].
pub fn command(interpreter: &Interpreter, library: &Path, progress: Progress<'_>) -> Result<Command, SetupError> {
    environment::command(interpreter, "couple.neuron", library, vec![], progress)
}
