//! The SONATA report file of one variable: `/report/<population>/{data, exact, mapping}`.
//!
//! SONATA prescribes single precision for `data`, and libsonata reads nothing else. The samples in full stand beside
//! it as `exact`, so that two recordings can be compared bit for bit.

use std::path::{Path, PathBuf};

use couple_ports::time::{Span, Time};
use rust_hdf5::{DatatypeMessage, H5Dataset, H5File, H5Group};

use crate::error::{Error, Result};
use crate::signals::Signal;
use crate::sonata::{MAGIC, VERSION, broken, failure, from_ms, number, set_number};

/// Attribute of `data`: the recorded variable.
const VARIABLE: &str = "variable";
/// Attribute of `mapping/node_ids`: the number of neurons of the population.
const SIZE: &str = "size";

/// The file of a variable, as SONATA's tools expect it to be called.
pub fn file_name(variable: &str) -> String {
    format!("report_{variable}.h5")
}

/// A report being written.
pub struct Writer {
    path: PathBuf,
    file: H5File,
    slots: Vec<Slot>,
}

struct Slot {
    data: H5Dataset,
    exact: H5Dataset,
}

impl Writer {
    /// Creates the file (replacing one that exists) with a group for each signal; all are of one variable.
    pub fn create(path: &Path, signals: &[&Signal]) -> Result<Self> {
        let bad = failure(path);
        let file = H5File::create(path).map_err(&bad)?;
        file.set_attr_numeric("magic", &MAGIC).map_err(&bad)?;
        file.set_attr_array_numeric("version", &VERSION).map_err(&bad)?;
        let report = file.create_group("report").map_err(&bad)?;
        let mut slots = Vec::with_capacity(signals.len());
        for signal in signals {
            let group = report.create_group(&signal.population).map_err(&bad)?;
            slots.push(Slot::create(&group, signal).map_err(&bad)?);
        }
        Ok(Writer { path: path.to_path_buf(), file, slots })
    }

    /// Writes rows of the signal at `position`: from `row` and `column` on, `columns` values each.
    pub fn write(&self, position: usize, (row, column): (u64, u64), columns: usize, values: &[f64]) -> Result<()> {
        let (start, count) = ([row as usize, column as usize], [values.len() / columns, columns]);
        let single: Vec<f32> = values.iter().map(|value| *value as f32).collect();
        let slot = &self.slots[position];
        let written = slot.data.write_slice(&start, &count, &single);
        written.and_then(|()| slot.exact.write_slice(&start, &count, values)).map_err(failure(&self.path))
    }

    /// Completes the file and waits until it is on the disk.
    pub fn finish(self) -> Result<()> {
        self.file.close().map_err(failure(&self.path))
    }
}

impl Slot {
    fn create(group: &H5Group, signal: &Signal) -> rust_hdf5::Result<Self> {
        let (rows, columns) = (signal.rows as usize, signal.neurons.len());
        let data = group.new_dataset::<f32>().shape([rows, columns]).create("data")?;
        set_text(&data, "units", &signal.unit)?;
        set_text(&data, VARIABLE, &signal.variable)?;
        let exact = group.new_dataset::<f64>().shape([rows, columns]).create("exact")?;
        set_text(&exact, "units", &signal.unit)?;
        let mapping = group.create_group("mapping")?;
        let node_ids = mapping.new_dataset::<u64>().shape([columns]).create("node_ids")?;
        node_ids.write_raw(&signal.neurons)?;
        set_number(&node_ids, "sorted", 1u8)?;
        if let Some(size) = signal.size {
            set_number(&node_ids, SIZE, size)?;
        }
        // One element, the soma, of each neuron.
        let pointers: Vec<u64> = (0..=columns as u64).collect();
        mapping.new_dataset::<u64>().shape([columns + 1]).create("index_pointers")?.write_raw(&pointers)?;
        mapping.new_dataset::<u32>().shape([columns]).create("element_ids")?.write_raw(&vec![0u32; columns])?;
        let time = mapping.new_dataset::<f64>().shape([3]).create("time")?;
        let end = signal.stamp(signal.rows);
        time.write_raw(&[signal.start.ms(), end.ms(), signal.step.ms()])?;
        set_text(&time, "units", "ms")?;
        Ok(Slot { data, exact })
    }
}

fn set_text(dataset: &H5Dataset, name: &str, text: &str) -> rust_hdf5::Result<()> {
    let charset = u8::from(!text.is_ascii());
    let size = text.len().max(1) as u32;
    let mut bytes = text.as_bytes().to_vec();
    bytes.resize(size as usize, 0);
    dataset.set_attr_typed(name, DatatypeMessage::FixedString { size, padding: 1, charset }, bytes)
}

