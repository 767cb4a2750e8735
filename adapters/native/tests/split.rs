//! Native components coupled with each other, as threads of one process: the same spikes as in one piece.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{STEP, balanced, with_watchdog};
use couple_network::description::*;
use couple_ports::control::codec;
use couple_ports::index::IndexSet;
use couple_ports::session::wiring::{Carry, Wiring};
use couple_ports::session::{Setup, local};
use couple_ports::time::{Span, Time};

/// (time, population, index)
type Spike = (Time, String, u32);

/// Runs the network with so many ranks for each component, in windows, and collects all recorded spikes: a rank of its
/// own listens to everyone.
fn run(network: &Network, ranks: &[u32], windows: &[Span]) -> Vec<Spike> {
    let ms = Span::from_ns(1_000_000);
    let mut wiring = Wiring::new(network.duration);
    let bytes = codec::to_bytes(network).unwrap();
    let mut parts = Vec::new();
    for (component, &ranks) in ranks.iter().enumerate() {
        for rank in 0..ranks {
            let number = wiring.rank(&network.components[component].name, windows[component]);
            let welcome = wiring.welcome(number);
            (welcome.component, welcome.rank, welcome.ranks) = (component as u32, rank, ranks);
            (welcome.step, welcome.network) = (STEP, bytes.clone());
            parts.push((number, component));
        }
    }
    let listener = wiring.rank("listener", ms * 7);
    for &(sender, component) in &parts {
        for population in network.recorded_spikes() {
            let p = &network.populations[population];
            if p.component != component {
                continue;
            }
            let output = wiring.output(sender, &p.name, p.size);
            // The shortest delay of all projections is 1 ms.
            let others = parts.iter().filter(|(receiver, _)| *receiver != sender && !p.model.is_stimulus());
            others.for_each(|(receiver, _)| wiring.link(sender, output, *receiver, ms, Span::ZERO));
            wiring.link(sender, output, listener, STEP, Span::ZERO);
        }
    }
    let welcomes = wiring.welcomes(Carry::Thread).into_iter().map(|(_, welcome)| welcome).collect();
    let (mut setups, _page) = local::connect(welcomes).unwrap();
    let listening = setups.pop().unwrap();
    with_watchdog(move || {
        let natives: Vec<_> = setups.into_iter().map(|s| std::thread::spawn(move || couple_native::run(s))).collect();
        let spikes = listen(listening);
        for native in natives {
            native.join().unwrap().unwrap();
        }
        spikes
    })
}

fn listen(setup: Setup) -> Vec<Spike> {
    let inputs = setup.welcome().inputs.clone();
    let mut session = setup.start(inputs.iter().map(|input| IndexSet::all(input.width)).collect()).unwrap();
    let mut spikes = Vec::new();
    while session.next_window().unwrap().is_some() {
        session.for_each_input(|input, index, time| spikes.push((time, inputs[input].source.clone(), index))).unwrap();
    }
    session.finish().unwrap();
    spikes.sort();
    spikes
}

#[test]
fn two_halves_are_the_whole() {
    let window = Span::from_ns(1_000_000);
    let whole = run(&balanced([0, 0], 1, 1), &[1], &[window]);
    let of = |name: &str| whole.iter().filter(|s| s.1 == name).count();
    assert!(of("E") > 50 && of("I") > 20, "too silent to say much: {} and {} spikes", of("E"), of("I"));
    // 0.8 spikes a step for 40 neurons and 2000 steps.
    assert!((60_000..68_000).contains(&of("drive of I")), "{} spikes of the drive", of("drive of I"));

    let halves = run(&balanced([0, 1], 2, 1), &[1, 1], &[window, window]);
    assert!(whole == halves, "{} and {} spikes", whole.len(), halves.len());
}

#[test]
fn ranks_threads_and_windows_do_not_matter() {
    let ms = Span::from_ns(1_000_000);
    let whole = run(&balanced([0, 0], 1, 1), &[1], &[ms]);
    for (ranks, threads, windows) in
        [([2, 1], 1, [ms, ms]), ([1, 2], 2, [STEP * 5, STEP * 10]), ([3, 2], 1, [STEP * 10, STEP * 2])]
    {
        let found = run(&balanced([0, 1], 2, threads), &ranks, &windows);
        assert!(whole == found, "{ranks:?} ranks, {threads} threads, {windows:?}: {} spikes", found.len());
    }
    // Ranks of one component exchange spikes as components do.
    assert!(whole == run(&balanced([0, 0], 1, 2), &[3], &[ms]));
}

#[test]
fn a_model_that_cannot_be_built_ends_the_run_with_its_reason() {
    let mut network = balanced([0, 0], 1, 1);
    if let Model::Cell { params, .. } = &mut network.populations[0].model {
        params.insert("tau_m".into(), Value::Random(Distribution::Uniform { low: 9.0, high: 11.0 }));
    }
    let mut wiring = Wiring::new(network.duration);
    let rank = wiring.rank("c0", STEP);
    wiring.welcome(rank).network = codec::to_bytes(&network).unwrap();
    let welcomes = wiring.welcomes(Carry::Thread).into_iter().map(|(_, welcome)| welcome).collect();
    let (mut setups, _page) = local::connect(welcomes).unwrap();
    let error = couple_native::run(setups.remove(0)).unwrap_err().to_string();
    for part in ["`E`", "`tau_m`", "split the population"] {
        assert!(error.contains(part), "{part} is not in: {error}");
    }
}
