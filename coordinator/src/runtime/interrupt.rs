//! Signals to the coordinator, and what keeps stray processes from outliving it.

use rustix::process::{Pid, Signal, WaitOptions};
use tokio::signal::unix::{Signal as Stream, SignalKind, signal};

/// The signals that end a run in an orderly way.
#[derive(Debug)]
pub struct Interrupts {
    interrupt: Stream,
    terminate: Stream,
    /// Not under `nohup`, which asks to go on without a terminal.
    hangup: Option<Stream>,
}

impl Interrupts {
    /// From now on these signals do not end the process by themselves.
    pub fn catch() -> std::io::Result<Self> {
        Ok(Interrupts {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: if ignored(HANGUP) { None } else { Some(signal(SignalKind::hangup())?) },
        })
    }
    /// Waits for the next of them.
    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            () = hung_up(&mut self.hangup) => {}
        }
    }
}

const HANGUP: u32 = 1;

async fn hung_up(hangup: &mut Option<Stream>) {
    match hangup {
        Some(hangup) => drop(hangup.recv().await),
        None => std::future::pending().await,
    }
}

/// Whether this process was started with a signal ignored.
fn ignored(signal: u32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

/// Has a write beyond the limit of file size (`ulimit -f`) fail, and not end the coordinator without a word.
pub fn survive_file_limits() -> std::io::Result<()> {
    // SIGXFSZ. With a handler of ours the system call returns an error; the ranks get their default back by exec.
    signal(SignalKind::from_raw(25)).map(drop)
}

/// Has processes whose parents end become children of this one, so that [`end_strays`] finds them.
pub fn adopt_strays() {
    // Without it, only processes that left their rank's process group could stay behind.
    let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
}

/// Kills and reaps what is left of the ranks' own processes. All direct children that the run knows must be gone.
pub fn end_strays() {
    // Killing a process hands its children to us, so look again; the bound is for processes that cannot be killed.
    for _ in 0..100 {
        let children = children();
        if children.is_empty() {
            return;
        }
        for child in children {
            let _ = rustix::process::kill_process(child, Signal::KILL);
        }
        std::thread::sleep(std::time::Duration::from_millis(2));
        while matches!(rustix::process::waitpid(None, WaitOptions::NOHANG), Ok(Some(_))) {}
    }
}

/// The processes whose parent is this one.
fn children() -> Vec<Pid> {
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let lists = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
    let all = lists.flat_map(|list| list.split_whitespace().filter_map(|id| id.parse().ok()).collect::<Vec<i32>>());
    all.filter_map(Pid::from_raw).collect()
}
