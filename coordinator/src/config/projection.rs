//! `[[projection]]`: synapses, for one pair of populations or for all pairs of two lists.

use std::collections::{HashMap, HashSet};

use couple_network::description::{Cell, Connector, Delay, PopulationId, Projection, Receptor, Value};
use couple_ports::time::Span;

use super::component::ComponentDraft;
use super::connector::{self, Pair};
use super::diagnostic::{Diagnostic, Place};
use super::keys::{PROJECTION, RECEPTORS};
use super::limits;
use super::links::makes_spikes;
use super::pairs::{self, Member};
use super::population::{Kind, PopulationDraft, off_grid_help};
use super::reader::{Fields, Reader};
use super::synapse;
use super::tree::Node;
use super::units::{self, Dimension};
use super::values::Length;

/// A projection with the place to point at when it turns out to be wrong later.
pub(super) struct ProjectionDraft {
    pub projection: Projection,
    pub place: Place,
}

/// Everything that projections, connections and recordings refer to.
#[derive(Clone, Copy)]
pub(super) struct Net<'a> {
    pub components: &'a [ComponentDraft],
    pub populations: &'a [PopulationDraft],
}

impl Net<'_> {
    /// The population that `name` refers to.
    pub fn find(&self, reader: &mut Reader, name: &str, place: &Place) -> Option<PopulationId> {
        let found = self.populations.iter().position(|p| p.name == name);
        if found.is_none() {
            let known = self.populations.iter().map(|p| p.name.as_str());
            reader.unknown("unknown-population", place, ("population", "populations"), name, known);
        }
        found
    }
    /// The step of the component where a population lives.
    pub fn step(&self, population: PopulationId) -> Option<Span> {
        self.components[self.populations[population].component?].step
    }
}

/// Reads all projections.
pub(super) fn read_projections(reader: &mut Reader, root: Option<&Node>, net: Net<'_>) -> Vec<ProjectionDraft> {
    let nodes = reader.elements(root, "projection");
    let given = nodes.iter().filter_map(|n| n.table()?.get("name")?.text().map(str::to_string)).collect();
    let mut names = Names { given, ..Names::default() };
    let mut drafts = vec![];
    for node in nodes {
        read_projection(reader, node, net, &mut names, &mut drafts);
    }
    drafts
}

/// Names of projections: given ones are unique, others are made from the populations.
#[derive(Default)]
struct Names {
    given: HashSet<String>,
    taken: HashSet<String>,
    first: HashMap<String, Place>,
}

impl Names {
    fn make(&mut self, given: Option<&str>, several: bool, from: &str, to: &str) -> String {
        let base = match (given, several) {
            (Some(name), false) => {
                self.taken.insert(name.to_string());
                return name.to_string();
            }
            (Some(name), true) => format!("{name}:{from}→{to}"),
            (None, _) => format!("{from}→{to}"),
        };
        let numbered = (2..).map(|n| format!("{base}#{n}"));
        let free = |name: &String| !self.given.contains(name) && !self.taken.contains(name);
        let name = std::iter::once(base.clone()).chain(numbered).find(free).unwrap_or(base);
        self.taken.insert(name.clone());
        name
    }
}

fn read_projection(
    reader: &mut Reader,
    node: &Node,
    net: Net<'_>,
    names: &mut Names,
    drafts: &mut Vec<ProjectionDraft>,
) {
    let Some(fields) = reader.open(node, &node.place, &PROJECTION) else { return };
    let name = read_name(reader, &fields, names);
    let from = read_members(reader, &fields, "from", net);
    let to = read_members(reader, &fields, "to", net);
    for member in from.iter().flatten() {
        makes_spikes(reader, &net.populations[member.population], member.place);
    }
    if let Some(to) = &to {
        to.iter().for_each(|m| check_target(reader, m, net));
    }
    let receptor = fields.get("receptor").map_or(Some(Receptor::Excitatory), |n| read_receptor(reader, n));
    let (Some(from), Some(to)) = (from, to) else { return };
    let outer = reader.scope.clone();
    let all = pairs::expand(reader, &fields, &from, &to);
    for pair in &all {
        pair.enter(reader, &outer, net);
        let (from, to) = (&net.populations[pair.from].name, &net.populations[pair.to].name);
        reader.pair = (all.len() > 1).then(|| format!("from `{from}` to `{to}`"));
        let Some((connector, projection)) = read_pair(reader, &fields, pair.from, pair.to, receptor, net) else {
            continue;
        };
        if connector::is_empty(&connector) {
            if all.len() > 1 {
                continue;
            }
            reader.note(
                Diagnostic::warning("no-synapses", fields.place_of("connector"), "this projection has no synapses")
                    .label("connects nothing")
                    .help("remove it, or change the connector"),
            );
        }
        let name = names.make(name, all.len() > 1, from, to);
        drafts.push(ProjectionDraft {
            projection: Projection { name, connector, ..projection },
            place: fields.place_of("synapse").clone(),
        });
    }
    reader.scope = outer;
    reader.pair = None;
}

