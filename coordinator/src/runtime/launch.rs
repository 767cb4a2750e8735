//! Starts one process for each rank, so that none of them can outlive the coordinator.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use couple_network::description::{Component, Simulator};
use couple_ports::control::{ENV_COMPONENT, ENV_RANK, ENV_SOCKET, ENV_TOKEN};
use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, setrlimit};
use tokio::process::Child;

use super::programs;
use super::rendezvous::Rendezvous;
use crate::setup::environment::Interpreter;
use crate::setup::nest::{self, NestEnvironment};
use crate::setup::{Progress, SetupError, arbor, brian2, neuron, script};

/// What to execute for a component.
#[derive(Clone, Debug)]
pub struct Program {
    /// The program and its arguments.
    pub argv: Vec<OsString>,
    /// Its working directory.
    pub folder: PathBuf,
    /// Environment variables beside those that every rank gets.
    pub env: Vec<(OsString, OsString)>,
    /// Versions and places, for the record.
    pub facts: BTreeMap<String, String>,
}

/// A component's process could not be started.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// A program of this project is missing.
    #[error(transparent)]
    Missing(#[from] programs::Missing),
    /// The simulator could not be made ready.
    #[error("{0}")]
    Setup(String),
    /// The system said no.
    #[error("cannot start `{program}`: {source}")]
    Spawn {
        /// The program.
        program: String,
        /// What the system said.
        source: io::Error,
    },
    /// The log file could not be opened.
    #[error("cannot write the log {path}: {source}")]
    Log {
        /// The file.
        path: String,
        /// What the system said.
        source: io::Error,
    },
}

/// Finds the programs of components, and makes simulators ready where that is needed.
pub struct Programs<'a> {
    folder: &'a Path,
    progress: &'a dyn Fn(&str),
    nest: BTreeMap<Option<String>, NestEnvironment>,
    interpreters: BTreeMap<(&'static str, Option<String>), Interpreter>,
}

impl<'a> Programs<'a> {
    /// Relative commands are those of `folder`; `progress` is told of what takes time.
    pub fn new(folder: &'a Path, progress: &'a dyn Fn(&str)) -> Self {
        Programs { folder, progress, nest: BTreeMap::new(), interpreters: BTreeMap::new() }
    }
    /// The program of a component.
    pub fn of(&mut self, component: &Component) -> Result<Program, LaunchError> {
        let folder = self.folder.to_path_buf();
        let plain = |argv| Program { argv, folder: folder.clone(), env: Vec::new(), facts: BTreeMap::new() };
        match component.simulator {
            Simulator::Native => Ok(plain(vec![programs::find(programs::NATIVE)?.into()])),
            Simulator::Converter => Ok(plain(vec![programs::find(programs::CONVERTER)?.into()])),
            Simulator::Script => {
                // A script in Python with its interpreter, or a command.
                let words = component.python.iter().chain(&component.script).chain(&component.command);
                let argv = words.map(OsString::from).collect();
                Ok(Program { env: self.script_environment(), ..plain(argv) })
            }
            Simulator::Nest => self.nest(component),
            Simulator::Neuron => self.python(component, "neuron", neuron::ensure, neuron::command),
            Simulator::Brian2 => self.python(component, "brian2", brian2::ensure, brian2::command),
            Simulator::Arbor => self.python(component, "arbor", arbor::ensure, arbor::command),
        }
    }
    /// For programs in Python. One in another language does without, so what is missing is no reason to fail.
    fn script_environment(&self) -> Vec<(OsString, OsString)> {
        let Ok(library) = programs::find(nest::LIBRARY) else { return Vec::new() };
        script::environment(&library, self.progress).unwrap_or_else(|error| {
            (self.progress)(&format!("programs in Python will not find the couple package: {error}"));
            Vec::new()
        })
    }
    fn python(
        &mut self,
        component: &Component,
        simulator: &'static str,
        ensure: fn(Option<&str>, Progress<'_>) -> Result<Interpreter, SetupError>,
        command: fn(&Interpreter, &Path, Progress<'_>) -> Result<nest::Command, SetupError>,
    ) -> Result<Program, LaunchError> {
        let failed = |error: SetupError| LaunchError::Setup(error.to_string());
        let library = programs::find(nest::LIBRARY)?;
        let interpreter = match self.interpreters.entry((simulator, component.python.clone())) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(ensure(component.python.as_deref(), self.progress).map_err(failed)?),
        };
        let nest::Command { argv, env } = command(interpreter, &library, self.progress).map_err(failed)?;
        let facts = [(simulator, interpreter.version.clone()), ("python", interpreter.python.display().to_string())];
        let facts = facts.into_iter().map(|(name, value)| (name.to_string(), value)).collect();
        Ok(Program { argv, folder: self.folder.to_path_buf(), env, facts })
    }
    fn nest(&mut self, component: &Component) -> Result<Program, LaunchError> {
        let library = programs::find(nest::LIBRARY)?;
        let environment = match self.nest.entry(component.python.clone()) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                let made = nest::ensure(component.python.as_deref(), self.progress);
                new.insert(made.map_err(|error| LaunchError::Setup(error.to_string()))?)
            }
        };
        let nest::Command { argv, env } = nest::command(environment, &library);
        let facts = [
            ("nest", environment.version.clone()),
            ("python", environment.python.display().to_string()),
            ("extension", environment.module.display().to_string()),
        ];
        let facts = facts.into_iter().map(|(name, value)| (name.to_string(), value)).collect();
        Ok(Program { argv, folder: self.folder.to_path_buf(), env, facts })
    }
}

