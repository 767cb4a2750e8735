//! The session's promises, over each transport: what a window gets depends on nothing but the emissions.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::collections::BTreeMap;
use std::os::fd::AsFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use proptest::prelude::*;

use couple_ports::control::descriptors::{self, Incoming};
use couple_ports::control::{FromCoordinator, FromRank, Welcome};
use couple_ports::event::Event;
use couple_ports::index::IndexSet;
use couple_ports::session::rendezvous::{Outcome, Rendezvous};
use couple_ports::session::wiring::{Carry, Wiring};
use couple_ports::session::{Address, Runtime, SessionError, Setup, local, relay};
use couple_ports::status;
use couple_ports::time::{Span, Time};
use couple_ports::transport::journal;

const CARRIES: [Carry; 3] = [Carry::Thread, Carry::Shm(4096), Carry::Shm(1 << 20)];

fn us(n: i64) -> Span {
    Span::from_ns(n * 1000)
}

/// Runs `test` on a thread of its own and fails when it takes too long.
fn with_watchdog(test: impl FnOnce() + Send + 'static) {
    let (done, wait) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        test();
        let _ = done.send(());
    });
    match wait.recv_timeout(Duration::from_secs(60)) {
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("the run hangs"),
        _ => thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
    }
}

/// The spikes of `population` in `(start, end]`, a pure function of the name; `burst` of them every 100 µs.
fn spikes(population: &str, width: u32, burst: u32, start: Time, end: Time) -> Vec<(Time, u32)> {
    let key = population.bytes().fold(7u64, |k, b| k.wrapping_mul(31).wrapping_add(b.into()));
    let mut spikes = Vec::new();
    let tick = 100_000;
    for t in start.ns() / tick..end.ns() / tick {
        for n in 0..burst {
            let x = (key ^ (t as u64) << 20 ^ u64::from(n)).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20;
            let time = Time::from_ns((t + 1) * tick - (x % 3) as i64 * 30_000);
            spikes.push((time, (x >> 8) as u32 % width));
        }
    }
    spikes
}

/// Plays one rank: emits [`spikes`] on each output, and checks that each window gets what the rule says.
fn play(setup: Setup, burst: u32, needed: impl Fn(u32) -> IndexSet) -> Result<u64, SessionError> {
    let welcome: Welcome = setup.welcome().clone();
    let sets: Vec<IndexSet> = welcome.inputs.iter().map(|input| needed(input.width)).collect();
    let mut run: Runtime = setup.start(sets.clone())?;
    let mut received = 0;
    while let Some(window) = run.next_window()? {
        let mut got: BTreeMap<usize, Vec<(Time, u32)>> = BTreeMap::new();
        run.for_each_input(|input, index, time| got.entry(input).or_default().push((time, index)))?;
        for (position, input) in welcome.inputs.iter().enumerate() {
            let from = (window.start - input.min_delay).max(Time::ZERO);
            let to = (window.end - input.min_delay).max(Time::ZERO);
            // A margin on both sides, then cut: bounds need not lie on the ticks.
            let around = spikes(&input.source, input.width, burst, from - us(200).min(from - Time::ZERO), to + us(200));
            let mut expected: Vec<_> = around
                .into_iter()
                .filter(|(time, index)| *time > from && *time <= to && sets[position].contains(*index))
                .map(|(time, index)| (time + input.delay, index))
                .collect();
            expected.sort_unstable();
            let mut got = got.remove(&position).unwrap_or_default();
            got.sort_unstable();
            received += got.len() as u64;
            assert!(got == expected, "window {window:?} of {} from {}", welcome.line, input.source);
        }
        for (output, port) in welcome.outputs.iter().enumerate() {
            let around = spikes(&port.population, port.width, burst, window.start, window.end + us(200));
            for (time, index) in around.into_iter().filter(|(time, _)| *time > window.start && *time <= window.end) {
                run.emit(output, index, time);
            }
        }
    }
    run.finish()?;
    Ok(received)
}

