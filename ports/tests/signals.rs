//! Analog signals and messages, over each transport: what a window sees depends on nothing but what was written.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::sync::mpsc;
use std::time::Duration;

use ndarray::{Array2, ArrayView2, s};
use proptest::prelude::*;

use couple_ports::control::{Interpolation, SignalIn, Welcome};
use couple_ports::index::IndexSet;
use couple_ports::session::rendezvous::{Outcome, Rendezvous};
use couple_ports::session::wiring::{Carry, Wiring};
use couple_ports::session::{Runtime, SessionError, Setup, Window, local};
use couple_ports::time::{Span, Time};
use couple_ports::transport::journal;

const CARRIES: [Carry; 3] = [Carry::Thread, Carry::Shm(4096), Carry::Shm(1 << 20)];
const WIDTH: u32 = 7;

fn us(n: i64) -> Span {
    Span::from_ns(n * 1000)
}

fn with_watchdog(test: impl FnOnce() + Send + 'static) {
    let (done, wait) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        test();
        let _ = done.send(());
    });
    match wait.recv_timeout(Duration::from_secs(120)) {
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("the run hangs"),
        _ => thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
    }
}

/// The sample of a port with number `k`, a pure function; `k = 0` is the initial value.
fn sample(port: &str, column: u32, k: i64) -> f64 {
    if k <= 0 {
        return INITIAL;
    }
    let key = port.bytes().fold(u64::from(column), |key, byte| key.wrapping_mul(31).wrapping_add(byte.into()));
    let bits = (key ^ (k as u64) << 17).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 11;
    bits as f64 / (1u64 << 53) as f64 * 100.0 - 65.0
}

const INITIAL: f64 = -61.5;

/// What the receiver must see at `time`: the definition.
fn seen(signal: &SignalIn, column: u32, time: Time) -> f64 {
    let (at, step) = ((time - signal.delay).ns(), signal.step.ns());
    let (k, behind) = (at.div_euclid(step), at.rem_euclid(step));
    let before = sample(&signal.source, column, k);
    if k < 0 || behind == 0 || signal.interpolation == Interpolation::Hold {
        return before;
    }
    let after = sample(&signal.source, column, k + 1);
    before + (after - before) * (behind as f64 / step as f64)
}

/// The messages that a port sends in the step that ends at `time`.
fn messages(port: &str, time: Time) -> Vec<Vec<u8>> {
    let number = time.ns() / 50_000;
    let key = port.bytes().fold(number as u64, |key, byte| key.wrapping_mul(131).wrapping_add(byte.into()));
    let one = |n: u64| {
        let length = if key.is_multiple_of(17) { 9000 } else { (key.wrapping_mul(n + 7) % 23) as usize };
        (0..length).map(|at| (at as u64 ^ key ^ n) as u8).collect()
    };
    (0..key % 3).map(one).collect()
}

fn block(signal: &couple_ports::control::SignalOut, window: Window, step: Span) -> Array2<f64> {
    let rows = (window.end - window.start).steps(step) as usize;
    Array2::from_shape_fn((rows, signal.count as usize), |(row, column)| {
        let k = (window.start - Time::ZERO).steps(step) + 1 + row as i64;
        sample(&signal.port(), signal.first + column as u32, k)
    })
}

fn check(got: ArrayView2<'_, f64>, signal: &SignalIn, window: Window, step: Span) {
    let steps = (window.end - window.start).steps(step) as usize;
    assert_eq!(got.dim(), (steps + 1, signal.count as usize));
    for ((row, column), value) in got.indexed_iter() {
        let time = window.start + step * row as i64;
        let expected = seen(signal, signal.first + column as u32, time);
        assert_eq!(value.to_bits(), expected.to_bits(), "{} at {time}, column {column}", signal.target);
    }
}

