//! One rank of the run, as the coordinator knows it, and the tasks that talk to it.

use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::{Duration, Instant};

use couple_ports::control::{FromCoordinator, FromRank, Welcome, codec};
use couple_ports::index::IndexSet;
use rustix::process::{Pid, Signal};
use tokio::io::AsyncWriteExt as _;
use tokio::net::UnixStream;
use tokio::sync::mpsc::{self, Sender};

use super::descriptors;
use super::rendezvous::{Caller, read_message};

/// Time between two looks at the processor time of a process that has not connected.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// How far a rank has come. The order is that of a run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Stage {
    /// The process is started; it has said nothing yet.
    Launched,
    /// It builds its model.
    Setup,
    /// It waits for the others.
    Ready,
    /// It simulates.
    Running,
    /// It has done its part.
    Done,
    /// It was told to leave.
    Leaving,
}

/// What happens to the ranks of a run.
#[derive(Debug)]
pub enum Event {
    /// A process connected.
    Caller(Caller),
    /// A rank said something.
    Said(usize, FromRank),
    /// A rank's connection is over; with the reason, if it was no clean end.
    Closed(usize, Option<String>),
    /// A rank's process is over.
    Exited(usize, ExitStatus),
}

/// How a process ended, and when.
pub type Exit = (ExitStatus, Instant);

/// One rank.
#[derive(Debug)]
pub struct Member {
    /// Its component's name.
    pub component: String,
    /// Its component in the description.
    pub component_id: usize,
    /// Its rank within the component.
    pub rank: u32,
    /// Its part of the run. The message itself is dropped once it is sent.
    pub welcome: Welcome,
    /// What goes with the message: the status page, then its rings.
    pub descriptors: Vec<Arc<OwnedFd>>,
    /// Its output.
    pub log: PathBuf,
    /// Its process, which leads its process group.
    pub pid: Pid,
    /// The process that takes part: the same, or one that it started (a shell script's simulator).
    process: Pid,
    /// What was executed.
    pub command: Vec<String>,
    /// How far it is.
    pub stage: Stage,
    /// Since when.
    pub since: Instant,
    /// When it connected, was ready, was done: for the record.
    pub milestones: Vec<(Stage, Instant)>,
    /// Until when it has been seen to work, before it connected.
    pub worked: Instant,
    /// Processor time of its processes when last looked at.
    work: Duration,
    /// Messages to it.
    outbox: Option<Sender<Vec<u8>>>,
    /// Processor time used when the simulation began, and when this rank was done.
    pub processor: (Option<Duration>, Option<Duration>),
    /// What it needs of each of its inputs.
    pub needed: Vec<IndexSet>,
    /// Spikes of each of its outputs.
    pub emitted: Vec<u64>,
    /// Its connection is over.
    pub closed: Option<(Instant, Option<String>)>,
    /// Its process is over.
    pub exit: Option<Exit>,
}

