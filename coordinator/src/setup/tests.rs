//! The set-up with programs that are missing, old or failing, and its cache.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use super::cache::Cache;
use super::nest::ensure_in;
use super::tools::Tools;
use super::{SetupError, sources};

/// A PATH folder with programs that are shell scripts.
struct Machine {
    folder: tempfile::TempDir,
}

impl Machine {
    fn new() -> Self {
        Machine { folder: tempfile::tempdir().unwrap() }
    }
    fn program(self, name: &str, script: &str) -> Self {
        // Written by another process: a file that this one has open for writing, or any of its children that other
        // tests fork just now, cannot be executed.
        let write = "printf '#!/bin/sh\\n%s\\n' \"$2\" > \"$1\" && chmod +x \"$1\"";
        let path = self.folder.path().join(name);
        let status = Command::new("/bin/sh").args(["-c", write, "sh"]).arg(path).arg(script).status();
        assert!(status.unwrap().success());
        self
    }
    fn cache(&self) -> Cache {
        Cache::at(&self.folder.path().join("cache")).unwrap()
    }
    fn error(&self, python: Option<&str>) -> SetupError {
        ensure_in(&self.cache(), &Tools::along(self.folder.path()), python, &|_| {}).unwrap_err()
    }
}

/// Answers the question for the version, and fails at `fail`.
fn python(version: &str, fail: &str) -> String {
    format!(
        "case \"$*\" in *version_info*) echo {version};; *'{fail}'*) echo 'it went wrong' >&2; exit 1;; \
         *'-m venv'*) for d; do :; done; /bin/mkdir -p $d/bin; /bin/cp $0 $d/bin/python;; esac"
    )
}

fn check(error: &SetupError, what: &str, help: &str) {
    assert!(error.what.contains(what) && error.help.contains(help), "{error}");
}

#[test]
fn missing_programs_are_named_with_a_remedy() {
    check(&Machine::new().error(None), "no python3", "apt install python3");
    let old = Machine::new().program("python3", &python("3.6", "-")).error(None);
    check(&old, "is Python 3.6, but NEST needs 3.9", "newer python3");
    let broken = Machine::new().program("python3", "exit 1").error(None);
    check(&broken, "does not run", "repair");
    let bare = Machine::new().program("python3", &python("3.11", "ensurepip")).error(None);
    check(&bare, "venv and ensurepip", "apt install python3-venv");
    check(&Machine::new().error(Some("/no/such/python")), "no Python `/no/such/python`", "path");
    let without = Machine::new().program("mine", "exit 1").error(Some("mine"));
    check(&without, "has no NEST", "pip install nest-simulator==3.10.0");
}

#[test]
fn failing_pip_is_quoted_and_leaves_no_complete_environment() {
    let machine = Machine::new().program("python3", &python("3.11", "-m pip install"));
    for _ in 0..2 {
        let error = machine.error(None);
        check(&error, "pip could not install NEST 3.10.0", "network");
        assert!(error.what.contains("it went wrong"), "{error}");
    }
}

fn answer(version: &str, include: &Path) -> String {
    let include = include.display();
    format!("echo '{{\"python\":\"/x\",\"version\":\"{version}\",\"include\":\"{include}\",\"new_strings\":false}}'")
}

#[test]
fn own_interpreter_must_have_the_right_nest() {
    let other = Machine::new().program("mine", &answer("3.9.1", Path::new("/i"))).error(Some("mine"));
    check(&other, "has NEST 3.9.1, but couple needs 3.10", "leave out `python`");
    let other = Machine::new().program("mine", &answer("3.100", Path::new("/i"))).error(Some("mine"));
    check(&other, "3.100", "3.10.0");
    let bare = Machine::new().program("mine", &answer("3.10.0", Path::new(""))).error(Some("mine"));
    check(&bare, "no header files", "leave out `python`");
}

