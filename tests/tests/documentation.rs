//! What the README and the guides print works: their configurations run, their commands exist, their links lead somewhere.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use couple_tests::{program, workspace};
use tempfile::TempDir;

/// Pages whose blocks are run from top to bottom, below.
const GUIDES: [&str; 8] =
    ["guide.md", "components.md", "converters.md", "signals.md", "neuron.md", "brian2.md", "arbor.md", "crosscheck.md"];
/// Where the section on signals of the page on components begins, and the next one.
const SIGNALS: &str = "\n## Signals and messages\n";
const BEHIND_SIGNALS: &str = "\n## The two phases\n";
/// Pages with blocks that other tests run: the planner's (`plan/tests/page.rs`), the recorder's (`tests/python.rs`), and
/// the configuration on plasticity below.
const TESTED_ELSEWHERE: [&str; 3] = ["time.md", "recording.md", "plasticity.md"];

fn couple(arguments: &[&str], folder: &Path) -> Output {
    Command::new(program("couple")).args(arguments).current_dir(folder).output().unwrap()
}

/// What a program printed, on both streams.
fn text(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}

fn assert_success(output: &Output, what: &str) {
    assert!(output.status.success(), "{what}: {}", text(output));
}

/// The fenced blocks of a page: language and text.
fn fenced(page: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut inside = false;
    for line in page.lines() {
        match (line.strip_prefix("```"), inside) {
            (Some(language), false) => {
                found.push((language.to_owned(), String::new()));
                inside = true;
            }
            (Some(_), true) => inside = false,
            (None, true) => found.last_mut().unwrap().1.extend([line, "\n"]),
            (None, false) => {}
        }
    }
    found
}

/// The blocks of `language` in a page.
fn blocks(page: &str, language: &str) -> Vec<String> {
    fenced(page).into_iter().filter(|block| block.0 == language).map(|block| block.1).collect()
}

fn page(path: &str) -> String {
    std::fs::read_to_string(workspace().join(path)).unwrap()
}

