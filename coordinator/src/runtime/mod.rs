//! A run, from the launch of its processes to the record of its end.
//!
//! ```text
//!  plan ─► folder ─► launch ─► rendezvous ─► supervise ─► end ─► recordings ─► record, summary
//!                      │          │             │          │
//!                      │          │ Hello …     │ exits,   │ stop flag, SIGTERM, SIGKILL, reap
//!                      ▼          ▼ Start       ▼ stalls   ▼
//!                   one process for each rank, its output in logs/
//! ```
//!
//! Invariants: the coordinator is never in the path of data; no process of a run outlives the coordinator, however it
//! ends; nothing is left in the file system but the run's folder; whatever ends a run, its recordings are readable.

mod blame;
mod clock;
mod descriptors;
mod finish;
mod folder;
mod interrupt;
mod launch;
mod member;
pub mod programs;
mod progress;
mod record;
mod rendezvous;
mod report;
mod stall;
mod start;
mod summary;
mod supervise;
mod watch;

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::time::Instant;

use couple_network::description::{Component, Network};
use couple_ports::control::codec;
use couple_ports::time::Time;
use serde_json::json;
use tokio::sync::mpsc::{self, Sender};

use crate::plan::{Plan, RankWelcome, WelcomeOptions};

pub use folder::{FolderError, RunFolder, claim};
pub use launch::{LaunchError, cores};
pub use progress::Style;
pub use record::Outcome;
pub use report::{Failure, Kind};
pub use supervise::Limits;

use interrupt::Interrupts;
use launch::{Program, Programs, Started};
use member::{Event, Member, Stage};
use progress::Progress;
use record::{Beginning, Measured, Record};
use rendezvous::Rendezvous;
use supervise::{Ending, Supervisor};
use watch::Watch;

/// What is to be run, checked and planned.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    /// The description.
    pub network: &'a Network,
    /// The plan.
    pub plan: &'a Plan,
    /// The configuration file.
    pub file: &'a Path,
    /// The configuration as it is run, all values filled in.
    pub resolved: &'a str,
    /// Where relative commands and paths start.
    pub directory: &'a Path,
    /// Values given on the command line.
    pub set: &'a [String],
    /// Label; a date when there is none.
    pub label: Option<&'a str>,
    /// Why the run is made.
    pub reason: Option<&'a str>,
    /// Folder of all runs.
    pub out: &'a Path,
    /// How long nothing may happen.
    pub limits: Limits,
    /// How progress is shown.
    pub style: Style,
}

/// A run could not begin, or its results could not be kept.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// No folder.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// A simulator is not there.
    #[error("component `{component}` cannot be started: {source}")]
    Program {
        /// The component.
        component: String,
        /// Why.
        source: LaunchError,
    },
    /// What would make the recordings is not there.
    #[error("recordings could not be made: {0}")]
    Recorder(programs::Missing),
    /// The system allows too few open files.
    #[error(transparent)]
    Files(#[from] launch::TooFewFiles),
    /// The system said no.
    #[error("{doing}: {source}")]
    Io {
        /// What was being done.
        doing: String,
        /// What the system said.
        source: io::Error,
    },
}

fn doing(what: impl Into<String>) -> impl FnOnce(io::Error) -> RunError {
    let doing = what.into();
    move |source| RunError::Io { doing, source }
}

/// Runs `job` and returns the exit code of the program: what went wrong in the run has been told by then.
///
/// Must be called from the main thread: the processes of the run live no longer than the thread that starts them.
pub fn run(job: &Job<'_>) -> Result<u8, RunError> {
    let processes = job.network.components.iter().map(|component| component.ranks as usize).sum();
    launch::allow_open_files(job.plan.channels.len(), processes)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(doing("cannot wait for events"))?;
    runtime.block_on(async { Run::prepare(job)?.go().await })
}

/// A run in the making.
struct Run<'a> {
    job: &'a Job<'a>,
    begun: Instant,
    folder: RunFolder,
    programs: Vec<Program>,
    welcomes: Vec<RankWelcome>,
    record: Record,
    progress: Progress,
}

impl<'a> Run<'a> {
    /// Everything that can go wrong before a process is started.
    fn prepare(job: &'a Job<'a>) -> Result<Self, RunError> {
        let begun = Instant::now();
        let mut progress = Progress::new(job.style, job.network.duration);
        let programs = find_programs(job, &progress)?;
        let encoded = codec::to_bytes(job.network).map_err(doing("cannot encode the description"))?;
        let encoded_hash = &record::hex_hash(&encoded);
        if !job.network.recordings.is_empty() {
            programs::find(programs::RECORDER).map_err(RunError::Recorder)?;
        }
        let folder = RunFolder::create(job.out, job.label, &job.network.name)?;
        let prepared = Self::prepare_in(job, &folder, &programs, encoded_hash);
        let (welcomes, record) = prepared.inspect_err(|_| folder.discard())?;
        progress.phase("starting");
        Ok(Run { job, begun, folder, programs, welcomes, record, progress })
    }

