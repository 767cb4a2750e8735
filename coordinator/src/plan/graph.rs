//! The network as a picture, for `couple graph`: components, populations and ports, projections and connections with
//! their delays, as Mermaid, Graphviz DOT, or SVG.

use std::collections::BTreeMap;
use std::fmt;

use couple_network::description::{ComponentId, Delay, End, Model, Network, Population, PopulationId};
use couple_network::variables;
use couple_ports::time::Span;

use super::text::simulator;

/// What all pictures show. Parallel arrows of the same kind are one, with the range of their delays and their number.
#[derive(Clone, PartialEq, Debug)]
pub struct Graph {
    pub(super) title: String,
    /// Name and simulator of each component.
    pub(super) components: Vec<(String, String)>,
    pub(super) nodes: Vec<Node>,
    pub(super) arrows: Vec<Arrow>,
}

/// A population or port.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Node {
    pub component: ComponentId,
    pub name: String,
    /// Size and kind: "8000 IF_curr_exp".
    pub kind: String,
    pub stimulus: bool,
    pub recorded: bool,
}

/// What goes from one population to another.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Arrow {
    pub from: PopulationId,
    pub to: PopulationId,
    pub kind: Kind,
    pub label: String,
}

/// What an arrow stands for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Kind {
    /// Synapses.
    Projection,
    /// Spikes as they are.
    Connection,
    /// Samples of variables.
    Signal,
    /// Messages.
    Messages,
}

impl Graph {
    /// The picture of a network.
    pub fn new(network: &Network) -> Self {
        let mut arrows: BTreeMap<(PopulationId, PopulationId, Kind), Label> = BTreeMap::new();
        for projection in &network.projections {
            let step = network.target_step(projection);
            let range = delay_range(&projection.delay, step);
            arrows.entry((projection.from, projection.to, Kind::Projection)).or_default().delays.push(range);
        }
        for connection in &network.connections {
            let range = (connection.delay, connection.delay);
            arrows.entry((connection.from, connection.to, Kind::Connection)).or_default().delays.push(range);
        }
        for signal in &network.signals {
            let unit = variables::find(&network.populations[signal.from.population], &signal.from.variable);
            let unit = unit.as_ref().and_then(|v| v.unit()).filter(|unit| *unit != "1");
            let unit = unit.map(|unit| format!(" in {unit}")).unwrap_or_default();
            let named = named((&signal.from, &signal.to), &unit, signal.delay);
            arrows.entry((signal.from.population, signal.to.population, Kind::Signal)).or_default().named.push(named);
        }
        for messages in &network.messages {
            let named = named((&messages.from, &messages.to), "", messages.delay);
            let ends = (messages.from.population, messages.to.population, Kind::Messages);
            arrows.entry(ends).or_default().named.push(named);
        }
        let arrow = |(&(from, to, kind), label): (&_, &Label)| Arrow { from, to, kind, label: label.to_string() };
        let node = |(id, population): (PopulationId, &Population)| Node {
            component: population.component,
            name: population.name.clone(),
            kind: format!("{} {}", population.size, kind_of(&population.model)),
            stimulus: population.model.is_stimulus(),
            recorded: network.recordings.iter().any(|r| r.population == id),
        };
        Graph {
            title: network.name.clone(),
            components: network.components.iter().map(|c| (c.name.clone(), simulator(c.simulator).into())).collect(),
            nodes: network.populations.iter().enumerate().map(node).collect(),
            arrows: arrows.iter().map(arrow).collect(),
        }
    }

    fn nodes_of(&self, component: ComponentId) -> impl Iterator<Item = (PopulationId, &Node)> {
        self.nodes.iter().enumerate().filter(move |(_, node)| node.component == component)
    }

    /// A Mermaid flow chart.
    pub fn mermaid(&self) -> String {
        let mut text = String::from("flowchart LR\n");
        for (c, (name, simulator)) in self.components.iter().enumerate() {
            text += &format!("  subgraph c{c}[\"{} ({simulator})\"]\n", mermaid(name));
            for (p, node) in self.nodes_of(c) {
                let (open, close) = if node.stimulus { ("([", "])") } else { ("[", "]") };
                let recorded = if node.recorded { "<br/>recorded" } else { "" };
                let label = format!("{}<br/>{}{recorded}", mermaid(&node.name), mermaid(&node.kind));
                text += &format!("    p{p}{open}\"{label}\"{close}\n");
            }
            text += "  end\n";
        }
        for arrow in &self.arrows {
            let line = match arrow.kind {
                Kind::Projection => "-->",
                Kind::Connection => "-.->",
                Kind::Signal => "==>",
                Kind::Messages => "--o",
            };
            text += &format!("  p{} {line}|\"{}\"| p{}\n", arrow.from, mermaid(&arrow.label), arrow.to);
        }
        text
    }

