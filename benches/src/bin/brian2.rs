//! What the exchange costs Brian2: cells in one long run of plain Brian2, and the same as a component that gets 100 spikes
//! in each window of 1 ms, alternating. Processor time is the steadier figure on a machine that others use as well.
//!
//! Usage: `couple-bench-brian2 [REPEATS]`. Brian2 comes from the environment that `couple setup brian2` makes.

use couple_benches::{Bench, Result, Simulator, repeats};

fn main() -> Result<()> {
    let bench = Bench::new(Simulator { name: "brian2", title: "Brian2 (NumPy)" })?;
    let package = bench.sources.join("../../adapters/python");
    bench.per_window([(100, 5000), (10_000, 1000)], repeats()?, |_| Ok(vec![package.clone()]))
}
