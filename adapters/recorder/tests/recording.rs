//! Recordings made from synthetic journals: merged over ranks, after crashes, finished twice.

#![allow(clippy::unwrap_used, reason = "a failure here is a failure of the test")]

mod common;

use common::{Run, ms, random};
use couple_recorder::{Error, Spike, Spikes, finish};

/// Three ranks of `ctx` record E and I, one rank of `thal` records T; all spikes, by population.
fn three_ranks(run: &Run, windows: i64) -> Vec<(&'static str, Vec<Spike>)> {
    let mut all: Vec<(&str, Vec<Spike>)> = vec![("E", vec![]), ("I", vec![]), ("T", vec![])];
    for rank in 0..3u32 {
        let mut writer = run.journal(&format!("ctx.{rank}"), &[(1, "E", 90), (2, "I", 30)]);
        for window in 0..windows {
            for (link, population, width) in [(1u32, 0usize, 30u32), (2, 1, 10)] {
                let events = random(u64::from(rank * 1000 + link), window, rank * width, width, 1_000_000);
                all[population].1.extend(common::spikes(&events, ms(window)));
                writer.add(link, ms(window), ms(window + 1), &events);
            }
            writer.publish(ms(window + 1)).unwrap();
        }
        writer.finish().unwrap();
    }
    let mut writer = run.journal("thal.0", &[(7, "T", 5)]);
    // Another window length, and the same neuron twice at the same time.
    for window in (0..windows).step_by(4) {
        let end = (window + 4).min(windows);
        let mut events = random(99, window, 0, 5, 4_000_000 / 4 * (end - window) as u32);
        events.extend(events.first().copied());
        all[2].1.extend(common::spikes(&events, ms(window)));
        writer.add(7, ms(window), ms(end), &events);
        writer.publish(ms(end)).unwrap();
    }
    writer.finish().unwrap();
    all.iter_mut().for_each(|(_, spikes)| spikes.sort());
    all
}

fn assert_holds(spikes: &Spikes, expected: &[(&str, Vec<Spike>)]) {
    assert_eq!(spikes.populations().len(), expected.len());
    for (name, train) in expected {
        assert_eq!(spikes.population(name).unwrap().spikes, train.len() as u64, "{name}");
        assert!(spikes.read(name).unwrap() == *train, "{name}: spikes differ");
    }
}

#[test]
fn ranks_are_merged_by_time_and_neuron() {
    let run = Run::new();
    let expected = three_ranks(&run, 50);
    let finished = finish(run.path()).unwrap();
    assert!(finished.made && finished.notes.is_empty(), "{:?}", finished.notes);
    assert_eq!(finished.complete(), Some(ms(50)));
    assert!(!run.path().join("journal").exists());
    assert!(!run.path().join("spikes.h5.partial").exists());
    let spikes = Spikes::open(run.path()).unwrap();
    assert_holds(&spikes, &expected);
    assert_eq!(spikes.population("E").unwrap().size, Some(90));
    assert_eq!(spikes.complete(), Some(ms(50)));
}

#[test]
fn finishing_again_changes_nothing() {
    let run = Run::new();
    three_ranks(&run, 10);
    finish(run.path()).unwrap();
    let bytes = std::fs::read(run.path().join("spikes.h5")).unwrap();
    let again = finish(run.path()).unwrap();
    assert!(!again.made);
    assert!(bytes == std::fs::read(run.path().join("spikes.h5")).unwrap());
}

#[test]
fn an_interrupted_finish_is_taken_up() {
    let run = Run::new();
    let expected = three_ranks(&run, 10);
    // Interrupted while writing.
    std::fs::write(run.path().join("spikes.h5.partial"), b"half a file").unwrap();
    let copy = run.copy();
    finish(run.path()).unwrap();
    // Interrupted between the renaming and the removal: the recording is there, and so are all journals.
    std::fs::copy(run.path().join("spikes.h5"), copy.path().join("spikes.h5")).unwrap();
    assert_holds(&Spikes::open(copy.path()).unwrap(), &expected);
    assert!(!copy.path().join("journal").exists());
    // Interrupted while removing: some journals are gone, and the recording must not be made from the others.
    let journals = run.path().join("journal.finished");
    std::fs::create_dir(&journals).unwrap();
    std::fs::write(journals.join("ctx.0.journal"), b"whatever").unwrap();
    assert_holds(&Spikes::open(run.path()).unwrap(), &expected);
    finish(run.path()).unwrap();
    assert!(!journals.exists());
}