    /// Writes what is known before the run.
    fn prepare_in(
        job: &Job<'_>,
        folder: &RunFolder,
        programs: &[Program],
        hash: &str,
    ) -> Result<(Vec<RankWelcome>, Record), RunError> {
        std::fs::write(folder.config(), job.resolved).map_err(doing("cannot write the configuration"))?;
        let journals = folder.journals();
        let options = WelcomeOptions { config_hash: hash, journals: &journals, in_process: false };
        let welcomes = job.plan.welcomes(job.network, &options).map_err(doing("cannot encode the description"))?;
        let record = Record::begin(Beginning {
            label: folder.label(),
            reason: job.reason,
            network: job.network,
            hash,
            file: job.file,
            resolved: job.resolved,
            set: job.set,
            plan: serde_json::to_value(job.plan).unwrap_or_default(),
            facts: programs.iter().map(|program| program.facts.clone()).collect(),
        });
        record.write(&folder.record()).map_err(doing("cannot write the record"))?;
        Ok((welcomes, record))
    }

    async fn go(mut self) -> Result<u8, RunError> {
        let interrupts = Interrupts::catch().map_err(doing("cannot catch signals"))?;
        interrupt::survive_file_limits().map_err(doing("cannot catch signals"))?;
        interrupt::adopt_strays();
        let fields = json!({ "label": self.folder.label(), "folder": self.folder.path() });
        self.progress.event("begin", fields);
        let (sender, events) = mpsc::channel(256);
        let launched = self.launch(&sender).await;
        let (members, watch, refused) = launched.inspect_err(|_| self.folder.discard())?;
        let facts = self.gather_facts();
        let mut progress =
            std::mem::replace(&mut self.progress, Progress::new(Style::Quiet, self.job.network.duration));
        let (mut record, path) = (self.record.clone(), self.folder.record());
        let keep = Box::new(move |time| {
            record.reached(time);
            // At the end it is written again, and then it matters.
            let _ = record.write(&path);
        });
        let mut supervisor = Supervisor::new(members, watch, self.job.limits, events, interrupts, &mut progress, keep);
        let ending = match refused {
            Some(failure) => Ending::Failed(Box::new(failure)),
            None => supervisor.watch(&sender).await,
        };
        let stopped = Instant::now();
        facts.git.abort();
        supervisor.end(&ending).await;
        self.measure(&supervisor, &ending, stopped);
        let Supervisor { members, watch, .. } = supervisor;
        self.progress = progress;
        for (component, task) in facts.executables.into_iter().enumerate() {
            self.record.executable(component, task.await.ok().flatten());
        }
        self.record.version_control(facts.git.await.ok().flatten());
        self.conclude(&members, &watch, ending).await
    }

    /// Starts all processes. What goes wrong with one of them is the run's failure, and the others must be ended.
    async fn launch(&mut self, events: &Sender<Event>) -> Result<(Vec<Member>, Watch, Option<Failure>), RunError> {
        let (watch, page) = Watch::create(self.welcomes.len() as u32).map_err(doing("cannot make shared memory"))?;
        let rings = watch::rings(&self.job.plan.channels).map_err(doing("cannot make shared memory"))?;
        let rendezvous = Rendezvous::open().map_err(doing("cannot open the coordinator's socket"))?;
        let mut members = Vec::new();
        let mut failure = None;
        for part in std::mem::take(&mut self.welcomes) {
            let (component, rank) = (part.welcome.component as usize, part.welcome.rank);
            let component = &self.job.network.components[component];
            let program = &self.programs[part.welcome.component as usize];
            let log = self.folder.log(&component.name, rank);
            match launch::spawn(program, component, rank, &rendezvous, &log) {
                Ok(Started { child, pid }) => {
                    self.progress.event(
                        "launched",
                        json!({ "component": component.name, "rank": rank, "pid": pid.as_raw_nonzero() }),
                    );
                    wait_for_exit(child, members.len(), events.clone());
                    let descriptors = std::iter::once(page.clone())
                        .chain(part.rings.iter().map(|ring| rings[*ring as usize].clone()))
                        .collect();
                    let mut member = Member::new(component.name.clone(), part.welcome, descriptors, log, pid);
                    member.command = program.argv.iter().map(|a| a.to_string_lossy().into_owned()).collect();
                    members.push(member);
                }
                Err(error) => {
                    failure = Some(not_started(&component.name, rank, &error, log));
                    break;
                }
            }
        }
        tokio::spawn(rendezvous.accept(events.clone(), Event::Caller));
        Ok((members, watch, failure))
    }