fn readme() -> String {
    page("README.md")
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

/// Runs the blocks of a page, from top to bottom, in `folder`.
///
/// * A block whose first line is a comment with the name of a file becomes that file.
/// * `sh` is run; `python` too, where `COUPLE_TEST_PYTHON` names an interpreter with h5py.
/// * Each line of a `text` block stands in what the block before it printed.
fn walk(page: &str, folder: &Path) {
    let mut printed = String::new();
    for (language, block) in fenced(page) {
        let first = block.lines().next().unwrap_or_default();
        let name = first.strip_prefix("# ").filter(|name| name.ends_with(".toml") || name.ends_with(".py"));
        match (language.as_str(), name) {
            (_, Some(name)) => std::fs::write(folder.join(name), &block).unwrap(),
            ("sh", _) => printed = shell(&block, folder),
            ("python", _) => match test_python() {
                Some(python) => {
                    let output = Command::new(python).args(["-c", &block]).current_dir(folder).output().unwrap();
                    assert_success(&output, &block);
                }
                None => eprintln!("skipped: COUPLE_TEST_PYTHON names no Python interpreter with h5py"),
            },
            ("text", _) => {
                for line in block.lines().map(str::trim) {
                    assert!(printed.contains(line), "`{line}` is not in what was printed:\n{printed}");
                }
            }
            (other, _) => panic!("a block of `{other}` that nothing runs:\n{block}"),
        }
    }
}

/// Runs commands as a reader would, who has `couple` in the path.
fn shell(commands: &str, folder: &Path) -> String {
    let built = program("couple").parent().unwrap().to_path_buf();
    let output = Command::new("sh")
        .args(["-e", "-c", commands])
        .current_dir(folder)
        .env("PATH", format!("{}:{}", built.display(), path()))
        .env("COUPLE", workspace())
        .env("BUILT", built)
        .output()
        .unwrap();
    assert_success(&output, commands);
    text(&output)
}

/// PATH, with a `python3` first that has NumPy, if there is one.
fn path() -> String {
    let path = std::env::var("PATH").unwrap_or_default();
    match test_python().as_deref().and_then(Path::parent) {
        Some(folder) => format!("{}:{path}", folder.display()),
        None => path,
    }
}

/// An interpreter with NumPy and h5py.
fn test_python() -> Option<PathBuf> {
    std::env::var_os("COUPLE_TEST_PYTHON").filter(|python| !python.is_empty()).map(PathBuf::from)
}

#[test]
fn the_guide_runs_from_top_to_bottom() {
    walk(&page("docs/guide.md"), TempDir::new().unwrap().path());
}

#[test]
fn the_page_on_converters_runs_from_top_to_bottom() {
    walk(&page("docs/converters.md"), TempDir::new().unwrap().path());
}

#[test]
fn the_page_on_cross_checks_runs() {
    walk(&page("docs/crosscheck.md"), TempDir::new().unwrap().path());
}

#[test]
fn the_pages_on_brian2_and_arbor_run_from_top_to_bottom() {
    walk(&page("docs/brian2.md"), TempDir::new().unwrap().path());
    walk(&page("docs/arbor.md"), TempDir::new().unwrap().path());
}

#[test]
fn the_page_on_neuron_runs_from_top_to_bottom() {
    walk(&page("docs/neuron.md"), TempDir::new().unwrap().path());
}

#[test]
fn the_page_on_signals_is_planned_as_it_says() {
    walk(&page("docs/signals.md"), TempDir::new().unwrap().path());
}

/// The page on components shows the files of the example, and all programs give the same spikes.
#[test]
fn components_in_all_languages_are_the_same() {
    if test_python().is_none() {
        return eprintln!("skipped: COUPLE_TEST_PYTHON names no Python interpreter with NumPy");
    }
    let example = workspace().join("examples/component");
    let folder = TempDir::new().unwrap();
    let page = page("docs/components.md");
    let (before, signals) = page.split_once(SIGNALS).unwrap();
    let page = format!("{before}{}", signals.split_once(BEHIND_SIGNALS).unwrap().1);
    let mut others = String::new();
    for (language, block) in fenced(&page) {
        let shown = match language.as_str() {
            "toml" => "config.toml",
            "python" => "muscle.py",
            "c" => "muscle.c",
            "cpp" => "muscle.cpp",
            "rust" => "muscle.rs",
            _ => {
                others.extend(["```", language.as_str(), "\n", block.as_str(), "```\n"]);
                continue;
            }
        };
        let file = std::fs::read_to_string(example.join(shown)).unwrap();
        assert!(block == file, "docs/components.md does not show examples/component/{shown} as it is");
        std::fs::write(folder.path().join(shown), file).unwrap();
    }
    walk(&others, folder.path());
    let built = program("couple").parent().unwrap().join("examples/muscle");
    assert!(built.exists(), "{} is missing: cargo build --workspace --all-targets", built.display());
    std::fs::copy(built, folder.path().join("muscle-rust")).unwrap();
    // What the page says to change for a program that is no script.
    let config = std::fs::read_to_string(folder.path().join("config.toml")).unwrap();
    for (label, program) in [("c", "muscle"), ("cpp", "muscle-cpp"), ("rust", "muscle-rust")] {
        let line = format!("command = [\"./{program}\"]");
        let own: Vec<_> = config.lines().map(|l| if l.starts_with("script ") { &line } else { l }).collect();
        std::fs::write(folder.path().join("own.toml"), own.join("\n")).unwrap();
        let run = couple(&["run", "--quiet", "--label", label, "own.toml"], folder.path());
        assert_success(&run, label);
        assert_success(&couple(&["compare", "long", label], folder.path()), label);
    }
}

/// The section on signals shows the files of its example, and all programs give the same spikes and samples.
#[test]
fn signals_in_all_languages_are_the_same() {
    if test_python().is_none() {
        return eprintln!("skipped: COUPLE_TEST_PYTHON names no Python interpreter with NumPy");
    }
    let folder = TempDir::new().unwrap();
    let mut files: Vec<(PathBuf, String)> = Vec::new();
    for entry in std::fs::read_dir(workspace().join("examples/clamp")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            std::fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
            files.push((path.clone(), std::fs::read_to_string(path).unwrap()));
        }
    }
    let page = page("docs/components.md");
    let section = page.split_once(SIGNALS).unwrap().1.split_once(BEHIND_SIGNALS).unwrap().0;
    let mut others = String::new();
    for (language, block) in fenced(section) {
        if ["sh", "text"].contains(&language.as_str()) {
            others.extend(["```", language.as_str(), "\n", block.as_str(), "```\n"]);
        } else {
            let shown = files.iter().position(|(_, text)| *text == block);
            files.remove(shown.unwrap_or_else(|| panic!("no file of examples/clamp is like this:\n{block}")));
        }
    }
    let left: Vec<_> = files.iter().map(|(path, _)| path.file_name().unwrap()).collect();
    assert_eq!(left, ["README.md"], "files of examples/clamp that the page does not show");
    walk(&others, folder.path());
    let compile = "cc -std=c99 -O2 -I \"$COUPLE/ports/ffi/include\" clamp.c -o clamp-c -L \"$BUILT\" -lcouple_ffi \
                   -Wl,-rpath,\"$BUILT\"";
    shell(compile, folder.path());
    let built = program("couple").parent().unwrap().join("examples/clamp");
    assert!(built.exists(), "{} is missing: cargo build --workspace --all-targets", built.display());
    std::fs::copy(built, folder.path().join("clamp-rust")).unwrap();
    let config = std::fs::read_to_string(folder.path().join("config.toml")).unwrap();
    for program in ["clamp-c", "clamp-rust"] {
        let own = config.replace("script    = \"clamp.py\"", &format!("command = [\"./{program}\"]"));
        assert!(own != config);
        std::fs::write(folder.path().join("own.toml"), own).unwrap();
        shell(&format!("couple run --quiet --label in-{program} own.toml"), folder.path());
        shell(&format!("couple compare clamp in-{program}"), folder.path());
    }
}