impl Member {
    /// A rank whose process `pid` was just started.
    pub fn new(component: String, welcome: Welcome, descriptors: Vec<Arc<OwnedFd>>, log: PathBuf, pid: Pid) -> Self {
        let now = Instant::now();
        Member {
            component,
            component_id: welcome.component as usize,
            rank: welcome.rank,
            welcome,
            descriptors,
            log,
            pid,
            process: pid,
            command: Vec::new(),
            stage: Stage::Launched,
            since: now,
            milestones: Vec::new(),
            worked: now,
            work: Duration::ZERO,
            outbox: None,
            processor: (None, None),
            needed: Vec::new(),
            emitted: Vec::new(),
            closed: None,
            exit: None,
        }
    }
    /// `component.rank`, as plans and logs call it.
    pub fn name(&self) -> String {
        format!("{}.{}", self.component, self.rank)
    }
    /// True when a process has taken this rank's place.
    pub fn connected(&self) -> bool {
        self.outbox.is_some() || self.closed.is_some()
    }
    /// Comes to a stage.
    pub fn enter(&mut self, stage: Stage) {
        match stage {
            Stage::Running => self.processor.0 = self.cpu_time(),
            Stage::Done => self.processor.1 = self.cpu_time(),
            _ => {}
        }
        self.stage = stage;
        self.since = Instant::now();
        self.milestones.push((stage, self.since));
    }
    /// Its simulation is over, if it was in one: notes the processor time used.
    pub fn stops(&mut self) {
        if self.stage == Stage::Running && self.exit.is_none() {
            self.processor.1 = self.cpu_time();
        }
    }
    /// When it came to a stage.
    pub fn entered(&self, stage: Stage) -> Option<Instant> {
        self.milestones.iter().find(|(other, _)| *other == stage).map(|(_, at)| *at)
    }
    /// Gives a connected process its part, and hears it from then on.
    pub fn attach(&mut self, line: usize, stream: UnixStream, events: Sender<Event>) -> std::io::Result<()> {
        let welcome = std::mem::take(&mut self.welcome.network);
        let mut message = self.welcome.clone();
        message.network = welcome;
        let frame = codec::frame(&FromCoordinator::Welcome(Box::new(message)))?;
        let process = stream.peer_cred().ok().and_then(|peer| Pid::from_raw(peer.pid()?));
        self.process = process.unwrap_or(self.pid);
        let (outbox, inbox) = mpsc::channel(4);
        self.outbox = Some(outbox);
        self.enter(Stage::Setup);
        let descriptors = self.descriptors.clone();
        tokio::spawn(async move {
            let error = converse(line, stream, frame, &descriptors, inbox, &events).await.err();
            drop(descriptors);
            // A clean end of the stream is told without a reason.
            let reason = error.filter(|e| e.kind() != std::io::ErrorKind::UnexpectedEof).map(|e| e.to_string());
            let _ = events.send(Event::Closed(line, reason)).await;
        });
        Ok(())
    }
    /// Sends a message; one that is gone hears nothing, which its exit will tell.
    pub fn send(&self, message: &FromCoordinator) -> std::io::Result<()> {
        let frame = codec::frame(message)?;
        if let Some(outbox) = &self.outbox {
            // A rank gets two messages in all after its welcome, so there is always room.
            let _ = outbox.try_send(frame);
        }
        Ok(())
    }
    /// Signals all processes of the rank.
    pub fn signal(&self, signal: Signal) {
        // No such process: it is gone, which is what was wanted.
        let _ = rustix::process::kill_process_group(self.pid, signal);
    }
    /// Whether all that the process said has been heard: its connection is over, or its end is some time ago (a
    /// process that it left behind may hold the connection).
    pub fn heard(&self, patience: Duration) -> bool {
        let old = self.exit.as_ref().is_some_and(|(_, at)| at.elapsed() >= patience);
        self.outbox.is_none() || self.closed.is_some() || old
    }
    /// The state by the kernel of the process that takes part: one letter, as `ps` shows it.
    pub fn process_state(&self) -> Option<char> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process)).ok()?;
        stat.rsplit_once(") ")?.1.chars().next()
    }
    /// Processor time of the simulation, all threads together.
    pub fn processor_time(&self) -> Option<Duration> {
        self.processor.1?.checked_sub(self.processor.0?)
    }
    /// Notes whether its processes have used the processor since the last call; looks twice a second at most.
    pub fn look_for_work(&mut self) {
        let due = self.since.elapsed() >= LOOK_EVERY && self.worked.elapsed() >= LOOK_EVERY;
        let work = if due { group_time(self.pid) } else { self.work };
        if work > self.work {
            (self.work, self.worked) = (work, Instant::now());
        }
    }
    /// Processor time used so far.
    fn cpu_time(&self) -> Option<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process)).ok()?;
        stat_times(&stat).map(|(_, time)| time)
    }
}

/// Process group and processor time of a process, by its line in /proc.
fn stat_times(stat: &str) -> Option<(i32, Duration)> {
    let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
    let ticks = |at: usize| fields.get(at)?.parse::<u64>().ok();
    // The kernel counts in 1/100 s here, on all architectures.
    Some((fields.get(2)?.parse().ok()?, Duration::from_millis(10 * (ticks(11)? + ticks(12)?))))
}

/// Processor time that the processes of a group have used.
fn group_time(group: Pid) -> Duration {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let stats = processes.filter_map(|process| std::fs::read_to_string(process.path().join("stat")).ok());
    let times = stats.filter_map(|stat| stat_times(&stat));
    times.filter(|(of, _)| *of == group.as_raw_nonzero().get()).map(|(_, time)| time).sum()
}

/// Sends the welcome, then passes messages both ways until the connection ends.
async fn converse(
    line: usize,
    stream: UnixStream,
    welcome: Vec<u8>,
    with: &[Arc<OwnedFd>],
    mut inbox: mpsc::Receiver<Vec<u8>>,
    events: &Sender<Event>,
) -> std::io::Result<()> {
    descriptors::send(&stream, &welcome, with).await?;
    let (mut reader, mut writer) = stream.into_split();
    let speak = tokio::spawn(async move {
        while let Some(frame) = inbox.recv().await {
            if writer.write_all(&frame).await.is_err() {
                return;
            }
        }
    });
    let ended = loop {
        let message = match read_message::<FromRank>(&mut reader).await {
            Ok(message) => message,
            Err(error) => break Err(error),
        };
        if events.send(Event::Said(line, message)).await.is_err() {
            break Ok(());
        }
    };
    speak.abort();
    ended
}