#[test]
fn compiler_is_checked() {
    if std::env::var_os("CXX").is_some() {
        return;
    }
    let machine = || Machine::new().program("mine", &answer("3.10.0", Path::new("/i")));
    check(&machine().error(Some("mine")), "needs a C++ compiler", "apt install g++");
    let old = "case $1 in --version) echo 'g++ (GCC) 9.4.0';; *) echo 9;; esac";
    check(&machine().program("g++", old).error(Some("mine")), "GCC 11 or later", "CXX");
}

/// A compiler that writes its output file.
const COMPILER: &str =
    "case $1 in --version) echo 'g++ 12';; -dumpversion) echo 12;; *) for f; do :; done; echo module > $f;; esac";

/// Headers of Boost as if they had been fetched.
fn with_boost(machine: &Machine) {
    fs::create_dir_all(machine.folder.path().join("cache/boost-1.90.0/include")).unwrap();
}

#[test]
fn everything_is_made_once() {
    let machine = Machine::new().program("mine", &answer("3.10.2", Path::new("/i"))).program("g++", COMPILER);
    with_boost(&machine);
    let said = Mutex::new(Vec::new());
    let tools = Tools::along(machine.folder.path());
    let ensure = || ensure_in(&machine.cache(), &tools, Some("mine"), &|line| said.lock().unwrap().push(line.into()));
    let first = ensure().unwrap();
    assert!(first.module.is_file() && first.package.join("couple/nest/__main__.py").is_file());
    assert_eq!(first.version, "3.10.2");
    let spoken: Vec<String> = std::mem::take(&mut *said.lock().unwrap());
    assert_eq!(spoken, ["compiling the NEST extension with g++ 12"]);
    assert_eq!(ensure().unwrap(), first);
    assert!(said.lock().unwrap().is_empty());
}

#[test]
fn what_was_removed_is_made_again() {
    let machine = Machine::new().program("mine", &answer("3.10.2", Path::new("/i"))).program("g++", COMPILER);
    with_boost(&machine);
    let tools = Tools::along(machine.folder.path());
    let ensure = || ensure_in(&machine.cache(), &tools, Some("mine"), &|_| {}).unwrap();
    let first = ensure();
    let session = first.package.join("couple/session.py");
    fs::remove_file(&session).unwrap();
    fs::write(&first.module, "").unwrap();
    assert_eq!(ensure(), first);
    assert!(session.is_file() && fs::metadata(&first.module).unwrap().len() > 0);
    fs::remove_file(&first.module).unwrap();
    fs::write(&session, "half of").unwrap();
    assert_eq!(ensure(), first);
    assert!(first.module.is_file() && fs::read(&session).unwrap() != b"half of");
}

/// NEURON: the interpreter's package stands in the test's folder, with a translator of mechanisms that copies.
fn with_neuron(version: &str, nocmodl: &str) -> Machine {
    let machine = Machine::new().program("g++", COMPILER);
    let package = machine.folder.path().join("neuron");
    fs::create_dir_all(package.join(".data/bin")).unwrap();
    let place = package.display();
    let answer =
        format!("echo '{{\"python\":\"/x\",\"version\":\"{version}\",\"package\":\"{place}\",\"managed\":false}}'");
    machine.program("mine", &answer).program("neuron/.data/bin/nocmodl", nocmodl)
}

fn neuron_in(machine: &Machine, said: &Mutex<Vec<String>>) -> Result<PathBuf, SetupError> {
    let tools = Tools::along(machine.folder.path());
    let tell = |line: &str| said.lock().unwrap().push(line.into());
    super::neuron::ensure_in(&machine.cache(), &tools, Some("mine"), &tell).map(|found| found.1)
}

#[test]
fn mechanisms_of_neuron_are_made_once() {
    let (machine, said) = (with_neuron("9.0.2", ":"), Mutex::new(vec![]));
    let first = neuron_in(&machine, &said).unwrap();
    assert!(first.is_file());
    assert_eq!(*said.lock().unwrap(), ["compiling the mechanisms of NEURON's cells with g++ 12"]);
    assert_eq!(neuron_in(&machine, &said).unwrap(), first);
    assert_eq!(said.lock().unwrap().len(), 1);
}