/// Plays one rank: writes its signals, sends messages and spikes, and checks all that comes in.
fn play(setup: Setup) -> Result<usize, SessionError> {
    let welcome: Welcome = setup.welcome().clone();
    let step = welcome.step;
    let needed = welcome.inputs.iter().map(|input| IndexSet::all(input.width)).collect();
    let mut run = setup.start(needed)?;
    let (mut windows, mut told, mut spikes) = (0, 0, Vec::new());
    while let Some(window) = run.next_window()? {
        windows += 1;
        // The order in which a program asks must not matter, nor that it asks twice.
        let take_spikes = |run: &mut Runtime, spikes: &mut Vec<Time>| run.for_each_input(|_, _, t| spikes.push(t));
        if windows % 3 == 0 {
            take_spikes(&mut run, &mut spikes)?;
        }
        for (number, signal) in welcome.signals_in.iter().enumerate() {
            check(run.samples(number)?, signal, window, step);
        }
        let mut got = Vec::new();
        run.for_each_message(|port, time, bytes| got.push((time, port, bytes.to_vec())))?;
        told += got.len();
        check_messages(&welcome, window, got);
        if windows % 3 != 0 {
            take_spikes(&mut run, &mut spikes)?;
        }
        for (number, signal) in welcome.signals_in.iter().enumerate() {
            check(run.samples(number)?, signal, window, step);
        }
        for (number, signal) in welcome.signals_out.iter().enumerate() {
            run.write_samples(number, block(signal, window, step).view())?;
        }
        for row in 1..=(window.end - window.start).steps(step) {
            let time = window.start + step * row;
            for (number, port) in welcome.messages_out.iter().enumerate() {
                for bytes in messages(&port.port, time) {
                    run.send_message(number, time, &bytes)?;
                }
            }
            (0..welcome.outputs.len()).for_each(|output| assert!(run.emit(output, 0, time)));
        }
    }
    run.finish()?;
    // One spike at the end of each step of the sender.
    spikes.sort_unstable();
    for (n, pair) in spikes.windows(2).enumerate() {
        assert!(pair[1] > pair[0] || welcome.inputs.len() > 1, "spike {n} twice");
    }
    Ok(told)
}

/// All messages of all ports in the window, ordered by time, then as sent.
fn check_messages(welcome: &Welcome, window: Window, got: Vec<(Time, usize, Vec<u8>)>) {
    assert!(got.windows(2).all(|pair| pair[0].0 <= pair[1].0));
    for (number, port) in welcome.messages_in.iter().enumerate() {
        let mut expected = Vec::new();
        let mut time = window.start - port.delay + us(50);
        while time <= window.end - port.delay {
            if time > Time::ZERO && (time - Time::ZERO).is_multiple_of(step_of(&port.source)) {
                expected.extend(messages(&port.source, time).into_iter().map(|bytes| (time + port.delay, bytes)));
            }
            time += us(50);
        }
        let own = got.iter().filter(|(_, port, _)| *port == number);
        let own: Vec<_> = own.map(|(time, _, bytes)| (*time, bytes.clone())).collect();
        assert!(own == expected, "messages of {} in {window:?}", port.source);
    }
}

/// The sender's step is in the port's name: `m300.x` has 300 µs.
fn step_of(port: &str) -> Span {
    us(port[1..].split('.').next().unwrap().parse().unwrap())
}

/// Runs all ranks as threads; gives the number of messages that each was told.
fn run_locally(wiring: &Wiring, carry: Carry) -> Vec<usize> {
    let welcomes = wiring.welcomes(carry).into_iter().map(|(_, welcome)| welcome).collect();
    let (setups, _page) = local::connect(welcomes).unwrap();
    let threads: Vec<_> = setups.into_iter().map(|setup| std::thread::spawn(move || play(setup))).collect();
    threads.into_iter().map(|thread| thread.join().unwrap().unwrap()).collect()
}

/// A component: its step and window in units of 50 µs, and how many ranks it has.
#[derive(Clone, Debug)]
struct Part {
    step: i64,
    windows: i64,
    ranks: usize,
}

/// Links: from, to, delay in steps of the receiver beyond what is needed, linear?
type LinkOf = (usize, usize, i64, bool);