    /// A Graphviz digraph, for `dot`.
    pub fn dot(&self) -> String {
        let mut text = format!("digraph \"{}\" {{\n  rankdir=LR;\n  node [shape=box];\n", dot(&self.title));
        for (c, (name, simulator)) in self.components.iter().enumerate() {
            text += &format!("  subgraph cluster_{c} {{\n    label=\"{} ({simulator})\";\n", dot(name));
            for (p, node) in self.nodes_of(c) {
                let shape = if node.stimulus { ", shape=ellipse" } else { "" };
                let recorded = if node.recorded { "\\nrecorded" } else { "" };
                text += &format!("    p{p} [label=\"{}\\n{}{recorded}\"{shape}];\n", dot(&node.name), dot(&node.kind));
            }
            text += "  }\n";
        }
        for arrow in &self.arrows {
            let style = match arrow.kind {
                Kind::Projection => "",
                Kind::Connection => ", style=dashed",
                Kind::Signal => ", style=bold",
                Kind::Messages => ", style=dotted",
            };
            text += &format!("  p{} -> p{} [label=\"{}\"{style}];\n", arrow.from, arrow.to, dot(&arrow.label));
        }
        text + "}\n"
    }
}

fn delay_range(delay: &Delay, step: Span) -> (Span, Span) {
    (delay.min(step), delay.max(step))
}

/// "v → angle in mV, 1 ms".
fn named((from, to): (&End, &End), unit: &str, delay: Span) -> String {
    let names = if from.variable == to.variable {
        from.variable.clone()
    } else {
        format!("{} → {}", from.variable, to.variable)
    };
    format!("{names}{unit}, {delay}")
}

/// What stands beside an arrow: of spikes the delays, of variables their names.
#[derive(Default)]
struct Label {
    delays: Vec<(Span, Span)>,
    named: Vec<String>,
}

/// "1.5 ms", "0.1 to 3 ms", "2×, 1 to 2 ms".
impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.named.is_empty() {
            return f.write_str(&self.named.join("; "));
        }
        let low = self.delays.iter().map(|r| r.0).min().unwrap_or_default();
        let high = self.delays.iter().map(|r| r.1).max().unwrap_or_default();
        if self.delays.len() > 1 {
            write!(f, "{}×, ", self.delays.len())?;
        }
        if low == high {
            return write!(f, "{low}");
        }
        write!(f, "{} to {high}", low.to_string().trim_end_matches(" ms"))
    }
}

fn kind_of(model: &Model) -> &'static str {
    match model {
        Model::Cell { cell, .. } => cell.name(),
        Model::SpikeSourceArray { .. } => "SpikeSourceArray",
        Model::SpikeSourcePoisson { .. } => "SpikeSourcePoisson",
        Model::SpikeSourcePoissonRefractory { .. } => "SpikeSourcePoissonRefractory",
        Model::SpikeSourceGamma { .. } => "SpikeSourceGamma",
        Model::SpikeSourceInhGamma { .. } => "SpikeSourceInhGamma",
        Model::Port => "port",
        Model::Converter(converter) => converter.name(),
    }
}

/// Escapes text within a quoted Mermaid label.
fn mermaid(text: &str) -> String {
    let escape = |c: char| match c {
        '"' | '#' | '&' | '<' | '>' | '`' | '\\' | ';' => format!("#{};", u32::from(c)),
        c if c.is_control() => " ".into(),
        c => c.to_string(),
    };
    text.chars().map(escape).collect()
}

/// Escapes text within a quoted DOT string.
fn dot(text: &str) -> String {
    let escape = |c: char| match c {
        '"' | '\\' => format!("\\{c}"),
        c if c.is_control() => " ".into(),
        c => c.to_string(),
    };
    text.chars().map(escape).collect()
}
