//! A sine and messages from program to program, over whole runs: steps, windows and ranks differ, and what arrives is what
//! was sent, at the exact delay.
//!
//! ```text
//!            ┌─ hold, 2 ms ───► `held` (window of its own or in a loop) ─ hold, 2 ms ─┐
//!   `waves` ─┤                                                                        ├─► back at `waves`
//!            └─ linear, 2 ms ─► `drawn`        messages go along the upper way, too   ┘
//! ```
//!
//! The programs are this test itself, started again ([`participant`]).

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::fs::{File, read};
use std::io::Write as _;
use std::path::Path;

use couple_ports::control::Welcome;
use couple_ports::session::{Runtime, SessionError, Setup, Window};
use couple_ports::time::{Span, Time};
use couple_tests::programs::Runs;
use ndarray::Array2;

const COLUMNS: u32 = 5;
const INITIAL: f64 = -65.0;
const DELAY: Span = Span::from_ns(2_000_000);
const DURATION: Span = Span::from_ns(30_000_000);

/// The sine at `time`, of one column: 40 Hz around -65 mV, each column with a phase of its own.
fn sine(column: u32, time: Time) -> f64 {
    INITIAL + 20.0 * (std::f64::consts::TAU * 0.04 * time.ms() + f64::from(column)).sin()
}

/// The sample of `waves` at a stamp; the initial value up to time 0.
fn sent(column: u32, stamp: Time) -> f64 {
    if stamp <= Time::ZERO { INITIAL } else { sine(column, stamp) }
}

/// The last stamp of a grid up to `time`.
fn stamp(time: Time, step: Span) -> Time {
    Time::ZERO + step * (time - Time::ZERO).steps(step)
}

/// What is held of `waves`' sine at `time`, its step being `step`.
fn held(column: u32, time: Time, step: Span) -> f64 {
    sent(column, stamp(time - DELAY, step))
}

/// What a straight line between two samples of `waves` says at `time`.
fn drawn(column: u32, time: Time, step: Span) -> f64 {
    let (at, before) = (time - DELAY, stamp(time - DELAY, step));
    if at <= Time::ZERO {
        return INITIAL;
    }
    let (s0, s1) = (sent(column, before), sent(column, before + step));
    s0 + (s1 - s0) * ((at.ms() - before.ms()) / step.ms())
}

/// The messages that a rank of `waves` sends in the step that ends at `time`.
fn messages(rank: u32, time: Time, step: Span) -> Vec<String> {
    let number = (time - Time::ZERO).steps(step);
    (0..number * 7 % 3)
        .map(|n| format!("rank {rank}, step {number}, {n}{}", "!".repeat((number % 40) as usize)))
        .collect()
}

/// A rank of one of the programs; nothing when a person runs the tests.
#[test]
fn participant() {
    if std::env::var_os("COUPLE_COMPONENT").is_some() {
        play(Setup::connect().unwrap()).unwrap();
    }
}

fn play(setup: Setup) -> Result<(), SessionError> {
    let welcome = setup.welcome().clone();
    let name = std::env::var("COUPLE_COMPONENT").unwrap();
    let mut samples = File::create(format!("{name}.{}.samples", welcome.rank)).unwrap();
    let mut texts = File::create(format!("{name}.{}.messages", welcome.rank)).unwrap();
    let mut run = setup.start(vec![])?;
    while let Some(window) = run.next_window()? {
        let mut seen = None;
        for number in 0..welcome.signals_in.len() {
            let block = run.samples(number)?;
            // The first row is the last one of the window before; the run's first one is at time 0.
            let skip = usize::from(window.start > Time::ZERO);
            block
                .rows()
                .into_iter()
                .skip(skip)
                .flatten()
                .for_each(|value| samples.write_all(&value.to_le_bytes()).unwrap());
            seen = Some(block.to_owned());
        }
        run.for_each_message(|port, time, bytes| {
            let text = std::str::from_utf8(bytes).unwrap();
            writeln!(texts, "{port} {} {text}", time.ns()).unwrap();
        })?;
        if name == "waves" { send_waves(&mut run, &welcome, window)? } else { relay(&mut run, &welcome, window, seen)? }
    }
    run.finish()
}

