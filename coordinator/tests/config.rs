//! The corpus of configurations: `config/good` loads, `config/broken` is refused with exactly the expected messages.

use std::path::{Path, PathBuf};

use couple::config::{self, Diagnostic, Loaded, render_all};
use couple::plan::{self, PlanOptions};

/// Tests run with the crate's folder as working directory, so that shown paths are relative.
const CORPUS: &str = "tests/config";

fn files(folder: &str) -> Vec<PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(Path::new(CORPUS).join(folder))
        .expect("the corpus exists")
        .map(|entry| entry.expect("readable folder").path())
        .filter(|path| path.extension().is_some_and(|e| e == "toml"))
        .collect();
    files.sort();
    files
}

/// Bytes of memory of the machine for which the configurations are checked.
const MEMORY: u64 = 8 << 30;

/// Loads a file; lines `#! --set KEY=VALUE` at its top are applied.
fn load(path: &Path) -> Result<Loaded, Vec<Diagnostic>> {
    let text = String::from_utf8_lossy(&std::fs::read(path).expect("readable")).into_owned();
    let sets: Vec<String> = text.lines().map_while(|l| l.strip_prefix("#! --set ")).map(str::to_string).collect();
    config::load(path, &sets)
}

/// What `couple check` says: of the configuration, and else of the plan for it.
fn check(path: &Path) -> Vec<Diagnostic> {
    let loaded = match load(path) {
        Ok(loaded) => loaded,
        Err(diagnostics) => return diagnostics,
    };
    let options = PlanOptions { window_override: loaded.options.window, cores: 1 };
    match plan::plan(&loaded.network, &options) {
        Ok(plan) => match plan.check_memory(&loaded.network, &loaded.places, MEMORY) {
            Some(too_large) => vec![too_large],
            None => panic!("{} is accepted", path.display()),
        },
        Err(error) => vec![error.diagnose(&loaded.network, &loaded.places)],
    }
}

#[test]
fn broken_files_are_refused_with_place_reason_and_remedy() {
    let files = files("broken");
    assert!(files.len() >= 45, "only {} broken files", files.len());
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("config/broken");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for path in files {
        let diagnostics = check(&path);
        assert!(!diagnostics.is_empty(), "{}", path.display());
        for d in &diagnostics {
            let json = d.to_json();
            assert!(json["line"].as_u64().is_some_and(|l| l > 0), "{}: no line: {d}", path.display());
            assert!(!d.message.is_empty() && d.help.as_ref().is_some_and(|h| !h.is_empty()), "{}: {d}", path.display());
        }
        let name = path.file_stem().expect("a file").to_string_lossy().into_owned();
        settings.bind(|| insta::assert_snapshot!(name, render_all(&diagnostics, false)));
    }
}

#[test]
fn good_files_load() {
    for path in files("good") {
        if let Err(diagnostics) = load(&path) {
            panic!("{}", render_all(&diagnostics, false));
        }
    }
}

#[test]
fn ready_made_configurations_load_without_a_warning() {
    for path in ["../configs/default.toml", "../configs/quickstart.toml", "../examples/microcircuit/config.toml"] {
        match config::load(Path::new(path), &[]) {
            Ok(loaded) => assert_eq!(loaded.warnings, [], "{path}"),
            Err(diagnostics) => panic!("{}", render_all(&diagnostics, false)),
        }
    }
}