#[test]
fn a_journal_torn_anywhere_keeps_its_whole_windows() {
    let run = Run::new();
    let mut writer = run.journal("ctx.0", &[(3, "E", 40)]);
    let mut bounds = vec![std::fs::metadata(run.file("ctx.0")).unwrap().len()];
    let mut trains: Vec<Vec<Spike>> = vec![vec![]];
    for window in 0..4 {
        let events = random(5, window, 0, 40, 1_000_000);
        writer.add(3, ms(window), ms(window + 1), &events);
        writer.publish(ms(window + 1)).unwrap();
        bounds.push(std::fs::metadata(run.file("ctx.0")).unwrap().len());
        let mut train = trains.last().unwrap().clone();
        train.extend(common::spikes(&events, ms(window)));
        train.sort();
        trains.push(train);
    }
    drop(writer);
    let whole = std::fs::read(run.file("ctx.0")).unwrap();
    for length in 0..whole.len() {
        let torn = Run::new();
        std::fs::write(torn.file("ctx.0"), &whole[..length]).unwrap();
        let finished = finish(torn.path()).unwrap_or_else(|e| panic!("{length} bytes: {e}"));
        let windows = bounds.iter().filter(|bound| **bound <= length as u64).count();
        let at_a_bound = bounds.contains(&(length as u64));
        assert_eq!(finished.notes.is_empty(), at_a_bound, "{length} bytes: {:?}", finished.notes);
        let spikes = Spikes::open(torn.path()).unwrap();
        match windows.checked_sub(1) {
            // Not even the table of populations is whole.
            None => assert!(spikes.populations().is_empty(), "{length} bytes"),
            Some(windows) => {
                assert_eq!(spikes.complete(), Some(ms(windows as i64)), "{length} bytes");
                assert!(spikes.read("E").unwrap() == trains[windows], "{length} bytes");
            }
        }
    }
}

#[test]
fn ranks_that_got_to_different_times() {
    let run = Run::new();
    for (rank, windows) in [(0u32, 9i64), (1, 4)] {
        let mut writer = run.journal(&format!("ctx.{rank}"), &[(1, "E", 2)]);
        for window in 0..windows {
            writer.add(1, ms(window), ms(window + 1), &common::events(&[(rank, 1_000_000)]));
            writer.publish(ms(window + 1)).unwrap();
        }
    }
    let mut other = run.journal("thal.0", &[(2, "T", 3)]);
    other.add(2, ms(0), ms(8), &common::events(&[(0, 5_000_000)]));
    other.publish(ms(8)).unwrap();
    drop(other);
    let finished = finish(run.path()).unwrap();
    assert_eq!(finished.complete(), Some(ms(4)));
    let spikes = Spikes::open(run.path()).unwrap();
    // The faster rank's spikes are kept; the population says up to where it is whole.
    assert_eq!(spikes.population("E").unwrap().complete, Some(ms(4)));
    assert_eq!(spikes.population("T").unwrap().complete, Some(ms(8)));
    assert_eq!(spikes.read("E").unwrap().last(), Some(&Spike { time: ms(9), index: 0 }));
    assert_eq!(spikes.read("E").unwrap().len(), 13);
}

#[test]
fn a_rank_killed_before_its_first_window_makes_its_populations_incomplete() {
    let run = Run::new();
    three_ranks(&run, 10);
    let whole = std::fs::read(run.file("ctx.2")).unwrap();
    for length in [0, 5, 14, 30] {
        let crashed = run.copy();
        std::fs::write(crashed.file("ctx.2"), &whole[..length]).unwrap();
        let finished = finish(crashed.path()).unwrap();
        assert_eq!(finished.notes.len(), 1, "{:?}", finished.notes);
        let complete = |name| finished.populations.iter().find(|p| p.name == name).unwrap().complete;
        assert_eq!((complete("E"), complete("I"), complete("T")), (Some(ms(0)), Some(ms(0)), Some(ms(10))));
    }
}

#[test]
fn a_damaged_window_ends_its_journal_with_a_note() {
    let run = Run::new();
    three_ranks(&run, 10);
    let mut bytes = std::fs::read(run.file("ctx.1")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 64].fill(0xff);
    std::fs::write(run.file("ctx.1"), &bytes).unwrap();
    let finished = finish(run.path()).unwrap();
    assert!(finished.notes.len() == 1 && finished.notes[0].contains("ctx.1"), "{:?}", finished.notes);
    let complete = finished.populations[0].complete.unwrap();
    assert!(complete > ms(0) && complete < ms(10), "{complete}");
}

