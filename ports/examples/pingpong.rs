//! Measures the exchange of windows between processes, by the real protocol over shared memory.
//!
//! ```sh
//! cargo run --release -p couple-ports --example pingpong
//! ```
//!
//! "Signals": the two processes exchange a sample of each column in each window, instead of events.
//! "Loop": two processes that send to each other, with a delay of one window, so that nothing can be pipelined.
//! "Ring": each of K processes sends to the next one. Times are per window.

use std::process::Command;
use std::time::Instant;

use couple_ports::control::SignalIn;
use couple_ports::index::IndexSet;
use couple_ports::session::rendezvous::Rendezvous;
use couple_ports::session::wait::Patience;
use couple_ports::session::wiring::{Carry, Wiring};
use couple_ports::session::{SessionError, Setup};
use couple_ports::time::Span;
use ndarray::Array2;

const WINDOW: Span = Span::from_ns(100_000);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    if let Ok(events) = std::env::var("PINGPONG_EVENTS") {
        return Ok(play(events.parse()?)?);
    }
    let wanted = std::env::args().nth(1);
    let cores = std::thread::available_parallelism()?.get();
    println!("{cores} cores");
    let events = [
        (1, 0, 500_000),
        (2, 0, 500_000),
        (2, 100, 100_000),
        (2, 10_000, 2_000),
        (3, 10, 20_000),
        (4, 10, 20_000),
        (8, 10, 10_000),
    ];
    let samples = [(2, 1, 100_000), (2, 100, 100_000), (2, 10_000, 2_000)];
    let cases = events.map(|case| (case, "")).into_iter().chain(samples.map(|case| (case, "v")));
    for ((ranks, number, windows), kind) in cases {
        let name = format!("{ranks}x{number}{kind}");
        if wanted.as_ref().is_none_or(|wanted| *wanted == name) {
            let (events, columns, what) = if kind.is_empty() { (number, 0, "events") } else { (0, number, "samples") };
            let times = measure(ranks, events, columns, windows, ranks <= cores)?;
            let (least, median) = (times[0], times[times.len() / 2]);
            println!("{ranks} processes, {number:>5} {what} each: {median:8.3} µs per window, least {least:8.3}");
        }
    }
    Ok(())
}

/// Runs a case many times and sorts the results: on a busy machine only the least ones mean something.
fn measure(
    ranks: usize,
    events: u32,
    columns: u32,
    windows: i64,
    spin: bool,
) -> Result<Vec<f64>, Box<dyn std::error::Error>> {
    let mut times = Vec::new();
    for _ in 0..21 {
        let mut wiring = Wiring::new(WINDOW * windows);
        let names: Vec<String> = (0..ranks).map(|rank| format!("p{rank}")).collect();
        for name in &names {
            let rank = wiring.rank(name, WINDOW);
            wiring.output(rank, name, 100_000);
            wiring.welcome(rank).spin = spin;
        }
        if ranks > 1 {
            (0..ranks).for_each(|rank| wiring.link(rank, 0, (rank + 1) % ranks, WINDOW, Span::ZERO));
        }
        if columns > 0 {
            let like = SignalIn { delay: WINDOW, initial: vec![0.0], ..SignalIn::default() };
            (0..ranks).for_each(|rank| wiring.signal(&[rank], &names[rank], "v", columns));
            for (rank, name) in names.iter().enumerate() {
                wiring.samples(&[rank], &format!("{name}.v"), &[(rank + 1) % ranks], "in", &like);
            }
        }
        let rendezvous = Rendezvous::open()?;
        let mut children = Vec::new();
        for name in &names {
            let mut child = Command::new(std::env::current_exe()?);
            child.envs(rendezvous.environment(name, 0)).env("PINGPONG_EVENTS", events.to_string());
            children.push(child.stdout(std::process::Stdio::piped()).spawn()?);
        }
        rendezvous.serve(wiring.welcomes(Carry::Shm(1 << 20)))?;
        let mut slowest: f64 = 0.0;
        for child in children {
            let output = child.wait_with_output()?;
            let seconds: f64 = String::from_utf8(output.stdout)?.trim().parse()?;
            slowest = slowest.max(seconds);
        }
        times.push(slowest * 1e6 / windows as f64);
    }
    times.sort_by(f64::total_cmp);
    Ok(times)
}

/// One process: emits `events` in each window, takes what comes, and prints how many seconds that took.
fn play(events: u32) -> Result<(), SessionError> {
    let setup = Setup::connect()?;
    let needed = setup.welcome().inputs.iter().map(|input| IndexSet::all(input.width)).collect();
    let block = setup.welcome().signals_out.first().map(|signal| Array2::from_elem((1, signal.count as usize), 1.5));
    let mut run = setup.start(needed)?;
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u32>().ok());
    if let (Some(micros), Some(yields)) = (number("PINGPONG_SPIN"), number("PINGPONG_YIELDS")) {
        run.set_patience(Patience { spin: std::time::Duration::from_micros(micros.into()), yields });
    }
    let begun = Instant::now();
    let (mut sum, mut count) = (0u64, 0u64);
    while let Some(window) = run.next_window()? {
        run.for_each_input(|_, index, _| {
            sum += u64::from(index);
            count += 1;
        })?;
        for index in 0..events {
            run.emit(0, index, window.end);
        }
        if let Some(block) = &block {
            count += run.samples(0)?.len() as u64;
            run.write_samples(0, block.view())?;
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    run.finish()?;
    std::hint::black_box((sum, count));
    println!("{seconds}");
    Ok(())
}
