//! The record of a run: what was run, where, by what, and how it ended. Written when the run begins, so that a run that
//! is killed has one too, and written again when it ends.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

use couple_network::description::Network;
use couple_ports::status::Progress;
use couple_ports::time::Time;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::clock;
use super::member::{Member, Stage};
use super::report::Failure;
use super::watch::Watch;

/// Version of the record's layout.
const RECORD_VERSION: u32 = 1;
/// Environment variables that change what a run computes or how fast.
const TELLING_VARIABLES: [&str; 9] = [
    "OMP_NUM_THREADS",
    "OMP_PLACES",
    "OMP_PROC_BIND",
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
    "PYTHONPATH",
    "PYTHONHASHSEED",
    "VIRTUAL_ENV",
    "SLURM_JOB_ID",
];

/// What is kept of one run.
#[derive(Clone, Debug, Serialize)]
pub struct Record {
    record_version: u32,
    label: String,
    name: String,
    reason: Option<String>,
    outcome: Outcome,
    started: String,
    ended: Option<String>,
    wall_clock_s: Option<f64>,
    setup_s: Option<f64>,
    simulation_s: Option<f64>,
    simulated_ms: f64,
    duration_ms: f64,
    /// Wall-clock time of the simulation for a unit of simulated time.
    real_time_factor: Option<f64>,
    seed: u64,
    random_generator: &'static str,
    program: ProgramFacts,
    configuration: ConfigurationFacts,
    version_control: Option<VersionControl>,
    host: HostFacts,
    plan: serde_json::Value,
    components: Vec<ComponentFacts>,
    populations: Vec<PopulationFacts>,
}

/// How a run ended.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum Outcome {
    /// It is going on; or the coordinator was killed.
    Running,
    /// All ranks did their part.
    Done,
    /// One did not.
    Failed {
        /// Which, and why.
        failure: Failure,
    },
    /// The user ended it.
    Interrupted,
}

/// The coordinator itself.
#[derive(Clone, Debug, Serialize)]
struct ProgramFacts {
    version: &'static str,
    protocol: u32,
    executable: String,
    pid: u32,
    arguments: Vec<String>,
    folder: String,
    user: Option<String>,
    environment: BTreeMap<&'static str, String>,
}

#[derive(Clone, Debug, Serialize)]
struct ConfigurationFacts {
    file: String,
    sha256: Option<String>,
    set: Vec<String>,
    resolved_sha256: String,
    description_sha256: String,
}

/// The state of the sources around the configuration.
#[derive(Clone, Debug, Serialize)]
pub struct VersionControl {
    system: &'static str,
    commit: String,
    modified: bool,
}

#[derive(Clone, Debug, Serialize)]
struct HostFacts {
    name: String,
    system: String,
    kernel: String,
    architecture: &'static str,
    processor: String,
    /// Instruction sets that change floating-point results or speed.
    processor_flags: Vec<String>,
    cores: u32,
    memory_mb: Option<u64>,
}

#[derive(Clone, Debug, Serialize)]
struct ComponentFacts {
    name: String,
    simulator: couple_network::description::Simulator,
    step_ms: f64,
    threads: u32,
    executable_sha256: Option<String>,
    facts: BTreeMap<String, String>,
    ranks: Vec<RankFacts>,
}

#[derive(Clone, Debug, Serialize)]
struct RankFacts {
    rank: u32,
    command: Vec<String>,
    pid: i32,
    reached: String,
    exit_code: Option<i32>,
    signal: Option<i32>,
    setup_s: Option<f64>,
    /// Processor time of the simulation.
    processor_s: Option<f64>,
    windows: u64,
    spikes_sent: u64,
    spikes_received: u64,
    /// How often it had to sleep, waiting for another rank.
    sleeps: u64,
    /// Wall-clock time that it waited for other ranks.
    waited_s: f64,
}

