//! NEURON's cells beside the native ones, which are exact on the grid (current-based cells) or integrated with an error
//! below 1e-3 mV: potentials without spikes, and spikes. Prints the table of `docs/neuron.md`:
//!
//! ```text
//! cargo test -p couple --test neuron_accuracy -- --nocapture
//! ```

#![allow(clippy::unwrap_used, reason = "how a test fails")]

mod accuracy;

use accuracy::{CASES, config, crosscheck, potential, spikes};
use couple::setup::neuron;
use tempfile::TempDir;

#[test]
fn neurons_cells_are_as_accurate_as_their_method() {
    if neuron::installed().is_none() {
        println!("skipped: {} needs NEURON: run `couple setup neuron`", module_path!());
        return;
    }
    println!("| cell | max \\|ΔV\\|, 0.1 ms | 0.025 ms | CVODE | spikes native | 0.1 ms | 0.025 ms | CVODE |");
    println!("|---|---|---|---|---|---|---|---|");
    let mut faults = vec![];
    for case in &CASES {
        let folder = TempDir::new().unwrap();
        let both = |params: &str| {
            let coarse = crosscheck(folder.path(), &config(case, params, "0.1 ms"), "native,neuron,neuron-cvode");
            (coarse, crosscheck(folder.path(), &config(case, params, "0.025 ms"), "native,neuron"))
        };
        let (coarse, fine) = both(case.quiet);
        let [c, f, v] = [potential(&coarse, "neuron"), potential(&fine, "neuron"), potential(&coarse, "neuron-cvode")];
        let (coarse, fine) = both(case.firing);
        let native = coarse["populations"][0]["trains"][0]["spikes"].as_u64().unwrap();
        let firing = [spikes(&coarse, "neuron"), spikes(&fine, "neuron"), spikes(&coarse, "neuron-cvode")];
        let [a, b, d] = firing.map(|(n, apart)| format!("{n} ({apart:.3} ms)"));
        println!("| {} | {c:.4} mV | {f:.4} mV | {v:.6} mV | {native} | {a} | {b} | {d} |", case.cell);
        // Izhikevich's native cell is Euler's method, and the exponentials of the others are not of first order alone.
        let exact = case.cell.starts_with("IF_");
        let order = c / f;
        if c > case.limit || (case.cell != "Izhikevich" && v > 1e-3) || (exact && !(3.0..5.5).contains(&order)) {
            faults.push(format!("{}: {c} mV, {f} mV (ratio {order}), CVODE {v} mV", case.cell));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