fn read_name<'a>(reader: &mut Reader, fields: &Fields<'a>, names: &mut Names) -> Option<&'a str> {
    let node = fields.get("name")?;
    let name = reader.text(node)?;
    if name.trim().is_empty() || name.chars().any(char::is_control) {
        reader.note(
            Diagnostic::error("bad-name", &node.place, "this is not a possible name for a projection")
                .label("empty, or with control characters")
                .help("the name may be left out; it is then made of the two populations"),
        );
        return None;
    }
    if let Some(first) = names.first.get(name) {
        let message = format!("there are two projections `{name}`");
        reader.note(
            Diagnostic::error("duplicate-name", &node.place, message)
                .label("again here")
                .related(first, "first here")
                .help("random numbers are drawn by name: rename one, or leave the name out"),
        );
        return None;
    }
    names.first.insert(name.to_string(), node.place.clone());
    Some(name)
}

fn read_members<'a>(reader: &mut Reader, fields: &Fields<'a>, key: &str, net: Net<'_>) -> Option<Vec<Member<'a>>> {
    let found = reader.texts(fields.get(key)?)?;
    let ids: Vec<_> = found
        .into_iter()
        .map(|(name, place)| Some(Member { population: net.find(reader, name, place)?, place }))
        .collect();
    ids.into_iter().collect()
}

fn check_target(reader: &mut Reader, member: &Member<'_>, net: Net<'_>) {
    let population = &net.populations[member.population];
    let name = &population.name;
    let (message, label, help) = match population.kind {
        Some(Kind::Stimulus) => (
            format!("`{name}` is a spike source and receives no spikes"),
            "a spike source",
            "project onto a population of cells".to_string(),
        ),
        Some(Kind::Port) => (
            format!("`{name}` is a port of a program and has no synapses"),
            "a port",
            format!("hand spikes to it with  [[connection]] from = \"…\", to = \"{name}\", delay = \"1 ms\""),
        ),
        Some(Kind::Converter { takes_spikes, .. }) => (
            format!("`{name}` is a converter and has no synapses"),
            "a converter",
            match takes_spikes {
                true => {
                    format!("hand spikes to it with  [[connection]] from = \"…\", to = \"{name}\", delay = \"1 ms\"")
                }
                false => "it takes a signal, by a [[connection]] to one of its variables".to_string(),
            },
        ),
        Some(Kind::Cell(_) | Kind::OwnModel) | None => return,
    };
    reader.note(Diagnostic::error("wrong-target", member.place, message).label(label).help(help));
}

fn read_receptor(reader: &mut Reader, node: &Node) -> Option<Receptor> {
    match reader.text(node)? {
        "excitatory" => Some(Receptor::Excitatory),
        "inhibitory" => Some(Receptor::Inhibitory),
        other => {
            reader.unknown("unknown-receptor", &node.place, ("receptor", "receptors"), other, RECEPTORS);
            None
        }
    }
}

/// The projection for one pair, without its name.
fn read_pair(
    reader: &mut Reader,
    fields: &Fields<'_>,
    from: PopulationId,
    to: PopulationId,
    receptor: Option<Receptor>,
    net: Net<'_>,
) -> Option<(Connector, Projection)> {
    let (source, target) = (&net.populations[from], &net.populations[to]);
    let pair = Pair { from_size: source.size, to_size: target.size, recurrent: from == to };
    let component = target.component.map(|id| &net.components[id]);
    let connector = fields.get("connector").and_then(|node| {
        let connector = connector::read_connector(reader, node, pair)?;
        limits::synapses(reader, component?, (source.size, target.size), node, &connector).then_some(connector)
    });
    if matches!(target.kind, Some(Kind::Port | Kind::Stimulus | Kind::Converter { .. })) {
        return None;
    }
    let synapse = fields.get("synapse").and_then(|node| synapse::open(reader, node));
    let length = match &connector {
        Some(Connector::FromList { pairs }) => Length::Exactly(pairs.len(), "pairs of the connector"),
        Some(_) => Length::No("only the connector FromList has a list of synapses"),
        None => Length::Unknown,
    };
    let delay = synapse.and_then(|(s, _)| s.get("delay")).and_then(|node| {
        let delay = reader.delay(node, length)?;
        let fine = check_delay(reader, node, &delay, net.step(to)?)
            && limits::delay(reader, component?, target.size, node, &delay);
        fine.then_some(delay)
    });
    let weight = synapse.and_then(|(s, _)| s.get("weight")).and_then(|node| match target.kind? {
        Kind::Cell(cell) => {
            let dimension = Dimension::of_unit(cell.entry().weight_unit);
            let weight = reader.value(node, dimension, length)?;
            reader.check_magnitude(node, dimension);
            check_sign(reader, node, weight.bounds(), cell, receptor?).then_some(weight)
        }
        // The user's own model knows what its weights mean; a unit in the value says which they are.
        _ => reader.value(node, dimension_of(node), length),
    });
    let plasticity = synapse.and_then(|(fields, section)| {
        let unit = match target.kind? {
            Kind::Cell(cell) => Dimension::of_unit(cell.entry().weight_unit),
            _ => fields.get("weight").map_or(Dimension::Current, dimension_of),
        };
        synapse::read_plasticity(reader, (&fields, section), unit, weight.as_ref().map(Value::bounds), component)
    });
    let connector = connector?;
    let projection = Projection {
        name: String::new(),
        from,
        to,
        connector: Connector::OneToOne,
        weight: weight?,
        delay: delay?,
        receptor: receptor?,
        plasticity: plasticity?,
    };
    Some((connector, projection))
}

