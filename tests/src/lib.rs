//! Support for tests that cross crates: finding the workspace and its programs, random networks, runs in one process.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

pub mod local;
pub mod programs;
pub mod sketch;
pub mod written;

use std::path::PathBuf;

/// The folder of the workspace.
pub fn workspace() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A program built from this workspace, next to the running test: `target/<profile>/<name>`.
pub fn program(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a running test has a path");
    let profile = test.parent().and_then(|deps| deps.parent()).expect("tests run from target/<profile>/deps");
    let program = profile.join(name);
    assert!(program.exists(), "{} is missing: build the whole workspace first (cargo build)", program.display());
    program
}
