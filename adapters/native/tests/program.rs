//! The program `couple-native`: processes that meet over a socket and exchange spikes in shared memory.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::process::{Child, Command, Output, Stdio};

use common::{STEP, balanced, with_watchdog};
use couple_network::description::*;
use couple_ports::control::codec;
use couple_ports::session::rendezvous::{Outcome, Rendezvous};
use couple_ports::session::wiring::{Carry, Wiring};
use couple_ports::time::Span;

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_couple-native"));
    command.env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs each component as a process: how each ended, by the rendezvous and by itself.
fn run(network: &Network) -> (Vec<Outcome>, Vec<Output>) {
    let ms = Span::from_ns(1_000_000);
    let mut wiring = Wiring::new(network.duration);
    for (component, c) in network.components.iter().enumerate() {
        let rank = wiring.rank(&c.name, ms);
        let welcome = wiring.welcome(rank);
        welcome.component = component as u32;
        (welcome.step, welcome.network) = (STEP, codec::to_bytes(network).unwrap());
    }
    for population in network.recorded_spikes() {
        let p = &network.populations[population];
        let output = wiring.output(p.component, &p.name, p.size);
        let others = (0..network.components.len()).filter(|c| *c != p.component && !p.model.is_stimulus());
        others.for_each(|c| wiring.link(p.component, output, c, ms, Span::ZERO));
    }
    let (welcomes, names) =
        (wiring.welcomes(Carry::Shm(1 << 16)), network.components.iter().map(|c| c.name.clone()).collect::<Vec<_>>());
    with_watchdog(move || {
        let rendezvous = Rendezvous::open().unwrap();
        let start = |name: &String| program().envs(rendezvous.environment(name, 0)).spawn().unwrap();
        let processes: Vec<Child> = names.iter().map(start).collect();
        let outcomes = rendezvous.serve(welcomes).unwrap();
        (outcomes, processes.into_iter().map(|p| p.wait_with_output().unwrap()).collect())
    })
}

#[test]
fn two_processes_emit_what_one_does() {
    let counts = |network: &Network| -> Vec<u64> {
        let (outcomes, processes) = run(network);
        for process in processes {
            assert!(process.status.success(), "{}", String::from_utf8_lossy(&process.stderr));
        }
        let emitted = |outcome: Outcome| match outcome {
            Outcome::Done(emitted) => emitted,
            other => panic!("{other:?}"),
        };
        outcomes.into_iter().flat_map(emitted).collect()
    };
    let whole = counts(&balanced([0, 0], 1, 1));
    assert!(whole.iter().all(|count| *count > 20), "too silent to say much: {whole:?}");
    assert_eq!(whole, counts(&balanced([0, 1], 2, 2)));
}

#[test]
fn a_model_that_cannot_be_built_is_told_and_ends_with_code_3() {
    let mut network = balanced([0, 0], 1, 1);
    if let Model::Cell { params, .. } = &mut network.populations[1].model {
        params.remove("cm");
    }
    let (outcomes, processes) = run(&network);
    let Outcome::Failed(reason) = &outcomes[0] else { panic!("{outcomes:?}") };
    assert!(reason.contains("`I`") && reason.contains("`cm` is missing"), "{reason}");
    assert_eq!(processes[0].status.code(), Some(3));
    assert!(String::from_utf8_lossy(&processes[0].stderr).contains(reason));
}

#[test]
fn started_by_hand_it_says_how_it_is_started() {
    let output = program().output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("couple run"), "{text}");
}
