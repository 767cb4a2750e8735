//! What is written is read, whatever was torn off or damaged.

use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::table;
use super::*;
use crate::event::Event;
use crate::time::Time;

struct Scratch(PathBuf);
impl Scratch {
    fn new(name: &str) -> Scratch {
        let path = std::env::temp_dir().join(format!("couple-journal-{}-{name}", std::process::id()));
        let _ = std::fs::remove_file(&path);
        Scratch(path)
    }
}
impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn links() -> Vec<JournalLink> {
    let link = |link, name: &str, width| JournalLink { link, population: name.to_owned(), width };
    vec![link(5, "E", 100), link(9, "Ünïcode", 10)]
}
fn signals() -> Vec<JournalSignal> {
    vec![JournalSignal {
        link: 11,
        population: "E".to_owned(),
        variable: "v".to_owned(),
        unit: "mV".to_owned(),
        width: 100,
        first: 40,
        count: 2,
        every: Span::from_ns(500_000),
        initial: vec![-65.0],
    }]
}
fn ms(n: i64) -> Time {
    Time::from_ns(n * 1_000_000)
}
#[test]
fn leaving_in_the_middle_of_a_window_keeps_the_whole_ones() {
    let file = Scratch::new("leave");
    let mut writer = Writer::create(&file.0, links()).unwrap();
    writer.add(5, ms(0), ms(1), &[Event { index: 3, offset: 7 }]);
    writer.publish(ms(1)).unwrap();
    // A silent window, too soon after the last note to be noted by itself.
    writer.publish(ms(2)).unwrap();
    writer.add(5, ms(2), ms(3), &[Event { index: 4, offset: 7 }]);
    writer.finish().unwrap();
    let (spikes, watermark, torn) = read_all(&file.0);
    assert_eq!((spikes.len(), watermark, torn), (1, ms(2), 0));
}
fn read_all(path: &Path) -> (Vec<Recorded>, Time, usize) {
    let mut reader = Reader::open(path).unwrap();
    let mut spikes = Vec::new();
    while reader.next_window(&mut spikes).unwrap().is_some() {}
    (spikes, reader.watermark(), reader.torn())
}

fn write_two_windows(path: &Path) {
    let mut writer = Writer::create_with(path, links(), signals()).unwrap();
    writer.add(5, ms(0), ms(1), &[Event { index: 1, offset: 100 }, Event { index: 99, offset: 1_000_000 }]);
    writer.add(9, ms(0), ms(1), &[Event { index: 3, offset: 7 }]);
    writer.add_samples(11, ms(0), ms(1), &[1.0, 2.0, 3.0, 4.0]);
    writer.publish(ms(1)).unwrap();
    writer.publish(ms(2)).unwrap();
    writer.add(5, ms(2), ms(3), &[Event { index: 2, offset: 5 }]);
    writer.add_samples(11, ms(2), ms(3), &[5.0, 6.0, 7.0, 8.0]);
    writer.publish(ms(3)).unwrap();
    writer.publish(ms(4)).unwrap();
    writer.finish().unwrap();
}

#[test]
fn reads_what_was_written() {
    let file = Scratch::new("plain");
    write_two_windows(&file.0);
    let mut reader = Reader::open(&file.0).unwrap();
    assert_eq!((reader.links(), reader.signals()), (&links()[..], &signals()[..]));
    let (mut spikes, mut blocks) = (Vec::new(), Vec::new());
    while reader.next_window_with(&mut spikes, &mut blocks).unwrap().is_some() {}
    let block = |first, values: [f64; 4]| Block { signal: 0, first: Time::from_ns(first), values: values.to_vec() };
    assert_eq!(blocks, [block(500_000, [1.0, 2.0, 3.0, 4.0]), block(2_500_000, [5.0, 6.0, 7.0, 8.0])]);
    let (spikes, watermark, torn) = read_all(&file.0);
    let spike = |link, index, ns| Recorded { link, index, time: Time::from_ns(ns) };
    assert_eq!(spikes, [spike(0, 1, 100), spike(0, 99, 1_000_000), spike(1, 3, 7), spike(0, 2, 2_000_005)]);
    assert_eq!((watermark, torn), (ms(4), 0));
}

#[test]
fn each_torn_tail_ends_at_a_complete_window() {
    let file = Scratch::new("torn");
    write_two_windows(&file.0);
    let whole = std::fs::read(&file.0).unwrap();
    let head = table::encode(&links(), &signals()).len();
    let windows = [(0, ms(0)), (3, ms(1)), (4, ms(3)), (4, ms(4))];
    let mut seen = Vec::new();
    for length in head..=whole.len() {
        std::fs::write(&file.0, &whole[..length]).unwrap();
        let (spikes, watermark, _) = read_all(&file.0);
        assert!(windows.contains(&(spikes.len(), watermark)), "{length}: {} {watermark}", spikes.len());
        seen.push(watermark);
    }
    assert!(seen.is_sorted());
    assert_eq!(seen.last(), Some(&ms(4)));
    for length in 0..head {
        std::fs::write(&file.0, &whole[..length]).unwrap();
        assert!(matches!(Reader::open(&file.0), Err(JournalError::NotAJournal { .. })), "{length}");
    }
}

