//! The clients in Python, C, C++ and Rust: each sends back what it gets, and each is told what it did wrong, with its
//! component and port, and the run ends.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::{Path, PathBuf};
use std::process::Command;

use couple_tests::programs::{Runs, text};
use couple_tests::{program, workspace};

/// The programs that play the component `own`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Language {
    Python,
    C,
    Cpp,
    Rust,
}

use Language::{C, Cpp, Python, Rust};

const ALL: [Language; 4] = [Python, C, Cpp, Rust];

/// An interpreter with NumPy, or none.
fn python() -> Option<PathBuf> {
    let python = std::env::var_os("COUPLE_TEST_PYTHON").filter(|python| !python.is_empty()).map(PathBuf::from);
    if python.is_none() {
        eprintln!("skipped: COUPLE_TEST_PYTHON names no Python interpreter with NumPy");
    }
    python
}

/// A folder with the configuration, the probe and the programs.
struct Bench {
    runs: Runs,
    python: PathBuf,
}

impl Bench {
    fn new(python: PathBuf) -> Bench {
        let runs = Runs::default();
        for name in ["config.toml", "probe.py", "own.py", "own.c", "own.cpp", "ports.toml", "ports.py"] {
            std::fs::copy(workspace().join("tests/tests/clients").join(name), runs.folder().join(name)).unwrap();
        }
        Bench { runs, python }
    }

    /// Compiles the program of a language, where it has to be; gives its command.
    fn command(&self, language: Language) -> String {
        let quoted = |path: &Path| format!("{:?}", path.display().to_string());
        match language {
            Python => format!("{}, \"own.py\"", quoted(&self.python)),
            C => self.compile(&["cc", "-std=c99", "own.c"]),
            Cpp => self.compile(&["c++", "-std=c++11", "own.cpp"]),
            Rust => quoted(&program("examples/own")),
        }
    }

    fn compile(&self, words: &[&str]) -> String {
        let library = program("libcouple_ffi.so");
        let folder = library.parent().unwrap().to_str().unwrap();
        let out = format!("own-{}", words[0]);
        let mut compiler = Command::new(words[0]);
        compiler.args(&words[1..]).args(["-Wall", "-Wextra", "-Werror", "-pedantic", "-O1", "-o", &out]);
        compiler.arg("-I").arg(workspace().join("ports/ffi/include"));
        compiler.args(["-L", folder, "-lcouple_ffi", &format!("-Wl,-rpath,{folder}"), "-lm"]);
        let output = compiler.current_dir(self.runs.folder()).output().unwrap();
        assert!(output.status.success(), "{words:?}: {}", text(&output));
        format!("\"./{out}\"")
    }

    /// Runs the program with an argument that says what to do; gives exit code, what was printed, and its log.
    fn run(&self, label: &str, command: &str, does: &str, sets: &[&str]) -> (Option<i32>, String, String) {
        let command = format!("component.own.command=[{command}, {does:?}]");
        let python = format!("component.probe.python={:?}", self.python.display().to_string());
        let mut arguments =
            vec!["run", "--quiet", "--label", label, "--out", "runs", "--set", &command, "--set", &python];
        sets.iter().for_each(|set| arguments.extend(["--set", set]));
        arguments.push("config.toml");
        let output = self.runs.couple(&arguments);
        let logs = self.runs.folder().join("runs").join(label).join("logs");
        let log = |name: &str| std::fs::read_to_string(logs.join(name)).unwrap_or_default();
        let printed = if output.status.success() { text(&output) } else { text(&output) + &log("probe.0.log") };
        (output.status.code(), printed, log("own.0.log"))
    }
}

#[test]
fn spikes_signals_and_messages_come_back_in_every_language() {
    let Some(python) = python() else { return };
    let bench = Bench::new(python);
    for language in ALL {
        let command = bench.command(language);
        for window in ["4 ms", "1 ms"] {
            let label = format!("{language:?}-{}", &window[..1]);
            let (code, printed, log) = bench.run(&label, &command, "echo", &[&format!("run.window={window}")]);
            assert_eq!(code, Some(0), "{language:?}, windows of {window}: {printed}\n{log}");
        }
    }
    let command = bench.command(Python);
    let (code, printed, log) = bench.run("ranks", &command, "echo", &["component.own.ranks=2"]);
    assert_eq!(code, Some(0), "two ranks: {printed}\n{log}");
}

