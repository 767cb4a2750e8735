//! Law 3: no silent hang. Whatever a component does, the run ends with its name, the simulated time, what waits for it
//! and its last log lines, and leaves no process and no shared memory.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod participants;

use participants::Scenario;
use rustix::process::Signal;

/// Long enough that no run ends by itself.
const LONG: &str = "1000 s";
/// For what is found out by waiting.
const SHORT_LIMIT: [&str; 2] = ["--stall-limit", "1 s"];

/// A run in which `bad` does `behaviour`.
fn faulty(behaviour: &str) -> Scenario {
    Scenario::new("well", behaviour, LONG).with(&SHORT_LIMIT)
}

/// What every failure in the middle of a run tells.
const IN_THE_MIDDLE: [&str; 4] = [
    "error: component `bad` (rank 0)",
    "it had reached 49 ms of simulated time",
    "good.0 waits at 50 ms for the spikes of `pong` from bad.0",
    "| window to 50 ms",
];

#[test]
fn a_good_run() {
    let scenario = Scenario::new("well", "well", "100 ms");
    let finished = scenario.run();
    finished.expect(0, &[]);
    for text in ["run `x` done: 100 ms simulated", "ping", "pong", "good.0", "runs/x"] {
        assert!(finished.output.contains(text), "`{text}` is not said:\n{}", finished.output);
    }
    let record = scenario.record();
    assert_eq!(record["outcome"]["status"], "done");
    assert_eq!(record["simulated_ms"], 100.0);
    // One spike for each window.
    assert_eq!(record["populations"][0]["spikes"], record["components"][0]["ranks"][0]["windows"]);
    assert_eq!(record["components"][1]["ranks"][0]["exit_code"], 0);
    assert!(record["configuration"]["description_sha256"].as_str().unwrap().len() == 64);
    assert!(scenario.run_folder().join("config.toml").is_file());
    assert_eq!(std::fs::read_to_string(scenario.run_folder().join("recorded")).unwrap(), "finish\n");
    // A label is used once.
    scenario.run().expect(2, &["there is a run `x` already"]);
}

#[test]
fn wrong_input_starts_nothing() {
    let scenario = Scenario::new("well", "well", "100 ms").with(&["--set", "component.bad.simulator=nets"]);
    scenario.run().expect(2, &["nets"]);
    assert!(!scenario.run_folder().exists());
}

#[test]
fn killed() {
    let scenario = faulty("is-killed 50");
    let finished = scenario.run();
    finished.expect(3, &IN_THE_MIDDLE);
    finished.expect(3, &["was killed by signal 9 (SIGKILL)"]);
    let record = scenario.record();
    assert_eq!(record["outcome"]["status"], "failed");
    assert_eq!(record["outcome"]["failure"]["component"], "bad");
    assert_eq!(record["components"][1]["ranks"][0]["signal"], 9);
    // What was recorded up to then is made readable.
    assert_eq!(std::fs::read_to_string(scenario.run_folder().join("recorded")).unwrap(), "finish\n");
}

#[test]
fn exits() {
    let finished = faulty("exits 50").run();
    finished.expect(3, &IN_THE_MIDDLE);
    finished.expect(3, &["ended with code 3"]);
}

#[test]
fn exits_with_0_too_early() {
    let finished = faulty("exits-with-0 50").run();
    finished.expect(3, &IN_THE_MIDDLE);
    finished.expect(3, &["ended by itself with code 0 before its part was done"]);
}

#[test]
fn aborts() {
    let finished = faulty("aborts 50").run();
    finished.expect(3, &IN_THE_MIDDLE);
    finished.expect(3, &["(SIGABRT"]);
}

#[test]
fn fails_by_its_own_word() {
    let finished = faulty("fails 50").run();
    finished.expect(3, &IN_THE_MIDDLE);
    finished.expect(3, &["component `bad` (rank 0) reported: the model has left its domain", "| window to 50 ms"]);
}

#[test]
fn stopped() {
    let finished = faulty("is-stopped 50").run();
    finished.expect(4, &IN_THE_MIDDLE);
    finished.expect(4, &["has made no progress for 1 s: its process is stopped"]);
}

#[test]
fn loops_for_ever() {
    let finished = faulty("loops 50").run();
    finished.expect(4, &IN_THE_MIDDLE);
    finished.expect(4, &["its process computes without getting on", "--stall-limit"]);
}

#[test]
fn sleeps_for_ever() {
    let finished = faulty("sleeps 50").run();
    finished.expect(4, &IN_THE_MIDDLE);
    finished.expect(4, &["its process sleeps, waiting for something outside the run"]);
}

#[test]
fn loops_inside_a_shell_script() {
    let finished = faulty("wraps loops 50").run();
    finished.expect(4, &IN_THE_MIDDLE);
    finished.expect(4, &["its process computes without getting on"]);
}

