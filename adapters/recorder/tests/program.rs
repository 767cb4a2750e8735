//! The program: output, exit codes, the picture.

#![allow(clippy::unwrap_used, reason = "a failure here is a failure of the test")]

mod common;

use std::path::Path;
use std::process::Command;

use common::{Run, events, ms};
use couple_ports::event::Event;
use couple_recorder::{Spikes, finish, plot};

/// Exit code, standard output and standard error of the program.
fn program(arguments: &[&str], folder: &Path) -> (i32, String, String) {
    let output =
        Command::new(env!("CARGO_BIN_EXE_couple-recorder")).args(arguments).current_dir(folder).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// A run of 10 ms with the events of one window, recorded by `ranks` ranks that share the neurons.
fn recorded(ranks: u32, spikes: &[Event]) -> Run {
    let run = Run::new();
    for rank in 0..ranks {
        let mut writer = run.journal(&format!("ctx.{rank}"), &[(1, "E", 4)]);
        let own: Vec<Event> = spikes.iter().copied().filter(|e| e.index * ranks / 4 == rank).collect();
        writer.add(1, ms(0), ms(10), &own);
        writer.publish(ms(10)).unwrap();
        writer.finish().unwrap();
    }
    run
}

fn spikes() -> Vec<Event> {
    events(&[(0, 1_000_000), (3, 1_000_000), (0, 3_000_000), (0, 7_000_000), (2, 9_900_000)])
}

#[test]
fn the_file_does_not_depend_on_ranks_or_on_the_clock() {
    let bytes = |ranks| {
        let run = recorded(ranks, &spikes());
        finish(run.path()).unwrap();
        std::fs::read(run.path().join("spikes.h5")).unwrap()
    };
    let first = bytes(1);
    // Longer than the resolution of the times that HDF5 can keep of its objects.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    assert!(first == bytes(1) && first == bytes(4));
}

#[test]
fn finish_says_what_it_did() {
    let run = recorded(2, &spikes());
    let (code, out, _) = program(&["finish", "."], run.path());
    assert_eq!((code, out.as_str()), (0, "./spikes.h5: 5 spikes of 1 population, complete up to 10 ms\n"));
    let (code, out, _) = program(&["finish", "."], run.path());
    assert_eq!((code, out.as_str()), (0, "./spikes.h5 was finished before\n"));
    let torn = recorded(1, &spikes());
    let whole = std::fs::read(torn.file("ctx.0")).unwrap();
    std::fs::write(torn.file("ctx.0"), &whole[..whole.len() - 1]).unwrap();
    let (code, out, error) = program(&["finish", "."], torn.path());
    assert_eq!((code, out.as_str()), (0, "./spikes.h5: 0 spikes of 1 population, complete up to 0 ms\n"));
    assert!(error.starts_with("note: ") && error.contains("bytes of an unfinished window after 0 ms"), "{error}");
}

#[test]
fn a_missing_journal_is_told() {
    let run = recorded(2, &spikes());
    let record = serde_json::json!({ "plan": { "ranks": [
        { "name": "ctx.0", "recorded": [0] }, { "name": "ctx.1", "recorded": [0] }, { "name": "idle.0", "recorded": [] },
    ] } });
    std::fs::write(run.path().join("record.json"), record.to_string()).unwrap();
    let whole = recorded(2, &spikes());
    std::fs::copy(run.path().join("record.json"), whole.path().join("record.json")).unwrap();
    assert_eq!(program(&["finish", "."], whole.path()).2, "");
    std::fs::remove_file(run.file("ctx.1")).unwrap();
    let (code, out, error) = program(&["finish", "."], run.path());
    assert_eq!((code, out.as_str()), (0, "./spikes.h5: 3 spikes of 1 population, complete up to 0 ms\n"));
    assert_eq!(error, "note: ctx.1.journal is missing: its rank's spikes are not in the recording\n");
}

#[test]
fn compare_has_its_exit_codes() {
    let mut changed = spikes();
    changed[3].offset += 100_000;
    let (a, same, other) = (recorded(1, &spikes()), recorded(4, &spikes()), recorded(2, &changed));
    let run = |arguments: &[&str]| {
        let paths = [a.path(), same.path(), other.path()].map(|p| p.to_str().unwrap().to_string());
        let named = arguments.iter().map(|argument| match *argument {
            "A" => paths[0].as_str(),
            "SAME" => paths[1].as_str(),
            "OTHER" => paths[2].as_str(),
            text => text,
        });
        program(&named.collect::<Vec<_>>(), a.path())
    };
    let (code, out, _) = run(&["compare", "A", "SAME"]);
    assert_eq!((code, out.as_str()), (0, "equal: 5 spikes in 1 population\n"));
    let (code, out, _) = run(&["compare", "A", "OTHER"]);
    assert_eq!(code, 5);
    let first = "first difference: E, 7 ms, neuron 0: only in A; its nearest spike in B is at 7.1 ms";
    assert!(out.contains(first) && out.contains("1 only in A, 1 only in B"), "{out}");
    assert_eq!(run(&["compare", "A", "OTHER", "--tolerance-ms", "0.1"]).0, 0);
    assert_eq!(run(&["compare", "A", "OTHER", "--tolerance-ms", "0.09"]).0, 5);
    assert_eq!(run(&["compare", "A", "OTHER", "--until", "6.9 ms"]).0, 0);
    let (code, out, _) = run(&["compare", "A", "OTHER", "--json"]);
    let object: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &object["equal"], &object["first"]["neuron"]), (5, &false.into(), &0.into()));
    assert_eq!(object["first"]["time_ms"], 7.0);
    let (code, _, error) = run(&["compare", "A", "nowhere"]);
    assert!(code == 2 && error.starts_with("error: cannot open nowhere"), "{code} {error}");
    assert_eq!(run(&["compare", "A"]).0, 2);
    assert_eq!(run(&["compare", "A", "SAME", "--tolerance-ms", "soon"]).0, 2);
    assert_eq!(run(&["compare", "A", "SAME", "--tolerance-ms=-1"]).0, 2);
}

