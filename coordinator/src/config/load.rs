//! From a file to a network description.

use std::path::Path;
use std::sync::Arc;

use couple_network::description::{Converter, Model, Network, Population};
use sha2::{Digest, Sha256};

use super::checks;
use super::component::read_components;
use super::diagnostic::{Diagnostic, Place, Severity, Source};
use super::keys::ROOT;
use super::limits;
use super::links::read_connections;
use super::places::Places;
use super::population::{Surroundings, read_cells, read_populations};
use super::projection::{Net, read_projections};
use super::reader::Reader;
use super::records::read_records;
use super::run::{self, RunOptions};
use super::set;
use super::tree::{self, Kind, Node, Table};
use super::uses;

/// A configuration that is in order.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The network and where its parts live.
    pub network: Network,
    /// How to run it.
    pub options: RunOptions,
    /// The configuration with everything that `--set` changed and with the defaults that a later version could
    /// change: run again, it gives the same network.
    pub resolved_toml: String,
    /// SHA-256 of the resolved configuration (without the folder), in hexadecimal.
    pub config_hash: String,
    /// What is allowed but probably not meant.
    pub warnings: Vec<Diagnostic>,
    /// Where things are written, for errors that are found later.
    pub places: Places,
}

/// Reads and checks the configuration at `path`, with `sets` (`KEY=VALUE`, dotted keys) applied.
///
/// # Errors
/// Everything that is wrong with it, in the order of the file; warnings are among them.
pub fn load(path: &Path, sets: &[String]) -> Result<Loaded, Vec<Diagnostic>> {
    load_without(path, sets, &[])
}

/// [`load`] without some keys of components, given as (component, key): those that belong to the simulator that a
/// component had before `sets` gave it another.
///
/// # Errors
/// As [`load`].
pub fn load_without(path: &Path, sets: &[String], without: &[(&str, &str)]) -> Result<Loaded, Vec<Diagnostic>> {
    let shown = path.display();
    let bytes = std::fs::read(path).map_err(|error| {
        let (reason, help) = match error.kind() {
            std::io::ErrorKind::NotFound => ("there is no such file".to_string(), "check the path"),
            std::io::ErrorKind::IsADirectory => ("it is a folder".to_string(), "name the file in it"),
            _ => (error.to_string(), "check that you may read it"),
        };
        vec![Diagnostic::without_place("unreadable", format!("cannot read {shown}: {reason}")).help(help)]
    })?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..valid].iter().filter(|b| **b == b'\n').count() + 1;
        // The readable part carries the place.
        let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
        let width = text[valid..].chars().next().map_or(0, char::len_utf8);
        let source = Arc::new(Source { name: shown.to_string(), text });
        let place = Place { source, range: valid..valid + width };
        vec![
            Diagnostic::error("encoding", &place, format!("line {line} is not UTF-8 text"))
                .label("this byte")
                .help("save the file with the encoding UTF-8"),
        ]
    })?;
    parse_without(path, &text, sets, without)
}

/// [`load`] for a text that is already read; `path` names it and gives the folder of relative paths.
///
/// # Errors
/// As [`load`].
pub fn parse(path: &Path, text: &str, sets: &[String]) -> Result<Loaded, Vec<Diagnostic>> {
    parse_without(path, text, sets, &[])
}

fn parse_without(
    path: &Path,
    text: &str,
    sets: &[String],
    without: &[(&str, &str)],
) -> Result<Loaded, Vec<Diagnostic>> {
    let source = Arc::new(Source { name: path.display().to_string(), text: text.to_string() });
    let mut root = tree::parse(&source)?;
    let wrong: Vec<_> = sets.iter().filter_map(|s| set::apply(&mut root, s).err().map(|d| *d)).collect();
    if !wrong.is_empty() {
        return Err(wrong);
    }
    without.iter().for_each(|(component, key)| set::remove(&mut root, component, key));
    let mut reader = Reader::default();
    let result = read(&mut reader, &root, &source, path);
    let mut diagnostics = reader.diagnostics;
    // In the order of the text; what was set comes last.
    let order = |d: &Diagnostic| d.place.as_ref().map(|p| (p.source != source, p.range.start));
    diagnostics.sort_by_key(order);
    match result {
        Some((network, options, places)) if diagnostics.iter().all(|d| d.severity == Severity::Warning) => {
            resolve(&mut root, &network, &options, &source);
            // The same experiment in another folder has the same hash.
            if let Some(Node { kind: Kind::Table(run), .. }) = root.get_mut("run") {
                run.entries.retain(|e| e.key != "directory");
            }
            let config_hash = hash(&tree::write(&root));
            let directory = options.directory.to_string_lossy().into_owned();
            put(&mut root, "run", "directory", Kind::String(directory), &source);
            let resolved_toml = tree::write(&root);
            Ok(Loaded { network, options, resolved_toml, config_hash, warnings: diagnostics, places })
        }
        _ => Err(diagnostics),
    }
}

fn hash(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|b| format!("{b:02x}")).collect()
}

