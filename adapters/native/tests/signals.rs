//! Analog signals of a native component: what comes in reaches the neurons as the kernel alone would take it, what goes out is what
//! the kernel has.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{STEP, balanced, with_watchdog};
use couple_kernel::{Engine, Part};
use couple_network::description::*;
use couple_ports::control::{Interpolation, SignalIn, codec};
use couple_ports::index::IndexSet;
use couple_ports::session::wiring::{Carry, Wiring};
use couple_ports::session::{Setup, local};
use couple_ports::time::{Span, Time};
use ndarray::Array2;

const DELAY: Span = Span::from_ns(1_000_000);
const INITIAL: f64 = 0.125;

/// What sender `s` sends at the end of step `k` for neuron `i`, in nA. Their sums depend on the order of addition.
fn sent(s: usize, k: i64, i: usize) -> f64 {
    let wave = 0.3 * (k as f64 * 0.05 + i as f64).sin();
    [1e15, wave, -1e15 + 0.25 * wave][s]
}

/// The current of neuron `i` in the step after step `k`: the senders' signals in their order, held, `DELAY` later.
fn current(order: &[usize], k: i64, i: usize) -> f64 {
    let seen = k - DELAY.steps(STEP);
    let value = |s: usize| if seen <= 0 { INITIAL } else { sent(s, seen, i) };
    order[1..].iter().fold(value(order[0]), |sum, s| sum + value(*s))
}

/// The potentials of E after each step, by the kernel alone.
fn alone(network: &Network, order: &[usize]) -> Vec<f64> {
    let size = network.populations[0].size as usize;
    let mut engine = Engine::build(network, Part { component: 0, rank: 0, ranks: 1, threads: 1 }).unwrap();
    let (reading, drive) = (engine.read(0, "v").unwrap(), engine.drive(0, "current").unwrap());
    let steps = network.duration.steps(STEP);
    let rows: Vec<f64> = (0..steps).flat_map(|k| (0..size).map(move |i| current(order, k, i))).collect();
    engine.set(drive, &rows).unwrap();
    engine.run(Time::ZERO + network.duration, &mut |_, _, _| ()).unwrap();
    let mut values = Vec::new();
    engine.values(reading, &mut values);
    values
}

/// The same over sessions: senders, the native component in `ranks` ranks, and a listener.
fn coupled(network: &Network, order: &[usize], ranks: u32, window: Span) -> Vec<f64> {
    let size = network.populations[0].size;
    let mut wiring = Wiring::new(network.duration);
    let natives: Vec<usize> = (0..ranks).map(|_| wiring.rank("c0", window)).collect();
    for (rank, &number) in (0..).zip(&natives) {
        let welcome = wiring.welcome(number);
        (welcome.component, welcome.rank, welcome.ranks) = (0, rank, ranks);
        (welcome.step, welcome.network) = (STEP, codec::to_bytes(network).unwrap());
    }
    let senders: Vec<usize> = order.iter().map(|s| wiring.rank(&format!("s{s}"), STEP * 3)).collect();
    let listener = wiring.rank("listener", STEP * 5);
    senders.iter().chain([&listener]).for_each(|number| wiring.step(*number, STEP));
    let like = SignalIn {
        delay: DELAY,
        interpolation: Interpolation::Hold,
        initial: vec![INITIAL],
        unit: "nA".into(),
        ..SignalIn::default()
    };
    for (s, &sender) in order.iter().zip(&senders) {
        wiring.signal(&[sender], &format!("S{s}"), "x", size);
        wiring.samples(&[sender], &format!("S{s}.x"), &natives, "E.current", &like);
    }
    wiring.signal(&natives, "E", "v", size);
    wiring.samples(&natives, "E.v", &[listener], "listener.v", &SignalIn { delay: STEP, ..like });
    // Ranks of the component need each other's spikes.
    for &from in &natives {
        for population in ["E", "I"] {
            let id = network.population(population).unwrap();
            let output = wiring.output(from, population, network.populations[id].size);
            natives.iter().filter(|to| **to != from).for_each(|to| wiring.link(from, output, *to, DELAY, Span::ZERO));
        }
    }
    let welcomes = wiring.welcomes(Carry::Thread).into_iter().map(|(_, welcome)| welcome).collect();
    let (mut setups, _page) = local::connect(welcomes).unwrap();
    let order = order.to_vec();
    with_watchdog(move || {
        let listening = setups.pop().unwrap();
        let sending = setups.split_off(ranks as usize);
        let natives: Vec<_> = setups.into_iter().map(|s| std::thread::spawn(move || couple_native::run(s))).collect();
        let senders: Vec<_> = sending
            .into_iter()
            .zip(order)
            .map(|(setup, s)| std::thread::spawn(move || send(setup, s, size as usize)))
            .collect();
        let values = listen(listening);
        natives.into_iter().for_each(|native| native.join().unwrap().unwrap());
        senders.into_iter().for_each(|sender| sender.join().unwrap());
        values
    })
}

fn send(setup: Setup, s: usize, size: usize) {
    let mut session = setup.start(vec![]).unwrap();
    while let Some(window) = session.next_window().unwrap() {
        let (from, steps) = ((window.start - Time::ZERO).steps(STEP), (window.end - window.start).steps(STEP));
        let block = Array2::from_shape_fn((steps as usize, size), |(row, i)| sent(s, from + row as i64 + 1, i));
        session.write_samples(0, block.view()).unwrap();
    }
    session.finish().unwrap();
}

/// All samples but the last one, which would come after the end.
fn listen(setup: Setup) -> Vec<f64> {
    let inputs = setup.welcome().inputs.iter().map(|input| IndexSet::all(input.width)).collect();
    let mut session = setup.start(inputs).unwrap();
    let mut values = Vec::new();
    while session.next_window().unwrap().is_some() {
        let seen = session.samples(0).unwrap();
        // The last row is the next window's first.
        values.extend(seen.slice(ndarray::s![..seen.nrows() - 1, ..]).iter());
    }
    session.finish().unwrap();
    values
}

#[test]
fn signals_are_those_of_the_kernel_whatever_ranks_and_windows() {
    let mut network = balanced([0, 0], 1, 1);
    network.duration = Span::from_ns(60_000_000);
    let size = network.populations[0].size as usize;
    let order = [0, 1, 2];
    let expected = alone(&network, &order);
    for (ranks, threads, window) in [(1, 1, 10), (1, 2, 1), (3, 1, 7)] {
        network.components[0].threads = threads;
        let found = coupled(&network, &order, ranks, STEP * window);
        // At time t the listener sees t - 0.1 ms: at 0 and at 0.1 ms the initial value, then the first step's.
        let (before, shown) = found.split_at(2 * size);
        assert!(before.iter().all(|v| *v == INITIAL));
        assert_eq!(found.len(), expected.len());
        assert!(
            shown.iter().zip(&expected).all(|(a, b)| a.to_bits() == b.to_bits()),
            "{ranks} ranks, windows of {window} steps"
        );
    }
}

#[test]
fn several_currents_add_up_in_their_order() {
    let mut network = balanced([0, 0], 1, 1);
    network.duration = Span::from_ns(20_000_000);
    let bits = |values: Vec<f64>| values.into_iter().map(f64::to_bits).collect::<Vec<_>>();
    let (one, other) = ([0, 1, 2], [0, 2, 1]);
    assert_ne!(bits(alone(&network, &one)), bits(alone(&network, &other)), "the order says something");
    let first = bits(coupled(&network, &one, 1, STEP * 10));
    assert_ne!(first, bits(coupled(&network, &other, 1, STEP * 10)));
}