/// Plays a rank that takes its input and emits nothing.
fn idle(setup: Setup) -> Result<(), SessionError> {
    let needed = setup.welcome().inputs.iter().map(|input| IndexSet::all(input.width)).collect();
    let mut run = setup.start(needed)?;
    while run.next_window()?.is_some() {
        run.for_each_input(|_, _, _| {})?;
    }
    run.finish()
}

/// Runs all ranks as threads; each must succeed. Returns the spikes received by each.
fn run_locally(wiring: &Wiring, carry: Carry, burst: u32, needed: fn(u32) -> IndexSet) -> Vec<u64> {
    let welcomes = wiring.welcomes(carry).into_iter().map(|(_, welcome)| welcome).collect();
    let (setups, _page) = local::connect(welcomes).unwrap();
    let threads: Vec<_> =
        setups.into_iter().map(|setup| std::thread::spawn(move || play(setup, burst, needed))).collect();
    threads.into_iter().map(|thread| thread.join().unwrap().unwrap()).collect()
}

/// Three ranks with windows that do not divide each other, in a loop and with self-made cross links.
fn three(duration: Span) -> Wiring {
    let mut wiring = Wiring::new(duration);
    let (a, b, c) = (wiring.rank("a", us(300)), wiring.rank("b", us(500)), wiring.rank("c", us(100)));
    let (ea, ia) = (wiring.output(a, "E", 1000), wiring.output(a, "I", 7));
    let eb = wiring.output(b, "B", 100);
    let ec = wiring.output(c, "C", 64);
    wiring.link(a, ea, b, us(1500), Span::ZERO);
    wiring.link(a, ia, b, us(2300), us(2300));
    wiring.link(b, eb, c, us(1100), Span::ZERO);
    wiring.link(b, eb, a, us(1000), us(1000));
    wiring.link(c, ec, a, us(800), us(800));
    wiring.link(a, ea, c, us(4000), Span::ZERO);
    wiring
}

#[test]
fn each_window_gets_exactly_its_events() {
    for carry in CARRIES {
        with_watchdog(move || {
            let received = run_locally(&three(us(20_050)), carry, 5, IndexSet::all);
            assert!(received.iter().all(|n| *n > 500), "{carry:?} {received:?}");
        });
    }
}

#[test]
fn only_needed_indices_travel() {
    with_watchdog(|| {
        let some = |width| IndexSet::from_flags(&(0..width).map(|i| i % 3 == 0).collect::<Vec<_>>());
        let all = run_locally(&three(us(10_000)), Carry::Shm(4096), 5, IndexSet::all);
        let part = run_locally(&three(us(10_000)), Carry::Shm(4096), 5, some);
        assert!(part.iter().zip(&all).all(|(part, all)| part * 2 < *all && *part > 0), "{part:?} {all:?}");
        let none = run_locally(&three(us(10_000)), Carry::Thread, 5, |_| IndexSet::empty());
        assert_eq!(none, [0, 0, 0]);
    });
}

#[test]
fn bursts_larger_than_the_rings_get_through() {
    for carry in CARRIES {
        with_watchdog(move || {
            let received = run_locally(&three(us(3_000)), carry, 4000, IndexSet::all);
            assert!(received.iter().sum::<u64>() > 100_000);
        });
    }
}