fn read(
    reader: &mut Reader,
    table: &Table,
    source: &Arc<Source>,
    path: &Path,
) -> Option<(Network, RunOptions, Places)> {
    let start = Place { source: source.clone(), range: 0..0 };
    let root = Node { place: start.clone(), kind: Kind::Table(table.clone()) };
    let fields = reader.open(&root, &start, &ROOT)?;
    run::read_parameters(reader, fields.get("parameters"));
    let run = run::read_run(reader, fields.entry("run"), path);
    let components = read_components(reader, fields.get("component"), &run.directory);
    let cells = read_cells(reader, fields.get("cell"));
    let duration = run.duration.as_ref().map(|d| d.0);
    let mut around = Surroundings { components: &components, cells, duration, directory: &run.directory };
    let populations = read_populations(reader, fields.get("population"), &mut around);
    let net = Net { components: &components, populations: &populations };
    let projections = read_projections(reader, fields.get("projection"), net);
    let connections = read_connections(reader, fields.get("connection"), net);
    let records = read_records(reader, fields.get("record"), net);
    uses::check(reader, &connections, &records.variables, net);
    checks::check(reader, &fields, &run, net, &projections, &connections, &records);
    let places = Places {
        components: components.iter().map(|c| c.place.clone()).collect(),
        populations: populations.iter().map(|p| p.place.clone()).collect(),
        projections: projections.iter().map(|p| p.place.clone()).collect(),
        connections: connections.spikes.iter().map(|c| c.1.clone()).collect(),
        signals: connections.signals.iter().map(|c| c.1.clone()).collect(),
        messages: connections.messages.iter().map(|c| c.1.clone()).collect(),
        duration: run.duration.as_ref().map(|d| d.1.clone()),
        window: run.window.as_ref().map(|w| w.1.clone()),
    };
    let stimuli: Vec<_> = populations.iter().map(|p| p.stimulus.clone()).collect();
    let network = Network {
        name: run.name,
        seed: run.seed,
        duration: run.duration?.0,
        components: components.into_iter().map(|c| c.whole).collect::<Option<_>>()?,
        populations: populations.into_iter().map(|p| p.whole).collect::<Option<_>>()?,
        projections: projections.into_iter().map(|p| p.projection).collect(),
        connections: connections.spikes.into_iter().map(|c| c.0).collect(),
        signals: connections.signals.into_iter().map(|c| c.0).collect(),
        messages: connections.messages.into_iter().map(|c| c.0).collect(),
        recordings: records.recordings,
    };
    checks::drawable(reader, &network, &stimuli, &places);
    limits::nest_synapses(reader, &network, &places.components);
    limits::nest_traces(reader, &network, &places.projections);
    limits::arbor_sends_only(reader, &network, &places);
    // The folder of a file named without one is the current folder.
    let directory = std::path::absolute(Path::new(".").join(&run.directory)).unwrap_or(run.directory);
    let options = RunOptions {
        stall_limit: run.stall_limit,
        connect_timeout: run.connect_timeout,
        window: run.window.map(|w| w.0),
        directory,
    };
    Some((network, options, places))
}

/// Writes down what was left to defaults.
fn resolve(root: &mut Table, network: &Network, options: &RunOptions, source: &Arc<Source>) {
    put(root, "run", "name", Kind::String(network.name.clone()), source);
    put(root, "run", "seed", Kind::Integer(network.seed as i64), source);
    put(root, "run", "stall_limit", Kind::String(options.stall_limit.to_string()), source);
    put(root, "run", "connect_timeout", Kind::String(options.connect_timeout.to_string()), source);
    if let Some(Node { kind: Kind::Table(populations), .. }) = root.get_mut("population") {
        network.populations.iter().for_each(|population| keep_matrix(populations, population, source));
    }
    let Some(Node { kind: Kind::Table(components), .. }) = root.get_mut("component") else { return };
    for component in &network.components {
        for (key, kind) in [
            ("step", Kind::String(component.step.to_string())),
            ("ranks", Kind::Integer(component.ranks.into())),
            ("threads", Kind::Integer(component.threads.into())),
        ] {
            let has = components.get(&component.name).and_then(Node::table).is_some_and(|t| t.get(key).is_some());
            if !has {
                put(components, &component.name, key, kind, source);
            }
        }
    }
}

/// Writes the matrix of a linear map in the place of the file that it was read from.
fn keep_matrix(populations: &mut Table, population: &Population, source: &Arc<Source>) {
    let Model::Converter(Converter::Linear { matrix, .. }) = &population.model else { return };
    let Some(Node { kind: Kind::Table(table), .. }) = populations.get_mut(&population.name) else { return };
    let Some(Node { kind: Kind::Table(converter), .. }) = table.get_mut("converter") else { return };
    let Some(file) = converter.entries.iter_mut().find(|e| e.key == "file") else { return };
    let place = Place { source: source.clone(), range: 0..0 };
    let list =
        |items: Vec<Kind>| Kind::Array(items.into_iter().map(|kind| Node { place: place.clone(), kind }).collect());
    file.key = "matrix".to_string();
    file.value.kind = list(matrix.iter().map(|row| list(row.iter().map(|x| Kind::Float(*x)).collect())).collect());
}

/// Sets `key` in the table `section` of `table`.
fn put(table: &mut Table, section: &str, key: &str, kind: Kind, source: &Arc<Source>) {
    let place = Place { source: source.clone(), range: 0..0 };
    let Some(Node { kind: Kind::Table(inner), .. }) = table.get_mut(section) else { return };
    let value = Node { place: place.clone(), kind };
    match inner.get_mut(key) {
        Some(old) => *old = value,
        None => inner.entries.push(tree::Entry { key: key.to_string(), key_place: place, value }),
    }
}