/// Processors that this process may use.
pub fn cores() -> u32 {
    std::thread::available_parallelism().map_or(1, |n| n.get() as u32)
}

/// Files that a run needs besides its channels and processes: events, folder, logs, record, what is open already.
const OTHER_FILES: u64 = 64;

/// Makes sure that a run of so many channels (each a file) and processes can open its files, as far as the system
/// lets us, or says how many it lacks.
pub fn allow_open_files(channels: usize, processes: usize) -> Result<(), TooFewFiles> {
    let (needed, limit) = (channels as u64 + 4 * processes as u64 + OTHER_FILES, getrlimit(Resource::Nofile));
    let Some(current) = limit.current.filter(|current| *current < needed) else { return Ok(()) };
    if limit.maximum.is_some_and(|maximum| maximum < needed) {
        return Err(TooFewFiles { allowed: limit.maximum.unwrap_or(current), needed, channels, processes });
    }
    setrlimit(Resource::Nofile, Rlimit { current: Some(needed), maximum: limit.maximum }).map_err(|_| TooFewFiles {
        allowed: current,
        needed,
        channels,
        processes,
    })
}

/// The system lets us open too few files.
#[derive(Debug, thiserror::Error)]
#[error(
    "{allowed} files can be open at a time, and a run of {channels} channels and {processes} processes needs {needed}: \
     Too many open files\n  help: allow more, with `ulimit -n {needed}` or by the administrator"
)]
pub struct TooFewFiles {
    allowed: u64,
    needed: u64,
    channels: usize,
    processes: usize,
}

/// A started process.
#[derive(Debug)]
pub struct Started {
    /// To wait for its end.
    pub child: Child,
    /// Its process, also the leader of its process group.
    pub pid: Pid,
}

/// Starts rank `rank` of `component`, its output going to `log`.
///
/// Must be called from the main thread: the kernel kills the process when the thread that started it ends.
pub fn spawn(
    program: &Program,
    component: &Component,
    rank: u32,
    rendezvous: &Rendezvous,
    log: &Path,
) -> Result<Started, LaunchError> {
    let log_error = |source| LaunchError::Log { path: log.display().to_string(), source };
    let output = OpenOptions::new().create(true).append(true).open(log).map_err(log_error)?;
    let errors = output.try_clone().map_err(log_error)?;
    let (name, arguments) = program.argv.split_first().ok_or_else(|| LaunchError::Setup("empty command".into()))?;
    let mut command = Command::new(name);
    command.args(arguments).current_dir(&program.folder);
    command.stdin(Stdio::null()).stdout(output).stderr(errors).process_group(0);
    command.env(ENV_SOCKET, rendezvous.address()).env(ENV_TOKEN, rendezvous.token());
    command.env(ENV_COMPONENT, &component.name).env(ENV_RANK, rank.to_string());
    // Threads that spin while they wait for each other starve the processes they share cores with: an order of
    // magnitude with as few as two processes of two threads.
    command.env("OMP_WAIT_POLICY", "passive").env("OMP_NUM_THREADS", component.threads.to_string());
    command.envs(program.env.iter().map(|(key, value)| (key, value)));
    die_with_parent(&mut command);
    let spawn_error = |source| match program.folder.is_dir() {
        true => LaunchError::Spawn { program: name.to_string_lossy().into_owned(), source },
        false => LaunchError::Setup(format!("there is no folder {} to start it in", program.folder.display())),
    };
    let child = tokio::process::Command::from(command).spawn().map_err(spawn_error)?;
    let pid = child.id().and_then(|id| Pid::from_raw(id as i32));
    let pid = pid.ok_or_else(|| spawn_error(io::Error::other("the process has no id")))?;
    Ok(Started { child, pid })
}

/// Has the kernel kill the process when the coordinator is gone, however it went.
fn die_with_parent(command: &mut Command) {
    let coordinator = rustix::process::getpid();
    let arm = move || {
        rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
        // The coordinator may have died between the fork and the line above: then nobody would send the signal.
        if rustix::process::getppid() == Some(coordinator) { Ok(()) } else { Err(io::ErrorKind::BrokenPipe.into()) }
    };
    // SAFETY: between fork and exec only async-signal-safe calls are allowed; `arm` makes two plain system calls and
    // allocates nothing.
    unsafe {
        command.pre_exec(arm);
    }
}