#[test]
fn a_fast_sender_waits_for_credit() {
    with_watchdog(|| {
        let mut wiring = Wiring::new(us(50_000));
        let (a, b) = (wiring.rank("a", us(100)), wiring.rank("b", us(1000)));
        let out = wiring.output(a, "E", 10);
        wiring.link(a, out, b, us(1000), Span::ZERO);
        wiring.credit(a, b, us(3000));
        let welcomes = wiring.welcomes(Carry::Shm(1 << 20)).into_iter().map(|(_, w)| w).collect();
        let (mut setups, page) = local::connect(welcomes).unwrap();
        let slow = setups.remove(1);
        let fast = std::thread::spawn({
            let setup = setups.remove(0);
            let page = page.clone();
            move || {
                let mut run = setup.start(vec![]).unwrap();
                while let Some(window) = run.next_window().unwrap() {
                    let receiver = page.lines()[1].time();
                    assert!(window.end - receiver <= us(3000), "{window:?} while the receiver is at {receiver}");
                    run.emit(0, 3, window.end);
                }
                run.finish().unwrap();
            }
        });
        let mut run = slow.start(vec![IndexSet::all(10)]).unwrap();
        while run.next_window().unwrap().is_some() {
            std::thread::sleep(Duration::from_millis(1));
            run.for_each_input(|_, _, _| {}).unwrap();
        }
        run.finish().unwrap();
        fast.join().unwrap();
    });
}

#[test]
fn processes_meet_by_the_real_protocol() {
    with_watchdog(|| {
        let file = std::env::temp_dir().join(format!("couple-session-{}.journal", std::process::id()));
        let _ = std::fs::remove_file(&file);
        let mut wiring = three(us(9_000));
        wiring.record(1, 0, &file);
        let parts = wiring.welcomes(Carry::Shm(8192));
        let rendezvous = Rendezvous::open().unwrap();
        let threads: Vec<_> = ["a", "b", "c"]
            .iter()
            .map(|name| {
                let address = rendezvous.address(name, 0);
                std::thread::spawn(move || play(Setup::connect_to(&address)?, 50, IndexSet::all))
            })
            .collect();
        let outcomes = rendezvous.serve(parts).unwrap();
        assert!(threads.into_iter().all(|thread| thread.join().unwrap().unwrap() > 0));
        let Outcome::Done(emitted) = &outcomes[1] else { panic!("{outcomes:?}") };
        let mut reader = journal::Reader::open(&file).unwrap();
        let mut recorded = Vec::new();
        while reader.next_window(&mut recorded).unwrap().is_some() {}
        std::fs::remove_file(&file).unwrap();
        assert_eq!(recorded.len() as u64, emitted[0]);
        assert_eq!(reader.watermark(), Time::ZERO + us(9_000));
        assert_eq!(reader.links()[0].population, "B");
    });
}

#[test]
fn a_failure_ends_the_run_for_all() {
    with_watchdog(|| {
        let rendezvous = Rendezvous::open().unwrap();
        let parts = three(us(900_000)).welcomes(Carry::Shm(4096));
        let others: Vec<_> = ["a", "c"]
            .iter()
            .map(|name| {
                let address = rendezvous.address(name, 0);
                std::thread::spawn(move || idle(Setup::connect_to(&address)?))
            })
            .collect();
        let address = rendezvous.address("b", 0);
        let failing = std::thread::spawn(move || {
            let setup = Setup::connect_to(&address).unwrap();
            let needed = setup.welcome().inputs.iter().map(|i| IndexSet::all(i.width)).collect();
            let mut run = setup.start(needed).unwrap();
            for _ in 0..5 {
                run.next_window().unwrap();
            }
            run.emit(0, 100, run.now());
            run.next_window().unwrap_err().to_string()
        });
        let outcomes = rendezvous.serve(parts).unwrap();
        let error = failing.join().unwrap();
        assert!(error.contains("neuron 100 of B") && error.contains("100 neurons"), "{error}");
        assert_eq!(outcomes[1], Outcome::Failed(error));
        for other in others {
            let error = other.join().unwrap().unwrap_err();
            assert!(matches!(error, SessionError::Stopped { .. }), "{error}");
        }
    });
}

