//! What a program of the user's own finds in its environment: the C library, and the Python package over it.

use std::ffi::OsString;
use std::path::Path;

use super::cache::Cache;
use super::nest::ENV_LIBRARY;
use super::{Progress, SetupError, sources};

/// Environment variables for a program; `library` is the path of [`super::nest::LIBRARY`].
pub fn environment(library: &Path, progress: Progress<'_>) -> Result<Vec<(OsString, OsString)>, SetupError> {
    let mut path = sources::package(&Cache::open()?, progress)?.into_os_string();
    // Behind our package: the user's own modules.
    if let Some(users) = std::env::var_os("PYTHONPATH").filter(|p| !p.is_empty()) {
        path.push(":");
        path.push(users);
    }
    Ok([
        (ENV_LIBRARY, library.into()),
        ("PYTHONPATH", path),
        // The log of a Python program that is ended from outside has its last words, too.
        ("PYTHONUNBUFFERED", "1".into()),
    ]
    .map(|(name, value)| (name.into(), value))
    .into())
}