#[test]
fn follows_a_growing_file_and_long_windows() {
    let file = Scratch::new("grow");
    let mut writer = Writer::create(&file.0, links()).unwrap();
    let mut reader = Reader::open(&file.0).unwrap();
    let mut spikes = Vec::new();
    assert_eq!(reader.next_window(&mut spikes).unwrap(), None);
    let many: Vec<Event> = (0..400_000).map(|i| Event { index: i % 100, offset: i + 1 }).collect();
    for window in 0..3 {
        writer.add(5, ms(window), ms(window + 1), &many);
        assert_eq!(reader.next_window(&mut spikes).unwrap(), None);
        writer.publish(ms(window + 1)).unwrap();
        assert_eq!(reader.next_window(&mut spikes).unwrap(), Some(ms(window + 1)));
        assert_eq!(spikes.len(), many.len());
        assert!(spikes.iter().zip(&many).all(|(s, e)| s.time == e.time(ms(window)) && s.index == e.index));
        spikes.clear();
    }
    assert_eq!(reader.torn(), 0);
}

#[test]
fn damage_is_told_with_its_place() {
    let file = Scratch::new("damage");
    write_two_windows(&file.0);
    let whole = std::fs::read(&file.0).unwrap();
    let head = table::encode(&links(), &signals()).len();
    for (at, expected) in [(head, "0x43c0"), (head + 4, "link 77"), (head + 32, "neuron 333")] {
        let mut bytes = whole.clone();
        bytes[at] = 77;
        if at == head + 32 {
            bytes[at..at + 4].copy_from_slice(&333u32.to_le_bytes());
        }
        std::fs::write(&file.0, &bytes).unwrap();
        let error = Reader::open(&file.0).unwrap().next_window(&mut Vec::new()).unwrap_err().to_string();
        assert!(error.contains(&format!("byte {head}")) && error.contains(expected), "{error}");
    }
}

#[test]
fn a_full_disk_is_told() {
    let error =
        JournalError::Io { path: "x.journal".into(), action: "writing", source: io::Error::from_raw_os_error(28) };
    let text = error.to_string();
    assert!(text.contains("x.journal") && text.contains("free space"), "{text}");
    // /dev/full takes no byte: the writer must not swallow that.
    if let Ok(file) = OpenOptions::new().append(true).open("/dev/full") {
        let mut writer = Writer::into_file("/dev/full".into(), file, links());
        writer.add(5, ms(0), ms(1), &[Event { index: 1, offset: 1 }]);
        assert!(writer.publish(ms(1)).unwrap_err().to_string().contains("free space"));
    }
}

#[test]
fn a_recording_is_never_overwritten() {
    let file = Scratch::new("exists");
    write_two_windows(&file.0);
    let error = Writer::create(&file.0, links()).unwrap_err().to_string();
    assert!(error.contains("never overwritten"), "{error}");
}

#[test]
fn damaged_samples_are_told() {
    let short = |values: &[f64]| {
        let file = Scratch::new("samples");
        let mut writer = Writer::create_with(&file.0, links(), signals()).unwrap();
        writer.add_samples(11, ms(0), ms(1), values);
        writer.publish(ms(1)).unwrap();
        let mut blocks = Vec::new();
        let read = Reader::open(&file.0).unwrap().next_window_with(&mut Vec::new(), &mut blocks);
        assert!(blocks.is_empty());
        read.unwrap_err().to_string()
    };
    assert!(short(&[1.0, 2.0]).contains("2 samples for 2 steps of 2 columns"));
    assert!(short(&[1.0, 2.0, 3.0, f64::INFINITY]).contains("column 41"));
}

proptest! {
    #[test]
    fn damaged_tables_never_panic(at in 0usize..200, value: u8, cut in 0usize..200) {
        let mut head = table::encode(&links(), &signals());
        let at = 16 + at % (head.len() - 16);
        head[at] = value;
        head.truncate((16 + cut).min(head.len()));
        let _ = table::decode(&head[16..]);
    }

    #[test]
    fn damaged_journals_never_panic(at in 0usize..500, value: u8) {
        let file = Scratch::new("any");
        write_two_windows(&file.0);
        let mut bytes = std::fs::read(&file.0).unwrap();
        let at = at % bytes.len();
        bytes[at] = value;
        std::fs::write(&file.0, &bytes).unwrap();
        if let Ok(mut reader) = Reader::open(&file.0) {
            while let Ok(Some(_)) = reader.next_window_with(&mut Vec::new(), &mut Vec::new()) {}
        }
    }
}
