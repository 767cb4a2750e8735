//! `[[connection]]`: spikes, signals and messages handed over as they are.

use couple_network::description::{Connection, MessageConnection, PopulationId, SignalConnection, Simulator};
use couple_network::variables;
use couple_ports::time::Span;

use super::diagnostic::{Diagnostic, Place};
use super::keys::CONNECTION;
use super::nearest::nearest;
use super::population::{Kind, PopulationDraft};
use super::projection::{Net, on_grid};
use super::reader::{Fields, Reader};
use super::signals::{self, Link};
use super::tree::Node;

/// All connections, by what they carry, each with the place of its target.
#[derive(Default)]
pub(super) struct Connections {
    pub spikes: Vec<(Connection, Place)>,
    pub signals: Vec<(SignalConnection, Place)>,
    pub messages: Vec<(MessageConnection, Place)>,
}

impl Connections {
    /// True when something leaves the population.
    pub fn leave(&self, population: PopulationId) -> bool {
        self.spikes.iter().any(|(c, _)| c.from == population)
            || self.signals.iter().any(|(c, _)| c.from.population == population)
            || self.messages.iter().any(|(c, _)| c.from.population == population)
    }
}

/// One end of a connection, as it is written.
pub(super) struct EndDraft<'a> {
    pub population: PopulationId,
    /// The variable; none: spikes.
    pub variable: Option<&'a str>,
    pub place: &'a Place,
}

/// Reads all connections.
pub(super) fn read_connections(reader: &mut Reader, root: Option<&Node>, net: Net<'_>) -> Connections {
    let mut connections = Connections::default();
    for node in reader.elements(root, "connection") {
        read_connection(reader, node, net, &mut connections);
    }
    connections
}

fn read_connection(reader: &mut Reader, node: &Node, net: Net<'_>, all: &mut Connections) -> Option<()> {
    let fields = reader.open(node, &node.place, &CONNECTION)?;
    let from = fields.get("from").and_then(|node| read_end(reader, node, net));
    let to = fields.get("to").and_then(|node| read_end(reader, node, net));
    let delay = fields.get("delay").and_then(|node| {
        let delay = reader.time(node)?;
        on_grid(reader, node, delay, net.step(to.as_ref()?.population)?).then_some(delay)
    });
    let (from, to) = (from?, to?);
    let place = to.place.clone();
    match (from.variable, to.variable) {
        (None, None) => {
            let connection = read_spikes(reader, &fields, (&from, &to), delay, net)?;
            if let Some((_, first)) =
                all.spikes.iter().find(|(c, _)| (c.from, c.to) == (connection.from, connection.to))
            {
                reader.note(
                    Diagnostic::error("duplicate-name", &place, "these two are already connected")
                        .label("again here")
                        .related(first, "first here")
                        .help("each spike would arrive twice: remove one of the two connections"),
                );
                return None;
            }
            all.spikes.push((connection, place));
        }
        (Some(_), Some(_)) => match signals::read(reader, &fields, (&from, &to), delay, net)? {
            Link::Signal(signal) => all.signals.push((signal, place)),
            Link::Message(message) => all.messages.push((message, place)),
        },
        _ => refuse_mixture(reader, &from, &to, net),
    }
    Some(())
}

/// `"population"` or `"population.variable"`. The name of a population may have dots in it, a variable's has none.
fn read_end<'a>(reader: &mut Reader, node: &'a Node, net: Net<'_>) -> Option<EndDraft<'a>> {
    let text = reader.text(node)?;
    let place = &node.place;
    let find = |name: &str| net.populations.iter().position(|p| p.name == name);
    if let Some(population) = find(text) {
        refuse_ambiguity(reader, text, place, net)?;
        return Some(EndDraft { population, variable: None, place });
    }
    let (name, variable) = text.rsplit_once('.').unwrap_or((text, ""));
    if let Some(population) = find(name).filter(|_| text.contains('.')) {
        return Some(EndDraft { population, variable: Some(variable), place });
    }
    // What is unknown is the population: all of the text, if that is nearer.
    let names = || net.populations.iter().map(|p| p.name.as_str());
    net.find(reader, if nearest(text, names()).is_some() { text } else { name }, place);
    None
}

