//! Recorded analog variables: from journals to reports, and what can be asked of them.

#![allow(clippy::unwrap_used, reason = "a failure here is a failure of the test")]

mod common;

use std::path::Path;
use std::process::Command;

use common::{Run, events, ms, signal};
use couple_ports::time::Span;
use couple_ports::transport::journal::Writer;
use couple_recorder::{Error, Spikes, compare, finish, plot};

/// The membrane potential of a neuron at a time: no two are the same, and single precision cannot hold them.
fn potential(neuron: u32, us: i64) -> f64 {
    -65.0 + f64::from(neuron) / 3.0 + us as f64 * 1e-7
}

/// The samples of neurons `columns` with stamps in `(from, to]` ms, every 0.5 ms.
fn samples(columns: std::ops::Range<u32>, from: i64, to: i64) -> Vec<f64> {
    let rows = (from * 2 + 1..=to * 2).map(|row| row * 500);
    rows.flat_map(|us| columns.clone().map(move |neuron| potential(neuron, us))).collect()
}

const V: (&str, &str, &str) = ("E", "v", "mV");
/// E.v has 5 neurons, of which rank 0 has three; every 0.5 ms.
const COLUMNS: [(u32, u32); 2] = [(0, 3), (3, 2)];

fn journal(run: &Run, rank: usize) -> Writer {
    run.journal_with(&format!("ctx.{rank}"), &[(1, "E", 5)], vec![signal(7, V, 5, COLUMNS[rank], 500)])
}

/// Windows of 1 ms from `from` to `to`.
fn write(writer: &mut Writer, rank: usize, from: i64, to: i64) {
    let (first, count) = COLUMNS[rank];
    for window in from..to {
        writer.add(1, ms(window), ms(window + 1), &events(&[(first, 1_000)]));
        writer.add_samples(7, ms(window), ms(window + 1), &samples(first..first + count, window, window + 1));
        writer.publish(ms(window + 1)).unwrap();
    }
}

/// A run of 10 ms on two ranks.
fn recorded() -> Run {
    let run = Run::new();
    for rank in 0..2 {
        let mut writer = journal(&run, rank);
        write(&mut writer, rank, 0, 10);
        writer.finish().unwrap();
    }
    run
}

/// Everything that is read of E.v.
fn read(path: &Path) -> (Vec<u64>, Vec<f64>) {
    let recording = Spikes::open(path).unwrap();
    let signals = recording.signals();
    let position = signals.find("E", "v").unwrap();
    let signal = signals.all()[position].clone();
    assert_eq!((signal.unit.as_str(), signal.size, signal.start, signal.step), ("mV", Some(5), ms(0) + HALF, HALF));
    (signal.neurons.clone(), signals.read(position, 0, signal.rows).unwrap())
}

const HALF: Span = Span::from_ns(500_000);

