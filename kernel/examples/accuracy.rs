//! Writes the table of docs/accuracy.md: the cells of the kernel against NEST's on the same input.
//!
//! ```text
//! COUPLE_NEST_PYTHON=/path/to/python cargo run -p couple-kernel --example accuracy
//! ```

#[path = "../tests/common/mod.rs"]
mod common;

fn main() -> Result<(), String> {
    let python = common::nest_python()
        .ok_or("set COUPLE_NEST_PYTHON to an interpreter that has NEST, for example that of a virtual environment")?;
    let cases = common::cases();
    let reference = common::run_in_nest(&python, &cases);
    println!("| case | step | spikes in 1 s | max \\|ΔV\\| (mV) | values with other bits | spikes |");
    println!("|---|---|---|---|---|---|");
    for (case, theirs) in cases.iter().zip(&reference) {
        let ours = case.run();
        let (largest, other_bits, same) = common::compare(&ours, theirs);
        let spikes = if same { "identical" } else { "**different**" };
        println!(
            "| {} | {} | {:.0} | {} | {other_bits} of {} | {spikes} |",
            case.name,
            case.step,
            theirs.spikes.len() as f64 / (case.step.ms() * f64::from(case.steps) * 1e-3),
            if largest == 0.0 { "0".into() } else { format!("{largest:.1e}") },
            case.steps as usize * ours.states.len()
        );
    }
    Ok(())
}
