//! The SONATA spike file: `/spikes/<population>/{timestamps, node_ids}`.
//!
//! Written through `rust-hdf5`, which can give the group's `sorting` attribute the HDF5 enumeration type that
//! libsonata asks for and fills a dataset slice by slice, so that a recording need not fit into memory.

use std::path::{Path, PathBuf};

use couple_ports::time::Time;
use rust_hdf5::format::messages::datatype::EnumMember;
use rust_hdf5::{DatatypeMessage, H5Dataset, H5File};

use crate::error::{Error, Result};
use crate::{Population, Spike};

/// Root attribute `magic` of every SONATA file.
pub(crate) const MAGIC: u32 = 0x0A7A;
/// Root attribute `version`: SONATA 0.1.
pub(crate) const VERSION: [u32; 2] = [0, 1];
/// Spikes converted at a time.
const BLOCK: usize = 1 << 16;
/// Value of the enumeration `sorting`: by time, then by index.
const BY_TIME: u8 = 2;
/// Attribute of `timestamps`: the time in ms up to which the population is recorded without a gap.
const COMPLETE: &str = "complete_until";
/// Attribute of `node_ids`: the number of neurons of the population.
const SIZE: &str = "size";

/// A SONATA spike file being written; the number of spikes of each population is known beforehand.
pub struct Writer {
    path: PathBuf,
    file: H5File,
    populations: Vec<Slot>,
}

/// A population's datasets and how far they are filled.
struct Slot {
    name: String,
    timestamps: H5Dataset,
    node_ids: H5Dataset,
    filled: usize,
    expected: usize,
    last: Option<Spike>,
}

impl Writer {
    /// Creates the file (replacing one that exists) with a group for each population.
    pub fn create(path: &Path, populations: &[Population], complete: Time) -> Result<Self> {
        let bad = failure(path);
        let file = H5File::create(path).map_err(&bad)?;
        file.set_attr_numeric("magic", &MAGIC).map_err(&bad)?;
        file.set_attr_array_numeric("version", &VERSION).map_err(&bad)?;
        file.set_attr_numeric("complete_until_ms", &complete.ms()).map_err(&bad)?;
        let spikes = file.create_group("spikes").map_err(&bad)?;
        let mut slots = Vec::with_capacity(populations.len());
        for population in populations {
            let name = &population.name;
            valid_name(name)?;
            let group = spikes.create_group(name).map_err(&bad)?;
            group.set_attr_typed("sorting", sorting_type(), vec![BY_TIME]).map_err(&bad)?;
            let expected = usize::try_from(population.spikes)
                .map_err(|_| broken(path, format!("{} spikes are too many for this machine", population.spikes)))?;
            let timestamps = group.new_dataset::<f64>().shape([expected]).create("timestamps").map_err(&bad)?;
            let units = DatatypeMessage::FixedString { size: 2, padding: 1, charset: 0 };
            timestamps.set_attr_typed("units", units, b"ms".to_vec()).map_err(&bad)?;
            let node_ids = group.new_dataset::<u64>().shape([expected]).create("node_ids").map_err(&bad)?;
            if let Some(complete) = population.complete {
                set_number(&timestamps, COMPLETE, complete.ms()).map_err(&bad)?;
            }
            if let Some(size) = population.size {
                set_number(&node_ids, SIZE, size).map_err(&bad)?;
            }
            slots.push(Slot { name: name.clone(), timestamps, node_ids, filled: 0, expected, last: None });
        }
        Ok(Writer { path: path.to_path_buf(), file, populations: slots })
    }

