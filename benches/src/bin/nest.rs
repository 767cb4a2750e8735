//! What the exchange costs NEST: one network in plain PyNEST, without and with a spike recorder, and the same as a component
//! of a run, alternating. Processor time is the steadier figure on a machine that others use as well.
//!
//! Usage: `couple-bench-nest [REPEATS]`. NEST comes from the environment that `couple setup nest` makes.

use couple_benches::{Bench, Result, Seconds, Simulator, head, output, ratio, repeats, row, summary};

fn main() -> Result<()> {
    let repeats = repeats()?;
    let bench = Bench::new(Simulator { name: "nest", title: "NEST" })?;
    let plain = |arguments: &[&str]| Seconds::of(&output(bench.alone().args(arguments))?);
    let (mut silent, mut recorded, mut coupled) = (Vec::new(), Vec::new(), Vec::new());
    for repeat in 0..repeats {
        silent.push(plain(&[])?);
        recorded.push(plain(&["record"])?);
        coupled.push(Seconds::of(&bench.coupled(&format!("r{repeat}"), &[])?)?);
    }
    println!("NEST, 10,000 cells, 2 s simulated, one thread: least and median of {repeats} alternating runs, s");
    head();
    let [silent, recorded, coupled] = [silent, recorded, coupled].map(|runs| summary(&runs));
    row("alone, nobody gets the spikes", silent, 3);
    row("alone, with a spike_recorder", recorded, 3);
    row("coupled, spikes both ways", coupled, 3);
    row("ratio to alone", ratio(coupled, silent), 3);
    row("ratio to alone with recorder", ratio(coupled, recorded), 3);
    Ok(())
}
