//! What a window costs a component in Python that gets and sends spikes, in a loop with one in Rust that may lag one window.
//!
//! Usage: `couple-bench-python [REPEATS]`. NumPy comes from the environment that `couple setup nest` makes.

use std::error::Error;
use std::path::Path;
use std::process::Command;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const WINDOWS: u32 = 21_000;
const SPIKES: [u32; 3] = [0, 100, 10_000];

fn output(command: &mut Command) -> Result<String> {
    let output = command.output().map_err(|e| format!("cannot start {:?}: {e}", command.get_program()))?;
    let error = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("{:?} ended with {}:\n{error}", command.get_program(), output.status).into());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn figure(log: &str, name: &str) -> Result<f64> {
    let value = log.lines().find_map(|line| line.strip_prefix(name)).ok_or_else(|| format!("no {name} in:\n{log}"))?;
    Ok(value.trim().parse()?)
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn config(programs: &Path, python: &str, script: &Path, spikes: u32) -> String {
    let width = spikes.max(1);
    format!(
        "[run]\nname = \"python\"\nduration = \"{WINDOWS} ms\"\n\
         [component.py]\nsimulator = \"script\"\nstep = \"1 ms\"\ncommand = [{python:?}, {script:?}, \"{spikes}\"]\n\
         [component.rs]\nsimulator = \"script\"\nstep = \"1 ms\"\ncommand = [{:?}, \"{spikes}\"]\n\
         [population.in]\ncomponent = \"py\"\nsize = {width}\n[population.out]\ncomponent = \"py\"\nsize = {width}\n\
         [population.back]\ncomponent = \"rs\"\nsize = {width}\n[population.forth]\ncomponent = \"rs\"\nsize = {width}\n\
         [[connection]]\nfrom = \"forth\"\nto = \"in\"\ndelay = \"1 ms\"\n\
         [[connection]]\nfrom = \"out\"\nto = \"back\"\ndelay = \"1 ms\"\n",
        programs.join("couple-bench-participant")
    )
}

fn main() -> Result<()> {
    let repeats: usize = std::env::args().nth(1).map_or(Ok(5), |n| n.parse())?;
    let executable = std::env::current_exe()?;
    let programs = executable.parent().ok_or("the program has no folder")?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/component.py");
    let folder = tempfile::tempdir()?;
    let python = output(Command::new(programs.join("couple")).args(["setup", "nest", "--print-python"]))?;
    println!("a component in Python, medians of {repeats} runs: µs per window of 1 ms, wall and processor time");
    for spikes in SPIKES {
        let (mut wall, mut processor) = (Vec::new(), Vec::new());
        for repeat in 0..repeats {
            let file = folder.path().join("config.toml");
            std::fs::write(&file, config(programs, python.trim(), &script, spikes))?;
            let label = format!("s{spikes}r{repeat}");
            let mut run = Command::new(programs.join("couple"));
            output(run.args(["run", "--quiet", "--label", &label, "--out"]).arg(folder.path()).arg(&file))?;
            let log = std::fs::read_to_string(folder.path().join(&label).join("logs/py.0.log"))?;
            wall.push(figure(&log, "us_per_window")?);
            processor.push(figure(&log, "us_of_processor")?);
        }
        println!("{spikes:>6} spikes in and out {:>9.2} {:>9.2}", median(&mut wall), median(&mut processor));
    }
    Ok(())
}
