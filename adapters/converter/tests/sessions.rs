//! Converters over sessions: what comes out is what the definitions say, at the exact time, whatever ranks and windows.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::mpsc;
use std::time::Duration;

use couple_converter::poisson::Poisson;
use couple_network::description::*;
use couple_ports::control::{Interpolation, SignalIn, codec};
use couple_ports::index::IndexSet;
use couple_ports::session::wiring::{Carry, Wiring};
use couple_ports::session::{Setup, local};
use couple_ports::time::{Span, Time};
use ndarray::Array2;

const SIZE: u32 = 4;
/// Of the converters and of the listener; the sender's is half of it.
const STEP: Span = Span::from_ns(1_000_000);
const HALF: Span = Span::from_ns(500_000);
const STEPS: i64 = 90;
/// Of everything that the converters receive.
const DELAY: Span = Span::from_ns(3_000_000);
const INITIAL: f64 = 40.0;
const WIDTH: Span = Span::from_ns(10_000_000);
const MATRIX: [[f64; 4]; 3] = [[1.0, 0.0, 0.0, 0.5], [0.0, -2.0, 0.0, 0.25], [0.1, 0.2, 0.3, 0.4]];

/// The signal that is sent, at a stamp.
fn wave(time: Time, column: usize) -> f64 {
    300.0 + 300.0 * (time.ms() * 0.2 + column as f64).sin()
}

/// The signal as converters see it.
fn x(time: Time, column: usize) -> f64 {
    if time - DELAY <= Time::ZERO { INITIAL } else { wave(time - DELAY, column) }
}

/// The spikes that are sent: neuron i every 2 + i ms, between the steps of the converters.
fn spike_times(neuron: u32) -> impl Iterator<Item = Time> {
    (1..).map(move |k| Time::ZERO + (STEP * i64::from(2 + neuron)) * k - HALF).take_while(|t| t.ms() < STEPS as f64)
}

fn network() -> Network {
    let component = Component {
        name: "converters".into(),
        simulator: Simulator::Converter,
        step: STEP,
        ranks: 1,
        threads: 1,
        script: None,
        command: vec![],
        python: None,
        cvode: None,
    };
    let unit = || "1".to_string();
    let population = |name: &str, size, converter| Population {
        name: name.into(),
        component: 0,
        size,
        model: Model::Converter(converter),
        variables: vec![],
    };
    let matrix = MATRIX.map(|row| row.to_vec()).to_vec();
    Network {
        name: "converters".into(),
        seed: 3,
        duration: STEP * STEPS,
        components: vec![component],
        populations: vec![
            population("gain", SIZE, Converter::Gain { gain: 2.0, offset: -1.5, unit_in: unit(), unit_out: unit() }),
            population("map", 3, Converter::Linear { matrix, unit_in: unit(), unit_out: unit() }),
            population("over", SIZE, Converter::Threshold { threshold: 450.0, unit: unit() }),
            population("poisson", SIZE, Converter::RateToPoisson),
            population("rate", SIZE, Converter::SpikesToRate { kernel: RateKernel::Window { width: WIDTH } }),
        ],
        projections: vec![],
        connections: vec![],
        signals: vec![],
        messages: vec![],
        recordings: vec![],
    }
}

/// What the listener gets.
#[derive(PartialEq, Debug, Default)]
struct Heard {
    /// Of `gain`, `map` and `rate`: the values at each step from time 0 on, all columns.
    signals: [Vec<f64>; 3],
    /// (time, population, index)
    spikes: Vec<(Time, String, u32)>,
}

/// Runs the converters in `ranks` ranks between a sender and a listener.
fn run(ranks: u32, window: Span) -> Heard {
    let network = network();
    let mut wiring = Wiring::new(network.duration);
    let own: Vec<usize> = (0..ranks).map(|_| wiring.rank("converters", window)).collect();
    let (sender, listener) = (wiring.rank("S", STEP * 2), wiring.rank("listener", STEP * 3));
    wiring.step(sender, HALF);
    wiring.step(listener, STEP);
    let like =
        SignalIn { delay: DELAY, initial: vec![INITIAL], interpolation: Interpolation::Hold, ..SignalIn::default() };
    wiring.signal(&[sender], "S", "x", SIZE);
    for target in ["gain.x", "over.x", "poisson.rate"] {
        wiring.samples(&[sender], "S.x", &own, target, &like);
    }
    let spikes = wiring.output(sender, "S", SIZE);
    for (rank, &number) in (0..).zip(&own) {
        let welcome = wiring.welcome(number);
        (welcome.component, welcome.rank, welcome.ranks) = (0, rank, ranks);
        (welcome.step, welcome.network) = (STEP, codec::to_bytes(&network).unwrap());
        // Each rank has all columns of what a linear map takes.
        wiring.samples(&[sender], "S.x", &[number], "map.x", &like);
        wiring.link(sender, spikes, number, DELAY, DELAY);
        wiring.welcome(number).inputs.last_mut().unwrap().target = Some("rate".into());
    }
    let heard = SignalIn { delay: STEP, initial: vec![0.0], ..like };
    for (population, variable, width) in [("gain", "y", SIZE), ("map", "y", 3), ("rate", "rate", SIZE)] {
        wiring.signal(&own, population, variable, width);
        wiring.samples(&own, &format!("{population}.{variable}"), &[listener], population, &heard);
    }
    for &number in &own {
        for population in ["over", "poisson"] {
            let output = wiring.output(number, population, SIZE);
            wiring.link(number, output, listener, STEP, Span::ZERO);
        }
        // Ranks without neurons of a population have no signals of it.
        let welcome = wiring.welcome(number);
        assert!(welcome.signals_in.iter().all(|signal| signal.count > 0));
    }
    let welcomes = wiring.welcomes(Carry::Thread).into_iter().map(|(_, welcome)| welcome).collect();
    let (mut setups, _page) = local::connect(welcomes).unwrap();
    with_watchdog(move || {
        let (listening, sending) = (setups.pop().unwrap(), setups.pop().unwrap());
        let sender = std::thread::spawn(move || send(sending));
        let own: Vec<_> = setups.into_iter().map(|s| std::thread::spawn(move || couple_converter::run(s))).collect();
        let heard = listen(listening);
        own.into_iter().for_each(|rank| rank.join().unwrap().unwrap());
        sender.join().unwrap();
        heard
    })
}