    /// Appends spikes of the population at `position`, in order of time and index.
    pub fn append(&mut self, position: usize, spikes: &[Spike]) -> Result<()> {
        let bad = failure(&self.path);
        let slot = &mut self.populations[position];
        let ordered = spikes.is_sorted() && slot.last.is_none_or(|last| spikes.first().is_none_or(|s| last <= *s));
        if !ordered || slot.filled + spikes.len() > slot.expected {
            // A false `sorting` attribute makes libsonata return wrong rows in silence, so this is never let through.
            return Err(broken(&self.path, format!("spikes of population `{}` came out of order or twice", slot.name)));
        }
        for block in spikes.chunks(BLOCK) {
            let times: Vec<f64> = block.iter().map(|s| s.time.ms()).collect();
            let ids: Vec<u64> = block.iter().map(|s| s.index).collect();
            slot.timestamps.write_slice(&[slot.filled], &[block.len()], &times).map_err(&bad)?;
            slot.node_ids.write_slice(&[slot.filled], &[block.len()], &ids).map_err(&bad)?;
            slot.filled += block.len();
        }
        slot.last = spikes.last().copied().or(slot.last);
        Ok(())
    }

    /// Completes the file and waits until it is on the disk.
    pub fn finish(self) -> Result<()> {
        let bad = failure(&self.path);
        if let Some(slot) = self.populations.iter().find(|s| s.filled != s.expected) {
            let Slot { name, filled, expected, .. } = slot;
            return Err(broken(
                &self.path,
                format!("population `{name}`: {filled} spikes where {expected} were counted"),
            ));
        }
        self.file.close().map_err(&bad)
    }
}

/// A SONATA spike file, ours or somebody else's, open for reading.
pub struct Reader {
    path: PathBuf,
    file: H5File,
}

impl Reader {
    /// Opens the file and lists its populations, in the order of their names.
    pub fn open(path: &Path) -> Result<(Self, Vec<Population>)> {
        // Asked first: the library's message does not name what is missing.
        std::fs::metadata(path).map_err(Error::io("open", path))?;
        let file = H5File::open(path).map_err(failure(path))?;
        let reader = Reader { path: path.to_path_buf(), file };
        let not_sonata = |reason: &str| Error::NotSonata { path: path.to_path_buf(), reason: reason.to_string() };
        let root = reader.file.root_group();
        let names = root.group_names().map_err(failure(path))?;
        if !names.iter().any(|name| name == "spikes") {
            return Err(not_sonata("there is no group /spikes in it"));
        }
        let spikes = root.group("spikes").map_err(failure(path))?;
        let mut names = spikes.group_names().map_err(failure(path))?;
        names.sort();
        let populations = names.into_iter().map(|name| reader.describe(name)).collect::<Result<_>>()?;
        Ok((reader, populations))
    }

    /// What the file says about a population.
    fn describe(&self, name: String) -> Result<Population> {
        let (timestamps, node_ids) = (self.dataset(&name, "timestamps")?, self.dataset(&name, "node_ids")?);
        let spikes = timestamps.total_elements() as u64;
        if timestamps.ndims() != 1 || node_ids.shape() != timestamps.shape() {
            return Err(self.not_sonata(format!("population `{name}` has not one time stamp for each node id")));
        }
        let complete = number::<f64>(&timestamps, COMPLETE).and_then(|ms| from_ms(ms, 1e6));
        let size = number::<u64>(&node_ids, SIZE);
        Ok(Population { name, size, spikes, complete })
    }

    /// All spikes of a population, sorted by time, then index.
    pub fn read(&self, population: &str) -> Result<Vec<Spike>> {
        let bad = failure(&self.path);
        let (timestamps, node_ids) = (self.dataset(population, "timestamps")?, self.dataset(population, "node_ids")?);
        let scale = self.scale(population, &timestamps)?;
        let total = timestamps.total_elements();
        // A damaged file may announce more spikes than there is memory.
        let mut spikes = Vec::with_capacity(total.min(1 << 24));
        for start in (0..total).step_by(BLOCK) {
            let count = BLOCK.min(total - start);
            let times = timestamps.read_numeric_slice_as::<f64>(&[start], &[count]).map_err(&bad)?;
            let ids = node_ids.read_numeric_slice_as::<u64>(&[start], &[count]).map_err(&bad)?;
            for (time, index) in times.into_iter().zip(ids) {
                let time = from_ms(time, scale).ok_or_else(|| {
                    self.not_sonata(format!("population `{population}` has the time stamp {time}, which is no time"))
                })?;
                spikes.push(Spike { time, index });
            }
        }
        if !spikes.is_sorted() {
            spikes.sort_unstable();
        }
        Ok(spikes)
    }

