//! Runs `couple` on programs that behave as a test wants, with a watchdog, and looks for what was left behind.

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

/// No run of these tests needs so long; one that does hangs.
const WATCHDOG: Duration = Duration::from_secs(60);
/// Environment variable that all processes of one test's run have.
const MARK: &str = "COUPLE_FAULT_TEST";

/// The program `participant`, built once.
fn participant() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| {
        let couple = Path::new(env!("CARGO_BIN_EXE_couple"));
        let path = couple.with_file_name("examples").join("participant");
        // A test that is run alone does not build it.
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "--example", "participant"]).current_dir(env!("CARGO_MANIFEST_DIR"));
        let built = cargo.status().expect("cargo runs");
        assert!(built.success(), "the participant does not compile");
        assert!(path.is_file(), "{} is missing", path.display());
        path
    })
}

/// A configuration of two components that exchange spikes both ways, and a place for its runs.
pub struct Scenario {
    folder: tempfile::TempDir,
    mark: String,
    arguments: Vec<String>,
    shell: String,
}

/// How a run of `couple` went.
pub struct Finished {
    pub status: ExitStatus,
    pub output: String,
    pub errors: String,
}

/// `couple` at work.
pub struct Running {
    child: Child,
    readers: Vec<thread::JoinHandle<String>>,
    begun: Instant,
}

