//! Who may import whom: the layers of the architecture, held by reading every manifest and every `use`.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use couple_tests::workspace;

/// Folder of a crate, and the workspace's crates that it may depend on.
const LAYERS: &[(&str, &[&str])] = &[
    ("ports", &[]),
    ("network", &["couple-ports"]),
    ("kernel", &["couple-network", "couple-ports"]),
    // For programs of one's own: the description and the session, by name.
    ("ports/client", &["couple-network", "couple-ports"]),
    // The C interface hands out drawn synapses too: an adapter in C++ or Python needs both.
    ("ports/ffi", &["couple-client", "couple-network", "couple-ports"]),
    ("coordinator", &["couple-network", "couple-ports"]),
    ("adapters/native", &["couple-kernel", "couple-network", "couple-ports"]),
    ("adapters/converter", &["couple-network", "couple-ports"]),
    ("adapters/recorder", &["couple-network", "couple-ports"]),
];

/// Crates that may only use the vocabulary of `ports` (time, indices), never its transports.
const VOCABULARY_ONLY: &[&str] = &["network", "kernel"];

fn manifest(folder: &Path) -> toml::Table {
    let path = folder.join("Cargo.toml");
    fs::read_to_string(&path).unwrap().parse().unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

#[test]
fn every_crate_depends_only_on_the_layers_below_it() {
    for (folder, allowed) in LAYERS {
        let manifest = manifest(&workspace().join(folder));
        let dependencies = manifest["dependencies"].as_table().unwrap();
        for name in dependencies.keys().filter(|name| name.starts_with("couple")) {
            assert!(allowed.contains(&name.as_str()), "{folder} may not depend on {name}");
        }
    }
}

#[test]
fn every_member_of_the_workspace_has_a_layer() {
    let root = manifest(&workspace());
    let members: BTreeSet<_> =
        root["workspace"]["members"].as_array().unwrap().iter().map(|m| m.as_str().unwrap()).collect();
    let known: BTreeSet<_> = LAYERS.iter().map(|(folder, _)| *folder).chain(["tests", "benches"]).collect();
    for member in members {
        assert!(known.contains(member), "{member} has no place in the layers");
    }
}

fn sources(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn description_and_kernel_use_only_the_vocabulary_of_ports() {
    for folder in VOCABULARY_ONLY {
        let mut files = Vec::new();
        sources(&workspace().join(folder).join("src"), &mut files);
        assert!(!files.is_empty());
        for file in files {
            let text = fs::read_to_string(&file).unwrap();
            for (number, line) in text.lines().enumerate() {
                for after in line.split("couple_ports::").skip(1) {
                    let vocabulary = ["time", "index", "{index", "{time"].iter().any(|m| after.starts_with(m));
                    assert!(vocabulary, "{}:{}: only time and index of ports here", file.display(), number + 1);
                }
            }
        }
    }
}