fn program(arguments: &[&str], folder: &Path) -> (i32, String, String) {
    let output =
        Command::new(env!("CARGO_BIN_EXE_couple-recorder")).args(arguments).current_dir(folder).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn ranks_are_put_side_by_side_in_every_bit() {
    let run = recorded();
    let (code, out, _) = program(&["finish", "."], run.path());
    let expected =
        "./spikes.h5: 20 spikes of 1 population, complete up to 10 ms\nE.v: 20 samples of 5 neurons, every 0.5 ms\n";
    assert_eq!((code, out.as_str()), (0, expected));
    assert!(run.path().join("report_v.h5").is_file() && !run.path().join("journal").exists());
    let (neurons, values) = read(run.path());
    assert_eq!((neurons, values), ((0..5).collect(), samples(0..5, 0, 10)));
    // The report by itself, too.
    assert_eq!(read(&run.path().join("report_v.h5")).1, samples(0..5, 0, 10));
    assert_eq!(program(&["finish", "."], run.path()).1, "./spikes.h5 was finished before\n");
}

#[test]
fn after_a_crash_all_rows_that_every_rank_wrote_are_there() {
    let run = Run::new();
    let (mut fast, mut slow) = (journal(&run, 0), journal(&run, 1));
    write(&mut fast, 0, 0, 9);
    write(&mut slow, 1, 0, 6);
    drop((fast, slow));
    // Torn within the last window of the slower one.
    let whole = std::fs::read(run.file("ctx.1")).unwrap();
    std::fs::write(run.file("ctx.1"), &whole[..whole.len() - 5]).unwrap();
    assert_eq!(read(run.path()).1, samples(0..5, 0, 5));
    let recording = Spikes::open(run.path()).unwrap();
    assert_eq!(recording.population("E").unwrap().spikes, 9 + 5);
}

#[test]
fn journals_torn_anywhere_keep_their_whole_rows() {
    let run = recorded();
    let whole = std::fs::read(run.file("ctx.1")).unwrap();
    let mut seen = Vec::new();
    for length in (0..whole.len()).step_by(23) {
        let torn = run.copy();
        std::fs::write(torn.file("ctx.1"), &whole[..length]).unwrap();
        let (neurons, values) = read(torn.path());
        let rows = values.len() / neurons.len();
        // Before its table was whole, nobody knows what it was to have.
        let columns = if neurons.len() == 3 { 0..3 } else { 0..5 };
        let end = if neurons.len() == 3 { 10 } else { rows as i64 / 2 };
        assert_eq!(values, samples(columns, 0, end), "{length} bytes");
        seen.push(end);
    }
    let known = seen.iter().skip_while(|end| **end == 10);
    assert!(known.clone().is_sorted() && known.copied().max() == Some(9), "{seen:?}");
}

#[test]
fn a_run_that_goes_on_is_read_from_its_journals() {
    let run = Run::new();
    let (mut a, mut b) = (journal(&run, 0), journal(&run, 1));
    write(&mut a, 0, 0, 4);
    write(&mut b, 1, 0, 3);
    assert_eq!(read(run.path()).1, samples(0..5, 0, 3));
    assert!(!run.path().join("report_v.h5").exists());
    write(&mut a, 0, 4, 10);
    write(&mut b, 1, 3, 10);
    drop((a, b));
    assert_eq!(read(run.path()).1, samples(0..5, 0, 10));
}

#[test]
fn the_neurons_of_a_lost_journal_are_left_out_and_told() {
    let run = recorded();
    let record = serde_json::json!({ "plan": { "ranks": [
        { "name": "ctx.0", "recorded": [], "recordings": [1] }, { "name": "ctx.1", "recorded": [0], "recordings": [0, 1] },
    ] } });
    std::fs::write(run.path().join("record.json"), record.to_string()).unwrap();
    std::fs::remove_file(run.file("ctx.0")).unwrap();
    let (code, _, error) = program(&["finish", "."], run.path());
    assert!(code == 0 && error.contains("ctx.0.journal is missing"), "{error}");
    assert_eq!(read(run.path()), (vec![3, 4], samples(3..5, 0, 10)));
}

#[test]
fn an_interrupted_finish_goes_on() {
    let run = recorded();
    let copy = run.copy();
    finish(run.path()).unwrap();
    // As if it had been interrupted between the report and the spikes, with something half written.
    std::fs::copy(run.path().join("report_v.h5"), copy.path().join("report_v.h5")).unwrap();
    std::fs::write(copy.path().join("spikes.h5.partial"), "half").unwrap();
    std::fs::write(copy.path().join("report_v.h5.partial"), "half").unwrap();
    finish(copy.path()).unwrap();
    assert_eq!(read(copy.path()).1, samples(0..5, 0, 10));
    let bytes = |run: &Run, name: &str| std::fs::read(run.path().join(name)).unwrap();
    assert!(["report_v.h5", "spikes.h5"].iter().all(|name| bytes(&run, name) == bytes(&copy, name)));
    assert!(!copy.path().join("report_v.h5.partial").exists());
}

#[test]
fn intervals_longer_than_a_window_and_several_variables() {
    let run = Run::new();
    let signals = vec![
        signal(7, ("E", "v", "mV"), 2, (0, 2), 2000),
        signal(8, ("P", "v", "mV"), 1, (0, 1), 100),
        signal(9, ("P", "ca", "mol"), 1, (0, 1), 1000),
    ];
    let mut writer = run.journal_with("ctx.0", &[], signals);
    for window in 0..5 {
        let (from, to) = (ms(window), ms(window + 1));
        if window % 2 == 1 {
            writer.add_samples(7, from, to, &[window as f64, 0.5]);
        }
        writer.add_samples(8, from, to, &(0..10).map(f64::from).collect::<Vec<_>>());
        writer.add_samples(9, from, to, &[1e-30]);
        writer.publish(to).unwrap();
    }
    drop(writer);
    let recording = Spikes::open(run.path()).unwrap();
    let names: Vec<_> = recording.signals().all().iter().map(|s| (s.name(), s.rows)).collect();
    assert_eq!(names, [("P.ca".into(), 5), ("E.v".into(), 2), ("P.v".into(), 50)]);
    assert_eq!(recording.signals().read(1, 0, 2).unwrap(), [1.0, 0.5, 3.0, 0.5]);
    assert!(recording.populations().is_empty());
    let (code, out, _) = program(&["show", "."], run.path());
    let expected = "\
                    variable  unit  neurons  samples  every (ms)     least      mean  greatest\n\
                    P.ca      mol         1        5           1  1.00e-30  1.00e-30  1.00e-30\n\
                    E.v       mV          2        2           2    0.5000    1.2500    3.0000\n\
                    P.v       mV          1       50         0.1         0    4.5000    9.0000\n";
    assert_eq!((code, out.as_str()), (0, expected));
    let object: serde_json::Value = serde_json::from_str(&program(&["show", ".", "--json"], run.path()).1).unwrap();
    assert_eq!((&object["signals"][1]["max"], &object["signals"][1]["unit"]), (&3.0.into(), &"mV".into()));
}

#[test]
fn journals_that_cannot_be_put_together_are_refused() {
    let refused = |signals: [_; 2], told: &str| {
        let run = Run::new();
        for (rank, signal) in signals.into_iter().enumerate() {
            let mut writer = run.journal_with(&format!("ctx.{rank}"), &[], vec![signal]);
            writer.finish().unwrap();
        }
        let error = finish(run.path()).unwrap_err();
        assert!(matches!(error, Error::Journal { .. }) && error.to_string().contains(told), "{error}");
        assert!(run.file("ctx.0").exists());
    };
    refused([signal(7, V, 5, (0, 3), 500), signal(7, V, 5, (2, 3), 500)], "in another journal, too");
    refused([signal(7, V, 5, (0, 3), 500), signal(7, V, 5, (3, 2), 100)], "another width, unit or interval");
    let run = Run::new();
    let mut writer = journal(&run, 0);
    write(&mut writer, 0, 0, 2);
    writer.publish(ms(3)).unwrap();
    write(&mut writer, 0, 3, 4);
    drop(writer);
    let error = finish(run.path()).unwrap_err().to_string();
    assert!(error.contains("samples of `E.v` are missing at 2.5 ms"), "{error}");
}

/// The run of [`recorded`] with neuron 3 changed from 7 ms on by `by`.
fn changed(by: f64) -> Run {
    let run = Run::new();
    let mut writer = journal(&run, 0);
    write(&mut writer, 0, 0, 10);
    let mut writer = journal(&run, 1);
    write(&mut writer, 1, 0, 6);
    for window in 6..10 {
        let mut values = samples(3..5, window, window + 1);
        // The second row of the window, neuron 3.
        values[2] += by;
        writer.add(1, ms(window), ms(window + 1), &events(&[(3, 1_000)]));
        writer.add_samples(7, ms(window), ms(window + 1), &values);
        writer.publish(ms(window + 1)).unwrap();
    }
    run
}

#[test]
fn compare_finds_the_first_bit_that_differs() {
    let (a, same, other) = (recorded(), recorded(), changed(f64::EPSILON * 4096.0));
    let path = |run: &Run| run.path().to_str().unwrap().to_string();
    let (code, out, _) = program(&["compare", &path(&a), &path(&same)], a.path());
    assert_eq!((code, out.as_str()), (0, "equal: 20 spikes in 1 population, 100 samples of 1 variable\n"));
    let (code, out, _) = program(&["compare", &path(&a), &path(&other)], a.path());
    let first = format!("E.v, 7 ms, neuron 3: {} mV in A, ", potential(3, 7000));
    assert!(
        code == 5 && out.contains(&first) && out.contains("4 of 100 samples differ, by up to 9.09e-13 mV"),
        "{out}"
    );
    assert_eq!(program(&["compare", &path(&a), &path(&other), "--until", "6.5 ms"], a.path()).0, 0);
    let outcome = |a: &Run, b: &Run| {
        let open = |run: &Run| Spikes::open(run.path()).unwrap();
        compare::compare(&open(a), &open(b), compare::Options::default()).unwrap()
    };
    let found = outcome(&a, &other);
    let sample = found.first_sample.unwrap();
    assert_eq!((sample.time_ms, sample.neuron, sample.variable.as_str()), (7.0, 3, "v"));
    assert!(found.first.is_none() && !found.equal);
    // Without the variable, or with other times.
    let spikes = Run::new();
    let mut writer = spikes.journal("ctx.0", &[(1, "E", 5)]);
    (0..10).for_each(|w| writer.add(1, ms(w), ms(w + 1), &events(&[(0, 1_000), (3, 1_000)])));
    writer.publish(ms(10)).unwrap();
    drop(writer);
    assert_eq!(outcome(&a, &spikes).signals[0].missing_in, Some(compare::Side::B));
    assert!(compare::report(&outcome(&spikes, &a)).contains("E.v is missing in A"));
    std::fs::remove_file(a.path().join("spikes.h5")).unwrap();
    let report = path(&a) + "/report_v.h5";
    assert_eq!(program(&["compare", &report, &(path(&same) + "/report_v.h5")], a.path()).0, 0);
}

#[test]
fn zeros_of_both_signs_are_not_the_same_bits() {
    let run = |value: f64| {
        let run = Run::new();
        let mut writer = run.journal_with("ctx.0", &[], vec![signal(7, ("E", "w", "nA"), 1, (0, 1), 1000)]);
        writer.add_samples(7, ms(0), ms(1), &[value]);
        writer.publish(ms(1)).unwrap();
        drop(writer);
        run
    };
    let open = |run: &Run| Spikes::open(run.path()).unwrap();
    let outcome = compare::compare(&open(&run(0.0)), &open(&run(-0.0)), compare::Options::default()).unwrap();
    assert!(!outcome.equal && outcome.signals[0].different == 1);
}

#[test]
fn traces_are_drawn_below_the_raster() {
    let run = recorded();
    let recording = Spikes::open(run.path()).unwrap();
    let lines = |options| plot::raster(&recording, options).unwrap().matches("stroke-width=\".8\"").count();
    let all = plot::Options::default();
    assert_eq!(lines(all), 5);
    assert_eq!(lines(plot::Options { max_traces: 2, ..all }), 2);
    assert_eq!(lines(plot::Options { max_traces: 0, ..all }), 0);
    let (code, _, error) = program(&["plot", "report_v.h5", "-o", "v.svg", "--from", "5"], run.path());
    assert_eq!(code, 0, "{error}");
    let picture = std::fs::read_to_string(run.path().join("v.svg")).unwrap();
    assert!(picture.contains(">E.v<") && picture.contains(">mV, 5<"), "{picture}");
    // From 5 ms to 10 ms there are eleven samples of each neuron.
    let trace = picture.lines().find(|line| line.contains("stroke-width=\".8\"")).unwrap();
    assert_eq!(trace.matches('L').count(), 10, "{trace}");
}

#[test]
fn nothing_sampled_yet() {
    let run = Run::new();
    drop(journal(&run, 0));
    drop(journal(&run, 1));
    let recording = Spikes::open(run.path()).unwrap();
    assert_eq!(recording.signals().all()[0].rows, 0);
    assert!(plot::raster(&recording, plot::Options::default()).is_ok());
    let (code, out, _) = program(&["show", "."], run.path());
    assert!(code == 0 && out.contains("E.v       mV          5        0"), "{out}");
}
