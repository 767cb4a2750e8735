//! One member of a ring: sends `EVENTS` events a window and counts what it gets.
//!
//! Usage: `couple-bench-participant EVENTS`, started by `couple run` as a script component.

use std::error::Error;
use std::hint::black_box;
use std::time::Instant;

use couple_ports::session::Setup;
use couple_ports::time::Span;

/// The first tenth of the windows is not timed: pages are touched and caches filled there.
const WARM_UP: i64 = 10;

fn main() -> Result<(), Box<dyn Error>> {
    let events: u32 = std::env::args().nth(1).ok_or("usage: couple-bench-participant EVENTS")?.parse()?;
    let setup = Setup::connect()?;
    let welcome = setup.welcome();
    let (window, windows) = (welcome.window, welcome.duration.steps(welcome.window));
    let needed = welcome.inputs.iter().map(|i| couple_ports::index::IndexSet::all(i.width)).collect();
    let mut run = setup.start(needed)?;
    let half = Span::from_ns(window.ns() / 2);
    let (mut received, mut sum, mut done, mut begin) = (0u64, 0u64, 0, Instant::now());
    while let Some(current) = run.next_window()? {
        if done == windows / WARM_UP {
            begin = Instant::now();
        }
        run.for_each_input(|_, index, _| {
            received += 1;
            sum += u64::from(index);
        })?;
        for index in 0..events {
            run.emit(0, index, current.start + half);
        }
        done += 1;
    }
    let timed = done - windows / WARM_UP;
    println!("us_per_window {:.4} received {received}", begin.elapsed().as_secs_f64() * 1e6 / timed as f64);
    black_box(sum);
    run.finish()?;
    Ok(())
}
