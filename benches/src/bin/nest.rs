//! What the exchange costs NEST: one network in plain PyNEST, without and with a spike recorder, and the same as a component
//! of a run, alternating. Processor time is the steadier figure on a machine that others use as well.
//!
//! Usage: `couple-bench-nest [REPEATS]`. NEST comes from the environment that `couple setup nest` makes.

use std::error::Error;
use std::path::Path;
use std::process::Command;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The seconds that NEST's `Run` took, as both sides print it:
/// `simulated 2000.0 ms in 1.600 s, 1.590 s of processor time`.
#[derive(Clone, Copy)]
struct Seconds {
    wall: f64,
    processor: f64,
}

fn seconds(text: &str) -> Result<Seconds> {
    let figures = text.lines().find_map(|line| {
        let (wall, rest) = line.split_once("ms in ")?.1.split_once(" s, ")?;
        Some((wall, rest.strip_suffix(" s of processor time")?))
    });
    let (wall, processor) = figures.ok_or_else(|| format!("no run time in:\n{text}"))?;
    Ok(Seconds { wall: wall.trim().parse()?, processor: processor.trim().parse()? })
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

fn least(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

fn main() -> Result<()> {
    let repeats: usize = std::env::args().nth(1).map_or(Ok(5), |n| n.parse())?;
    let executable = std::env::current_exe()?;
    let couple = executable.parent().ok_or("the program has no folder")?.join("couple");
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("nest");
    let folder = tempfile::tempdir()?;
    output(Command::new(&couple).args(["setup", "nest"]))?;
    let python = output(Command::new(&couple).args(["setup", "nest", "--print-python"]))?;
    let plain = |arguments: &[&str]| {
        seconds(&output(Command::new(python.trim()).arg(sources.join("alone.py")).args(arguments))?)
    };
    let (mut silent, mut recorded, mut coupled) = (Vec::new(), Vec::new(), Vec::new());
    for repeat in 0..repeats {
        silent.push(plain(&[])?);
        recorded.push(plain(&["record"])?);
        let label = format!("r{repeat}");
        let mut run = Command::new(&couple);
        run.args(["run", "--quiet", "--label", &label, "--out"]).arg(folder.path()).arg(sources.join("coupled.toml"));
        output(&mut run)?;
        let log = std::fs::read_to_string(folder.path().join(&label).join("logs/nest.0.log"))?;
        coupled.push(seconds(&log)?);
    }
    println!("NEST, 10,000 cells, 2 s simulated, one thread: least and median of {repeats} alternating runs, s");
    println!("{:<34} {:>17} {:>17}", "", "wall clock", "processor");
    let table = [
        ("alone, nobody gets the spikes", summary(&silent)),
        ("alone, with a spike_recorder", summary(&recorded)),
        ("coupled, spikes both ways", summary(&coupled)),
    ];
    for (name, figures) in &table {
        row(name, *figures);
    }
    let [silent, recorded, coupled] = table.map(|(_, figures)| figures);
    let ratio = |base: [f64; 4]| std::array::from_fn(|i| coupled[i] / base[i]);
    row("ratio to alone", ratio(silent));
    row("ratio to alone with recorder", ratio(recorded));
    Ok(())
}

/// Least and median of the wall-clock times, then of the processor times.
fn summary(runs: &[Seconds]) -> [f64; 4] {
    let mut wall: Vec<f64> = runs.iter().map(|run| run.wall).collect();
    let mut processor: Vec<f64> = runs.iter().map(|run| run.processor).collect();
    [least(&wall), median(&mut wall), least(&processor), median(&mut processor)]
}

fn row(name: &str, figures: [f64; 4]) {
    let [a, b, c, d] = figures;
    println!("{name:<34} {a:>8.3} {b:>8.3} {c:>8.3} {d:>8.3}");
}
