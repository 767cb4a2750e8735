//! What went wrong in a run, told so that the user knows where to look.

use std::fmt;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use couple_ports::time::Time;
use serde::Serialize;

/// Lines of a log shown with a failure.
const LOG_LINES: usize = 10;
/// Longest line shown.
const LONGEST_LINE: usize = 400;
/// What is shown of a component's own words.
const LONGEST_WORDS: usize = 2000;

/// Why a run ended before its time.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Failure {
    /// What kind, which decides the exit code.
    pub kind: Kind,
    /// The component at fault.
    pub component: String,
    /// Its rank.
    pub rank: u32,
    /// What happened, as the end of a sentence that begins with the component.
    pub what: String,
    /// Simulated time that the rank had reached; `None` when the simulation had not begun.
    #[serde(rename = "simulated_ms", serialize_with = "as_ms")]
    pub time: Option<Time>,
    /// Who waits for it, and for what.
    pub waiting: Vec<String>,
    /// Its log file.
    pub log: PathBuf,
    /// The end of its log.
    pub last_lines: Vec<String>,
    /// What to do.
    pub help: Option<String>,
    /// Whether the component said so itself: its program goes on to its own end.
    #[serde(skip)]
    pub reported: bool,
}

/// Kinds of failure.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A component failed.
    Component,
    /// Nothing went on.
    Stall,
}

impl Kind {
    /// The exit code of `couple`.
    pub fn exit_code(self) -> u8 {
        match self {
            Kind::Component => 3,
            Kind::Stall => 4,
        }
    }
}

fn as_ms<S: serde::Serializer>(time: &Option<Time>, serializer: S) -> Result<S::Ok, S::Error> {
    time.map(Time::ms).serialize(serializer)
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "component `{}` (rank {}) {}", self.component, self.rank, self.what)?;
        match self.time {
            Some(time) => writeln!(f, "; it had reached {time} of simulated time")?,
            None => writeln!(f, "; the simulation had not begun")?,
        }
        for waiting in &self.waiting {
            writeln!(f, "  {waiting}")?;
        }
        if self.last_lines.is_empty() {
            writeln!(f, "  its log is empty: {}", self.log.display())?;
        } else {
            writeln!(f, "  the end of its log, {}:", self.log.display())?;
            for line in &self.last_lines {
                writeln!(f, "    | {line}")?;
            }
        }
        match &self.help {
            Some(help) => writeln!(f, "  help: {help}"),
            None => Ok(()),
        }
    }
}

/// Writes a line to standard error. A terminal that is gone is no reason to end a run.
pub fn tell(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// How a process ended, as the end of a sentence, and what that may mean.
pub fn describe_exit(status: ExitStatus) -> (String, Option<String>) {
    if let Some(signal) = status.signal() {
        let dumped = if status.core_dumped() { ", core dumped" } else { "" };
        let (name, meaning) = signal_name(signal);
        return (format!("was killed by signal {signal} ({name}{dumped})"), meaning.map(str::to_string));
    }
    match status.code() {
        Some(0) => (
            "ended by itself with code 0 before its part was done".to_string(),
            Some("a program takes part until its session says that the run is over".to_string()),
        ),
        // What a shell tells of a command that a signal ended.
        Some(code @ 129..=159) => {
            let (name, meaning) = signal_name(code - 128);
            (format!("ended with code {code} (signal {}, {name})", code - 128), meaning.map(str::to_string))
        }
        Some(code) => (format!("ended with code {code}"), None),
        None => (format!("ended: {status}"), None),
    }
}

/// Name and usual cause of a signal.
fn signal_name(signal: i32) -> (&'static str, Option<&'static str>) {
    let names = [
        (1, "SIGHUP", None),
        (2, "SIGINT", None),
        (3, "SIGQUIT", None),
        (4, "SIGILL", Some("the program holds an instruction that this processor does not have")),
        (6, "SIGABRT", Some("the program gave up by itself: a failed assertion or an uncaught exception; see its log")),
        (7, "SIGBUS", Some("memory could not be had when it was touched: is the machine out of memory?")),
        (8, "SIGFPE", Some("an integer division by zero")),
        (9, "SIGKILL", Some("someone killed it, or the kernel did for want of memory (`dmesg` tells)")),
        (11, "SIGSEGV", Some("a fault in the program itself: it touched memory that is not its own")),
        (13, "SIGPIPE", None),
        (14, "SIGALRM", None),
        (15, "SIGTERM", Some("someone ended it, or a batch system's limit did")),
        (24, "SIGXCPU", Some("its limit of processor time is over (`ulimit -t`)")),
        (25, "SIGXFSZ", Some("its limit of file size is reached (`ulimit -f`)")),
        (31, "SIGSYS", Some("a sandbox forbids a system call that it needs")),
    ];
    let known = names.into_iter().find(|(number, ..)| *number == signal);
    known.map_or(("unnamed", None), |(_, name, meaning)| (name, meaning))
}

/// The last lines of a log, without control characters.
pub fn last_lines(log: &Path) -> Vec<String> {
    let tail = || -> std::io::Result<Vec<u8>> {
        let mut file = File::open(log)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(32 << 10)))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let Ok(bytes) = tail() else { return Vec::new() };
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(LOG_LINES)..].iter().map(|line| tame(line, LONGEST_LINE)).collect()
}