    /// Facts for the record that take a while, gathered beside the run.
    fn gather_facts(&self) -> Facts {
        let git = tokio::spawn(record::git_state(self.job.directory.to_path_buf()));
        let hash = |program: &Program| {
            let path = program.argv.first().map(std::path::PathBuf::from).unwrap_or_default();
            tokio::task::spawn_blocking(move || record::hash_file(&path))
        };
        Facts { git, executables: self.programs.iter().map(hash).collect() }
    }

    fn measure(&mut self, supervisor: &Supervisor<'_>, ending: &Ending, stopped: Instant) {
        let simulation = supervisor.began.map(|began| supervisor.done.unwrap_or(stopped).duration_since(began));
        let reached = (0..supervisor.members.len()).map(|line| supervisor.watch.time(line)).min();
        let simulated = supervisor.began.and(reached).unwrap_or(Time::ZERO);
        let outcome = match ending {
            Ending::Done => Outcome::Done,
            Ending::Failed(failure) => Outcome::Failed { failure: (**failure).clone() },
            Ending::Interrupted => Outcome::Interrupted,
        };
        let measured = Measured {
            setup: supervisor.began.map(|began| began.duration_since(self.begun)),
            simulation,
            wall_clock: self.begun.elapsed(),
            simulated_ms: if *ending == Ending::Done { self.job.network.duration.ms() } else { simulated.ms() },
        };
        self.record.end(outcome, measured);
    }

    /// Recordings, record, summary, exit code.
    async fn conclude(mut self, members: &[Member], watch: &Watch, ending: Ending) -> Result<u8, RunError> {
        self.record.ranks(members, watch);
        self.record.spikes(members, &BTreeMap::new());
        // Making the recordings may take a while, and someone may lose patience.
        let _ = self.record.write(&self.folder.record());
        let finished = self.recordings(members).await;
        let recorded = finished.as_ref().cloned().unwrap_or_default();
        self.record.spikes(members, &recorded.spikes);
        let (folder, record, ending) = (&self.folder, &self.record, &ending);
        let end = summary::End { record, folder, members, watch, ending, notes: &recorded.notes };
        let kept = self.record.write(&folder.record()).and_then(|()| end.keep());
        end.show(self.job.style, &self.progress);
        let code = match ending {
            Ending::Done => 0,
            Ending::Failed(failure) => failure.kind.exit_code(),
            Ending::Interrupted => 130,
        };
        let faults = [
            finished.err().map(|source| RunError::Io { doing: "cannot finish the recordings".into(), source }),
            kept.err().map(|source| RunError::Io { doing: "cannot write the record".into(), source }),
        ];
        // What ended the run counts first, and has been told.
        let mut faults = faults.into_iter().flatten();
        let first = if code == 0 { faults.next() } else { None };
        faults.for_each(|fault| report::tell(&format!("warning: {fault}")));
        first.map_or(Ok(code), Err)
    }

    /// Makes the recordings, if there can be any.
    async fn recordings(&self, members: &[Member]) -> io::Result<finish::Recorded> {
        let journals = self.folder.journals();
        if members.iter().all(|m| m.entered(Stage::Running).is_none()) {
            // Of a run that did not begin, only tables of contents are there.
            let _ = std::fs::remove_dir_all(&journals);
        }
        finish::recordings(self.folder.path(), &journals).await
    }
}

/// The program of each component; what has to be made ready for it is made now.
fn find_programs(job: &Job<'_>, progress: &Progress) -> Result<Vec<Program>, RunError> {
    let tell = |text: &str| progress.preparing(text);
    let mut programs = Programs::new(job.directory, &tell);
    let mut find = |component: &Component| {
        let found = programs.of(component);
        found.map_err(|source| RunError::Program { component: component.name.clone(), source })
    };
    job.network.components.iter().map(&mut find).collect()
}

struct Facts {
    git: tokio::task::JoinHandle<Option<record::VersionControl>>,
    executables: Vec<tokio::task::JoinHandle<Option<String>>>,
}

fn wait_for_exit(mut child: tokio::process::Child, line: usize, events: Sender<Event>) {
    tokio::spawn(async move {
        if let Ok(status) = child.wait().await {
            // The run is over when nobody listens.
            let _ = events.send(Event::Exited(line, status)).await;
        }
    });
}

fn not_started(component: &str, rank: u32, error: &LaunchError, log: std::path::PathBuf) -> Failure {
    Failure {
        reported: false,
        kind: Kind::Component,
        component: component.to_string(),
        rank,
        what: format!("could not be started: {error}"),
        time: None,
        waiting: Vec::new(),
        log,
        last_lines: Vec::new(),
        help: None,
    }
}
