//! Makes simulators ready: what a run needs is installed into a cache folder, once, without an administrator.
//!
//! ```text
//! <cache>/lock                           held while something is being made
//! <cache>/nest-3.10.0-python3.11-<hash>/ managed Python environment; complete when it holds couple.json
//! <cache>/neuron-9.0.2-…, brian2-2.9.0-…, arbor-0.12.2-…  likewise
//! <cache>/boost-1.90.0/include/boost/    headers, where the system has none
//! <cache>/python-<hash>/couple/          the Python package, as embedded in this program
//! <cache>/nest-module-<hash>/            the NEST extension, compiled; hash of sources, NEST and compiler
//! ```
//!
//! The cache is `$COUPLE_CACHE`, or `couple` in `$XDG_CACHE_HOME` or `~/.cache`. Everything in it may be deleted at any
//! time; the next set-up makes it again. Invariant: a folder with a final name is complete. What is being made stands
//! under a `.partial` name (environments, which know their own path, get a marker file last), so an interrupted
//! set-up is never taken for a finished one.

pub mod arbor;
mod boost;
pub mod brian2;
mod cache;
pub mod client;
pub mod environment;
mod extension;
pub mod nest;
pub mod neuron;
mod python;
pub mod script;
mod sources;
mod tools;

#[cfg(test)]
mod tests;

pub use cache::{Cache, ENV_CACHE};

/// Told of each thing that takes time.
pub type Progress<'a> = &'a dyn Fn(&str);

/// A simulator could not be made ready.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}\n  help: {help}")]
pub struct SetupError {
    /// What went wrong and where, with the last words of the tool that failed.
    pub what: String,
    /// What to do.
    pub help: String,
}

impl SetupError {
    fn new(what: impl Into<String>, help: impl Into<String>) -> Self {
        SetupError { what: what.into(), help: help.into() }
    }

    fn io(doing: &str, path: &std::path::Path, error: &std::io::Error) -> Self {
        let help = format!("make room or give rights there, or choose another folder with {ENV_CACHE}");
        SetupError::new(format!("cannot {doing} {}: {error}", path.display()), help)
    }
}
