//! What the exchange costs NEST: one network in plain PyNEST, without and with a spike recorder, and the same as a component
//! of a run, alternating. The recorder matters: NEST hands each spike to a device at a cost of its own, whether that is a
//! recorder or the exchange.
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
    let [silent, recorded, coupled] = [silent, recorded, coupled].map(|mut times| (least(&times), median(&mut times)));
    println!("NEST, 10,000 cells, 2 s simulated, one thread: least and median of {repeats} alternating runs, s");
    let row = |name: &str, times: (f64, f64)| println!("{name:<34} {:>8.3} {:>8.3}", times.0, times.1);
    row("alone, nobody gets the spikes", silent);
    row("alone, with a spike_recorder", recorded);
    row("coupled, spikes both ways", coupled);
    let ratio = |name: &str, base: (f64, f64)| {
        println!("{name:<34} {:>8.3} {:>8.3}", coupled.0 / base.0, coupled.1 / base.1);
    };
    ratio("ratio to alone", silent);
    ratio("ratio to alone with recorder", recorded);
    Ok(())
}