/// A report file, ours or somebody else's, open for reading.
pub struct Reader {
    path: PathBuf,
    file: H5File,
}

impl Reader {
    /// Opens the file and lists its signals, in the order of the populations' names; `None` when it holds no report.
    pub fn open(path: &Path) -> Result<Option<(Self, Vec<Signal>)>> {
        std::fs::metadata(path).map_err(Error::io("open", path))?;
        let bad = failure(path);
        let file = H5File::open(path).map_err(&bad)?;
        let reader = Reader { path: path.to_path_buf(), file };
        let root = reader.file.root_group();
        if !root.group_names().map_err(&bad)?.iter().any(|name| name == "report") {
            return Ok(None);
        }
        let mut names = root.group("report").and_then(|report| report.group_names()).map_err(&bad)?;
        names.sort();
        let signals = names.into_iter().map(|name| reader.describe(name)).collect::<Result<_>>()?;
        Ok(Some((reader, signals)))
    }

    /// What the file says about the signal of a population.
    fn describe(&self, population: String) -> Result<Signal> {
        let bad = failure(&self.path);
        let data = self.dataset(&population, "data")?;
        let (node_ids, pointers) =
            (self.dataset(&population, "mapping/node_ids")?, self.dataset(&population, "mapping/index_pointers")?);
        let shape = data.shape();
        let &[rows, columns] = &shape[..] else {
            return Err(self.not_sonata(format!("population `{population}` has no table of samples")));
        };
        let read = |dataset: &H5Dataset| match dataset.total_elements() {
            0 => Ok(Vec::new()),
            n => dataset.read_numeric_slice_as::<u64>(&[0], &[n]).map_err(&bad),
        };
        let (ids, pointers) = (read(&node_ids)?, read(&pointers)?);
        let elements: Vec<u64> = pointers.windows(2).map(|ends| ends[1].saturating_sub(ends[0])).collect();
        let mut neurons = Vec::new();
        let all = elements.iter().fold(0u64, |sum, more| sum.saturating_add(*more));
        // A damaged file may announce more than there is memory for.
        if all != columns as u64 || elements.len() != ids.len() || neurons.try_reserve(columns).is_err() {
            let reason = format!("population `{population}` has {columns} columns for {all} elements");
            return Err(self.not_sonata(reason));
        }
        ids.iter().zip(elements).for_each(|(id, count)| neurons.extend(std::iter::repeat_n(*id, count as usize)));
        let time = self.dataset(&population, "mapping/time")?;
        let time = time.read_numeric_slice_as::<f64>(&[0], &[3]).map_err(&bad)?;
        let (start, step) = (from_ms(time[0], 1e6), from_ms(time[2], 1e6).map(|step| step - Time::ZERO));
        let (Some(start), Some(step)) = (start, step.filter(|step| *step > Span::ZERO)) else {
            return Err(self.not_sonata(format!("population `{population}` has the times {time:?}, which are none")));
        };
        let variable = text(&data, VARIABLE).unwrap_or_else(|| self.stem());
        let (unit, size) = (text(&data, "units").unwrap_or_default(), number::<u64>(&node_ids, SIZE));
        Ok(Signal { population, variable, unit, size, neurons, start, step, rows: rows as u64 })
    }

    /// Rows of the signal of a population, row by row.
    pub fn read(&self, signal: &Signal, row: u64, rows: u64) -> Result<Vec<f64>> {
        let columns = signal.neurons.len();
        if rows == 0 || columns == 0 {
            return Ok(Vec::new());
        }
        let exact = format!("report/{}/exact", signal.population);
        let dataset = match self.file.dataset(&exact) {
            Ok(exact) => exact,
            // Of another program.
            Err(_) => self.dataset(&signal.population, "data")?,
        };
        let (start, count) = ([row as usize, 0], [rows as usize, columns]);
        dataset.read_numeric_slice_as::<f64>(&start, &count).map_err(failure(&self.path))
    }

    /// The variable, where only the file's name tells it.
    fn stem(&self) -> String {
        let stem = self.path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        stem.strip_prefix("report_").unwrap_or(stem).to_string()
    }

    fn dataset(&self, population: &str, name: &str) -> Result<H5Dataset> {
        let read = self.file.dataset(&format!("report/{population}/{name}"));
        read.map_err(|e| self.not_sonata(format!("population `{population}` has no readable dataset `{name}`: {e}")))
    }

    fn not_sonata(&self, reason: String) -> Error {
        broken(&self.path, reason)
    }
}

/// A text attribute; `None` when it is not there.
fn text(dataset: &H5Dataset, name: &str) -> Option<String> {
    dataset.attr_names().ok()?.iter().find(|n| *n == name)?;
    let text = dataset.attr(name).ok()?.read_string().ok()?;
    Some(text.trim_end_matches('\0').to_string())
}
