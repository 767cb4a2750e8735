//! The recording as Python's readers see it. Needs an interpreter with libsonata and h5py, named by the environment
//! variable `COUPLE_TEST_PYTHON`; without it these tests say so and pass.

#![allow(clippy::unwrap_used, reason = "a failure here is a failure of the test")]

mod common;

use std::path::Path;
use std::process::Command;

use common::{Run, ms};
use couple_recorder::{Spikes, compare, finish};

/// The interpreter to test with.
fn python() -> Option<String> {
    let python = std::env::var("COUPLE_TEST_PYTHON").ok().filter(|python| !python.is_empty());
    if python.is_none() {
        eprintln!("skipped: COUPLE_TEST_PYTHON names no Python interpreter with libsonata and h5py");
    }
    python
}

/// Runs a program in `folder` and returns what it printed.
fn run(python: &str, code: &str, folder: &Path) -> String {
    let output = Command::new(python).args(["-c", code]).current_dir(folder).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    text
}

/// A finished run in `runs/demo` below a new folder: 100 ms of E (two ranks) and I, and a silent population.
fn demo() -> tempfile::TempDir {
    let run = Run::new();
    for rank in 0..2u32 {
        let links = [(1, "E", 80), (2, "I", 20), (3, "silent", 7)];
        let signals = vec![common::signal(9, ("E", "v", "mV"), 80, (rank * 40, 40), 1000)];
        let mut writer = run.journal_with(&format!("ctx.{rank}"), &links, signals);
        for window in 0..100 {
            writer.add(1, ms(window), ms(window + 1), &common::drawn(1, window, rank * 40, 40, 1_000_000, 30));
            writer.add(2, ms(window), ms(window + 1), &common::drawn(2, window, rank * 10, 10, 1_000_000, 5));
            writer.add_samples(9, ms(window), ms(window + 1), &[-65.0; 40]);
            writer.publish(ms(window + 1)).unwrap();
        }
        writer.finish().unwrap();
    }
    finish(run.path()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("runs/demo")).unwrap();
    for name in ["spikes.h5", "report_v.h5"] {
        std::fs::copy(run.path().join(name), folder.path().join("runs/demo").join(name)).unwrap();
    }
    folder
}

/// The Python examples of docs/recording.md.
fn examples() -> Vec<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/recording.md");
    let text = std::fs::read_to_string(page).unwrap();
    let blocks = text.split("```python\n").skip(1);
    blocks.map(|rest| rest.split("```").next().unwrap_or_default().to_string()).collect()
}

#[test]
fn the_examples_of_the_documentation_run() {
    let Some(python) = python() else { return };
    let folder = demo();
    let examples = examples();
    assert_eq!(examples.len(), 3);
    let text = run(&python, &examples[0], folder.path());
    assert!(text.contains("E by_time 6000 spikes") && text.contains("silent by_time 0 spikes"), "{text}");
    let text = run(&python, &examples[1], folder.path());
    assert!(text.contains("E: 80 neurons, 6000 spikes up to 100.0 ms, 750.00 Hz"), "{text}");
    let text = run(&python, &examples[2], folder.path());
    assert!(text.contains("E mV (50, 2)") && text.contains("E: 100 samples of 80 neurons from 1.0 ms"), "{text}");
}

#[test]
fn libsonata_and_h5py_read_what_was_written() {
    let Some(python) = python() else { return };
    let folder = demo();
    let dump = "import libsonata\n\
        for name, p in ((n, libsonata.SpikeReader('runs/demo/spikes.h5')[n]) for n in ('E', 'I')):\n\
        \x20   for node, time in p.get(): print(name, round(time * 1e6), node)\n";
    let mut expected = String::new();
    let spikes = Spikes::open(&folder.path().join("runs/demo")).unwrap();
    for name in ["E", "I"] {
        for spike in spikes.read(name).unwrap() {
            expected += &format!("{name} {} {}\n", spike.time.ns(), spike.index);
        }
    }
    assert!(run(&python, dump, folder.path()) == expected);

    let layout = "import h5py\n\
        f = h5py.File('runs/demo/spikes.h5')\n\
        assert f.attrs['magic'] == 0x0A7A and list(f.attrs['version']) == [0, 1]\n\
        assert f.attrs['complete_until_ms'] == 100.0\n\
        for g in f['spikes'].values():\n\
        \x20   t, n = g['timestamps'], g['node_ids']\n\
        \x20   assert (t.dtype, n.dtype) == ('<f8', '<u8') and t.shape == n.shape\n\
        \x20   assert t.attrs['units'] in ('ms', b'ms'), t.attrs['units']\n\
        \x20   sorting = g.attrs.get_id('sorting').dtype\n\
        \x20   assert h5py.check_enum_dtype(sorting) == {'none': 0, 'by_id': 1, 'by_time': 2}\n\
        \x20   assert sorting.base.itemsize == 1 and g.attrs['sorting'] == 2\n";
    run(&python, layout, folder.path());
}