fn send_waves(run: &mut Runtime, welcome: &Welcome, window: Window) -> Result<(), SessionError> {
    let times: Vec<Time> =
        (1..=(window.end - window.start).steps(welcome.step)).map(|n| window.start + welcome.step * n).collect();
    let signal = &welcome.signals_out[0];
    let block = Array2::from_shape_fn((times.len(), signal.count as usize), |(row, column)| {
        sine(signal.first + column as u32, times[row])
    });
    run.write_samples(0, block.view())?;
    for time in times {
        for text in messages(welcome.rank, time, welcome.step) {
            run.send_message(0, time, text.as_bytes())?;
        }
    }
    Ok(())
}

/// Sends on what was seen at the end of each step.
fn relay(run: &mut Runtime, welcome: &Welcome, window: Window, seen: Option<Array2<f64>>) -> Result<(), SessionError> {
    let steps = (window.end - window.start).steps(welcome.step) as usize;
    for number in 0..welcome.signals_out.len() {
        let seen = seen.as_ref().unwrap();
        assert_eq!(seen.nrows(), steps + 1);
        run.write_samples(number, seen.slice(ndarray::s![1.., ..]))?;
    }
    Ok(())
}

/// Steps of the three programs in µs, their ranks, and a window for all.
struct Case {
    waves: (i64, u32),
    held: (i64, u32),
    drawn: (i64, u32),
    window: Option<i64>,
    /// A loop by way of `held`.
    back: bool,
}

fn config(case: &Case) -> String {
    let exe = std::env::current_exe().unwrap();
    let mut text = format!(
        "[run]\nname = \"sine\"\nduration = \"{DURATION}\"\n{}",
        case.window.map_or(String::new(), |window| format!("window = \"{window} us\"\n"))
    );
    for (name, (step, ranks)) in [("waves", case.waves), ("held", case.held), ("drawn", case.drawn)] {
        text += &format!(
            "[component.{name}]\nsimulator = \"script\"\nstep = \"{step} us\"\nranks = {ranks}\n\
             command = [{exe:?}, \"--exact\", \"participant\", \"--nocapture\"]\n\
             [population.{name}_port]\ncomponent = \"{name}\"\nsize = {COLUMNS}\n\
             variables = {{ out = \"mV\", in = \"mV\", say = \"message\", hear = \"message\" }}\n"
        );
    }
    let connection = |from: &str, to: &str, more: &str| {
        format!("[[connection]]\nfrom = \"{from}\"\nto = \"{to}\"\ndelay = \"2 ms\"\n{more}")
    };
    text += &connection("waves_port.out", "held_port.in", "interpolation = \"hold\"\ninitial = -65.0\n");
    text += &connection("waves_port.out", "drawn_port.in", "interpolation = \"linear\"\ninitial = \"-65 mV\"\n");
    text += &connection("waves_port.say", "held_port.hear", "");
    if case.back {
        text += &connection("held_port.out", "waves_port.in", "initial = -65.0\n");
    }
    text
}

/// What the ranks of a component saw, put together: for each time of its grid, from 0 on, all columns.
fn seen(folder: &Path, name: &str, ranks: u32) -> Vec<Vec<f64>> {
    let mut rows: Vec<Vec<f64>> = Vec::new();
    for rank in 0..ranks {
        let own = couple_ports::index::IndexMap::block(COLUMNS, ranks).range(rank).len();
        let bytes = read(folder.join(format!("{name}.{rank}.samples"))).unwrap();
        let values: Vec<f64> = bytes.as_chunks().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect();
        rows.resize(values.len() / own, Vec::new());
        rows.iter_mut().zip(values.chunks(own)).for_each(|(row, own)| row.extend(own));
    }
    rows
}