/// A population may be called like a variable of another.
fn refuse_ambiguity(reader: &mut Reader, text: &str, place: &Place, net: Net<'_>) -> Option<()> {
    let Some((name, variable)) = text.rsplit_once('.') else { return Some(()) };
    let other = net.populations.iter().filter(|p| p.name == name).find_map(|p| p.whole.as_ref());
    if other.is_none_or(|p| variables::find(p, variable).is_none()) {
        return Some(());
    }
    let message = format!("`{text}` is a population, and the variable `{variable}` of the population `{name}`");
    reader.note(
        Diagnostic::error("ambiguous", place, message)
            .label("which of them?")
            .help("give the population another name, without a dot"),
    );
    None
}

fn read_spikes(
    reader: &mut Reader,
    fields: &Fields<'_>,
    (from, to): (&EndDraft<'_>, &EndDraft<'_>),
    delay: Option<Span>,
    net: Net<'_>,
) -> Option<Connection> {
    let (source, target) = (&net.populations[from.population], &net.populations[to.population]);
    let place = to.place;
    check_port(reader, target, place)?;
    makes_spikes(reader, source, from.place)?;
    between_components(reader, source, target, place, net)?;
    signals::refuse_keys(reader, fields, "spikes have");
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
    Some(Connection { from: from.population, to: to.population, delay: delay? })
}

/// Spikes as they are go from one component to another, or between converters.
fn between_components(
    reader: &mut Reader,
    source: &PopulationDraft,
    target: &PopulationDraft,
    place: &Place,
    net: Net<'_>,
) -> Option<()> {
    let simulator = net.components[source.component?].simulator;
    if source.component != target.component || simulator.is_none_or(|s| s == Simulator::Converter) {
        return Some(());
    }
    reader.note(
        Diagnostic::error(
            "wrong-target",
            place,
            format!("`{}` and `{}` live on the same component", source.name, target.name),
        )
        .label("nothing to connect")
        .help("a connection joins two components; within one, the program connects them itself"),
    );
    None
}

/// Not every converter makes spikes.
pub(super) fn makes_spikes(reader: &mut Reader, source: &PopulationDraft, place: &Place) -> Option<()> {
    let Some(Kind::Converter { makes_spikes: false, .. }) = source.kind else { return Some(()) };
    let output = signals::named(source, |v| v.gives());
    reader.note(
        Diagnostic::error("wrong-source", place, format!("the converter `{}` makes no spikes", source.name))
            .label("no spikes")
            .help(format!("what it makes is a signal: {output}")),
    );
    None
}

/// Spikes as they are go to programs, and to converters that take them.
fn check_port(reader: &mut Reader, target: &PopulationDraft, place: &Place) -> Option<()> {
    const PROJECTION: &str = "are made by a [[projection]], for example with the connector OneToOne";
    let name = &target.name;
    let (message, label, help) = match target.kind? {
        Kind::Port | Kind::Converter { takes_spikes: true, .. } => return Some(()),
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
        Kind::Converter { .. } => (
            format!("the converter `{name}` takes no spikes"),
            "no spikes",
            format!("it takes a signal: {}", signals::named(target, |v| v.takes())),
        ),
    };
    reader.note(Diagnostic::error("wrong-target", place, message).label(label).help(help));
    None
}

/// Spikes on one side, a variable on the other.
fn refuse_mixture(reader: &mut Reader, from: &EndDraft<'_>, to: &EndDraft<'_>, net: Net<'_>) {
    let (plain, other) = if from.variable.is_none() { (from, to) } else { (to, from) };
    let (population, partner) = (&net.populations[plain.population], &net.populations[other.population]);
    let variable = other.variable.unwrap_or_default();
    if variable == "spikes" {
        signals::refuse_spikes(reader, other, &partner.name);
        return;
    }
    let is_source = from.variable.is_none();
    let names = signals::named(population, |v| if is_source { v.gives() } else { v.takes() });
    let help = match names.is_empty() {
        true => {
            format!("name a variable on both ends, or a population on both for spikes; `{}` has none", population.name)
        }
        false => format!("name a variable here, too: {names}; or a population on both ends, for spikes"),
    };
    let message = format!("`{}` stands for spikes, but `{}.{variable}` is a variable", population.name, partner.name);
    reader.note(Diagnostic::error("wrong-end", plain.place, message).label("spikes").help(help));
}
