//! The cost of exchanging windows, beside MUSIC in one run: rings of 2, 3 and 8 processes, and a trivial run from start to end.
//!
//! Every case is measured alternately with the two runtimes and reported as medians with their ratio, since machines are
//! shared and noisy. Both sides have the same task: each member of the ring sends `events` events a window (MUSIC: tick)
//! of 1 ms to the next one, which may lag one window; so that no member can run ahead of the ring.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

struct Case {
    name: &'static str,
    members: usize,
    events: u32,
    windows: u32,
}

const CASES: &[Case] = &[
    Case { name: "loop of 2, no events", members: 2, events: 0, windows: 500_000 },
    Case { name: "loop of 2, 100 events each way", members: 2, events: 100, windows: 100_000 },
    Case { name: "loop of 2, 10^4 events each way", members: 2, events: 10_000, windows: 5_000 },
    Case { name: "ring of 3 on 2 cores, 10 events", members: 3, events: 10, windows: 50_000 },
    Case { name: "ring of 8 on 2 cores, 10 events", members: 8, events: 10, windows: 20_000 },
];

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The figure behind `key` in `text`; of several the largest, since the slowest member is the ring's speed.
fn figure(text: &str, key: &str) -> Result<f64> {
    let found = text.lines().filter_map(|line| line.strip_prefix(key)?.split_whitespace().next()?.parse().ok());
    found.reduce(f64::max).ok_or_else(|| format!("no figure `{key}` in:\n{text}").into())
}

fn run(command: &mut Command) -> Result<String> {
    let output = command.output().map_err(|e| format!("cannot start {:?}: {e}", command.get_program()))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(text);
    }
    Err(format!(
        "{:?} ended with {}:\n{text}{}",
        command.get_program(),
        output.status,
        String::from_utf8_lossy(&output.stderr)
    )
    .into())
}

fn ours(programs: &Path, folder: &Path, label: &str, case: &Case) -> Result<f64> {
    let mut config = format!("[run]\nname = \"ring\"\nduration = \"{} ms\"\nseed = 1\n", case.windows);
    let participant = programs.join("couple-bench-participant");
    for i in 0..case.members {
        let width = case.events.max(1);
        write!(
            config,
            "[component.p{i}]\nsimulator = \"script\"\nstep = \"1 ms\"\ncommand = [\"{}\", \"{}\"]\n\
             [population.out{i}]\ncomponent = \"p{i}\"\nsize = {width}\n\
             [population.in{i}]\ncomponent = \"p{i}\"\nsize = {width}\n\
             [[connection]]\nfrom = \"out{i}\"\nto = \"in{}\"\ndelay = \"1 ms\"\n",
            participant.display(),
            case.events,
            (i + 1) % case.members
        )?;
    }
    let file = folder.join(format!("{label}.toml"));
    std::fs::write(&file, config)?;
    run(Command::new(programs.join("couple"))
        .args(["run", "--quiet", "--label", label, "--out"])
        .arg(folder)
        .arg(&file))?;
    let mut slowest: f64 = 0.0;
    for i in 0..case.members {
        let log = std::fs::read_to_string(folder.join(label).join("logs").join(format!("p{i}.0.log")))?;
        slowest = slowest.max(figure(&log, "us_per_window")?);
    }
    Ok(slowest)
}

fn music(binary: &Path, folder: &Path, case: &Case) -> Result<f64> {
    let mut config = String::new();
    for i in 0..case.members {
        write!(config, "[p{i}]\nbinary={}\nargs={} {}\nnp=1\n", binary.display(), case.events, case.windows)?;
    }
    for i in 0..case.members {
        writeln!(config, "p{i}.out -> p{}.in [{}]", (i + 1) % case.members, case.events.max(1))?;
    }
    let file = folder.join("ring.music");
    std::fs::write(&file, config)?;
    let members = case.members.to_string();
    let mut mpirun = Command::new("mpirun");
    mpirun.args(["--oversubscribe", "-np", &members, "music"]).arg(&file);
    mpirun.env("OMPI_ALLOW_RUN_AS_ROOT", "1").env("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1");
    figure(&run(&mut mpirun)?, "us_per_tick")
}

/// MUSIC's side, compiled; `None` when MUSIC is not installed.
fn build_music(folder: &Path) -> Option<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("music/ring.cpp");
    let binary = folder.join("ring");
    let built = Command::new("mpicxx").arg("-O3").arg("-o").arg(&binary).arg(source).arg("-lmusic").output().ok()?;
    built.status.success().then_some(binary)
}

fn seconds(work: impl FnOnce() -> Result<f64>) -> Result<f64> {
    let begin = Instant::now();
    work()?;
    Ok(begin.elapsed().as_secs_f64())
}

fn main() -> Result<()> {
    let repeats: usize = std::env::args().nth(1).map_or(Ok(5), |n| n.parse())?;
    let executable = std::env::current_exe()?;
    let programs = executable.parent().ok_or("the program has no folder")?;
    let folder = tempfile::tempdir()?;
    let music_binary = build_music(folder.path());
    if music_binary.is_none() {
        println!("skipped: MUSIC is not installed (Debian: libmusic-dev music-bin openmpi-bin libopenmpi-dev)");
    }
    println!("medians of {repeats} runs each, alternating; µs per window of the slowest member");
    println!("{:<34} {:>10} {:>10} {:>7}", "case", "couple", "MUSIC", "ratio");
    let mut label = 0;
    let mut ours = |case: &Case| {
        label += 1;
        ours(programs, folder.path(), &format!("r{label}"), case)
    };
    for case in CASES {
        let (mut here, mut there) = (Vec::new(), Vec::new());
        for _ in 0..repeats {
            here.push(ours(case)?);
            if let Some(binary) = &music_binary {
                there.push(music(binary, folder.path(), case)?);
            }
        }
        report(case.name, median(here), there);
    }
    let trivial = Case { name: "trivial run, start to end, ms", members: 2, events: 1, windows: 10 };
    let (mut here, mut there) = (Vec::new(), Vec::new());
    for _ in 0..repeats {
        here.push(seconds(|| ours(&trivial))? * 1e3);
        if let Some(binary) = &music_binary {
            there.push(seconds(|| music(binary, folder.path(), &trivial))? * 1e3);
        }
    }
    report(trivial.name, median(here), there);
    Ok(())
}

fn report(name: &str, here: f64, there: Vec<f64>) {
    if there.is_empty() {
        println!("{name:<34} {here:>10.3} {:>10} {:>7}", "-", "-");
    } else {
        let there = median(there);
        println!("{name:<34} {here:>10.3} {there:>10.3} {:>7.2}", here / there);
    }
}
