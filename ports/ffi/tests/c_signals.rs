//! Analog signals and messages in C, as a component of a real run.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use std::path::Path;
use std::process::{Command, Stdio};

use couple_network::description::{Component, Model, Network, Population, Quantity, Simulator, Variable};
use couple_ports::control::{SignalIn, codec};
use couple_ports::session::rendezvous::{Outcome, Rendezvous};
use couple_ports::session::wiring::{Carry, Wiring};
use couple_ports::session::{SessionError, Setup};
use couple_ports::time::{Span, Time};
use ndarray::Array2;

use common::{compile, wait};

const MS: Span = Span::from_ns(1_000_000);
const STEPS: i64 = 4;
const COLUMNS: u32 = 3;

fn network() -> Network {
    let component = |name: &str, simulator| Component {
        name: name.to_owned(),
        simulator,
        step: MS,
        ranks: 1,
        threads: 1,
        script: None,
        command: vec![],
        python: None,
        cvode: None,
    };
    let variable = |name: &str, quantity| Variable { name: name.to_owned(), quantity };
    let population = |name: &str, component, variables| Population {
        name: name.to_owned(),
        component,
        size: COLUMNS,
        model: Model::Port,
        variables,
    };
    let signal = |name: &str| variable(name, Quantity::Analog { unit: "mV".to_owned() });
    let message = |name: &str| variable(name, Quantity::Message);
    // Nobody is connected to two of them.
    let variables = vec![signal("doubled"), signal("unheard"), message("question"), message("silent")];
    Network {
        name: "c".to_owned(),
        seed: 1,
        duration: MS * 20,
        components: vec![component("rust", Simulator::Native), component("c", Simulator::Script)],
        populations: vec![population("R", 0, vec![]), population("C", 1, variables)],
        projections: vec![],
        connections: vec![],
        signals: vec![],
        messages: vec![],
        recordings: vec![],
    }
}

/// Two ranks, one in Rust and one in C, with a signal and a message link each way.
fn wiring() -> Wiring {
    let mut wiring = Wiring::new(MS * 20);
    let (rust, c) = (wiring.rank("rust", MS * STEPS), wiring.rank("c", MS * STEPS));
    [rust, c].iter().for_each(|rank| wiring.step(*rank, MS));
    let like = SignalIn { delay: MS * STEPS, initial: vec![-70.0], ..SignalIn::default() };
    wiring.signal(&[rust], "R", "v", COLUMNS);
    wiring.signal(&[c], "C", "doubled", COLUMNS);
    wiring.samples(&[rust], "R.v", &[c], "C.v", &like);
    wiring.samples(&[c], "C.doubled", &[rust], "R.back", &like);
    wiring.message_port(rust, "R.question");
    wiring.message_port(c, "C.answer");
    wiring.messages(rust, 0, c, "C.question", MS * STEPS);
    wiring.messages(c, 0, rust, "R.answer", MS * STEPS);
    for rank in [rust, c] {
        wiring.welcome(rank).network = codec::to_bytes(&network()).unwrap();
    }
    wiring
}

fn sample(step: i64, column: usize) -> f64 {
    if step <= 0 { -70.0 } else { (step as f64).sin() * 10.0 + column as f64 }
}

/// What came back: samples of each step, and messages.
type Back = (Vec<Vec<f64>>, Vec<(Time, Vec<u8>)>);

fn rust_half(setup: Setup) -> Result<Back, SessionError> {
    let mut run = setup.start(vec![])?;
    let (mut rows, mut messages) = (Vec::new(), Vec::new());
    while let Some(window) = run.next_window()? {
        let first = (window.start - Time::ZERO).steps(MS) + 1;
        rows.extend(run.samples(0)?.rows().into_iter().skip(1).map(|row| row.to_vec()));
        run.for_each_message(|_, time, bytes| messages.push((time, bytes.to_vec())))?;
        let block = Array2::from_shape_fn((STEPS as usize, 3), |(row, column)| sample(first + row as i64, column));
        run.write_samples(0, block.view())?;
        run.send_message(0, window.end, b"")?;
        run.send_message(0, window.start + MS, format!("at {}\0", window.start).as_bytes())?;
    }
    run.finish()?;
    Ok((rows, messages))
}

struct Done {
    code: Option<i32>,
    stderr: String,
    outcomes: Vec<Outcome>,
    back: Option<Back>,
}

/// Starts the program as component `c` of a run.
fn run(program: &Path, argument: &str) -> Done {
    let rendezvous = Rendezvous::open().unwrap();
    let address = rendezvous.address("rust", 0);
    let half = std::thread::spawn(move || rust_half(Setup::connect_to(&address)?));
    let mut command = Command::new(program);
    let child = command.arg(argument).envs(rendezvous.environment("c", 0)).stderr(Stdio::piped()).spawn().unwrap();
    let watch = std::thread::spawn(move || wait(child));
    let outcomes = rendezvous.serve(wiring().welcomes(Carry::Shm(1 << 16))).unwrap();
    let (code, stderr) = watch.join().unwrap();
    Done { code, stderr, outcomes, back: half.join().unwrap().ok() }
}

#[test]
fn signals_and_messages_go_both_ways() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("component");
    compile("signals.c", "cc", &["-std=c99"], &program);
    let Done { code, stderr, outcomes, back } = run(&program, "");
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Done(_))), "{outcomes:?}");
    let (rows, messages) = back.unwrap();
    assert_eq!(rows.len(), 20);
    for (step, row) in (1..).zip(rows) {
        for (column, value) in row.into_iter().enumerate() {
            // There and back: two delays of four steps. Before the first sample from C there is its initial value.
            let expected = if step <= 4 { -70.0 } else { 2.0 * sample(step - 8, column) };
            assert_eq!(value, expected, "step {step}, column {column}");
        }
    }
    let mut expected = Vec::new();
    for start in (0..12).step_by(4).map(|n| Time::ZERO + MS * n) {
        expected.push((start + MS * 9, format!("at {start}\0").into_bytes()));
        expected.push((start + MS * 12, Vec::new()));
    }
    assert_eq!(messages, expected);
}

#[test]
fn bad_use_ends_the_run_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("component");
    compile("signals.c", "c++", &["-std=c++11", "-x", "c++"], &folder.path().join("cpp"));
    compile("signals.c", "cc", &["-std=c99"], &program);
    for (how, parts) in [
        ("shape", vec!["`C.doubled`", "4 rows and 2 columns"]),
        ("missing", vec!["`C.doubled`", "were not written"]),
        ("infinite", vec!["`C.doubled`", "inf", "index 2 at 2 ms"]),
        ("long", vec!["`C.answer`", "70000 bytes"]),
        ("late", vec!["`C.answer`", "outside of the window"]),
    ] {
        let Done { code, stderr, outcomes, back } = run(&program, how);
        assert_eq!(code, Some(3), "{how}");
        assert!(parts.iter().all(|part| stderr.contains(part)), "{how}: {stderr}");
        assert_eq!(outcomes[1], Outcome::Failed(stderr.trim_end().to_owned()));
        assert!(back.is_none());
    }
}