/// Parts with links between them. The delay of a link is such that a loop of any of them has a schedule.
fn wire(parts: &[Part], links: &[LinkOf], duration: Span) -> Wiring {
    let mut wiring = Wiring::new(duration);
    let mut ranks: Vec<Vec<usize>> = Vec::new();
    for (number, part) in parts.iter().enumerate() {
        let window = us(50 * part.step * part.windows);
        let own: Vec<usize> = (0..part.ranks).map(|rank| wiring.rank(&format!("c{number}r{rank}"), window)).collect();
        own.iter().for_each(|rank| wiring.step(*rank, us(50 * part.step)));
        wiring.signal(&own, &format!("P{number}"), "v", WIDTH);
        wiring.message_port(own[0], &format!("m{}.c{number}", 50 * part.step));
        wiring.output(own[0], &format!("S{number}"), 1);
        ranks.push(own);
    }
    for &(from, to, extra, linear) in links {
        // A component may be linked to itself, too.
        let (from, to) = (from % parts.len(), to % parts.len());
        let longest = parts.iter().map(|part| part.step * part.windows).max().unwrap();
        let receiver = parts[to].step;
        // A window and a sample at least, on the receiver's grid.
        let delay = us(50 * receiver * ((longest + parts[from].step).div_euclid(receiver) + 1 + extra));
        let interpolation = if linear { Interpolation::Linear } else { Interpolation::Hold };
        let like = SignalIn { delay, interpolation, initial: vec![INITIAL], ..SignalIn::default() };
        wiring.samples(&ranks[from], &format!("P{from}.v"), &ranks[to], &format!("P{to}.i"), &like);
        wiring.messages(ranks[from][0], 0, ranks[to][0], "x", delay);
        wiring.link(ranks[from][0], 0, ranks[to][0], delay, Span::ZERO);
    }
    wiring
}

#[test]
fn what_is_seen_is_what_was_written() {
    let parts = [
        Part { step: 2, windows: 3, ranks: 2 },
        Part { step: 5, windows: 2, ranks: 1 },
        Part { step: 20, windows: 1, ranks: 3 },
    ];
    let links = [
        (0, 1, 0, false),
        (1, 0, 2, true),
        (1, 2, 1, true),
        (2, 0, 0, false),
        (0, 0, 1, true),
        (0, 2, 3, true),
        (2, 1, 0, true),
    ];
    for carry in CARRIES {
        let wiring = wire(&parts, &links, us(30_000));
        with_watchdog(move || {
            let told = run_locally(&wiring, carry);
            assert!(told[0] > 50 && told[2] > 50, "{told:?}");
        });
    }
}

#[test]
fn blocks_larger_than_the_ring_get_through() {
    for carry in CARRIES {
        with_watchdog(move || {
            let mut wiring = Wiring::new(us(20_000));
            let (a, b) = (wiring.rank("a", us(5000)), wiring.rank("b", us(500)));
            wiring.step(a, us(100));
            wiring.signal(&[a], "P", "v", 1000);
            let like = SignalIn { delay: us(1000), initial: vec![INITIAL], ..SignalIn::default() };
            wiring.samples(&[a], "P.v", &[b], "Q.i", &like);
            wiring.signal(&[b], "Q", "v", 300);
            wiring.samples(&[b], "Q.v", &[a], "P.i", &SignalIn { delay: us(20_000), ..like });
            run_locally(&wiring, carry);
        });
    }
}

/// `PROPTEST_CASES` makes more runs than the few by default.
fn config() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(40);
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    /// Any steps, windows, ranks and delays.
    #[test]
    fn any_signal_is_seen_as_it_was_written(
        parts in proptest::collection::vec((1i64..9, 1i64..5, 1usize..4), 2..4),
        links in proptest::collection::vec((0usize..3, 0usize..3, 0i64..20, any::<bool>()), 1..6),
        ring in any::<bool>(),
    ) {
        let parts: Vec<Part> =
            parts.into_iter().map(|(step, windows, ranks)| Part { step, windows, ranks }).collect();
        // A whole number of steps of each part, but not always of windows.
        let duration = us(50 * parts.iter().map(|part| part.step).fold(1, lcm) * 11);
        let wiring = wire(&parts, &links, duration);
        let carry = if ring { Carry::Shm(4096) } else { Carry::Thread };
        with_watchdog(move || {
            run_locally(&wiring, carry);
        });
    }
}