#[derive(Clone, Debug, Serialize)]
struct PopulationFacts {
    name: String,
    size: u32,
    component: String,
    /// Spikes sent or recorded; `None` for a population that neither has a link nor is recorded.
    spikes: Option<u64>,
    /// Hz.
    mean_rate: Option<f64>,
}

/// What the caller knows of a run when it begins.
pub struct Beginning<'a> {
    /// Its label.
    pub label: &'a str,
    /// Why it is made.
    pub reason: Option<&'a str>,
    /// The description.
    pub network: &'a Network,
    /// SHA-256 of its encoding.
    pub hash: &'a str,
    /// The configuration file.
    pub file: &'a Path,
    /// The configuration with all values filled in.
    pub resolved: &'a str,
    /// Values given on the command line.
    pub set: &'a [String],
    /// The plan.
    pub plan: serde_json::Value,
    /// Facts about each component's simulator.
    pub facts: Vec<BTreeMap<String, String>>,
}

/// What is measured of a run.
#[derive(Clone, Copy, Default, Debug)]
pub struct Measured {
    /// From the launch to the start.
    pub setup: Option<Duration>,
    /// From the start until the last rank was done, or to the end.
    pub simulation: Option<Duration>,
    /// All.
    pub wall_clock: Duration,
    /// Simulated time that all ranks reached, in ms.
    pub simulated_ms: f64,
}

