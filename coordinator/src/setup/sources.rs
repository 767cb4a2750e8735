//! The Python package and the extension's sources, embedded so that an installed `couple` needs no other files.

use std::path::{Path, PathBuf};

use super::cache::{Cache, hash, write};
use super::{Progress, SetupError};

macro_rules! embedded {
    ($folder:literal: $($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!($folder, $name)))),*]
    };
}

/// The Python package, by path within the folder that goes into PYTHONPATH.
pub(super) const PACKAGE: &[(&str, &str)] = embedded!("../../../adapters/python/":
    "couple/__init__.py",
    "couple/client.py",
    "couple/native.py",
    "couple/ports.py",
    "couple/py.typed",
    "couple/part.py",
    "couple/program.py",
    "couple/session.py",
    "couple/arbor/__init__.py",
    "couple/arbor/__main__.py",
    "couple/arbor/component.py",
    "couple/brian2/__init__.py",
    "couple/brian2/__main__.py",
    "couple/brian2/cells.py",
    "couple/brian2/component.py",
    "couple/brian2/exchange.py",
    "couple/brian2/groups.py",
    "couple/brian2/integration.py",
    "couple/brian2/own.py",
    "couple/brian2/signals.py",
    "couple/nest/__init__.py",
    "couple/nest/__main__.py",
    "couple/nest/cells.py",
    "couple/nest/component.py",
    "couple/nest/kernel.py",
    "couple/nest/plasticity.py",
    "couple/nest/signals.py",
    "couple/neuron/__init__.py",
    "couple/neuron/__main__.py",
    "couple/neuron/cells.py",
    "couple/neuron/component.py",
    "couple/neuron/kernel.py",
);

/// The NEST extension.
pub(super) const EXTENSION: &[(&str, &str)] = embedded!("../../../adapters/python/couple/nest/extension/":
    "LICENSE",
    "couplemod.cpp",
    "exchange.cpp",
    "exchange.hpp",
    "nodes.hpp",
    "plastic.hpp",
    "signals.cpp",
    "signals.hpp",
);

/// The mechanisms of NEURON's cells, and the exchange.
pub(super) const MECHANISMS: &[(&str, &str)] = embedded!("../../../adapters/python/couple/neuron/mechanisms/":
    "couple.mod",
    "eif_cond_alpha.mod",
    "eif_cond_exp.mod",
    "exchange.cpp",
    "hh_cond_exp.mod",
    "if_cond_alpha.mod",
    "if_cond_exp.mod",
    "if_cond_exp_gsfa_grr.mod",
    "if_curr_alpha.mod",
    "if_curr_delta.mod",
    "if_curr_exp.mod",
    "izhikevich.mod",
    "spikes.mod",
);

/// The C ABI that the extension calls.
pub(super) const HEADER: (&str, &str) = ("couple.h", include_str!("../../../ports/ffi/include/couple.h"));

/// The folder for PYTHONPATH.
pub(super) fn package(cache: &Cache, progress: Progress<'_>) -> Result<PathBuf, SetupError> {
    let name = format!("python-{}", hash(PACKAGE.iter().flat_map(|(name, text)| [*name, *text])));
    let is_there = |path: PathBuf, text: &str| std::fs::read(path).is_ok_and(|found| found == text.as_bytes());
    let whole = |folder: &Path| PACKAGE.iter().all(|(name, text)| is_there(folder.join(name), text));
    let write_all = |folder: &Path| PACKAGE.iter().try_for_each(|(name, text)| write(&folder.join(name), text));
    cache.folder(&name, whole, progress, write_all)
}