/// What a program does, and what is said to it; where languages differ, for some of them.
const MISTAKES: &[(&str, &[Language], &[&str])] = &[
    ("name", &ALL, &["component `own`", "port `mouht`", "there is no such population", "`ear`, `mouth`"]),
    ("before", &[Python], &["component `own`, port `mouth`: emit was called before the first window"]),
    ("before", &[C, Cpp], &["couple_emit belongs after couple_start"]),
    ("before", &[Cpp], &["component `own`, port `mouth`"]),
    ("before-write", &[Python], &["component `own`, port `mouth.angle`: write was called before the first window"]),
    ("before-write", &[C, Cpp], &["couple_write_samples belongs after couple_start"]),
    ("index", &[Python, Cpp, Rust], &["component `own`, port `mouth`"]),
    ("index", &ALL, &["neuron 3", "3"]),
    ("past", &[Python, Cpp, Rust], &["component `own`, port `mouth`"]),
    ("past", &ALL, &["outside of the window (20 ms, 24 ms]"]),
    ("width", &ALL, &["own", "`mouth.angle`", "8", "2", "3"]),
    ("finite", &ALL, &["own", "`mouth.angle`", " 1 at 20.5 ms"]),
    ("message-past", &ALL, &["own", "`mouth.answer`", "outside of the window (20 ms, 24 ms]"]),
    ("twice", &ALL, &["own", "`mouth.angle`"]),
    (
        "twice",
        &[Python],
        &["own.py:", "port `mouth.angle`: write was called a second time in the window (20 ms, 24 ms]"],
    ),
    ("complex", &[Python], &["own.py:", "port `mouth.angle`: write takes real numbers"]),
    ("message-float", &[Python], &["own.py:", "port `mouth.answer`: send takes whole nanoseconds", "float"]),
    ("beyond", &[Python], &["own.py:", "port `mouth`: there is no time 18446744073733551616 ns"]),
    ("strange", &[Python], &["own.py:", "ValueError: not \\ud800 text!!", "! … (100", "characters in all)"]),
    ("forgotten", &ALL, &["own", "`mouth.angle`"]),
    ("exception", &ALL, &["component `own`", "the arm is broken"]),
    ("exception", &[Python], &["own.py:", "ValueError"]),
    ("panic", &[Rust], &["component `own`", "the program panicked"]),
    ("early", &ALL, &["component `own`"]),
    ("early", &[Python], &["the program left `with couple.connect()`", "24 ms", "60 ms"]),
    ("early", &[Cpp], &["the program ended before the run"]),
    ("early", &[Rust], &["the program ended at 20 ms, but the run goes on until 60 ms"]),
    ("exit", &[Python], &["the program called exit(0)", "24 ms"]),
    ("after", &[Python], &["port `ear`: read was called after the last window"]),
    ("after", &[C, Cpp], &["the session is over"]),
    ("again", &[Python], &["component `own`: the run can be gone through once"]),
    ("again", &[Rust], &["component `own`: next_window was called after the end of the run"]),
];

#[test]
fn every_mistake_is_told_with_component_and_port() {
    let Some(python) = python() else { return };
    let bench = Bench::new(python);
    let mut wrong = Vec::new();
    for language in ALL {
        let command = bench.command(language);
        let mut mistakes: Vec<_> = MISTAKES.iter().filter(|m| m.1.contains(&language)).map(|m| m.0).collect();
        mistakes.dedup();
        for mistake in mistakes {
            let label = format!("{language:?}-{mistake}");
            let (code, printed, log) = bench.run(&label, &command, mistake, &["run.window=4 ms"]);
            let expected = MISTAKES.iter().filter(|m| m.0 == mistake && m.1.contains(&language)).flat_map(|m| m.2);
            let missing: Vec<_> = expected.filter(|part| !printed.contains(**part)).collect();
            let traceback = language == Python && !["early", "exit"].contains(&mistake);
            let traced = !traceback || log.contains("Traceback (most recent call last)");
            // The other component is ended, not hurt.
            let others = printed.contains("AssertionError");
            if code != Some(3) || !missing.is_empty() || !traced || others {
                wrong.push(format!("{label}: code {code:?}, missing: {missing:?}\n{printed}\nlog:\n{log}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn connections_onto_one_port_are_merged_and_nobody_is_a_peer() {
    let Some(python) = python() else { return };
    let bench = Bench::new(python);
    let python = bench.python.display().to_string();
    let [many, one] = ["many", "one"].map(|name| format!("component.{name}.python={python:?}"));
    let sets = ["--set", &many, "--set", &one];
    for label in ["1 ms", "2 ms"] {
        let window = format!("run.window={label}");
        let run = [&["run", "--quiet", "--label", &label[..1], "--set", &window][..], &sets, &["ports.toml"]].concat();
        let output = bench.runs.couple(&run);
        assert!(output.status.success(), "{}", text(&output));
    }
}

#[test]
fn another_unit_is_refused_before_anything_starts() {
    let Some(python) = python() else { return };
    let bench = Bench::new(python);
    let other = "population.ear.variables={ pull = \"mV\", order = \"message\" }";
    let (code, printed, _) = bench.run("unit", "\"true\"", "echo", &[other]);
    assert_eq!(code, Some(2), "{printed}");
    for part in ["source.pull", "nA", "ear.pull", "mV"] {
        assert!(printed.contains(part), "`{part}` is not in\n{printed}");
    }
    assert!(!bench.runs.folder().join("runs/unit").exists());
}