/// Runs a case and compares all that arrived with what was sent.
fn check(case: &Case) {
    let runs = Runs::default();
    runs.run("sine", &config(case), &[]);
    let step = |(us, _): (i64, u32)| Span::from_ns(us * 1000);
    let waves = step(case.waves);
    let each = |name: &str, component: (i64, u32), compare: &dyn Fn(u32, Time, f64)| {
        let rows = seen(runs.folder(), name, component.1);
        assert_eq!(rows.len() as i64, DURATION.steps(step(component)) + 1, "rows of {name}");
        for (number, row) in (0..).zip(rows) {
            assert_eq!(row.len() as u32, COLUMNS);
            (0..).zip(row).for_each(|(column, value)| compare(column, Time::ZERO + step(component) * number, value));
        }
    };
    each("held", case.held, &|column, time, value| {
        assert_eq!(value.to_bits(), held(column, time, waves).to_bits(), "held at {time}, column {column}");
    });
    each("drawn", case.drawn, &|column, time, value| {
        let expected = drawn(column, time, waves);
        assert!((value - expected).abs() <= 1e-12 * expected.abs(), "drawn at {time}: {value}, not {expected}");
    });
    if case.back {
        each("waves", case.waves, &|column, time, value| {
            // On the grid of `held`, two delays ago.
            let at = stamp(time - DELAY, step(case.held));
            let expected = if at <= Time::ZERO { INITIAL } else { held(column, at, waves) };
            assert_eq!(value.to_bits(), expected.to_bits(), "back at {time}, column {column}");
        });
    }
    let mut told = String::new();
    for number in 1..=DURATION.steps(waves) {
        let time = Time::ZERO + waves * number;
        for rank in 0..case.waves.1 {
            for text in messages(rank, time, waves).into_iter().filter(|_| time + DELAY <= Time::ZERO + DURATION) {
                told += &format!("0 {} {text}\n", (time + DELAY).ns());
            }
        }
    }
    assert!(told.lines().count() > 20, "a test of nothing");
    for rank in 0..case.held.1 {
        let file = runs.folder().join(format!("held.{rank}.messages"));
        assert_eq!(std::fs::read_to_string(file).unwrap(), told, "messages of rank {rank}");
    }
}

#[test]
fn what_arrives_is_what_was_sent() {
    let cases = [
        // All on one grid, with the planner's windows.
        Case { waves: (100, 1), held: (100, 1), drawn: (100, 1), window: None, back: true },
        // A slow sender, and receivers on a finer grid.
        Case { waves: (1000, 1), held: (100, 2), drawn: (250, 1), window: None, back: true },
        Case { waves: (1000, 1), held: (250, 1), drawn: (100, 2), window: Some(1000), back: false },
        // A fast one.
        Case { waves: (100, 2), held: (250, 1), drawn: (1000, 2), window: None, back: true },
        Case { waves: (100, 2), held: (1000, 2), drawn: (250, 1), window: Some(1000), back: true },
        // Steps that do not divide each other, and windows of every possible length.
        Case { waves: (250, 2), held: (100, 1), drawn: (100, 2), window: Some(500), back: true },
        Case { waves: (250, 1), held: (100, 2), drawn: (100, 1), window: Some(1500), back: true },
        Case { waves: (100, 1), held: (250, 1), drawn: (250, 2), window: Some(2000), back: true },
    ];
    cases.iter().for_each(check);
}

/// The same runs with other windows give the same bytes.
#[test]
fn windows_change_nothing() {
    let case = |window| Case { waves: (250, 2), held: (100, 2), drawn: (100, 1), window, back: true };
    let files = ["waves.0", "waves.1", "held.0", "held.1", "drawn.0"];
    let bytes = |window| {
        let runs = Runs::default();
        runs.run("sine", &config(&case(window)), &[]);
        files.map(|file| read(runs.folder().join(format!("{file}.samples"))).unwrap())
    };
    let planned = bytes(None);
    for window in [500, 1000, 2000] {
        assert!(bytes(Some(window)) == planned, "window {window} µs");
    }
}

/// A program that breaks a rule of signals; nothing when a person runs the tests.
#[test]
fn faulty_participant() {
    if std::env::var_os("COUPLE_COMPONENT").is_some() {
        let mut run = Setup::connect().unwrap().start(vec![]).unwrap();
        let window = run.next_window().unwrap().unwrap();
        let rows = (window.end - window.start).steps(Span::from_ns(100_000)) as usize;
        let mut block = Array2::zeros((rows, COLUMNS as usize));
        block[[2, 1]] = f64::NAN;
        run.write_samples(0, block.view()).unwrap();
    }
}

#[test]
fn a_report_names_component_and_port() {
    let case = Case { waves: (100, 1), held: (100, 1), drawn: (100, 1), window: None, back: true };
    let text = config(&case).replacen("\"participant\"", "\"faulty_participant\"", 1);
    let runs = Runs::default();
    std::fs::write(runs.folder().join("wrong.toml"), text).unwrap();
    let output = runs.couple(&["run", "--quiet", "--out", ".", "wrong.toml"]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(3), "{told}");
    for part in ["`waves`", "`waves_port.out` is NaN", "index 1 at 0.3 ms"] {
        assert!(told.contains(part), "`{part}` is not in\n{told}");
    }
}
