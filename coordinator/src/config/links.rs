//! `[[connection]]` and `[[record]]`.

use couple_network::description::{Connection, PopulationId};

use super::diagnostic::{Diagnostic, Place};
use super::keys::{CONNECTION, RECORD};
use super::nearest::suggest;
use super::population::{Kind, PopulationDraft};
use super::projection::{Net, on_grid};
use super::reader::Reader;
use super::tree::Node;

/// Reads all connections.
pub(super) fn read_connections(reader: &mut Reader, root: Option<&Node>, net: Net<'_>) -> Vec<(Connection, Place)> {
    let nodes = reader.elements(root, "connection");
    let mut connections: Vec<(Connection, Place)> = vec![];
    for node in nodes {
        let Some(found) = read_connection(reader, node, net) else { continue };
        if let Some((_, first)) = connections.iter().find(|(c, _)| (c.from, c.to) == (found.0.from, found.0.to)) {
            reader.note(
                Diagnostic::error("duplicate-name", &found.1, "these two are already connected")
                    .label("again here")
                    .related(first, "first here")
                    .help("each spike would arrive twice: remove one of the two connections"),
            );
            continue;
        }
        connections.push(found);
    }
    connections
}

fn read_connection(reader: &mut Reader, node: &Node, net: Net<'_>) -> Option<(Connection, Place)> {
    let fields = reader.open(node, &node.place, &CONNECTION)?;
    let mut end = |key: &str| {
        let node = fields.get(key)?;
        let name = reader.text(node)?;
        net.find(reader, name, &node.place)
    };
    let (from, to) = (end("from"), end("to"));
    let delay = fields.get("delay").and_then(|node| {
        let delay = reader.time(node)?;
        on_grid(reader, node, delay, net.step(to?)?).then_some(delay)
    });
    let (from, to) = (from?, to?);
    let place = fields.place_of("to");
    let (source, target) = (&net.populations[from], &net.populations[to]);
    check_port(reader, target, place)?;
    if source.component.is_some() && source.component == target.component {
        reader.note(
            Diagnostic::error(
                "wrong-target",
                place,
                format!("`{}` and `{}` live on the same component", source.name, target.name),
            )
            .label("nothing to connect")
            .help("a connection joins two components; within one, the program connects them itself"),
        );
        return None;
    }
    let (from_size, to_size) = (source.size?, target.size?);
    if from_size != to_size {
        reader.note(
            Diagnostic::error(
                "wrong-width",
                place,
                format!("`{}` has {from_size} neurons, but the port `{}` has {to_size}", source.name, target.name),
            )
            .label("widths differ")
            .help(format!("make population.{}.size {from_size}", target.name)),
        );
        return None;
    }
    Some((Connection { from, to, delay: delay? }, place.clone()))
}

/// Only programs have ports.
fn check_port(reader: &mut Reader, target: &PopulationDraft, place: &Place) -> Option<()> {
    const PROJECTION: &str = "are made by a [[projection]], for example with the connector OneToOne";
    let name = &target.name;
    let (message, label, help) = match target.kind? {
        Kind::Port => return Some(()),
        Kind::OwnModel => (
            format!("`{name}` are neurons of a model in a simulator, not the port of a program"),
            "not a port",
            format!("synapses onto them {PROJECTION}"),
        ),
        Kind::Cell(_) => (
            format!("`{name}` is a population of cells, not a port"),
            "not a port",
            format!("synapses onto cells {PROJECTION}"),
        ),
        Kind::Stimulus => (
            format!("`{name}` is a spike source and receives no spikes"),
            "a spike source",
            "connect to a population without a `cell`, on a component with a program".to_string(),
        ),
    };
    reader.note(Diagnostic::error("wrong-target", place, message).label(label).help(help));
    None
}

/// State variables of PyNN's cells: known, not recorded yet.
const LATER: [&str; 5] = ["v", "isyn_exc", "isyn_inh", "gsyn_exc", "gsyn_inh"];

/// Reads all recordings.
pub(super) fn read_records(reader: &mut Reader, root: Option<&Node>, net: Net<'_>) -> Vec<PopulationId> {
    let mut recorded: Vec<(PopulationId, &Place)> = vec![];
    for node in reader.elements(root, "record") {
        let Some(fields) = reader.open(node, &node.place, &RECORD) else { continue };
        if let Some(node) = fields.get("variables") {
            for (variable, place) in reader.texts(node).unwrap_or_default() {
                check_variable(reader, variable, place);
            }
        }
        let names = fields.get("population").and_then(|node| reader.texts(node));
        for (name, place) in names.unwrap_or_default() {
            let Some(id) = net.find(reader, name, place) else { continue };
            if let Some((_, first)) = recorded.iter().find(|r| r.0 == id) {
                reader.note(
                    Diagnostic::error("duplicate-name", place, format!("`{name}` is recorded twice"))
                        .label("again here")
                        .related(first, "first here")
                        .help("remove one of the two"),
                );
                continue;
            }
            recorded.push((id, place));
        }
    }
    recorded.into_iter().map(|r| r.0).collect()
}

fn check_variable(reader: &mut Reader, variable: &str, place: &Place) {
    if variable == "spikes" {
        return;
    }
    let diagnostic = if LATER.contains(&variable) {
        Diagnostic::error("not-yet", place, format!("recording `{variable}` is not supported by this version"))
            .label("not yet")
            .help("only \"spikes\" are recorded")
    } else {
        Diagnostic::error("unknown-variable", place, format!("there is no variable `{variable}`"))
            .label("unknown variable")
            .help(suggest(variable, "variables", ["spikes"]))
    };
    reader.note(diagnostic);
}
