//! What the benchmarks of simulators share: running the two sides, reading what they say, and the table.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Of a benchmark.
pub type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Seconds that a simulation took.
#[derive(Clone, Copy, Debug)]
pub struct Seconds {
    /// By the clock on the wall.
    pub wall: f64,
    /// Of the processor, all threads together.
    pub processor: f64,
}

impl Seconds {
    /// Reads the line that both sides print: `simulated 2000.0 ms in 1.600 s, 1.590 s of processor time`.
    pub fn of(text: &str) -> Result<Seconds> {
        let figures = text.lines().find_map(|line| {
            let (wall, rest) = line.split_once(" ms in ")?.1.split_once(" s, ")?;
            Some((wall, rest.strip_suffix(" s of processor time")?))
        });
        let (wall, processor) = figures.ok_or_else(|| format!("no run time in:\n{text}"))?;
        Ok(Seconds { wall: wall.parse()?, processor: processor.parse()? })
    }
}

/// What a program prints; an error when it fails.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command.output().map_err(|e| format!("cannot start {:?}: {e}", command.get_program()))?;
    if !output.status.success() {
        let error = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{:?} ended with {}:\n{error}", command.get_program(), output.status).into());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A simulator whose cost is measured: its name in the configuration and for people.
#[derive(Clone, Copy, Debug)]
pub struct Simulator {
    /// As in `couple setup`; also the folder of the benchmark's files, and the component.
    pub name: &'static str,
    /// In the table's title.
    pub title: &'static str,
}

/// Everything a benchmark of a simulator needs to run both sides.
#[derive(Debug)]
pub struct Bench {
    simulator: Simulator,
    /// The folder of the built programs.
    pub programs: PathBuf,
    /// The folder of `alone.py` and `coupled.toml`.
    pub sources: PathBuf,
    python: String,
    runs: tempfile::TempDir,
}

impl Bench {
    /// Sets the simulator up, where that is missing.
    pub fn new(simulator: Simulator) -> Result<Bench> {
        let executable = std::env::current_exe()?;
        let programs = executable.parent().ok_or("the program has no folder")?.to_path_buf();
        let couple = programs.join("couple");
        output(Command::new(&couple).args(["setup", simulator.name]))?;
        let python = output(Command::new(&couple).args(["setup", simulator.name, "--print-python"]))?;
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join(simulator.name);
        Ok(Bench { simulator, programs, sources, python: python.trim().to_string(), runs: tempfile::tempdir()? })
    }

    /// `alone.py`, in the simulator's environment.
    pub fn alone(&self) -> Command {
        let mut command = Command::new(&self.python);
        command.arg(self.sources.join("alone.py"));
        command
    }

    /// Runs `coupled.toml` with these settings; gives the log of the simulator.
    pub fn coupled(&self, label: &str, sets: &[String]) -> Result<String> {
        let mut run = Command::new(self.programs.join("couple"));
        run.args(["run", "--quiet", "--label", label, "--out"]).arg(self.runs.path());
        sets.iter().for_each(|set| {
            run.args(["--set", set]);
        });
        output(run.arg(self.sources.join("coupled.toml")))?;
        let log = format!("logs/{}.0.log", self.simulator.name);
        Ok(std::fs::read_to_string(self.runs.path().join(label).join(log))?)
    }

    /// What 100 spikes in each window of 1 ms cost cells of two numbers, alternating with the same cells alone, whose
    /// arguments besides the cells and the ms to simulate are those that `arguments` finds in the coupled side's log.
    pub fn per_window(
        &self,
        sizes: [(u32, u32); 2],
        repeats: usize,
        arguments: impl Fn(&str) -> Result<Vec<PathBuf>>,
    ) -> Result<()> {
        let title = self.simulator.title;
        println!("{title}, IF_curr_exp, step 0.1 ms: µs for a ms, least and median of {repeats} alternating runs");
        head();
        for (cells, ms) in sizes {
            let (mut alone, mut coupled) = (Vec::new(), Vec::new());
            for repeat in 0..repeats {
                let sets = [format!("population.N.size={cells}"), format!("run.duration={ms}")];
                let log = self.coupled(&format!("{cells}-{repeat}"), &sets)?;
                coupled.push(Seconds::of(&log)?);
                let mut plain = self.alone();
                plain.args(arguments(&log)?).args([cells.to_string(), ms.to_string()]);
                alone.push(Seconds::of(&output(&mut plain)?)?);
            }
            let [alone, coupled] = [alone, coupled].map(|runs| summary(&runs).map(|s| s * 1e6 / f64::from(ms)));
            row(&format!("{cells} cells, alone"), alone, 1);
            row(&format!("{cells} cells, coupled, 100 spikes"), coupled, 1);
            row("ratio", ratio(coupled, alone), 3);
        }
        Ok(())
    }
}

/// How many runs: the program's argument, or five.
pub fn repeats() -> Result<usize> {
    Ok(std::env::args().nth(1).map_or(Ok(5), |n| n.parse())?)
}

/// Least and median of the wall-clock times, then of the processor times.
pub fn summary(runs: &[Seconds]) -> [f64; 4] {
    let both = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        [values[0], values[values.len() / 2]]
    };
    let [a, b] = both(runs.iter().map(|r| r.wall).collect());
    let [c, d] = both(runs.iter().map(|r| r.processor).collect());
    [a, b, c, d]
}

/// Figure by figure.
pub fn ratio(of: [f64; 4], to: [f64; 4]) -> [f64; 4] {
    std::array::from_fn(|i| of[i] / to[i])
}

/// The table's head.
pub fn head() {
    println!("{:<34} {:>17} {:>17}", "", "wall clock", "processor");
}

/// A line of the table.
pub fn row(name: &str, figures: [f64; 4], digits: usize) {
    let [a, b, c, d] = figures;
    println!("{name:<34} {a:>8.digits$} {b:>8.digits$} {c:>8.digits$} {d:>8.digits$}");
}