fn lcm(a: i64, b: i64) -> i64 {
    Span::from_ns(a).lcm(Span::from_ns(b)).unwrap().ns()
}

/// With a short delay the receiver runs ahead as far as it may, and still sees the sample behind.
#[test]
fn linear_interpolation_waits_for_the_sample_behind() {
    for (sender, receiver, delay) in
        [(1000, 100, 1000), (1000, 100, 100), (250, 100, 300), (100, 250, 250), (300, 200, 400)]
    {
        with_watchdog(move || {
            let mut wiring = Wiring::new(us(6000));
            let (a, b) = (wiring.rank("a", us(sender)), wiring.rank("b", us(receiver)));
            wiring.signal(&[a], "P", "v", 3);
            let interpolation = Interpolation::Linear;
            let like = SignalIn { delay: us(delay), interpolation, initial: vec![INITIAL], ..SignalIn::default() };
            wiring.samples(&[a], "P.v", &[b], "Q.i", &like);
            assert_eq!(wiring.welcome(b).signals_in[0].min_delay, us(delay));
            run_locally(&wiring, Carry::Shm(4096));
        });
    }
}

#[test]
fn recordings_have_the_rows_of_their_interval() {
    with_watchdog(|| {
        let folder = std::env::temp_dir().join(format!("couple-signals-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir(&folder).unwrap();
        let mut wiring = Wiring::new(us(10_000));
        let ranks = [wiring.rank("a", us(700)), wiring.rank("b", us(700))];
        ranks.iter().for_each(|rank| wiring.step(*rank, us(100)));
        wiring.signal(&ranks, "P", "v", 5);
        let file = |rank: usize| folder.join(format!("{rank}.journal"));
        ranks.iter().for_each(|rank| wiring.record_signal(*rank, 0, us(300), &file(*rank)));
        run_locally(&wiring, Carry::Thread);
        for (rank, (first, count)) in [(0, (0, 3)), (1, (3, 2))] {
            let mut reader = journal::Reader::open(&file(rank)).unwrap();
            let signal = reader.signals()[0].clone();
            assert_eq!(
                (signal.population.as_str(), signal.variable.as_str(), signal.first, signal.count),
                ("P", "v", first, count)
            );
            assert_eq!((signal.every, signal.width, &signal.initial[..]), (us(300), 5, &[0.0][..]));
            let mut blocks = Vec::new();
            while reader.next_window_with(&mut Vec::new(), &mut blocks).unwrap().is_some() {}
            let mut row = 0;
            for block in blocks {
                for (n, values) in block.values.chunks(count as usize).enumerate() {
                    row += 1;
                    assert_eq!(block.first + us(300) * n as i64, Time::ZERO + us(300) * row);
                    for (column, value) in values.iter().enumerate() {
                        assert_eq!(*value, sample("P.v", first + column as u32, 3 * row));
                    }
                }
            }
            assert_eq!(row, 33);
            assert_eq!(reader.watermark(), Time::ZERO + us(10_000));
        }
        std::fs::remove_dir_all(&folder).unwrap();
    });
}

/// What a rank does wrong in its first window, and what it is told.
fn fault(act: impl FnOnce(&mut Runtime, Window) -> Result<(), SessionError> + Send + 'static) -> String {
    let mut wiring = Wiring::new(us(10_000));
    let (a, b) = (wiring.rank("a", us(1000)), wiring.rank("b", us(1000)));
    wiring.step(a, us(250));
    wiring.signal(&[a], "P", "dend", 3);
    wiring.message_port(a, "P.command");
    let like = SignalIn { delay: us(1000), initial: vec![INITIAL], ..SignalIn::default() };
    wiring.samples(&[a], "P.dend", &[b], "E.current", &like);
    let rendezvous = Rendezvous::open().unwrap();
    let (at_a, at_b) = (rendezvous.address("a", 0), rendezvous.address("b", 0));
    let other = std::thread::spawn(move || play(Setup::connect_to(&at_b)?));
    let wrong = std::thread::spawn(move || {
        let mut run = Setup::connect_to(&at_a)?.start(vec![])?;
        let window = run.next_window()?.unwrap();
        act(&mut run, window)?;
        run.next_window()?;
        Ok::<_, SessionError>(())
    });
    let outcomes = rendezvous.serve(wiring.welcomes(Carry::Shm(4096))).unwrap();
    let told = wrong.join().unwrap().unwrap_err().to_string();
    // The coordinator knows, and everyone leaves.
    assert_eq!(outcomes[0], Outcome::Failed(told.clone()));
    assert!(matches!(other.join().unwrap(), Err(SessionError::Stopped { .. })));
    told
}

#[test]
fn faults_name_the_port_and_the_remedy() {
    with_watchdog(|| {
        let right = || Array2::<f64>::zeros((4, 3));
        let says = |told: String, parts: &[&str]| parts.iter().for_each(|part| assert!(told.contains(part), "{told}"));
        let shape = fault(|run, _| run.write_samples(0, Array2::zeros((4, 2)).view()));
        says(shape, &["`P.dend`", "4 rows and 2 columns", "4 steps of 0.25 ms", "3 columns", "one row for each step"]);
        says(fault(|run, _| run.write_samples(0, Array2::zeros((3, 3)).view())), &["`P.dend`", "3 rows"]);
        says(fault(|_, _| Ok(())), &["`P.dend`", "(0 ms, 1 ms]", "were not written", "in each window"]);
        let twice = fault(move |run, _| {
            run.write_samples(0, right().view())?;
            run.write_samples(0, right().view())
        });
        says(twice, &["`P.dend`", "written twice"]);
        for (value, word) in [(f64::NAN, "NaN"), (f64::INFINITY, "inf"), (f64::NEG_INFINITY, "-inf")] {
            let odd = fault(move |run, _| {
                let mut block = Array2::zeros((4, 3));
                block[[2, 1]] = value;
                run.write_samples(0, block.view())
            });
            says(odd, &["`P.dend`", word, "index 1 at 0.75 ms", "finite"]);
        }
        says(
            fault(|run, _| run.write_samples(7, Array2::zeros((4, 3)).view())),
            &["no outgoing signal 7", "there are 1"],
        );
        says(fault(|run, _| run.samples(0).map(drop)), &["no incoming signal 0", "there are 0"]);
        says(fault(|run, _| run.send_message(0, Time::ZERO, b"x")), &["`P.command`", "at 0 ms", "(0 ms, 1 ms]"]);
        let late = fault(|run, window| run.send_message(0, window.end + us(1), b"x"));
        says(late, &["`P.command`", "outside of the window"]);
        let long = fault(|run, window| run.send_message(0, window.end, &[0; 65537]));
        says(long, &["`P.command`", "65537 bytes", "65536 is the most", "in parts"]);
        says(fault(|run, window| run.send_message(1, window.end, b"x")), &["no outgoing message port 1"]);
    });
}

#[test]
fn views_of_any_layout_can_be_written() {
    with_watchdog(|| {
        let path = std::env::temp_dir().join(format!("couple-view-{}", std::process::id()));
        let mut wiring = Wiring::new(us(1000));
        let a = wiring.rank("a", us(1000));
        wiring.step(a, us(500));
        wiring.signal(&[a], "P", "v", 2);
        wiring.record_signal(a, 0, us(500), &path);
        let welcomes = wiring.welcomes(Carry::Thread).into_iter().map(|(_, welcome)| welcome).collect();
        let (mut setups, _page) = local::connect(welcomes).unwrap();
        let mut run = setups.remove(0).start(vec![]).unwrap();
        run.next_window().unwrap();
        let wide = Array2::from_shape_fn((4, 4), |(row, column)| (row * 10 + column) as f64);
        run.write_samples(0, wide.slice(s![..;2, 1..;2])).unwrap();
        assert!(run.next_window().unwrap().is_none());
        run.finish().unwrap();
        let mut reader = journal::Reader::open(&path).unwrap();
        let mut blocks = Vec::new();
        reader.next_window_with(&mut Vec::new(), &mut blocks).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(blocks[0].values, [1.0, 3.0, 21.0, 23.0]);
    });
}