/// The dimension of the first unit in a value; a current if there is none.
fn dimension_of(node: &Node) -> Dimension {
    fn first(node: &Node) -> Option<Dimension> {
        match &node.kind {
            super::tree::Kind::String(text) => units::dimension_of(text),
            super::tree::Kind::Array(items) => items.iter().find_map(first),
            super::tree::Kind::Table(table) => table.entries.iter().find_map(|e| first(&e.value)),
            _ => None,
        }
    }
    first(node).filter(|d| matches!(d, Dimension::Conductance | Dimension::Voltage)).unwrap_or(Dimension::Current)
}

/// Delays reach at least one step, and lie on the receiver's grid unless they are drawn (then they are rounded to it).
fn check_delay(reader: &mut Reader, node: &Node, delay: &Delay, step: Span) -> bool {
    match delay {
        Delay::Constant(delay) => on_grid(reader, node, *delay, step),
        Delay::List(delays) => {
            let nodes = match &node.kind {
                super::tree::Kind::Array(nodes) => &nodes[..],
                _ => &[],
            };
            delays.iter().zip(nodes).all(|(delay, node)| on_grid(reader, node, *delay, step))
        }
        Delay::Random(distribution) => {
            let (_, high) = distribution.bounds();
            let impossible = if high < step.ms() {
                Some(format!("no drawn delay reaches one step of the target's component, {step}"))
            } else if high > LONGEST_DELAY.ms() {
                Some(format!("drawn delays reach {high} ms, longer than the longest, {LONGEST_DELAY}"))
            } else {
                None
            };
            let Some(message) = impossible else { return true };
            reader.note(
                Diagnostic::error("delay", &node.place, message)
                    .label("out of range")
                    .help("delays are in ms; give clipped distributions a `low` of at least one step"),
            );
            false
        }
    }
}

/// Spikes under way are kept in ring buffers as long as the longest delay.
pub(super) const LONGEST_DELAY: Span = Span::from_ns(10_000_000_000);

/// A delay of at least one step, on the receiver's grid.
pub(super) fn on_grid(reader: &mut Reader, node: &Node, delay: Span, step: Span) -> bool {
    let (code, message, help) = if delay < step {
        (
            "delay",
            format!("the delay {delay} is shorter than one step of the receiver, {step}"),
            format!("the shortest delay is {step}; a shorter step of the receiver allows shorter ones"),
        )
    } else if !delay.is_multiple_of(step) {
        (
            "off-grid",
            format!("the delay {delay} is no multiple of the receiver's step, {step}"),
            off_grid_help(delay, step),
        )
    } else if delay > LONGEST_DELAY {
        (
            "delay",
            format!("the delay {delay} is longer than the longest, {LONGEST_DELAY}"),
            "delays are in ms unless they have a unit".to_string(),
        )
    } else {
        return true;
    };
    reader.note(Diagnostic::error(code, &node.place, message).label("here").help(help));
    false
}

/// Current-based inhibition is negative, everything else positive; a distribution must not cross zero.
fn check_sign(reader: &mut Reader, node: &Node, (low, high): (f64, f64), cell: Cell, receptor: Receptor) -> bool {
    let negative = receptor == Receptor::Inhibitory && !cell.conductance_based();
    let (fine, wanted, bound) = if negative {
        (high <= 0.0, "negative (or 0)", "high = 0.0")
    } else {
        (low >= 0.0, "positive (or 0)", "low = 0.0")
    };
    if fine {
        return true;
    }
    let receptor_name = if receptor == Receptor::Inhibitory { "inhibitory" } else { "excitatory" };
    let all_wrong = if negative { low >= 0.0 } else { high <= 0.0 };
    let (verb, help) = if node.table().is_some() && !all_wrong {
        ("can have the wrong sign", format!("use normal_clipped with {bound}"))
    } else if cell.conductance_based() {
        (
            "has the wrong sign",
            "conductances are positive; the receptor's reversal potential makes inhibition".to_string(),
        )
    } else {
        let other = if negative { "excitatory" } else { "inhibitory" };
        ("has the wrong sign", format!("change the sign, or write  receptor = \"{other}\""))
    };
    let message =
        format!("this weight {verb}: weights of {} onto the {receptor_name} receptor are {wanted}", cell.name());
    reader.note(Diagnostic::error("weight-sign", &node.place, message).label("here").help(help));
    false
}
