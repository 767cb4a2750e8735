//! What the README and the guides print works: their configurations run, their commands exist, their links lead somewhere.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use couple_tests::{program, workspace};
use tempfile::TempDir;

fn couple(arguments: &[&str], folder: &Path) -> Output {
    Command::new(program("couple")).args(arguments).current_dir(folder).output().unwrap()
}

fn assert_success(output: &Output, what: &str) {
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    assert!(output.status.success(), "{what}: {}", String::from_utf8_lossy(&text));
}

/// The blocks of `language` in a page.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let start = format!("```{language}\n");
    page.split(&start).skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

fn readme() -> String {
    std::fs::read_to_string(workspace().join("README.md")).unwrap()
}

/// All files below `folder` whose name ends with `ending`, without what is built or run.
fn files(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && !name.starts_with('.') && !["target", "runs"].contains(&name.as_str()) {
            files(&path, ending, found);
        } else if name.ends_with(ending) {
            found.push(path);
        }
    }
}

#[test]
fn the_network_of_the_readme_runs_and_spikes() {
    let blocks = blocks(&readme(), "toml");
    assert_eq!(blocks.len(), 1, "the README has one configuration");
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("config.toml"), &blocks[0]).unwrap();
    assert_success(&couple(&["run", "--quiet", "--label", "readme", "config.toml"], folder.path()), "the README's run");
    let shown = couple(&["show", "readme", "--json"], folder.path());
    assert_success(&shown, "couple show");
    let text = String::from_utf8_lossy(&shown.stdout);
    assert!(text.contains("\"E\"") && !text.contains("\"spikes\":0"), "{text}");

    let native = ["run", "--quiet", "--label", "native", "--set", "component.right.simulator=native", "config.toml"];
    assert_success(&couple(&native, folder.path()), "the README's run on the native kernel alone");
    assert_success(&couple(&["compare", "readme", "native"], folder.path()), "moving a population changes no spike");
}

#[test]
fn the_commands_of_the_readme_exist() {
    let readme = readme();
    let table: Vec<_> = readme.lines().filter(|line| line.starts_with("| `couple ")).collect();
    assert!(table.len() >= 6);
    for line in table {
        let command = line.trim_start_matches("| `couple ").split([' ', '`']).next().unwrap();
        assert_success(&couple(&[command, "--help"], &workspace()), command);
    }
    for line in blocks(&readme, "sh").iter().flat_map(|block| block.lines()) {
        let named = line.split_whitespace().filter(|word| word.contains('/') && !word.starts_with("target/"));
        named.for_each(|path| assert!(workspace().join(path).exists(), "{path} of `{line}`"));
    }
}

#[test]
fn ready_made_configurations_are_right() {
    let mut found = Vec::new();
    files(&workspace().join("configs"), ".toml", &mut found);
    files(&workspace().join("examples"), ".toml", &mut found);
    files(&workspace().join("benches/nest"), ".toml", &mut found);
    assert!(found.len() >= 4, "{found:?}");
    for file in found {
        assert_success(&couple(&["check", &file.to_string_lossy()], &workspace()), &file.to_string_lossy());
    }
}

#[test]
fn quickstart_runs() {
    let folder = TempDir::new().unwrap();
    let file = workspace().join("configs/quickstart.toml");
    let run = couple(&["run", "--quiet", "--set", "run.duration=100 ms", &file.to_string_lossy()], folder.path());
    assert_success(&run, "quickstart");
}

#[test]
fn links_between_pages_lead_somewhere() {
    let mut pages = Vec::new();
    files(&workspace(), ".md", &mut pages);
    for page in pages {
        let text = std::fs::read_to_string(&page).unwrap();
        for target in text.split("](").skip(1).map(|rest| rest.split([')', '#']).next().unwrap()) {
            if target.is_empty() || target.contains("://") || target.contains(' ') {
                continue;
            }
            assert!(page.parent().unwrap().join(target).exists(), "{}: {target}", page.display());
        }
    }
}
