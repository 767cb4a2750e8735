//! What the exchange costs NEURON: cells in one long run of plain NEURON, and the same as a component that gets 100 spikes
//! in each window of 1 ms, alternating. Processor time is the steadier figure on a machine that others use as well.
//!
//! Usage: `couple-bench-neuron [REPEATS]`. NEURON comes from the environment that `couple setup neuron` makes.

use couple_benches::{Bench, Result, Simulator, repeats};

fn main() -> Result<()> {
    let bench = Bench::new(Simulator { name: "neuron", title: "NEURON" })?;
    bench.per_window([(100, 5000), (10_000, 500)], repeats()?, |log| {
        let mechanisms = log.lines().find_map(|line| line.strip_prefix("couple: mechanisms: "));
        let mechanisms = mechanisms.ok_or("the log does not tell of the mechanisms")?;
        Ok(vec![mechanisms.into(), bench.programs.join("libcouple_ffi.so")])
    })
}