#[test]
fn the_sender_waits_for_a_listener() {
    let scenario = Scenario::one_way("well", "loops 50", LONG).with(&SHORT_LIMIT);
    let texts = [
        "component `bad` (rank 0) has made no progress",
        "good.0 waits at",
        "until bad.0 has taken the spikes of `ping`",
    ];
    scenario.run().expect(4, &texts);
}

#[test]
fn never_connects() {
    let finished = faulty("never-connects").run();
    finished.expect(4, &["`bad` (rank 0) has not connected to the coordinator within 1", "had not begun"]);
}

#[test]
fn slow_to_connect_but_at_work() {
    Scenario::new("well", "works-before-it-connects", "10 ms").with(&SHORT_LIMIT).run().expect(0, &[]);
}

#[test]
fn exits_before_it_connects() {
    faulty("exits-before-it-connects").run().expect(3, &["`bad` (rank 0) ended with code 9 before it connected"]);
}

#[test]
fn crashes_in_setup() {
    let texts = ["`bad` (rank 0)", "SIGABRT", "while it built its model", "| building, and then it breaks"];
    faulty("crashes-in-setup").run().expect(3, &texts);
}

#[test]
fn never_ready() {
    let scenario = faulty("never-ready").with(&["--setup-limit", "1 s"]);
    scenario.run().expect(4, &["`bad` (rank 0) has not built its model within 1 s", "--setup-limit"]);
}

#[test]
fn stopped_in_setup() {
    faulty("is-stopped-in-setup").run().expect(4, &["`bad` (rank 0) is stopped while it builds its model", "SIGSTOP"]);
}

#[test]
fn speaks_another_version() {
    let scenario = faulty("other-version");
    let version = couple_ports::control::PROTOCOL_VERSION + 1;
    let told = format!("`bad` (rank 0) cannot take part: it speaks version {version} of the session protocol");
    scenario.run().expect(3, &[&told]);
}

#[test]
fn does_not_know_the_secret() {
    faulty("other-token").run().expect(3, &["`bad` (rank 0) cannot take part: it does not know the secret"]);
}

#[test]
fn speaks_another_language() {
    // Its first bytes are taken for the length of a message that is too long.
    faulty("garbage-greeting").run().expect(4, &["`bad` (rank 0) has not connected to the coordinator"]);
}

#[test]
fn writes_nonsense_into_shared_memory() {
    let finished = faulty("garbage-in-ring").run();
    finished.expect(3, &["component `good` (rank 0) reported: channel from bad.0", "simulated time"]);
}

#[test]
fn exits_badly_after_its_part() {
    let finished = Scenario::new("well", "exits-badly", "10 ms").run();
    finished.expect(3, &["`bad` (rank 0) ended with code 7 after its part was done"]);
}

#[test]
fn never_leaves() {
    let finished = Scenario::new("well", "never-leaves", "10 ms").with(&SHORT_LIMIT).run();
    finished.expect(4, &["`bad` (rank 0) has not ended within 1"]);
}

#[test]
fn slow_to_leave_but_at_work() {
    Scenario::new("well", "works-after-its-part", "10 ms").with(&SHORT_LIMIT).run().expect(0, &[]);
}

#[test]
fn leaves_a_child() {
    Scenario::new("well", "has-a-child", "10 ms").run().expect(0, &[]);
}

#[test]
fn interrupted() {
    let scenario = Scenario::new("well", "slow", LONG);
    let mut running = scenario.start();
    scenario.wait_for_log(&mut running, "bad.0", "window to 20 ms");
    running.signal(Signal::INT);
    scenario.wait(running).expect(130, &["interrupted"]);
    let record = scenario.record();
    assert_eq!(record["outcome"]["status"], "interrupted");
    assert!(record["simulated_ms"].as_f64().unwrap() >= 19.0, "{}", record["simulated_ms"]);
    assert_eq!(std::fs::read_to_string(scenario.run_folder().join("recorded")).unwrap(), "finish\n");
}

#[test]
fn interrupted_it_still_tells_what_there_is() {
    let scenario = Scenario::new("well", "slow", LONG);
    let mut running = scenario.start();
    scenario.wait_for_log(&mut running, "bad.0", "window to 20 ms");
    running.signal(Signal::INT);
    let finished = scenario.wait(running);
    finished.expect(130, &["interrupted"]);
    let summary = std::fs::read_to_string(scenario.run_folder().join("summary.txt")).unwrap();
    assert_eq!(summary, format!("{}{}", finished.errors, finished.output));
    let record = scenario.record();
    for (population, component) in [(0, 0), (1, 1)] {
        let spikes = record["populations"][population]["spikes"].as_u64().unwrap();
        // One in each window; the last one may have been emitted in a window that was not finished.
        assert_eq!(spikes, record["components"][component]["ranks"][0]["windows"].as_u64().unwrap());
    }
    // `good` waits for the slow one, which waits for nobody.
    let waited = |component: usize| record["components"][component]["ranks"][0]["waited_s"].as_f64().unwrap();
    assert!(waited(0) > waited(1) && waited(0) > 0.01, "{} {}", waited(0), waited(1));
}

