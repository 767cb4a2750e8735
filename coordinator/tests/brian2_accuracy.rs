//! Brian2's cells beside the native ones, which are exact on the grid (current-based cells) or integrated with an error
//! below 1e-3 mV: potentials without spikes, and spikes. Prints the table of `docs/brian2.md`:
//!
//! ```text
//! cargo test -p couple --test brian2_accuracy -- --nocapture
//! ```

#![allow(clippy::unwrap_used, reason = "how a test fails")]

mod accuracy;

use accuracy::{CASES, config, crosscheck, potential, spikes};
use couple::setup::brian2;
use tempfile::TempDir;

/// Largest difference of potentials in mV.
fn limit(cell: &str) -> f64 {
    match cell {
        "IF_curr_exp" | "IF_curr_alpha" | "IF_curr_delta" => 0.0,
        "Izhikevich" => 1e-9,
        _ => 1e-3,
    }
}

#[test]
fn brian2s_cells_are_as_accurate_as_their_method() {
    if brian2::installed().is_none() {
        println!("skipped: {} needs Brian2: run `couple setup brian2`", module_path!());
        return;
    }
    println!("| cell | max \\|ΔV\\| | spikes native | Brian2 |");
    println!("|---|---|---|---|");
    let mut faults = vec![];
    for case in &CASES {
        let folder = TempDir::new().unwrap();
        let found = |params: &str| crosscheck(folder.path(), &config(case, params, "0.1 ms"), "native,brian2");
        let difference = potential(&found(case.quiet), "brian2");
        let firing = found(case.firing);
        let native = firing["populations"][0]["trains"][0]["spikes"].as_u64().unwrap();
        let (count, apart) = spikes(&firing, "brian2");
        println!("| {} | {difference:.1e} mV | {native} | {count} ({apart:.3} ms) |", case.cell);
        // No spike gained or lost, and most of them in the very same step.
        if difference > limit(case.cell) || apart > 0.0 || count != native {
            faults.push(format!("{}: {difference} mV; {count} spikes for {native}, {apart} ms apart", case.cell));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