#[test]
fn a_rank_that_leaves_ends_the_run() {
    with_watchdog(|| {
        let rendezvous = Rendezvous::open().unwrap();
        let address = rendezvous.address("a", 0);
        let mut wiring = Wiring::new(us(1_000_000_000));
        let (a, b) = (wiring.rank("a", us(100)), wiring.rank("b", us(100)));
        let out = wiring.output(b, "E", 10);
        wiring.link(b, out, a, us(100), Span::ZERO);
        let parts = wiring.welcomes(Carry::Shm(4096));
        let waiting = std::thread::spawn(move || {
            let mut run = Setup::connect_to(&address).unwrap().start(vec![IndexSet::all(10)]).unwrap();
            loop {
                if let Err(error) = run.next_window() {
                    return error;
                }
            }
        });
        let address = rendezvous.address("b", 0);
        let silent = std::thread::spawn(move || drop(Setup::connect_to(&address).unwrap().start(vec![]).unwrap()));
        let outcomes = rendezvous.serve(parts).unwrap();
        silent.join().unwrap();
        assert!(matches!(&outcomes[1], Outcome::Failed(m) if m.contains("left before the end")), "{outcomes:?}");
        assert!(matches!(waiting.join().unwrap(), SessionError::Stopped { .. }));
    });
}

#[test]
fn spikes_outside_of_the_window_are_refused() {
    with_watchdog(|| {
        for (shift, right) in [(us(0), false), (us(1), true), (us(100), true), (us(101), false), (us(-50), false)] {
            let mut wiring = Wiring::new(us(1000));
            let a = wiring.rank("a", us(100));
            wiring.output(a, "E", 10);
            let welcomes = wiring.welcomes(Carry::Thread).into_iter().map(|(_, w)| w).collect();
            let (mut setups, _page) = local::connect(welcomes).unwrap();
            let mut run = setups.remove(0).start(vec![]).unwrap();
            let window = run.next_window().unwrap().unwrap();
            run.emit(0, 9, window.start + shift);
            let next = run.next_window();
            assert_eq!(next.is_ok(), right, "{shift}: {next:?}");
            if let Err(error) = next {
                assert!(error.to_string().contains("outside of the window"), "{error}");
            }
        }
    });
}

/// A coordinator that goes as far as Start, and then dies.
#[test]
fn a_coordinator_that_dies_is_noticed() {
    with_watchdog(|| {
        let mut wiring = Wiring::new(us(1_000_000_000));
        let (a, b) = (wiring.rank("a", us(100)), wiring.rank("b", us(100)));
        let out = wiring.output(b, "E", 10);
        wiring.link(b, out, a, us(100), Span::ZERO);
        let welcomes: Vec<Welcome> = wiring.welcomes(Carry::Shm(4096)).into_iter().map(|(_, w)| w).collect();
        let name = format!("couple-test-dies-{}", std::process::id());
        let listener = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
        let address = Address { socket: name, token: String::new(), component: "a".to_owned(), rank: 0 };
        let rank = std::thread::spawn(move || {
            let mut run = Setup::connect_to(&address)?.start(vec![IndexSet::all(10)])?;
            while run.next_window()?.is_some() {}
            Ok(())
        });
        let (stream, _) = listener.accept().unwrap();
        let mut incoming = Incoming::new();
        let mut read = || incoming.receive::<FromRank>(&stream, None).unwrap().unwrap().0;
        assert!(matches!(read(), FromRank::Hello(hello) if hello.component == "a"));
        let page = status::create(2).unwrap();
        let own = relay::descriptors(&welcomes, &page).unwrap().remove(0);
        let own: Vec<_> = own.iter().map(|d| d.as_fd()).collect();
        descriptors::send(&stream, &FromCoordinator::Welcome(Box::new(welcomes[0].clone())), &own).unwrap();
        assert!(matches!(read(), FromRank::Ready { .. }));
        descriptors::send(&stream, &FromCoordinator::Start { wanted: vec![] }, &[]).unwrap();
        drop(stream);
        let ended: Result<(), SessionError> = rank.join().unwrap();
        assert!(matches!(ended, Err(SessionError::CoordinatorGone { .. })), "{ended:?}");
    });
}