/// Of the pages that are no guides, whole configurations are run; other code there must be tested elsewhere.
#[test]
fn every_page_with_code_is_tested() {
    let mut pages = Vec::new();
    files(&workspace().join("docs"), ".md", &mut pages);
    for path in pages {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if GUIDES.contains(&name.as_str()) || TESTED_ELSEWHERE.contains(&name.as_str()) {
            continue;
        }
        for (language, block) in fenced(&std::fs::read_to_string(&path).unwrap()) {
            match language.as_str() {
                "" | "text" => {}
                "toml" if block.contains("[run]") => {
                    let folder = TempDir::new().unwrap();
                    std::fs::write(folder.path().join("config.toml"), &block).unwrap();
                    assert_success(&couple(&["run", "--quiet", "config.toml"], folder.path()), &name);
                }
                other => panic!("docs/{name} has a block of `{other}` that no test runs:\n{block}"),
            }
        }
    }
}

#[test]
fn the_network_on_plasticity_runs_alike_on_more_ranks() {
    let page = page("docs/plasticity.md");
    let code: Vec<_> = fenced(&page).into_iter().filter(|(language, _)| language != "text").collect();
    assert!(matches!(&code[..], [(language, _)] if language == "toml"), "one configuration");
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("config.toml"), &code[0].1).unwrap();
    assert_success(&couple(&["run", "--quiet", "--label", "apart", "config.toml"], folder.path()), "the page's run");
    let shown = text(&couple(&["show", "apart", "--json"], folder.path()));
    assert!(shown.contains("\"P\"") && !shown.contains("\"spikes\":0"), "{shown}");
    let ranks = ["run", "--quiet", "--label", "ranks", "--set", "component.right.ranks=2", "config.toml"];
    assert_success(&couple(&ranks, folder.path()), "the page's run on more ranks");
    assert_success(&couple(&["compare", "apart", "ranks"], folder.path()), "ranks change no spike");
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
    let text = text(&shown);
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