impl Record {
    /// The record of a run that begins.
    pub fn begin(beginning: Beginning<'_>) -> Self {
        let network = beginning.network;
        let component = |(id, component): (usize, &couple_network::description::Component)| ComponentFacts {
            name: component.name.clone(),
            simulator: component.simulator,
            step_ms: component.step.ms(),
            threads: component.threads,
            executable_sha256: None,
            facts: beginning.facts.get(id).cloned().unwrap_or_default(),
            ranks: Vec::new(),
        };
        let population = |population: &couple_network::description::Population| PopulationFacts {
            name: population.name.clone(),
            size: population.size,
            component: network.components[population.component].name.clone(),
            spikes: None,
            mean_rate: None,
        };
        Record {
            record_version: RECORD_VERSION,
            label: beginning.label.to_string(),
            name: network.name.clone(),
            reason: beginning.reason.map(str::to_string),
            outcome: Outcome::Running,
            started: clock::rfc3339(SystemTime::now()),
            ended: None,
            wall_clock_s: None,
            setup_s: None,
            simulation_s: None,
            simulated_ms: 0.0,
            duration_ms: network.duration.ms(),
            real_time_factor: None,
            seed: network.seed,
            random_generator: "Philox4x32-10, keyed by (seed, name, index)",
            program: program_facts(),
            configuration: ConfigurationFacts {
                file: absolute(beginning.file),
                sha256: hash_file(beginning.file),
                set: beginning.set.to_vec(),
                resolved_sha256: hex_hash(beginning.resolved.as_bytes()),
                description_sha256: beginning.hash.to_string(),
            },
            version_control: None,
            host: host_facts(),
            plan: beginning.plan,
            components: network.components.iter().enumerate().map(component).collect(),
            populations: network.populations.iter().map(population).collect(),
        }
    }
    /// Adds the state of the sources.
    pub fn version_control(&mut self, state: Option<VersionControl>) {
        self.version_control = state;
    }
    /// Adds the hash of a component's executable.
    pub fn executable(&mut self, component: usize, hash: Option<String>) {
        self.components[component].executable_sha256 = hash;
    }
    /// Adds the processes as they are now.
    pub fn ranks(&mut self, members: &[Member], watch: &Watch) {
        self.components.iter_mut().for_each(|c| c.ranks.clear());
        for (line, member) in members.iter().enumerate() {
            self.components[member.component_id].ranks.push(rank_facts(member, watch.progress(line)));
        }
    }
    /// Adds the spikes of each population: by what its ranks said if all did, else by what is recorded of it.
    pub fn spikes(&mut self, members: &[Member], recorded: &BTreeMap<String, u64>) {
        let mut said: BTreeMap<&str, Option<u64>> = BTreeMap::new();
        for member in members {
            for (position, output) in member.welcome.outputs.iter().enumerate() {
                let sum = said.entry(&output.population).or_insert(Some(0));
                *sum = sum.zip(member.emitted.get(position)).map(|(sum, more)| sum + more);
            }
        }
        for population in &mut self.populations {
            let said = said.get(population.name.as_str()).copied().flatten();
            population.spikes = said.or_else(|| recorded.get(&population.name).copied());
        }
        let seconds = self.simulated_ms / 1e3;
        for population in self.populations.iter_mut().filter(|p| p.size > 0 && seconds > 0.0) {
            population.mean_rate = population.spikes.map(|n| n as f64 / f64::from(population.size) / seconds);
        }
    }
    /// The run has come so far, and goes on.
    pub fn reached(&mut self, time: Time) {
        self.simulated_ms = time.ms();
    }
    /// The run is over.
    pub fn end(&mut self, outcome: Outcome, measured: Measured) {
        self.outcome = outcome;
        self.ended = Some(clock::rfc3339(SystemTime::now()));
        self.wall_clock_s = Some(measured.wall_clock.as_secs_f64());
        self.setup_s = measured.setup.map(|d| d.as_secs_f64());
        self.simulation_s = measured.simulation.map(|d| d.as_secs_f64());
        self.simulated_ms = measured.simulated_ms;
        self.real_time_factor = measured
            .simulation
            .filter(|_| measured.simulated_ms > 0.0)
            .map(|d| d.as_secs_f64() * 1e3 / measured.simulated_ms);
    }
    /// The run in one line.
    pub fn headline(&self) -> String {
        let (label, simulated) = (&self.label, self.simulated_ms);
        let took = match (self.simulation_s, self.real_time_factor) {
            (Some(seconds), Some(factor)) => format!(" in {seconds:.2} s ({factor:.2} s per simulated second)"),
            _ => String::new(),
        };
        let how = match self.outcome {
            Outcome::Done => "done",
            Outcome::Interrupted => "interrupted",
            _ => "failed",
        };
        format!("run `{label}` {how}: {simulated} ms simulated{took}")
    }
    /// Wall-clock time of the simulation for a unit of simulated time.
    pub fn real_time_factor(&self) -> Option<f64> {
        self.real_time_factor
    }
    /// Wall-clock time of the simulation, in seconds.
    pub fn simulation_s(&self) -> Option<f64> {
        self.simulation_s
    }
    /// Name, size, spikes and mean rate of each population that spikes are known of.
    pub fn rates(&self) -> impl Iterator<Item = (&str, u32, u64, f64)> {
        self.populations.iter().filter_map(|p| Some((p.name.as_str(), p.size, p.spikes?, p.mean_rate.unwrap_or(0.0))))
    }
    /// Writes it so that a reader sees the old one or the new one, whole.
    pub fn write(&self, to: &Path) -> io::Result<()> {
        let temporary = to.with_extension("json.part");
        let mut text = serde_json::to_string_pretty(self).map_err(io::Error::other)?;
        text.push('\n');
        let written = fs::write(&temporary, text).and_then(|()| fs::rename(&temporary, to));
        if written.is_err() {
            let _ = fs::remove_file(&temporary);
        }
        written
    }
}

fn rank_facts(member: &Member, progress: Progress) -> RankFacts {
    use std::os::unix::process::ExitStatusExt as _;
    let status = member.exit.as_ref().map(|(status, _)| status);
    let seconds = |from: Stage, to: Stage| {
        let span = member.entered(to)?.duration_since(member.entered(from)?);
        Some(span.as_secs_f64())
    };
    RankFacts {
        rank: member.rank,
        command: member.command.clone(),
        pid: member.pid.as_raw_nonzero().get(),
        reached: format!("{:?}", member.stage).to_lowercase(),
        exit_code: status.and_then(|s| s.code()),
        signal: status.and_then(|s| s.signal()),
        setup_s: seconds(Stage::Setup, Stage::Ready),
        processor_s: member.processor_time().map(|d| d.as_secs_f64()),
        windows: progress.windows,
        spikes_sent: progress.sent,
        spikes_received: progress.received,
        sleeps: progress.sleeps,
        waited_s: progress.waited.as_secs_f64(),
    }
}

