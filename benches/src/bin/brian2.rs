//! What the exchange costs Brian2: cells in one long run of plain Brian2, and the same as a component that gets 100 spikes
//! in each window of 1 ms, alternating. Processor time is the steadier figure on a machine that others use as well.
//!
//! Usage: `couple-bench-brian2 [REPEATS]`. Brian2 comes from the environment that `couple setup brian2` makes.

use std::error::Error;
use std::path::Path;
use std::process::Command;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Cells, and ms to simulate.
const SIZES: [(u32, u32); 2] = [(100, 5000), (10_000, 1000)];

/// What a ms of simulated time takes, in µs.
#[derive(Clone, Copy)]
struct Cost {
    wall: f64,
    processor: f64,
}

/// The line that both sides print: `simulated 2000.0 ms in 1.600 s, 1.590 s of processor time`.
fn cost(text: &str) -> Result<Cost> {
    let figures = text.lines().find_map(|line| {
        let (ms, rest) = line.split_once("simulated ")?.1.split_once(" ms in ")?;
        let (wall, rest) = rest.split_once(" s, ")?;
        Some([ms, wall, rest.strip_suffix(" s of processor time")?])
    });
    let [ms, wall, processor] = figures.ok_or_else(|| format!("no run time in:\n{text}"))?;
    let ms: f64 = ms.parse()?;
    let micros = |seconds: &str| seconds.parse::<f64>().map(|s| s * 1e6 / ms);
    Ok(Cost { wall: micros(wall)?, processor: micros(processor)? })
}

fn output(command: &mut Command) -> Result<String> {
    let output = command.output().map_err(|e| format!("cannot start {:?}: {e}", command.get_program()))?;
    let error = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("{:?} ended with {}:\n{error}", command.get_program(), output.status).into());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn main() -> Result<()> {
    let repeats: usize = std::env::args().nth(1).map_or(Ok(5), |n| n.parse())?;
    let executable = std::env::current_exe()?;
    let programs = executable.parent().ok_or("the program has no folder")?;
    let couple = programs.join("couple");
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("brian2");
    let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("../adapters/python");
    let folder = tempfile::tempdir()?;
    output(Command::new(&couple).args(["setup", "brian2"]))?;
    let python = output(Command::new(&couple).args(["setup", "brian2", "--print-python"]))?;
    println!("Brian2 (NumPy), IF_curr_exp, step 0.1 ms: µs for a ms, least and median of {repeats} alternating runs");
    println!("{:<34} {:>17} {:>17}", "", "wall clock", "processor");
    for (cells, ms) in SIZES {
        let (mut alone, mut coupled) = (Vec::new(), Vec::new());
        for repeat in 0..repeats {
            let label = format!("{cells}-{repeat}");
            let mut run = Command::new(&couple);
            run.args(["run", "--quiet", "--label", &label, "--out"])
                .arg(folder.path())
                .arg(sources.join("coupled.toml"));
            run.args(["--set", &format!("population.N.size={cells}"), "--set", &format!("run.duration={ms}")]);
            output(&mut run)?;
            let log = std::fs::read_to_string(folder.path().join(&label).join("logs/brian2.0.log"))?;
            coupled.push(cost(&log)?);
            let mut plain = Command::new(python.trim());
            plain.arg(sources.join("alone.py")).arg(&package);
            alone.push(cost(&output(plain.args([cells.to_string(), ms.to_string()]))?)?);
        }
        let (alone, coupled) = (summary(&alone), summary(&coupled));
        row(&format!("{cells} cells, alone"), alone, 1);
        row(&format!("{cells} cells, coupled, 100 spikes"), coupled, 1);
        row("ratio", std::array::from_fn(|i| coupled[i] / alone[i]), 3);
    }
    Ok(())
}

/// Least and median of the wall-clock times, then of the processor times.
fn summary(runs: &[Cost]) -> [f64; 4] {
    let both = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        [values[0], values[values.len() / 2]]
    };
    let [[a, b], [c, d]] =
        [both(runs.iter().map(|r| r.wall).collect()), both(runs.iter().map(|r| r.processor).collect())];
    [a, b, c, d]
}

fn row(name: &str, figures: [f64; 4], digits: usize) {
    let [a, b, c, d] = figures;
    println!("{name:<34} {a:>8.digits$} {b:>8.digits$} {c:>8.digits$} {d:>8.digits$}");
}