#[test]
fn files_of_other_tools_are_read() {
    let Some(python) = python() else { return };
    let folder = demo();
    // As other tools write it: old HDF5 format, unsorted, small integers, chunks, compression, text attributes.
    let rewrite = "import h5py, numpy as np\n\
        a = h5py.File('runs/demo/spikes.h5')\n\
        rng = np.random.default_rng(1)\n\
        for name, libver, integer, kw in (('old', 'earliest', 'i4', {}), ('new', 'latest', 'u4', {}),\n\
        \x20       ('packed', 'earliest', 'i8', dict(chunks=(100,), compression='gzip', shuffle=True))):\n\
        \x20   b = h5py.File(name + '.h5', 'w', libver=libver)\n\
        \x20   for pop, g in a['spikes'].items():\n\
        \x20       order = rng.permutation(len(g['node_ids']))\n\
        \x20       kw_ = kw if len(order) else {}\n\
        \x20       b.create_dataset(f'spikes/{pop}/timestamps', data=g['timestamps'][:][order], **kw_)\n\
        \x20       b[f'spikes/{pop}/timestamps'].attrs['units'] = 'ms'\n\
        \x20       b.create_dataset(f'spikes/{pop}/node_ids', data=g['node_ids'][:][order].astype(integer), **kw_)\n\
        \x20   b.close()\n\
        b = h5py.File('float.h5', 'w')\n\
        b['spikes/E/timestamps'] = np.array([0.5, 0.25], 'f4'); b['spikes/E/node_ids'] = [3, 1]\n\
        b.close()\n\
        b = h5py.File('hours.h5', 'w')\n\
        b['spikes/E/timestamps'] = [1.0]; b['spikes/E/node_ids'] = [3]\n\
        b['spikes/E/timestamps'].attrs['units'] = 'h'\n\
        b.close()\n\
        h5py.File('other.h5', 'w').create_group('report')\n";
    run(&python, rewrite, folder.path());
    let ours = Spikes::open(&folder.path().join("runs/demo/spikes.h5")).unwrap();
    for name in ["old.h5", "new.h5", "packed.h5"] {
        let theirs = Spikes::open(&folder.path().join(name)).unwrap();
        let outcome = compare::compare(&ours, &theirs, compare::Options::default()).unwrap();
        assert!(outcome.equal && outcome.spikes == [7000, 7000], "{name}: {}", compare::report(&outcome));
    }
    let single = Spikes::open(&folder.path().join("float.h5")).unwrap().read("E").unwrap();
    assert_eq!(single.iter().map(|s| (s.time.ms(), s.index)).collect::<Vec<_>>(), [(0.25, 1), (0.5, 3)]);
    let hours = Spikes::open(&folder.path().join("hours.h5")).unwrap().read("E").unwrap_err().to_string();
    assert!(hours.contains("time stamps in `h`"), "{hours}");
    let other = Spikes::open(&folder.path().join("other.h5")).err().unwrap().to_string();
    assert!(other.contains("no group /spikes"), "{other}");
}

#[test]
fn reports_are_read_by_libsonata_and_h5py() {
    let Some(python) = python() else { return };
    let run = Run::new();
    let signals = |first| {
        vec![
            common::signal(7, ("E", "v", "mV"), 5, (first, 2), 100),
            common::signal(8, ("late", "v", "mV"), 5, (first, 2), 1_000_000),
            common::signal(9, ("E", "rate", "µS"), 5, (first, 2), 1000),
        ]
    };
    let value = |row: i64, column: u32| f64::from(column) / 3.0 + row as f64 * 1e-9;
    for rank in 0..2u32 {
        let mut writer = run.journal_with(&format!("ctx.{rank}"), &[], signals(rank * 2));
        for window in 0..20 {
            let rows = window * 10..window * 10 + 10;
            let values: Vec<f64> =
                rows.flat_map(|row| (rank * 2..rank * 2 + 2).map(move |column| value(row, column))).collect();
            writer.add_samples(7, ms(window), ms(window + 1), &values);
            writer.add_samples(9, ms(window), ms(window + 1), &values[..2]);
            writer.publish(ms(window + 1)).unwrap();
        }
    }
    finish(run.path()).unwrap();
    let code = "import h5py, libsonata, numpy as np\n\
        file = libsonata.ElementReportReader('report_v.h5')\n\
        assert file.get_population_names() == ['E', 'late'], file.get_population_names()\n\
        E = file['E']\n\
        assert (E.times, E.time_units, E.data_units, E.sorted) == ((0.1, 20.1, 0.1), 'ms', 'mV', True), E.times\n\
        assert list(E.get_node_ids()) == [0, 1, 2, 3]\n\
        all = E.get()\n\
        assert np.array(all.ids).tolist() == [[0, 0], [1, 0], [2, 0], [3, 0]]\n\
        assert np.allclose(all.times, 0.1 * np.arange(1, 201)) and len(all.times) == 200\n\
        expected = np.arange(4.0) / 3 + np.arange(200)[:, None] * 1e-9\n\
        assert np.array_equal(all.data, expected.astype('f4'))\n\
        some = libsonata.SomaReportReader('report_v.h5')['E'].get(node_ids=[1, 3], tstart=5.0, tstop=6.0)\n\
        assert list(some.ids) == [1, 3] and np.allclose(some.times, 5 + 0.1 * np.arange(11)), some.times\n\
        assert np.array_equal(some.data, expected.astype('f4')[49:60, [1, 3]])\n\
        assert list(file['late'].get_node_ids()) == [0, 1, 2, 3]\n\
        with h5py.File('report_v.h5') as f:\n\
        \x20   assert np.array_equal(f['report/E/exact'][:], expected)\n\
        \x20   assert f['report/E/data'].attrs['variable'] in ('v', b'v') and f['report/late/exact'].shape == (0, 4)\n\
        \x20   assert f['report/E/mapping/node_ids'].attrs['size'] == 5\n\
        with h5py.File('report_rate.h5') as f:\n\
        \x20   units = f['report/E/data'].attrs['units']\n\
        \x20   assert (units if isinstance(units, str) else units.decode()) == 'µS', units\n\
        \x20   assert f['report/E/exact'].shape == (20, 4)\n\
        print('read')\n";
    assert_eq!(self::run(&python, code, run.path()), "read\n");
}
