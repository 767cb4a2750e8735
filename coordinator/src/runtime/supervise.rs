//! Watches over the ranks of a run from their start to their end: no silent hang, nobody left behind.
//!
//! Everything arrives in one loop: what ranks say, the ends of their processes (told by the kernel, not polled),
//! signals to the coordinator, and a tick that looks at the simulated times. Whatever ends the run, [`Supervisor::end`]
//! comes last, and it returns only when every process is gone.

use std::process::ExitStatus;
use std::time::{Duration, Instant};

use couple_ports::control::{FromCoordinator, FromRank, Welcome};
use couple_ports::index::IndexSet;
use couple_ports::session::relay;
use couple_ports::time::Time;
use rustix::process::Signal;
use tokio::sync::mpsc::{Receiver, Sender};
use tokio::time::MissedTickBehavior;

use super::blame;
use super::interrupt::Interrupts;
use super::member::{Event, Member, Stage};
use super::progress::Progress;
use super::rendezvous::{Caller, refuse};
use super::report::{Failure, Kind, describe_exit, tell, words};
use super::start;
use super::watch::Watch;

/// Time between two looks at the simulated times.
const TICK: Duration = Duration::from_millis(50);
/// Time for what a process said last to arrive, after its end.
const LAST_WORDS: Duration = Duration::from_millis(100);
/// Time for a process to end after its connection did.
const AFTER_CLOSE: Duration = Duration::from_millis(300);
/// Time for a process to end after it told what went wrong.
const LAST_LINES: Duration = Duration::from_secs(1);
/// Looks at whether others have come to wait for a rank that failed.
const LOOKS_FOR_WAITS: u32 = 20;
/// Time between asking a process to end and killing it.
const MERCY: Duration = Duration::from_millis(300);
/// Time between two notes of how far the run is.
const KEEP_EVERY: Duration = Duration::from_secs(2);
/// Time for processes to leave by themselves, after a failure.
const LEAVE_AFTER_FAILURE: Duration = Duration::from_millis(200);
/// Time for processes to leave by themselves, when the user ends the run.
const LEAVE_AFTER_INTERRUPT: Duration = Duration::from_secs(2);

/// How long nothing may happen.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// From one advance of simulated time to the next. Before the simulation: from a process's start to its first
    /// word, or to the last sign of work before it.
    pub stall: Duration,
    /// From a process's start to its first word, however much it works.
    pub connect: Duration,
    /// From a rank's first word until its model is built.
    pub setup: Duration,
}

/// How a run ended.
#[derive(Clone, PartialEq, Debug)]
pub enum Ending {
    /// All ranks did their part.
    Done,
    /// One did not.
    Failed(Box<Failure>),
    /// The user ended it.
    Interrupted,
}

/// A run going on.
pub struct Supervisor<'a> {
    /// The ranks, by their line in the status page.
    pub members: Vec<Member>,
    /// The status page.
    pub watch: Watch,
    /// When the simulation began.
    pub began: Option<Instant>,
    /// When the last rank was done.
    pub done: Option<Instant>,
    limits: Limits,
    events: Receiver<Event>,
    interrupts: Interrupts,
    progress: &'a mut Progress,
    times: Vec<Time>,
    advanced: Instant,
    keep: Keep,
    kept: Instant,
}

/// Told how far the run is, now and then, so that it is known also when the coordinator is killed.
pub type Keep = Box<dyn FnMut(Time)>;

impl<'a> Supervisor<'a> {
    /// Over `members`, in the order of their lines, whose events come in by `events`.
    pub fn new(
        members: Vec<Member>,
        watch: Watch,
        limits: Limits,
        events: Receiver<Event>,
        interrupts: Interrupts,
        progress: &'a mut Progress,
        keep: Keep,
    ) -> Self {
        let times = vec![Time::MIN; members.len()];
        let (advanced, kept) = (Instant::now(), Instant::now());
        Supervisor {
            members,
            watch,
            began: None,
            done: None,
            limits,
            events,
            interrupts,
            progress,
            times,
            advanced,
            keep,
            kept,
        }
    }