    /// Nanoseconds in one unit of a population's time stamps.
    fn scale(&self, population: &str, timestamps: &H5Dataset) -> Result<f64> {
        let names = timestamps.attr_names().map_err(failure(&self.path))?;
        if !names.iter().any(|name| name == "units") {
            // Written by tools of before the attribute was required; SONATA's unit has always been ms.
            return Ok(1e6);
        }
        let units = timestamps.attr("units").and_then(|attr| attr.read_string()).map_err(failure(&self.path))?;
        match units.trim_end_matches('\0') {
            "ms" | "milliseconds" | "millisecond" => Ok(1e6),
            "s" | "seconds" | "second" => Ok(1e9),
            other => Err(self.not_sonata(format!("population `{population}` has time stamps in `{other}`, not ms"))),
        }
    }

    fn dataset(&self, population: &str, name: &str) -> Result<H5Dataset> {
        self.file
            .dataset(&format!("spikes/{population}/{name}"))
            .map_err(|e| self.not_sonata(format!("population `{population}` has no readable dataset `{name}`: {e}")))
    }

    fn not_sonata(&self, reason: String) -> Error {
        Error::NotSonata { path: self.path.clone(), reason }
    }
}

/// Refuses a name that HDF5 or the file system cannot hold.
pub(crate) fn valid_name(name: &str) -> Result<()> {
    let bad = name.is_empty() || name == "." || name.contains(['/', '\0']);
    if bad { Err(Error::Name(name.to_string())) } else { Ok(()) }
}

/// Turns the library's error into ours.
pub(crate) fn failure(path: &Path) -> impl Fn(rust_hdf5::Hdf5Error) -> Error {
    let path = path.to_path_buf();
    move |e| broken(&path, e.to_string())
}

pub(crate) fn broken(path: &Path, reason: String) -> Error {
    Error::Hdf5 { path: path.to_path_buf(), reason }
}

/// The enumeration that SONATA prescribes for the attribute `sorting`.
fn sorting_type() -> DatatypeMessage {
    let names = ["none", "by_id", "by_time"];
    let member = |(value, name): (usize, &&str)| EnumMember { name: name.to_string(), value: vec![value as u8] };
    DatatypeMessage::enumeration(DatatypeMessage::u8_type(), names.iter().enumerate().map(member).collect())
}

pub(crate) fn set_number<T: rust_hdf5::H5Type>(dataset: &H5Dataset, name: &str, value: T) -> rust_hdf5::Result<()> {
    dataset.new_attr::<T>().shape(()).create(name)?.write_numeric(&value)
}

/// The first element of a numeric attribute; `None` when it is not there or no number.
pub(crate) fn number<T: rust_hdf5::dataset::ReadNumeric>(dataset: &H5Dataset, name: &str) -> Option<T> {
    dataset.attr_names().ok()?.iter().find(|n| *n == name)?;
    dataset.attr(name).ok()?.read_numeric_as::<T>().ok()?.into_iter().next()
}

/// The time stamp of a float: to the nearest nanosecond, which gives back what [`Time::ms`] was made from.
pub(crate) fn from_ms(value: f64, scale: f64) -> Option<Time> {
    let ns = (value * scale).round();
    // Beyond 2^62 ns (146 years) the conversion could reach the end of the axis.
    (ns.abs() < (1i64 << 62) as f64).then(|| Time::from_ns(ns as i64))
}