fn send(setup: Setup) {
    let mut session = setup.start(vec![]).unwrap();
    while let Some(window) = session.next_window().unwrap() {
        let steps = (window.end - window.start).steps(HALF);
        let stamp = |row: usize| window.start + HALF * (row as i64 + 1);
        let block = Array2::from_shape_fn((steps as usize, SIZE as usize), |(row, column)| wave(stamp(row), column));
        session.write_samples(0, block.view()).unwrap();
        for neuron in 0..SIZE {
            let within = spike_times(neuron).filter(|t| *t > window.start && *t <= window.end);
            within.for_each(|time| assert!(session.emit(0, neuron, time)));
        }
    }
    session.finish().unwrap();
}

fn listen(setup: Setup) -> Heard {
    let inputs = setup.welcome().inputs.clone();
    let mut session = setup.start(inputs.iter().map(|input| IndexSet::all(input.width)).collect()).unwrap();
    let mut heard = Heard::default();
    while session.next_window().unwrap().is_some() {
        for (signal, values) in heard.signals.iter_mut().enumerate() {
            let seen = session.samples(signal).unwrap();
            // The last row is the next window's first.
            values.extend(seen.slice(ndarray::s![..seen.nrows() - 1, ..]).iter());
        }
        let spikes = &mut heard.spikes;
        session.for_each_input(|input, index, time| spikes.push((time, inputs[input].source.clone(), index))).unwrap();
    }
    session.finish().unwrap();
    heard.spikes.sort();
    heard
}

fn with_watchdog<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, wait) = mpsc::channel();
    let worker = std::thread::spawn(move || {
        let result = work();
        let _ = done.send(());
        result
    });
    match wait.recv_timeout(Duration::from_secs(120)) {
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("the run hangs"),
        _ => worker.join().unwrap(),
    }
}

/// A step's end.
fn at(k: i64) -> Time {
    Time::ZERO + STEP * k
}

#[test]
fn signals_are_those_of_the_definitions_at_the_exact_time() {
    let heard = run(1, STEP);
    for k in 2..STEPS {
        // The listener hears a step later; the first step's samples are stamped with its end.
        let (row, stamp) = (k as usize, at(k - 1));
        for column in 0..SIZE as usize {
            let [gain, map, rate] = [0, 1, 2].map(|s| &heard.signals[s]);
            assert_eq!(gain[row * SIZE as usize + column], 2.0 * x(stamp, column) - 1.5, "gain at {stamp}");
            let within = |t: &Time| *t + DELAY > stamp - WIDTH && *t + DELAY <= stamp;
            let count = spike_times(column as u32).filter(within).count();
            assert_eq!(rate[row * SIZE as usize + column], count as f64 / 0.01, "rate at {stamp}");
            if let Some(factors) = MATRIX.get(column) {
                let sum = factors.iter().enumerate().fold(0.0, |sum, (i, factor)| sum + factor * x(stamp, i));
                assert_eq!(map[row * 3 + column], sum, "map at {stamp}");
            }
        }
    }
}

#[test]
fn spikes_are_those_of_the_definitions_at_the_exact_time() {
    let heard = run(1, STEP * 5);
    let mut expected = Vec::new();
    for k in 1..STEPS {
        let crosses = |i: &u32| x(at(k - 1), *i as usize) < 450.0 && x(at(k), *i as usize) >= 450.0;
        expected.extend((0..SIZE).filter(crosses).map(|i| (at(k), "over".to_string(), i)));
    }
    assert!(expected.len() > 4, "{} crossings say little", expected.len());
    // The step (t, t+dt] has the rate at t.
    let rates = Array2::from_shape_fn((STEPS as usize - 1, SIZE as usize), |(k, i)| x(at(k as i64), i));
    let poisson = Poisson::new(3, "poisson", 0..SIZE, STEP);
    let crossings = expected.len();
    poisson
        .spikes(0, rates.view(), |i, k, count| {
            expected.extend((0..count).map(|_| (at(k), "poisson".to_string(), i)));
        })
        .unwrap();
    assert!(expected.len() > crossings + 50, "{} spikes say little", expected.len() - crossings);
    expected.sort();
    // What is emitted at the very end is heard by nobody.
    assert_eq!(heard.spikes, expected);
}

#[test]
fn ranks_and_windows_do_not_matter() {
    let whole = run(1, STEP);
    for (ranks, window) in [(1, STEP * 3), (2, STEP), (3, STEP * 2)] {
        assert!(run(ranks, window) == whole, "{ranks} ranks, windows of {window}");
    }
}

#[test]
fn a_converter_without_input_ends_the_run_with_its_port() {
    let mut wiring = Wiring::new(STEP);
    let rank = wiring.rank("converters", STEP);
    wiring.welcome(rank).network = codec::to_bytes(&network()).unwrap();
    let welcomes = wiring.welcomes(Carry::Thread).into_iter().map(|(_, welcome)| welcome).collect();
    let (mut setups, _page) = local::connect(welcomes).unwrap();
    let error = couple_converter::run(setups.remove(0)).unwrap_err().to_string();
    assert!(error.contains("nothing is connected to gain.x"), "{error}");
}