fn program_facts() -> ProgramFacts {
    let text = |os: std::ffi::OsString| os.to_string_lossy().into_owned();
    let variable = |name: &'static str| Some((name, text(std::env::var_os(name)?)));
    ProgramFacts {
        version: env!("CARGO_PKG_VERSION"),
        protocol: couple_ports::control::PROTOCOL_VERSION,
        executable: std::env::current_exe().map(|p| p.display().to_string()).unwrap_or_default(),
        pid: std::process::id(),
        arguments: std::env::args_os().map(text).collect(),
        folder: std::env::current_dir().map(|p| p.display().to_string()).unwrap_or_default(),
        user: std::env::var("USER").ok(),
        environment: TELLING_VARIABLES.into_iter().filter_map(variable).collect(),
    }
}

fn host_facts() -> HostFacts {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let processor = read("/proc/cpuinfo");
    let field = |text: &str, name: &str| -> String {
        let line = text.lines().find(|line| line.starts_with(name));
        line.and_then(|l| l.split_once([':', '=']))
            .map(|(_, v)| v.trim().trim_matches('"').to_string())
            .unwrap_or_default()
    };
    let telling = |flag: &&str| {
        matches!(*flag, "fma" | "f16c" | "bmi2" | "asimd" | "sve")
            || flag.starts_with("avx")
            || flag.starts_with("sse4")
    };
    HostFacts {
        name: read("/proc/sys/kernel/hostname").trim().to_string(),
        system: field(&read("/etc/os-release"), "PRETTY_NAME"),
        kernel: read("/proc/sys/kernel/osrelease").trim().to_string(),
        architecture: std::env::consts::ARCH,
        processor: field(&processor, "model name"),
        processor_flags: field(&processor, "flags").split(' ').filter(telling).map(str::to_string).collect(),
        cores: super::launch::cores(),
        memory_mb: field(&read("/proc/meminfo"), "MemTotal")
            .trim_end_matches(" kB")
            .parse::<u64>()
            .ok()
            .map(|kb| kb >> 10),
    }
}

fn absolute(path: &Path) -> String {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf()).display().to_string()
}

/// SHA-256 as hexadecimal digits.
pub fn hex_hash(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// SHA-256 of a file; `None` when it cannot be read.
pub fn hash_file(path: &Path) -> Option<String> {
    let mut file = fs::File::open(path).ok()?;
    let (mut hasher, mut buffer) = (Sha256::new(), vec![0; 256 << 10]);
    loop {
        match io::Read::read(&mut file, &mut buffer).ok()? {
            0 => return Some(hex(&hasher.finalize())),
            n => hasher.update(&buffer[..n]),
        }
    }
}

/// The state of the git checkout around `folder`; `None` outside one, or when git takes too long.
pub async fn git_state(folder: std::path::PathBuf) -> Option<VersionControl> {
    let mut git = tokio::process::Command::new("git");
    git.arg("-C").arg(&folder).args(["describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]);
    git.stdin(std::process::Stdio::null()).stderr(std::process::Stdio::null()).kill_on_drop(true);
    git.env("GIT_OPTIONAL_LOCKS", "0");
    let output = tokio::time::timeout(Duration::from_secs(2), git.output()).await.ok()?.ok()?;
    let text = String::from_utf8(output.stdout).ok().filter(|_| output.status.success())?;
    let (commit, modified) = match text.trim().strip_suffix("-dirty") {
        Some(commit) => (commit, true),
        None => (text.trim(), false),
    };
    Some(VersionControl { system: "git", commit: commit.to_string(), modified })
}
