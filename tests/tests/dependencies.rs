//! What the project is built of: licences that allow its own, and no tools beyond a Rust toolchain and a C compiler.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::process::Command;

use couple_tests::workspace;
use serde_json::Value;

/// Licences that ask for no more than to be named. One of an `OR` is enough.
const LICENCES: [&str; 9] = [
    "MIT",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-3-Clause",
    "0BSD",
    "ISC",
    "Zlib",
    "Unicode-3.0",
    "CC0-1.0",
];
/// Crates that need cmake, libclang or MPI to build.
const NEED_MORE: [&str; 4] = ["cmake", "bindgen", "clang-sys", "mpi-sys"];

/// The packages that the default build consists of.
fn packages() -> Vec<Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--locked"])
        .current_dir(workspace())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    // Those of optional features that are off are among the packages, but not resolved.
    let nodes = metadata["resolve"]["nodes"].as_array().unwrap();
    let resolved: BTreeSet<_> = nodes.iter().map(|node| node["id"].as_str().unwrap()).collect();
    let packages = metadata["packages"].as_array().unwrap();
    packages.iter().filter(|package| resolved.contains(package["id"].as_str().unwrap())).cloned().collect()
}

fn is_allowed(expression: &str) -> bool {
    let plain = expression.replace(['(', ')'], "").replace('/', " OR ");
    // Loosely: with AND inside, every part must be allowed on its own.
    plain.split(" AND ").all(|all| all.split(" OR ").any(|one| LICENCES.contains(&one.trim())))
}

#[test]
fn licences_allow_ours() {
    for package in packages() {
        let licence = package["license"].as_str().unwrap_or("none");
        assert!(is_allowed(licence), "{} has the licence {licence}", package["name"]);
    }
}

#[test]
fn nothing_needs_more_than_a_compiler() {
    let names: Vec<_> = packages().iter().map(|package| package["name"].as_str().unwrap().to_owned()).collect();
    assert!(names.len() > 50, "{names:?}");
    for name in NEED_MORE {
        assert!(!names.iter().any(|have| have == name), "{name} is among the dependencies: cargo tree -i {name}");
    }
}
