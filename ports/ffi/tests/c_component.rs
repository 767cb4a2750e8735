//! Programs in C and C++ against the header and the library, as components of a real run.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use couple_network::description::{
    Cell, Component, Connector, Delay, Distribution, Model, Network, Population, Projection, Receptor, Simulator, Value,
};
use couple_ports::control::codec;
use couple_ports::index::IndexSet;
use couple_ports::session::Setup;
use couple_ports::session::rendezvous::{Outcome, Rendezvous};
use couple_ports::session::wiring::{Carry, Wiring};
use couple_ports::time::{Span, Time};

use common::{compile, wait};

const MS: Span = Span::from_ns(1_000_000);

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
    let population = |name: &str, component, size, model| Population {
        name: name.to_owned(),
        component,
        size,
        model,
        variables: vec![],
    };
    let number = |name: &str, value| (name.to_owned(), Value::Constant(value));
    let drawn = Value::Random(Distribution::Uniform { low: -65.0, high: -55.0 });
    let cell = Model::Cell {
        cell: Cell::IfCurrExp,
        params: BTreeMap::from([number("v_thresh", -50.0)]),
        initial: BTreeMap::from([("v".to_owned(), drawn)]),
    };
    let times = [3, 4, 8, 20].map(|ms| MS * ms).to_vec();
    Network {
        name: "c".to_owned(),
        seed: 1,
        duration: MS * 20,
        components: vec![component("rust", Simulator::Native), component("c", Simulator::Script)],
        populations: vec![
            population("R", 0, 3, Model::Port),
            population("C", 1, 2, cell),
            population("S", 0, 1, Model::SpikeSourceArray { spike_times: vec![times] }),
        ],
        projections: vec![Projection {
            name: "R→C".to_owned(),
            from: 0,
            to: 1,
            connector: Connector::AllToAll { allow_self_connections: true },
            weight: Value::Constant(0.5),
            delay: Delay::Constant(MS * 2),
            receptor: Receptor::Excitatory,
            plasticity: couple_network::description::Plasticity::Static,
        }],
        connections: vec![],
        signals: vec![],
        messages: vec![],
        recordings: vec![],
    }
}

/// Two ranks, one in Rust and one in C, that send each other spikes.
fn wiring() -> Wiring {
    let mut wiring = Wiring::new(MS * 20);
    let (rust, c) = (wiring.rank("rust", MS), wiring.rank("c", MS));
    let (r, e) = (wiring.output(rust, "R", 3), wiring.output(c, "C", 2));
    wiring.link(rust, r, c, MS * 2, Span::ZERO);
    wiring.link(c, e, rust, MS, Span::ZERO);
    for rank in [rust, c] {
        wiring.welcome(rank).network = codec::to_bytes(&network()).unwrap();
    }
    wiring
}

/// The Rust half: emits in each window, and returns what came back.
fn rust_half(setup: Setup) -> Result<Vec<(Time, u32)>, couple_ports::session::SessionError> {
    let mut run = setup.start(vec![IndexSet::all(2)])?;
    let mut back = Vec::new();
    while let Some(window) = run.next_window()? {
        run.for_each_input(|_, index, time| back.push((time, index)))?;
        let n = (window.end.ns() / MS.ns()) as u32;
        (0..n % 4).for_each(|k| {
            run.emit(0, k % 3, window.end);
        });
    }
    run.finish()?;
    Ok(back)
}

/// What came of a run.
struct Done {
    code: Option<i32>,
    stderr: String,
    outcomes: Vec<Outcome>,
    /// What the Rust half received, if it got to the end.
    back: Option<Vec<(Time, u32)>>,
}

/// Starts the program as component `c` of a run.
fn run(program: &Path, argument: &str) -> Done {
    let rendezvous = Rendezvous::open().unwrap();
    let address = rendezvous.address("rust", 0);
    let half = std::thread::spawn(move || rust_half(Setup::connect_to(&address)?));
    let child = Command::new(program)
        .arg(argument)
        .envs(rendezvous.environment("c", 0))
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let watch = std::thread::spawn(move || wait(child));
    let outcomes = rendezvous.serve(wiring().welcomes(Carry::Shm(1 << 16))).unwrap();
    let (code, stderr) = watch.join().unwrap();
    Done { code, stderr, outcomes, back: half.join().unwrap().ok() }
}

#[test]
fn a_component_in_c_takes_part() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("component");
    compile("component.c", "cc", &["-std=c99"], &program);
    let Done { code, stderr, outcomes, back } = run(&program, "");
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Done(_))), "{outcomes:?}");
    // Emitted at n ms, n % 4 of them; relayed at n + 2 ms, and known one window after.
    let mut expected = Vec::new();
    for n in 1..=17i64 {
        (0..n % 4).for_each(|k| expected.push((Time::ZERO + MS * (n + 2), (k % 3 % 2) as u32)));
    }
    let mut back = back.unwrap();
    back.sort_unstable();
    expected.sort_unstable();
    assert_eq!(back, expected);
}

#[test]
fn a_component_in_c_can_fail() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("component");
    compile("component.c", "cc", &["-std=c99"], &program);
    let Done { code, outcomes, back, .. } = run(&program, "fail");
    assert_eq!(code, Some(3));
    assert_eq!(outcomes[1], Outcome::Failed("no fuel".to_owned()));
    assert_eq!(back, None);
}

#[test]
fn the_header_is_also_cpp() {
    let folder = tempfile::tempdir().unwrap();
    compile("component.c", "c++", &["-std=c++11", "-x", "c++"], &folder.path().join("component"));
}

#[test]
fn without_a_coordinator_the_environment_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("component");
    compile("component.c", "cc", &["-std=c99"], &program);
    let child = Command::new(&program).env_clear().stderr(Stdio::piped()).spawn().unwrap();
    let (code, stderr) = wait(child);
    assert_eq!(code, Some(3));
    assert!(stderr.contains("COUPLE_SOCKET") && stderr.contains("couple run"), "{stderr}");
}