#[test]
fn strangers_are_refused() {
    with_watchdog(|| {
        let rendezvous = Rendezvous::open().unwrap();
        let (address, mut wrong) = (rendezvous.address("a", 0), rendezvous.address("a", 0));
        wrong.token = "guess".to_owned();
        let (other, twice) = (rendezvous.address("z", 0), rendezvous.address("a", 1));
        let ranks = std::thread::spawn(move || {
            for stranger in [wrong, other, twice] {
                let error = Setup::connect_to(&stranger).err().unwrap();
                assert!(matches!(error, SessionError::Refused(_)), "{error}");
            }
            idle(Setup::connect_to(&address).unwrap()).unwrap();
        });
        let mut wiring = Wiring::new(us(100));
        wiring.rank("a", us(100));
        assert_eq!(rendezvous.serve(wiring.welcomes(Carry::Shm(4096))).unwrap(), [Outcome::Done(vec![])]);
        ranks.join().unwrap();
        let gone = Address { socket: "couple-nobody".to_owned(), ..Rendezvous::open().unwrap().address("a", 0) };
        let error = Setup::connect_to(&gone).err().unwrap().to_string();
        assert!(error.contains("couple-nobody") && error.contains("couple run"), "{error}");
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Any windows, any links with a delay of at least the receiver's window: each window gets exactly its events.
    #[test]
    fn any_network_gets_exactly_its_events(
        windows in proptest::collection::vec(1i64..8, 2..5),
        links in proptest::collection::vec((0usize..4, 0usize..4, 0i64..20, any::<bool>()), 1..8),
        burst in 1u32..400,
        ring in any::<bool>(),
    ) {
        let ranks = windows.len();
        let mut wiring = Wiring::new(us(3_050));
        for (rank, window) in windows.iter().enumerate() {
            wiring.rank(&format!("r{rank}"), us(50 * window));
            wiring.output(rank, &format!("P{rank}"), 50 + rank as u32);
        }
        for (from, to, extra, plain) in links {
            let (from, to) = (from % ranks, to % ranks);
            if from != to {
                let delay = us(50 * (windows[to] + extra));
                wiring.link(from, 0, to, delay, if plain { delay } else { Span::ZERO });
            }
        }
        let carry = if ring { Carry::Shm(4096) } else { Carry::Thread };
        with_watchdog(move || {
            run_locally(&wiring, carry, burst, IndexSet::all);
        });
    }
}

/// A process that is killed while it records leaves all windows but the one it was writing.
#[test]
fn a_killed_recorder_leaves_whole_windows() {
    let file = std::env::temp_dir().join(format!("couple-killed-{}.journal", std::process::id()));
    if let Ok(path) = std::env::var("SESSION_TEST_JOURNAL") {
        let links = vec![journal::JournalLink { link: 0, population: "E".to_owned(), width: 100 }];
        let mut writer = journal::Writer::create(path.as_ref(), links).unwrap();
        for n in 0.. {
            let (start, end) = (Time::ZERO + us(n), Time::ZERO + us(n + 1));
            writer.add(0, start, end, &[Event { index: n as u32 % 100, offset: 1000 }]);
            writer.publish(end).unwrap();
        }
    }
    with_watchdog(move || {
        let _ = std::fs::remove_file(&file);
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["a_killed_recorder_leaves_whole_windows", "--exact"])
            .env("SESSION_TEST_JOURNAL", &file)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        while !file.metadata().is_ok_and(|m| m.len() > 100_000) {
            std::thread::sleep(Duration::from_millis(1));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let mut reader = journal::Reader::open(&file).unwrap();
        let mut spikes = Vec::new();
        while reader.next_window(&mut spikes).unwrap().is_some() {}
        std::fs::remove_file(&file).unwrap();
        assert!(spikes.len() > 1000);
        assert_eq!(reader.watermark(), Time::ZERO + us(spikes.len() as i64));
        assert!(spikes.iter().enumerate().all(|(n, s)| s.time == Time::ZERO + us(n as i64 + 1)));
        assert!(reader.torn() < 72);
    });
}