#[test]
fn populations_without_spikes_are_there() {
    let run = Run::new();
    let mut writer = run.journal("ctx.0", &[(1, "silent", 12)]);
    writer.publish(ms(1)).unwrap();
    writer.publish(ms(100)).unwrap();
    writer.finish().unwrap();
    drop(writer);
    let spikes = Spikes::open(run.path()).unwrap();
    let silent = spikes.population("silent").unwrap();
    assert_eq!((silent.size, silent.spikes, silent.complete), (Some(12), 0, Some(ms(100))));
    assert_eq!(spikes.read("silent").unwrap(), []);
}

#[test]
fn a_million_spikes() {
    let run = Run::new();
    // 8 ranks, 250 windows, 500 spikes in each: several batches of the merge.
    let mut expected = Vec::new();
    for rank in 0..8u32 {
        let mut writer = run.journal(&format!("ctx.{rank}"), &[(1, "E", 8000)]);
        for window in 0..250 {
            let events = common::drawn(u64::from(rank), window, rank * 1000, 1000, 1_000_000, 500);
            expected.extend(common::spikes(&events, ms(window)));
            writer.add(1, ms(window), ms(window + 1), &events);
            writer.publish(ms(window + 1)).unwrap();
        }
    }
    expected.sort();
    assert_eq!(expected.len(), 1_000_000);
    let spikes = Spikes::open(run.path()).unwrap();
    assert!(spikes.read("E").unwrap() == expected);
}

#[test]
fn ranks_far_apart_are_merged_too() {
    let run = Run::new();
    let mut expected = Vec::new();
    // One rank wrote a single long window, the other 2000 short ones; more spikes than a batch of the merge.
    let mut slow = run.journal("ctx.0", &[(1, "E", 2000)]);
    let events = common::drawn(1, 0, 0, 1000, 2_000_000_000, 1_200_000);
    expected.extend(common::spikes(&events, ms(0)));
    slow.add(1, ms(0), ms(2000), &events);
    slow.publish(ms(2000)).unwrap();
    let mut fast = run.journal("ctx.1", &[(1, "E", 2000)]);
    for window in 0..2000 {
        let events = common::drawn(2, window, 1000, 1000, 1_000_000, 1000);
        expected.extend(common::spikes(&events, ms(window)));
        fast.add(1, ms(window), ms(window + 1), &events);
        fast.publish(ms(window + 1)).unwrap();
    }
    drop((slow, fast));
    expected.sort();
    assert!(Spikes::open(run.path()).unwrap().read("E").unwrap() == expected);
}

#[test]
fn what_cannot_be_a_recording_is_told() {
    let run = Run::new();
    assert!(matches!(finish(run.path()), Err(Error::NoRecording { .. })));
    assert!(matches!(Spikes::open(run.path()), Err(Error::NoRecording { .. })));
    assert!(matches!(Spikes::open(&run.path().join("nowhere")), Err(Error::Io { .. })));
    std::fs::write(run.path().join("notes.txt"), "no spikes").unwrap();
    assert!(matches!(Spikes::open(&run.path().join("notes.txt")), Err(Error::Hdf5 { .. })));
    std::fs::write(run.file("ctx.0"), b"this is not a journal at all").unwrap();
    assert!(matches!(finish(run.path()), Err(Error::Journal { .. })));
    assert!(run.file("ctx.0").exists(), "nothing is removed when something is wrong");
}

#[test]
fn ranks_that_disagree_on_a_size_are_refused() {
    let run = Run::new();
    run.journal("ctx.0", &[(1, "E", 10)]);
    run.journal("ctx.1", &[(1, "E", 11)]);
    let error = finish(run.path()).unwrap_err().to_string();
    assert!(error.contains("ctx.1") && error.contains("11 neurons"), "{error}");
}

#[test]
fn a_journal_that_is_being_written_is_left_alone() {
    let run = Run::new();
    let mut writer = run.journal("ctx.0", &[(1, "E", 10)]);
    writer.add(1, ms(0), ms(1), &common::events(&[(4, 1000)]));
    writer.publish(ms(1)).unwrap();
    assert!(matches!(finish(run.path()), Err(Error::StillRunning { .. })));
    let spikes = Spikes::open(run.path()).unwrap();
    assert_eq!(spikes.read("E").unwrap().len(), 1);
    assert!(spikes.notes()[0].contains("still being written"), "{:?}", spikes.notes());
    assert!(run.file("ctx.0").exists() && !run.path().join("spikes.h5").exists());
    drop(writer);
    assert_eq!(finish(run.path()).unwrap().complete(), Some(ms(1)));
}
