//! Damaged HDF5 files: an error or other spikes, never a panic.

#![allow(clippy::unwrap_used, reason = "a failure here is a failure of the test")]

mod common;

use common::{Run, ms, signal};
use couple_recorder::{Spikes, finish};

fn read_all(path: &std::path::Path) {
    let Ok(spikes) = Spikes::open(path) else { return };
    for population in spikes.populations() {
        let _ = spikes.read(&population.name);
    }
    for (position, signal) in spikes.signals().all().iter().enumerate() {
        let _ = (signal.last(), spikes.signals().scan(position, signal.rows.min(1000), |_, _| Ok(())));
    }
}

#[test]
fn damaged_reports_are_errors_at_worst() {
    let run = Run::new();
    let mut writer = run.journal_with("ctx.0", &[], vec![signal(7, ("E", "v", "mV"), 3, (0, 3), 1000)]);
    for window in 0..2 {
        writer.add_samples(7, ms(window), ms(window + 1), &[1.0, 2.0, 3.0]);
        writer.publish(ms(window + 1)).unwrap();
    }
    drop(writer);
    finish(run.path()).unwrap();
    let whole = std::fs::read(run.path().join("report_v.h5")).unwrap();
    let damaged = run.path().join("damaged.h5");
    for length in (0..whole.len()).step_by(5) {
        std::fs::write(&damaged, &whole[..length]).unwrap();
        read_all(&damaged);
    }
    for (at, value) in (0..whole.len()).flat_map(|at| [(at, 0x7f), (at, 0xff)]) {
        let mut bytes = whole.clone();
        bytes[at] ^= value;
        std::fs::write(&damaged, &bytes).unwrap();
        read_all(&damaged);
    }
}

#[test]
fn damaged_files_are_errors_at_worst() {
    let run = Run::new();
    let mut writer = run.journal("ctx.0", &[(1, "E", 10), (2, "I", 10)]);
    writer.add(1, ms(0), ms(1), &common::drawn(1, 0, 0, 10, 1_000_000, 20));
    writer.publish(ms(1)).unwrap();
    writer.finish().unwrap();
    drop(writer);
    let whole = std::fs::read(finish(run.path()).unwrap().path).unwrap();
    let damaged = run.path().join("damaged.h5");
    for length in 0..whole.len() {
        std::fs::write(&damaged, &whole[..length]).unwrap();
        read_all(&damaged);
    }
    for at in 0..whole.len() {
        for value in [0x00, 0x01, 0x7f, 0xff] {
            let mut bytes = whole.clone();
            bytes[at] ^= value;
            std::fs::write(&damaged, &bytes).unwrap();
            read_all(&damaged);
        }
    }
}