impl Scenario {
    /// `good` and `bad` do as they are told (see the participant), for `duration`.
    pub fn new(good: &str, bad: &str, duration: &str) -> Self {
        let back = "[[connection]]\nfrom = \"pong\"\nto = \"ping\"\ndelay = \"1 ms\"";
        Self::make(good, bad, duration, back)
    }
    /// The same, but `bad` only listens.
    pub fn one_way(good: &str, bad: &str, duration: &str) -> Self {
        Self::make(good, bad, duration, "")
    }
    fn make(good: &str, bad: &str, duration: &str, back: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let folder = tempfile::tempdir().unwrap();
        let command = |behaviour: &str| {
            let program = participant().to_str().unwrap();
            let words: Vec<String> = behaviour.split(' ').map(|word| format!("{word:?}")).collect();
            format!("[{program:?}, {}]", words.join(", "))
        };
        let text = format!(
            r#"
            [run]
            name = "faults"
            duration = "{duration}"
            [component.good]
            simulator = "script"
            step = "0.5 ms"
            command = {}
            [component.bad]
            simulator = "script"
            step = "0.5 ms"
            command = {}
            [population.ping]
            component = "good"
            size = 4
            [population.pong]
            component = "bad"
            size = 4
            [[connection]]
            from = "ping"
            to = "pong"
            delay = "1 ms"
            {back}
            [[record]]
            population = ["ping"]
            "#,
            command(good),
            command(bad)
        );
        fs::write(folder.path().join("faults.toml"), text).unwrap();
        // In place of the program that knows the recordings' format: it leaves a trace of having been called.
        let recorder = folder.path().join("couple-recorder");
        fs::write(&recorder, "#!/bin/sh\necho \"$1\" > \"$2/recorded\"\n").unwrap();
        fs::set_permissions(&recorder, fs::Permissions::from_mode(0o755)).unwrap();
        let mark = format!("{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        Scenario { folder, mark, arguments: Vec::new(), shell: "true".to_string() }
    }
    /// With more arguments for `couple run`.
    pub fn with(mut self, arguments: &[&str]) -> Self {
        self.arguments.extend(arguments.iter().map(|a| a.to_string()));
        self
    }
    /// `couple` is started by a shell that has done `command` before.
    pub fn after(mut self, command: &str) -> Self {
        self.shell = command.to_string();
        self
    }
    /// Removes the program that makes the recordings.
    pub fn without_recorder(self) -> Self {
        fs::remove_file(self.folder.path().join("couple-recorder")).unwrap();
        self
    }
    /// The run's folder.
    pub fn run_folder(&self) -> PathBuf {
        self.folder.path().join("runs").join("x")
    }
    /// The record of the run.
    pub fn record(&self) -> serde_json::Value {
        serde_json::from_slice(&fs::read(self.run_folder().join("record.json")).unwrap()).unwrap()
    }
    /// What `couple list` says.
    pub fn list(&self) -> String {
        let mut couple = Command::new(env!("CARGO_BIN_EXE_couple"));
        let output = couple.arg("list").current_dir(self.folder.path()).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
    /// The output of a component.
    pub fn log(&self, name: &str) -> String {
        fs::read_to_string(self.run_folder().join("logs").join(format!("{name}.log"))).unwrap_or_default()
    }
    /// Starts `couple run`.
    pub fn start(&self) -> Running {
        let mut couple = Command::new("/bin/sh");
        couple.args(["-c", &format!("{}; exec \"$0\" \"$@\"", self.shell), env!("CARGO_BIN_EXE_couple")]);
        couple.args(["run", "faults.toml", "--label", "x"]).args(&self.arguments).current_dir(self.folder.path());
        couple.env("COUPLE_LIBEXEC", self.folder.path()).env(MARK, &self.mark).process_group(0);
        couple.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let begun = Instant::now();
        let mut child = couple.spawn().unwrap();
        fn read(mut from: impl std::io::Read + Send + 'static) -> thread::JoinHandle<String> {
            thread::spawn(move || {
                let mut bytes = Vec::new();
                let _ = from.read_to_end(&mut bytes);
                String::from_utf8_lossy(&bytes).into_owned()
            })
        }
        let readers = vec![read(child.stdout.take().unwrap()), read(child.stderr.take().unwrap())];
        Running { child, readers, begun }
    }
    /// Runs to the end, and checks that nothing is left behind.
    pub fn run(&self) -> Finished {
        let finished = self.start().wait(&self.mark);
        self.check_nothing_left();
        finished
    }
    /// Waits for a run that was started, and checks that nothing is left behind.
    pub fn wait(&self, running: Running) -> Finished {
        let finished = running.wait(&self.mark);
        self.check_nothing_left();
        finished
    }
    /// Waits until the record of the run is as wanted.
    pub fn wait_for_record(&self, running: &mut Running, wanted: impl Fn(&serde_json::Value) -> bool) {
        while !wanted(&self.record()) {
            let going_on = running.child.try_wait().unwrap().is_none() && running.begun.elapsed() < WATCHDOG;
            assert!(going_on, "the record stays:\n{}", self.record());
            sleep(Duration::from_millis(20));
        }
    }
    /// Waits until the log of a component holds `text`.
    pub fn wait_for_log(&self, running: &mut Running, name: &str, text: &str) {
        while !self.log(name).contains(text) {
            let going_on = running.child.try_wait().unwrap().is_none() && running.begun.elapsed() < WATCHDOG;
            assert!(going_on, "{name} never says `{text}`:\n{}", self.log(name));
            sleep(Duration::from_millis(5));
        }
    }
    /// No process of the run, no socket and no shared memory.
    fn check_nothing_left(&self) {
        // A killed process takes a moment to go when the one that started it was killed too.
        let begun = Instant::now();
        loop {
            let left = processes_of(&self.mark);
            if left.is_empty() {
                break;
            }
            if begun.elapsed() > Duration::from_secs(10) {
                end_all(&self.mark);
                panic!("processes are left: {left:?}");
            }
            sleep(Duration::from_millis(10));
        }
        let shared: Vec<_> = fs::read_dir("/dev/shm").unwrap().flatten().map(|entry| entry.file_name()).collect();
        assert!(!shared.iter().any(|name| name.to_string_lossy().contains("couple")), "{shared:?}");
    }
}

impl Running {
    /// The coordinator's process.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }
    fn wait(mut self, mark: &str) -> Finished {
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if self.begun.elapsed() > WATCHDOG {
                let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
                let _ = self.child.wait();
                end_all(mark);
                let texts: Vec<String> = self.readers.into_iter().map(|r| r.join().unwrap()).collect();
                panic!("couple does not end by itself; it said:\n{}", texts.join("\n"));
            }
            sleep(Duration::from_millis(5));
        };
        let pid = self.child.id();
        let sockets = fs::read_to_string("/proc/net/unix").unwrap();
        assert!(!sockets.contains(&format!("@couple-{pid}-")), "the socket is left");
        let mut texts = self.readers.into_iter().map(|reader| reader.join().unwrap());
        let (output, errors) = (texts.next().unwrap(), texts.next().unwrap());
        Finished { status, output, errors }
    }
}

impl Finished {
    /// The exit code is `code`, and the errors hold all of `texts`.
    pub fn expect(&self, code: i32, texts: &[&str]) {
        let all = format!("{}\n--- output ---\n{}", self.errors, self.output);
        assert_eq!(self.status.code(), Some(code), "signal {:?}\n{all}", self.status.signal());
        for text in texts {
            assert!(self.errors.contains(text), "`{text}` is not said:\n{all}");
        }
    }
}

/// Processes (not yet reaped ones aside) that have the mark of a run.
fn processes_of(mark: &str) -> Vec<(i32, String)> {
    let wanted = format!("{MARK}={mark}");
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
        let mut environment = Vec::new();
        let read = fs::File::open(entry.path().join("environ")).and_then(|mut f| f.read_to_end(&mut environment));
        if read.is_ok() && environment.split(|b| *b == 0).any(|variable| variable == wanted.as_bytes()) {
            let command = fs::read_to_string(entry.path().join("cmdline")).unwrap_or_default().replace('\0', " ");
            found.push((pid, command));
        }
    }
    found
}

fn end_all(mark: &str) {
    for (pid, _) in processes_of(mark) {
        if let Some(pid) = Pid::from_raw(pid) {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}