#[test]
fn show_prints_a_table_or_json() {
    let run = recorded(2, &spikes());
    let (code, out, _) = program(&["show", "."], run.path());
    let expected = "population  neurons  active  spikes  rate (Hz)  CV of ISI\n\
                    E                 4       3       5    125.000      0.333\n\
                    5 spikes, complete up to 10 ms\n";
    assert_eq!((code, out.as_str()), (0, expected));
    let (_, out, _) = program(&["show", "spikes.h5", "--json"], run.path());
    let object: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(object["populations"][0]["rate_hz"], 125.0);
    let (folder, label) = (run.path().parent().unwrap(), run.path().file_name().unwrap().to_str().unwrap());
    let above = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(folder, above.path().join("runs")).unwrap();
    assert_eq!(program(&["show", label], above.path()).1, expected);
    let (code, _, error) = program(&["show", "/"], run.path());
    assert!(code == 2 && error.contains("holds no recording") && error.contains("help: "), "{error}");
    let (code, _, error) = program(&["show", "/", "--json"], run.path());
    let object: serde_json::Value = serde_json::from_str(&error).unwrap();
    assert!(code == 2 && object["error"].is_string() && object["help"].is_string());
}

#[test]
fn the_picture() {
    let run = recorded(2, &spikes());
    let (code, _, error) = program(&["plot", ".", "-o", "raster.svg"], run.path());
    assert_eq!(code, 0, "{error}");
    let picture = std::fs::read_to_string(run.path().join("raster.svg")).unwrap();
    let expected = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/raster.svg");
    if std::env::var_os("COUPLE_UPDATE").is_some() {
        std::fs::write(&expected, &picture).unwrap();
    }
    assert!(
        picture == std::fs::read_to_string(expected).unwrap(),
        "the picture changed; look at it, then run the test with COUPLE_UPDATE=1"
    );
    let (code, _, error) = program(&["plot", ".", "-o", "raster.PNG"], run.path());
    assert!(code == 2 && error.starts_with("error: raster.PNG: ") && error.contains("help: "), "{error}");
    assert!(!run.path().join("raster.PNG").exists());
    let (code, _, error) = program(&["plot", ".", "--from", "5 ms", "--to", "5 ms"], run.path());
    assert!(code == 2 && error.contains("nothing to draw between 5 ms and 5 ms"), "{error}");
}

/// The dots of a picture.
fn dots(picture: &str) -> usize {
    picture.matches("h0").count()
}

#[test]
fn a_part_of_the_picture() {
    let run = recorded(1, &spikes());
    let recording = Spikes::open(run.path()).unwrap();
    let part = |options| dots(&plot::raster(&recording, options).unwrap());
    let all = plot::Options::default();
    assert_eq!(part(all), 5);
    assert_eq!(part(plot::Options { from: Some(ms(3)), to: Some(ms(9)), ..all }), 2);
    // Neurons 0 and 2 of four.
    assert_eq!(part(plot::Options { max_neurons: 2, ..all }), 4);
    assert_eq!(part(plot::Options { max_neurons: 0, ..all }), 3);
}

#[test]
fn pictures_of_nothing_and_of_odd_names() {
    let run = Run::new();
    let mut writer = run.journal("ctx.0", &[(1, "<R&D> \"of a long name\"", 3), (2, "none", 0)]);
    writer.finish().unwrap();
    drop(writer);
    let picture = plot::raster(&Spikes::open(run.path()).unwrap(), plot::Options::default()).unwrap();
    assert!(picture.contains("&lt;R&amp;D&gt; &quot;of a") && dots(&picture) == 0, "{picture}");
}