#[test]
fn what_is_wrong_with_neuron_is_told() {
    let said = Mutex::new(vec![]);
    let old = neuron_in(&with_neuron("8.2.6", ":"), &said).unwrap_err();
    check(&old, "has NEURON 8.2.6, but couple needs 9", "pip install neuron==9.0.2");
    let damaged = neuron_in(&with_neuron("9.0.2", "echo 'no such library'; exit 1"), &said).unwrap_err();
    check(&damaged, "no such library", "leave out `python`");
    let without = Machine::new().program("mine", "exit 1").program("g++", COMPILER);
    check(&neuron_in(&without, &said).unwrap_err(), "has no NEURON", "leave out `python`");
}

/// A virtual environment, or a shim in front of PATH, is no reason to install everything once more.
#[test]
fn names_of_one_python_share_its_environment() {
    let home = Machine::new().program("real", &python("3.11", "-m pip install"));
    let real = home.folder.path().join("real");
    let shim = format!("case \"$*\" in *version_info*) echo 3.11 {0};; *) exec {0} \"$@\";; esac", real.display());
    for _ in 0..2 {
        let other = Machine::new().program("python3", &shim);
        let error = ensure_in(&home.cache(), &Tools::along(other.folder.path()), None, &|_| {}).unwrap_err();
        check(&error, "pip could not install NEST", "network");
    }
    let made = fs::read_dir(home.folder.path().join("cache")).unwrap().flatten().map(|entry| entry.file_name());
    let made: Vec<_> = made.filter(|name| name.to_string_lossy().starts_with("nest-")).collect();
    assert_eq!(made.len(), 1, "{made:?}");
}

#[test]
fn failed_compilation_is_told_and_tried_again() {
    let failing =
        "case $1 in --version) echo 'g++ 12';; -dumpversion) echo 12;; *) echo 'error: no' >&2; exit 1;; esac";
    let machine = Machine::new().program("mine", &answer("3.10.0", Path::new("/i"))).program("g++", failing);
    with_boost(&machine);
    check(&machine.error(Some("mine")), "error: no", "GCC 11");
    let machine = machine.program("g++", COMPILER);
    ensure_in(&machine.cache(), &Tools::along(machine.folder.path()), Some("mine"), &|_| {}).unwrap();
}

#[test]
fn partial_folders_count_for_nothing_and_concurrent_set_ups_make_one() {
    let machine = Machine::new();
    fs::create_dir_all(machine.folder.path().join("cache/thing.partial/rest")).unwrap();
    let made = Mutex::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let path = machine.cache().folder(
                    "thing",
                    |_| true,
                    &|_| {},
                    |folder| {
                        assert!(!folder.join("rest").exists());
                        *made.lock().unwrap() += 1;
                        fs::write(folder.join("content"), "all").map_err(|e| SetupError::io("write", folder, &e))
                    },
                );
                assert_eq!(fs::read_to_string(path.unwrap().join("content")).unwrap(), "all");
            });
        }
    });
    assert_eq!(made.into_inner().unwrap(), 1);
}

/// A file that is not embedded would be missing from an installed program.
#[test]
fn all_sources_are_embedded() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../adapters/python");
    let mut found = Vec::new();
    let mut folders = vec![root.join("couple")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()) {
            match entry.extension().and_then(|e| e.to_str()) {
                _ if entry.is_dir() => folders.push(entry),
                Some("pyc") => {}
                _ => found.push(entry.strip_prefix(&root).unwrap().to_path_buf()),
            }
        }
    }
    let extension = sources::EXTENSION.iter().map(|(name, _)| Path::new("couple/nest/extension").join(name));
    let mechanisms = sources::MECHANISMS.iter().map(|(name, _)| Path::new("couple/neuron/mechanisms").join(name));
    let package = sources::PACKAGE.iter().map(|(name, _)| name.into());
    let mut embedded: Vec<PathBuf> = package.chain(extension).chain(mechanisms).collect();
    found.sort();
    embedded.sort();
    assert_eq!(found, embedded);
}
