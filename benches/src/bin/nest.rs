//! What the exchange costs NEST: one network in plain PyNEST, and the same as a component of a run, alternating.
//!
//! Usage: `couple-bench-nest [REPEATS]`. NEST comes from the environment that `couple setup nest` makes.

use std::error::Error;
use std::path::Path;
use std::process::Command;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The seconds that NEST's `Run` took, as both sides print it: `simulated 2000.0 ms in 1.6000 s`.
fn seconds(text: &str) -> Result<f64> {
    let figure = text.lines().find_map(|line| line.split_once("ms in ")?.1.strip_suffix(" s"));
    Ok(figure.ok_or_else(|| format!("no run time in:\n{text}"))?.trim().parse()?)
}

fn output(command: &mut Command) -> Result<String> {
    let output = command.output().map_err(|e| format!("cannot start {:?}: {e}", command.get_program()))?;
    let error = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("{:?} ended with {}:\n{error}", command.get_program(), output.status).into());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() -> Result<()> {
    let repeats: usize = std::env::args().nth(1).map_or(Ok(5), |n| n.parse())?;
    let executable = std::env::current_exe()?;
    let couple = executable.parent().ok_or("the program has no folder")?.join("couple");
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("nest");
    let folder = tempfile::tempdir()?;
    output(Command::new(&couple).args(["setup", "nest"]))?;
    let python = output(Command::new(&couple).args(["setup", "nest", "--print-python"]))?;
    let (mut alone, mut coupled) = (Vec::new(), Vec::new());
    for repeat in 0..repeats {
        alone.push(seconds(&output(Command::new(python.trim()).arg(sources.join("alone.py")))?)?);
        let label = format!("r{repeat}");
        let mut run = Command::new(&couple);
        run.args(["run", "--quiet", "--label", &label, "--out"]).arg(folder.path()).arg(sources.join("coupled.toml"));
        output(&mut run)?;
        let log = std::fs::read_to_string(folder.path().join(&label).join("logs/nest.0.log"))?;
        coupled.push(seconds(&log)?);
    }
    let ratios: Vec<String> = coupled.iter().zip(&alone).map(|(c, a)| format!("{:.3}", c / a)).collect();
    let (alone, coupled) = (median(&mut alone), median(&mut coupled));
    println!("NEST, 10,000 cells, 2 s simulated, one thread, medians of {repeats} alternating runs");
    println!(
        "alone {alone:.3} s, coupled {coupled:.3} s, ratio {:.3} (each pair: {})",
        coupled / alone,
        ratios.join(" ")
    );
    Ok(())
}
