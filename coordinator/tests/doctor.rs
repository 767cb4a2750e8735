//! `couple doctor` tells what is there: nothing in an empty cache, and not as usable what cannot be used.

#![allow(clippy::unwrap_used, reason = "how a test fails")]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

/// `couple` with its cache in `cache`, and `path` before everything else along PATH.
fn couple(cache: &Path, path: Option<&Path>, arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_couple"));
    command.args(arguments).env("COUPLE_CACHE", cache);
    if let Some(path) = path {
        let mut paths = path.as_os_str().to_os_string();
        paths.push(":");
        paths.push(std::env::var_os("PATH").unwrap());
        command.env("PATH", paths);
    }
    let output = command.output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Its findings by name.
fn findings(cache: &Path, path: Option<&Path>) -> BTreeMap<String, Value> {
    let text = couple(cache, path, &["doctor", "--json"]);
    let objects = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    objects.map(|o| (o["name"].as_str().unwrap().to_string(), o)).collect()
}

const SIMULATORS: [&str; 4] = ["nest", "neuron", "brian2", "arbor"];

#[test]
fn an_empty_cache_has_no_simulators() {
    let cache = TempDir::new().unwrap();
    let found = findings(cache.path(), None);
    for name in SIMULATORS {
        assert_eq!(found[name]["state"], "missing", "{}", found[name]);
        let get = found[name]["get"].as_str().unwrap();
        assert!(get.contains(&format!("`couple setup {name}`")), "{get}");
    }
    for name in ["native", "converter", "recorder"] {
        assert_eq!(found[name]["state"], "found", "{}", found[name]);
        assert!(Path::new(found[name]["place"].as_str().unwrap()).is_file());
    }
    let text = couple(cache.path(), None, &["doctor"]);
    assert!(text.contains("brian2      missing: `couple setup brian2` gets it"), "{text}");
    assert!(text.contains("Arbor's Python interface takes no input while it runs"), "{text}");
}

/// A Python that makes environments in which nothing can be imported.
const PYTHON: &str = r#"#!/bin/sh
case "$*" in
    *_base_executable*) echo "3.11 $0" ;;
    *"venv, ensurepip"*) ;;
    *"-m venv"*) for folder; do :; done; mkdir -p "$folder/bin"; cp "$0" "$folder/bin/python" ;;
    *"-m pip"*) ;;
    *importlib.metadata*) echo "{\"python\": \"$0\", \"version\": \"2.9.0\", \"package\": \"/\", \"managed\": false}" ;;
    *) echo "Traceback (most recent call last):" >&2; echo "ImportError: libfortran.so: no such file" >&2; exit 1 ;;
esac
"#;

#[test]
fn an_environment_that_cannot_be_used_is_broken() {
    let folder = TempDir::new().unwrap();
    let (cache, programs) = (folder.path().join("cache"), folder.path().join("programs"));
    fs::create_dir_all(&programs).unwrap();
    fs::write(programs.join("python3"), PYTHON).unwrap();
    fs::set_permissions(programs.join("python3"), fs::Permissions::from_mode(0o755)).unwrap();
    couple(&cache, Some(&programs), &["setup", "brian2"]);
    let found = findings(&cache, Some(&programs));
    assert_eq!(found["brian2"]["state"], "broken", "{}", found["brian2"]);
    assert_eq!(found["brian2"]["found"], false);
    assert_eq!(found["brian2"]["why"], "ImportError: libfortran.so: no such file");
    let get = found["brian2"]["get"].as_str().unwrap();
    assert!(get.starts_with("`rm -r /") && get.contains("&& couple setup brian2`"), "{get}");
    assert_eq!(found["neuron"]["state"], "missing");
}

/// What is said of an environment that is there is what it says itself.
#[test]
fn versions_are_those_of_the_imported_packages() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_couple"));
    let output = command.args(["doctor", "--json"]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let pinned = [("nest", "3.10.0"), ("neuron", "9.0.2"), ("brian2", "2.9.0"), ("arbor", "0.12.2")];
    for object in text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()) {
        let name = object["name"].as_str().unwrap();
        if let Some((_, version)) = pinned.iter().find(|(known, _)| *known == name) {
            match object["state"].as_str().unwrap() {
                "found" => assert_eq!(object["version"], *version, "{object}"),
                "missing" => println!("skipped: {} needs {name}: run `couple setup {name}`", module_path!()),
                _ => panic!("{object}"),
            }
        }
    }
}