    /// Runs until the run is over or cannot go on. [`Self::end`] must follow.
    pub async fn watch(&mut self, events: &Sender<Event>) -> Ending {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let failure = tokio::select! {
                Some(event) = self.events.recv() => self.on_event(event, events),
                () = self.interrupts.next() => return Ending::Interrupted,
                _ = tick.tick() => self.on_tick(),
            };
            if let Some(mut failure) = failure.or_else(|| self.ended_early()) {
                self.hear_out(&failure, events).await;
                self.let_others_wait(&failure).await;
                blame::complete(&mut failure, &self.members, &self.watch);
                return Ending::Failed(Box::new(failure));
            }
            if self.members.iter().all(|m| m.stage == Stage::Leaving && m.exit.is_some()) {
                return Ending::Done;
            }
        }
    }

    /// A program that has told why it cannot go on ends by itself, and its log says more before that.
    async fn hear_out(&mut self, failure: &Failure, events: &Sender<Event>) {
        let at_fault = |m: &Member| m.component == failure.component && m.rank == failure.rank;
        let Some(line) = self.members.iter().position(at_fault).filter(|_| failure.reported) else { return };
        let deadline = tokio::time::Instant::now() + LAST_LINES;
        while self.members[line].exit.is_none() {
            match tokio::time::timeout_at(deadline, self.events.recv()).await {
                // What else goes wrong now is no news.
                Ok(Some(event)) => drop(self.on_event(event, events)),
                Ok(None) | Err(_) => return,
            }
        }
    }

    /// Who waits for the one at fault shows a moment later.
    async fn let_others_wait(&self, failure: &Failure) {
        for _ in 0..LOOKS_FOR_WAITS {
            if failure.time.is_none() || blame::has_come_to_wait(failure, &self.members, &self.watch) {
                return;
            }
            tokio::time::sleep(TICK / 5).await;
        }
    }

    fn on_event(&mut self, event: Event, events: &Sender<Event>) -> Option<Failure> {
        match event {
            Event::Caller(Caller::Refused { pid, reason }) => self.on_refused(pid, reason),
            Event::Caller(Caller::Known { mut stream, hello }) => {
                let (component, rank) = (&hello.component, hello.rank);
                let line = self.members.iter().position(|m| m.component == *component && m.rank == rank);
                let reason = match line {
                    None => format!("this run has no rank {rank} of a component `{component}`"),
                    Some(line) if self.members[line].connected() => {
                        format!("a process has taken the place of {component}.{rank} already")
                    }
                    Some(line) => {
                        let attached = self.members[line].attach(line, stream, events.clone());
                        return attached.err().map(|e| self.failed(line, format!("could not be given its part: {e}")));
                    }
                };
                let pid = stream.peer_cred().ok().and_then(|c| c.pid());
                tokio::spawn({
                    let reason = reason.clone();
                    async move { refuse(&mut stream, &reason).await }
                });
                self.on_refused(pid, reason)
            }
            Event::Said(line, message) => self.on_message(line, message),
            Event::Closed(line, reason) => {
                self.members[line].closed = Some((Instant::now(), reason));
                None
            }
            Event::Exited(line, status) => {
                self.members[line].exit = Some((status, Instant::now()));
                None
            }
        }
    }

    /// A process was turned away: one of ours is at fault, a stranger is nobody's.
    fn on_refused(&self, pid: Option<i32>, reason: String) -> Option<Failure> {
        let group = rustix::process::getpgid(pid.and_then(rustix::process::Pid::from_raw)).ok();
        let line = self.members.iter().position(|m| pid.is_some() && Some(m.pid) == group)?;
        Some(self.failed(line, format!("cannot take part: {reason}")))
    }

    fn on_message(&mut self, line: usize, message: FromRank) -> Option<Failure> {
        match (message, self.members[line].stage) {
            (FromRank::Failed { message }, _) => {
                let failure = self.failed(line, format!("reported: {}", words(&message)));
                Some(Failure { reported: true, ..failure })
            }
            (FromRank::Ready { needed }, Stage::Setup) => {
                if let Err(reason) = start::check(&self.members[line].welcome, &needed) {
                    return Some(self.failed(line, reason));
                }
                self.members[line].needed = needed;
                self.members[line].enter(Stage::Ready);
                self.members.iter().all(|m| m.stage == Stage::Ready).then(|| self.start()).flatten()
            }
            (FromRank::Left { emitted }, _) => {
                self.members[line].emitted = emitted;
                None
            }
            (FromRank::Done { emitted }, Stage::Running) => {
                self.members[line].emitted = emitted;
                self.members[line].enter(Stage::Done);
                self.advanced = Instant::now();
                self.members.iter().all(|m| m.stage == Stage::Done).then(|| self.dismiss()).flatten()
            }
            (message, stage) => {
                let name = match message {
                    FromRank::Hello(_) => "Hello",
                    FromRank::Ready { .. } => "Ready",
                    FromRank::Done { .. } => "Done",
                    FromRank::Failed { .. } => "Failed",
                    FromRank::Left { .. } => "Left",
                };
                let what = format!("said {name} out of turn ({stage:?}), against the session protocol");
                Some(self.failed(line, what))
            }
        }
    }

    fn start(&mut self) -> Option<Failure> {
        let welcomes: Vec<Welcome> = self.members.iter().map(|m| m.welcome.clone()).collect();
        let needed: Vec<Vec<IndexSet>> = self.members.iter_mut().map(|m| std::mem::take(&mut m.needed)).collect();
        let wanted = match relay::wanted(&welcomes, &needed) {
            Ok(wanted) => wanted,
            Err(error) => return Some(self.failed(0, format!("could not be started: {error}"))),
        };
        for (line, wanted) in wanted.into_iter().enumerate() {
            if let Err(error) = self.members[line].send(&FromCoordinator::Start { wanted }) {
                return Some(self.failed(line, format!("could not be started: {error}")));
            }
        }
        self.members.iter_mut().for_each(|m| m.enter(Stage::Running));
        self.began = Some(Instant::now());
        self.advanced = Instant::now();
        self.progress.begin();
        self.progress.event("simulating", serde_json::json!({}));
        None
    }

    fn dismiss(&mut self) -> Option<Failure> {
        self.done = Some(Instant::now());
        for member in &mut self.members {
            // A rank that left already, with its part done, does not hear it.
            let _ = member.send(&FromCoordinator::Bye);
            member.enter(Stage::Leaving);
        }
        None
    }

    fn on_tick(&mut self) -> Option<Failure> {
        let now: Vec<Time> = (0..self.members.len()).map(|line| self.watch.time(line)).collect();
        if now != self.times {
            self.times = now;
            self.advanced = Instant::now();
        }
        if self.began.is_some() && self.done.is_none() {
            let slowest = (0..self.members.len()).min_by_key(|line| self.times[*line]);
            if let Some(line) = slowest {
                self.progress.reached(self.times[line], &self.members[line].name());
                if self.kept.elapsed() >= KEEP_EVERY {
                    (self.keep)(self.times[line]);
                    self.kept = Instant::now();
                }
            }
        } else if self.began.is_none() {
            let ready = self.members.iter().filter(|m| m.stage == Stage::Ready).count();
            self.progress.phase(&format!("{ready} of {} ranks ready", self.members.len()));
        }
        self.overdue()
    }

    /// Who has made no progress for too long.
    fn overdue(&mut self) -> Option<Failure> {
        if self.began.is_none()
            && let Some(failure) = self.never_connected()
        {
            return Some(failure);
        }
        if let Some(line) = self.stopped_in_setup() {
            let what = "is stopped while it builds its model".to_string();
            let help = "a signal (SIGSTOP, Ctrl-Z) or a debugger has stopped its process".to_string();
            return Some(self.failure(Kind::Stall, line, what, Some(help)));
        }
        let Limits { stall, setup, .. } = self.limits;
        let late = |stage, limit| {
            let line = self.members.iter().position(|m| m.stage == stage && m.exit.is_none())?;
            (self.members[line].since.elapsed() >= limit).then_some(line)
        };
        if let Some(line) = late(Stage::Setup, setup) {
            let what = format!("has not built its model within {} s", setup.as_secs_f64());
            return Some(self.failure(Kind::Stall, line, what, Some("raise --setup-limit".into())));
        }
        if let Some(line) = self.never_leaves() {
            let waited = self.members[line].since.elapsed().as_secs_f64();
            let what = format!("has not ended within {waited:.1} s of the end of the run");
            let help = "the simulation is complete and so are the recordings";
            return Some(self.failure(Kind::Stall, line, what, Some(help.into())));
        }
        if self.began.is_none() || self.done.is_some() || self.advanced.elapsed() < stall {
            return None;
        }
        let culprit = blame::culprit(&self.members, &self.watch)?;
        let (what, help) = blame::standstill(&self.members, &culprit, stall);
        Some(self.failure(Kind::Stall, culprit.line, what, Some(help)))
    }

    /// Whose process or connection is over before its time.
    fn ended_early(&self) -> Option<Failure> {
        let over = |m: &Member| m.stage >= Stage::Done;
        for (line, member) in self.members.iter().enumerate() {
            match &member.exit {
                Some((status, _)) if over(member) && status.success() => {}
                Some((status, _)) if member.heard(LAST_WORDS) => return Some(self.exited(line, *status)),
                _ => {}
            }
            match &member.closed {
                Some((at, reason)) if member.exit.is_none() && !over(member) && at.elapsed() >= AFTER_CLOSE => {
                    let what = match reason {
                        Some(reason) => format!("cannot be understood any more: {reason}"),
                        None => "closed its connection to the coordinator, but did not end".to_string(),
                    };
                    return Some(self.failed(line, what));
                }
                _ => {}
            }
        }
        None
    }

    /// Who builds its model and has been stopped for too long. A model may take as long as `Limits::setup` otherwise.
    fn stopped_in_setup(&mut self) -> Option<usize> {
        let stall = self.limits.stall;
        let builds = |m: &Member| m.stage == Stage::Setup && m.exit.is_none() && m.since.elapsed() >= stall;
        self.members.iter_mut().filter(|m| builds(m)).for_each(Member::look_for_work);
        let stopped = |m: &Member| matches!(m.process_state(), Some('T' | 't'));
        self.members.iter().position(|m| builds(m) && m.worked.elapsed() >= stall && stopped(m))
    }

    /// Who is still there after the end. A process that works (a script that looks at its results) gets more time.
    fn never_leaves(&mut self) -> Option<usize> {
        let Limits { stall, setup, .. } = self.limits;
        let stays = |m: &Member| m.stage == Stage::Leaving && m.exit.is_none() && m.since.elapsed() >= stall;
        self.members.iter_mut().filter(|m| stays(m)).for_each(Member::look_for_work);
        self.members.iter().position(|m| stays(m) && (m.worked.elapsed() >= stall || m.since.elapsed() >= setup))
    }

    /// Who has been started and says nothing. A process that works (a slow import, a cold disk) gets more time.
    fn never_connected(&mut self) -> Option<Failure> {
        let Limits { stall, connect, .. } = self.limits;
        let silent = |m: &&mut Member| m.stage == Stage::Launched && m.exit.is_none();
        self.members.iter_mut().filter(silent).for_each(Member::look_for_work);
        let late = |m: &Member| m.since.elapsed() >= connect || m.worked.elapsed() >= stall;
        let line = self.members.iter().position(|m| m.stage == Stage::Launched && m.exit.is_none() && late(m))?;
        let waited = self.members[line].since.elapsed().as_secs_f64();
        let what = format!("has not connected to the coordinator within {waited:.1} s of its start");
        let help = "a program takes part by opening a session; for one that is only slow to start, raise \
                    run.stall_limit and run.connect_timeout";
        Some(self.failure(Kind::Stall, line, what, Some(help.into())))
    }

    fn exited(&self, line: usize, status: ExitStatus) -> Failure {
        let (mut what, help) = describe_exit(status);
        match self.members[line].stage {
            Stage::Launched => what.push_str(" before it connected to the coordinator"),
            Stage::Setup => what.push_str(" while it built its model"),
            Stage::Ready => what.push_str(" while it waited for the others to be ready"),
            Stage::Running => {}
            Stage::Done | Stage::Leaving => what.push_str(" after its part was done"),
        }
        self.failure(Kind::Component, line, what, help)
    }

    fn failed(&self, line: usize, what: String) -> Failure {
        self.failure(Kind::Component, line, what, None)
    }

    fn failure(&self, kind: Kind, line: usize, what: String, help: Option<String>) -> Failure {
        let member = &self.members[line];
        Failure {
            kind,
            component: member.component.clone(),
            rank: member.rank,
            what,
            time: self.began.map(|_| self.watch.time(line)),
            waiting: Vec::new(),
            log: member.log.clone(),
            last_lines: Vec::new(),
            reported: false,
            help,
        }
    }

    /// Ends all processes that are still there, the more gently the less has gone wrong.
    pub async fn end(&mut self, ending: &Ending) {
        self.progress.end();
        self.members.iter_mut().for_each(Member::stops);
        self.watch.stop_all();
        let patience = match ending {
            Ending::Done => Duration::ZERO,
            Ending::Failed(_) => LEAVE_AFTER_FAILURE,
            Ending::Interrupted => LEAVE_AFTER_INTERRUPT,
        };
        // Only a simulating rank looks at the page.
        self.left().filter(|m| m.stage < Stage::Running).for_each(|m| m.signal(Signal::TERM));
        if self.wait_for_ends(patience).await == Waited::TooLong {
            for member in self.left() {
                member.signal(Signal::TERM);
                // One that is stopped could not obey.
                member.signal(Signal::CONT);
            }
            self.wait_for_ends(MERCY).await;
        }
        // What is left of a rank is the processes that it started itself.
        self.members.iter().for_each(|m| m.signal(Signal::KILL));
        self.wait_for_ends(Duration::from_secs(5)).await;
        self.hear_last_words().await;
        for member in self.left() {
            tell(&format!("warning: process {} ({}) cannot be ended", member.pid, member.name()));
        }
        super::interrupt::end_strays();
    }

    /// What the ranks said before they left, which may arrive after the ends of their processes.
    async fn hear_last_words(&mut self) {
        let deadline = tokio::time::Instant::now() + LAST_WORDS;
        while self.members.iter().any(|m| !m.heard(LAST_WORDS)) {
            tokio::select! {
                Some(event) = self.events.recv() => self.note(event),
                () = tokio::time::sleep_until(deadline) => return,
            }
        }
    }

    /// Takes in an event when the reason of the end is known: what others say of it does not matter any more.
    fn note(&mut self, event: Event) {
        match event {
            Event::Exited(line, status) => self.members[line].exit = Some((status, Instant::now())),
            Event::Closed(line, reason) => self.members[line].closed = Some((Instant::now(), reason)),
            Event::Said(line, FromRank::Done { emitted } | FromRank::Left { emitted }) => {
                self.members[line].emitted = emitted;
            }
            Event::Said(..) | Event::Caller(_) => {}
        }
    }

    fn left(&self) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(|m| m.exit.is_none())
    }

    /// Waits for all processes to be gone, until `patience` is over, or the user's is.
    async fn wait_for_ends(&mut self, patience: Duration) -> Waited {
        let deadline = tokio::time::Instant::now() + patience;
        while self.left().next().is_some() {
            tokio::select! {
                Some(event) = self.events.recv() => self.note(event),
                () = tokio::time::sleep_until(deadline) => return Waited::TooLong,
                () = self.interrupts.next() => return Waited::Interrupted,
            }
        }
        Waited::AllGone
    }
}

/// How a wait for the ends of processes ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Waited {
    AllGone,
    TooLong,
    /// The user asks again: no more mercy.
    Interrupted,
}