#[test]
fn the_terminal_is_closed() {
    let scenario = Scenario::new("well", "slow", LONG);
    let mut running = scenario.start();
    scenario.wait_for_log(&mut running, "bad.0", "window to 20 ms");
    running.signal(Signal::HUP);
    scenario.wait(running).expect(130, &["interrupted"]);
}

#[test]
fn the_terminal_is_closed_under_nohup() {
    let scenario = Scenario::new("well", "slow", "300 ms").after("trap '' HUP");
    let mut running = scenario.start();
    scenario.wait_for_log(&mut running, "bad.0", "window to 20 ms");
    running.signal(Signal::HUP);
    scenario.wait(running).expect(0, &[]);
}

#[test]
fn what_cannot_be_recorded_is_not_begun() {
    let scenario = Scenario::new("well", "well", "10 ms").without_recorder();
    scenario.run().expect(1, &["recordings could not be made", "couple-recorder"]);
    assert!(!scenario.run_folder().exists());
}

#[test]
fn too_few_open_files() {
    let scenario = Scenario::new("well", "well", "10 ms").after("ulimit -n 12");
    // Whatever is open already, and wherever the limit would be met: it is told before anything begins.
    scenario.run().expect(1, &["12 files can be open", "needs 74", "`ulimit -n 74`"]);
    // The label is free for another try, and what was advised is enough.
    assert!(!scenario.run_folder().exists());
    scenario.after("ulimit -n 74").run().expect(0, &[]);
}

#[test]
fn a_record_that_cannot_be_written_hides_nothing() {
    let scenario = Scenario::new("well", "slow", LONG);
    let mut running = scenario.start();
    scenario.wait_for_log(&mut running, "bad.0", "window to 20 ms");
    // In the way of the record's new version, as a full disk is.
    std::fs::create_dir_all(scenario.run_folder().join("record.json.part")).unwrap();
    running.signal(Signal::INT);
    scenario.wait(running).expect(130, &["interrupted", "warning: cannot write the record"]);
}

#[test]
fn a_run_that_did_not_begin_has_no_recordings() {
    let scenario = faulty("crashes-in-setup");
    scenario.run().expect(3, &["SIGABRT"]);
    assert!(!scenario.run_folder().join("journal").exists());
    assert!(!scenario.run_folder().join("recorded").exists());
}

#[test]
fn interrupted_while_one_does_not_listen() {
    let scenario = Scenario::new("well", "loops 20", LONG);
    let mut running = scenario.start();
    scenario.wait_for_log(&mut running, "bad.0", "window to 20 ms");
    running.signal(Signal::TERM);
    scenario.wait(running).expect(130, &["interrupted"]);
}

#[test]
fn interrupted_twice() {
    let scenario = Scenario::new("well", "stubborn 20", LONG);
    let mut running = scenario.start();
    scenario.wait_for_log(&mut running, "bad.0", "window to 20 ms");
    running.signal(Signal::INT);
    std::thread::sleep(std::time::Duration::from_millis(100));
    running.signal(Signal::INT);
    scenario.wait(running).expect(130, &["interrupted"]);
}

#[test]
fn interrupted_while_one_builds() {
    let scenario = Scenario::new("well", "never-ready", LONG);
    let mut running = scenario.start();
    scenario.wait_for_log(&mut running, "bad.0", "building");
    running.signal(Signal::INT);
    scenario.wait(running).expect(130, &["interrupted"]);
}

#[test]
fn how_far_it_was_is_known_when_the_coordinator_is_killed() {
    let scenario = Scenario::new("well", "slow", LONG);
    let mut running = scenario.start();
    scenario.wait_for_log(&mut running, "bad.0", "window to 20 ms");
    scenario.wait_for_record(&mut running, |record| record["simulated_ms"].as_f64() > Some(0.0));
    running.signal(Signal::KILL);
    scenario.wait(running);
    let (record, list) = (scenario.record(), scenario.list());
    assert_eq!(record["outcome"]["status"], "running");
    assert!(list.contains("killed") && list.contains(&format!("{} ms", record["simulated_ms"])), "{list}");
}

#[test]
fn coordinator_killed() {
    for behaviour in ["slow", "is-stopped 20", "loops 20", "wraps slow"] {
        let scenario = Scenario::new("well", behaviour, LONG);
        let mut running = scenario.start();
        scenario.wait_for_log(&mut running, "bad.0", "window to 20 ms");
        running.signal(Signal::KILL);
        scenario.wait(running);
        // The journal and the record of a run that begins are there.
        assert!(scenario.run_folder().join("journal").join("good.0.journal").is_file());
        assert_eq!(scenario.record()["outcome"]["status"], "running");
    }
}
