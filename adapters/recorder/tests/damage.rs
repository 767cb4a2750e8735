//! Damaged HDF5 files: an error or other spikes, never a panic.

#![allow(clippy::unwrap_used, reason = "a failure here is a failure of the test")]

mod common;

use common::{Run, ms};
use couple_recorder::{Spikes, finish};

fn read_all(path: &std::path::Path) {
    let Ok(spikes) = Spikes::open(path) else { return };
    for population in spikes.populations() {
        let _ = spikes.read(&population.name);
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