/// What a component says of itself, fit for a terminal: a user's program may say anything, and at any length.
pub fn words(message: &str) -> String {
    let message = message.trim_end();
    let start: String = message.chars().take(LONGEST_WORDS).collect();
    let lines: Vec<String> = start.lines().map(|line| tame(line, LONGEST_WORDS)).collect();
    let shown = lines.join("\n");
    match message.chars().count() {
        all if all > LONGEST_WORDS => format!("{shown} … ({all} characters in all)"),
        _ => shown,
    }
}

/// A line for a terminal: no control characters, not endless.
fn tame(line: &str, longest: usize) -> String {
    // Of a progress bar drawn over itself only the last state is of use.
    let line = line.trim_end_matches('\r');
    let line = line.rsplit('\r').next().unwrap_or(line);
    let mut shown = String::new();
    for c in line.chars().take(longest) {
        match c {
            '\t' => shown.push_str("    "),
            c if c.is_control() => shown.extend(c.escape_default()),
            c => shown.push(c),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exits_are_told_by_name() {
        let text = |raw| describe_exit(ExitStatus::from_raw(raw)).0;
        assert_eq!(text(9), "was killed by signal 9 (SIGKILL)");
        assert_eq!(text(6 | 0x80), "was killed by signal 6 (SIGABRT, core dumped)");
        assert_eq!(text(3 << 8), "ended with code 3");
        assert_eq!(text(137 << 8), "ended with code 137 (signal 9, SIGKILL)");
        assert!(text(0).contains("code 0 before"));
    }

    #[test]
    fn the_end_of_a_log_is_tame() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("a.log");
        let text: String = (0..30).map(|i| format!("line {i}\n\n")).collect();
        std::fs::write(&log, format!("{text}\x1b[31mred\t\u{7}\nbar 1%\rbar 2%\r\n")).unwrap();
        let lines = last_lines(&log);
        assert_eq!(lines.len(), LOG_LINES);
        assert_eq!(lines[7], "line 29");
        assert_eq!(lines[8], "\\u{1b}[31mred    \\u{7}");
        assert_eq!(lines[9], "bar 2%");
        assert!(last_lines(Path::new("/nowhere")).is_empty());
    }

    #[test]
    fn what_a_component_says_is_tame() {
        assert_eq!(words("a.py:3: one\n  two \n\n"), "a.py:3: one\n  two");
        assert_eq!(words("\x1b[31mred\0"), "\\u{1b}[31mred\\u{0}");
        let flood = words(&"ü".repeat(5_000_000));
        assert!(flood.ends_with("ü … (5000000 characters in all)"));
        assert_eq!(flood.matches('ü').count(), LONGEST_WORDS);
    }
}
