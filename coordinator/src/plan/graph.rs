//! The network as a picture, for `couple graph`: components, populations and ports, projections and connections with
//! their delays, as Mermaid, Graphviz DOT, or SVG.

use std::collections::BTreeMap;

use couple_network::description::{ComponentId, Delay, Model, Network, Population, PopulationId};
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

/// Projections or connections from one population to another.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Arrow {
    pub from: PopulationId,
    pub to: PopulationId,
    /// A connection to a port, not a projection.
    pub connection: bool,
    pub label: String,
}

impl Graph {
    /// The picture of a network.
    pub fn new(network: &Network) -> Self {
        let mut delays: BTreeMap<(PopulationId, PopulationId, bool), Vec<(Span, Span)>> = BTreeMap::new();
        for projection in &network.projections {
            let step = network.target_step(projection);
            let range = delay_range(&projection.delay, step);
            delays.entry((projection.from, projection.to, false)).or_default().push(range);
        }
        for connection in &network.connections {
            let range = (connection.delay, connection.delay);
            delays.entry((connection.from, connection.to, true)).or_default().push(range);
        }
        let arrow =
            |(&(from, to, connection), ranges): (&_, &Vec<_>)| Arrow { from, to, connection, label: label(ranges) };
        let node = |(id, population): (PopulationId, &Population)| Node {
            component: population.component,
            name: population.name.clone(),
            kind: format!("{} {}", population.size, kind(&population.model)),
            stimulus: population.model.is_stimulus(),
            recorded: network.recorded_spikes().any(|p| p == id),
        };
        Graph {
            title: network.name.clone(),
            components: network.components.iter().map(|c| (c.name.clone(), simulator(c.simulator).into())).collect(),
            nodes: network.populations.iter().enumerate().map(node).collect(),
            arrows: delays.iter().map(arrow).collect(),
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
            let line = if arrow.connection { "-.->" } else { "-->" };
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
            let style = if arrow.connection { ", style=dashed" } else { "" };
            text += &format!("  p{} -> p{} [label=\"{}\"{style}];\n", arrow.from, arrow.to, dot(&arrow.label));
        }
        text + "}\n"
    }
}

fn delay_range(delay: &Delay, step: Span) -> (Span, Span) {
    (delay.min(step), delay.max(step))
}

/// "1.5 ms", "0.1 to 3 ms", "2×, 1 to 2 ms".
fn label(ranges: &[(Span, Span)]) -> String {
    let low = ranges.iter().map(|r| r.0).min().unwrap_or_default();
    let high = ranges.iter().map(|r| r.1).max().unwrap_or_default();
    let number = if ranges.len() > 1 { format!("{}×, ", ranges.len()) } else { String::new() };
    let low_text = low.to_string();
    if low == high {
        format!("{number}{low}")
    } else {
        format!("{number}{} to {high}", low_text.trim_end_matches(" ms"))
    }
}

fn kind(model: &Model) -> &'static str {
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
