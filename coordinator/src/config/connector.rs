//! `connector = { type = … }`: which pairs are connected, and whether they can be.

use couple_network::description::Connector;

use super::diagnostic::Diagnostic;
use super::keys::{CONNECTORS, OTHER_CONNECTORS};
use super::nearest::{nearest, nearest_key};
use super::reader::{Fields, Reader};
use super::tree::{Kind, Node};
use super::units::Dimension;

/// Sizes of the two populations of a projection.
#[derive(Clone, Copy)]
pub(super) struct Pair {
    pub from_size: Option<u32>,
    pub to_size: Option<u32>,
    /// Both are the same population.
    pub recurrent: bool,
}

/// Most synapses of one projection: beyond any machine's memory.
const MOST_SYNAPSES: u64 = 1_000_000_000_000_000;

/// Reads the connector for one pair of populations.
pub(super) fn read_connector(reader: &mut Reader, node: &Node, pair: Pair) -> Option<Connector> {
    const EXAMPLE: &str = "write for example { type = \"FixedProbability\", p = 0.1 }";
    let Kind::Table(table) = &node.kind else {
        let of_name = |text: &str| nearest(text, CONNECTORS.iter().map(|c| c.title)).and_then(example);
        let help = node.text().and_then(of_name).map_or(EXAMPLE.to_string(), |example| format!("write {example}"));
        reader.wrong_type(node, "a table", &help);
        return None;
    };
    let Some(kind) = table.get("type") else {
        let other = nearest_key(table, "type").map(|key| format!("write `type` instead of `{key}`"));
        reader.note(
            Diagnostic::error("missing-key", &node.place, "this connector has no `type`")
                .label("`type` is missing")
                .help(other.unwrap_or(EXAMPLE.to_string())),
        );
        return None;
    };
    let name = reader.text(kind)?;
    let Some(section) = CONNECTORS.iter().find(|c| c.title == name) else {
        unknown_connector(reader, kind, name);
        return None;
    };
    let fields = reader.open(node, &node.place, section)?;
    let mut read = ConnectorReader { reader, fields, pair };
    match name {
        "OneToOne" => read.one_to_one(kind),
        "AllToAll" => Some(Connector::AllToAll { allow_self_connections: read.flag("allow_self_connections", true)? }),
        "FixedProbability" => read.fixed_probability(),
        "FixedTotalNumber" => read.fixed_total_number(),
        "FixedNumberPre" | "FixedNumberPost" => read.fixed_number(name == "FixedNumberPre"),
        _ => read.listed(),
    }
}

/// A connector as it may be written, with the keys that it must have.
fn example(name: &str) -> Option<String> {
    let section = CONNECTORS.iter().find(|c| c.title == name)?;
    let others = section.keys.iter().filter(|k| k.required && k.name != "type");
    let others: String = others.map(|k| format!(", {} = {}", k.name, k.example)).collect();
    Some(format!("{{ type = \"{name}\"{others} }}"))
}

fn unknown_connector(reader: &mut Reader, kind: &Node, name: &str) {
    let plain = name.strip_suffix("Connector").unwrap_or(name);
    if OTHER_CONNECTORS.contains(&plain) {
        let known: Vec<_> = CONNECTORS.iter().map(|c| c.title).collect();
        reader.note(
            Diagnostic::error(
                "not-yet",
                &kind.place,
                format!("the connector `{plain}` is not supported by this version"),
            )
            .label("not yet")
            .help(format!("the connectors are {}", known.join(", "))),
        );
        return;
    }
    let known = CONNECTORS.iter().map(|c| c.title);
    reader.unknown("unknown-connector", &kind.place, ("connector", "connectors"), name, known);
}

struct ConnectorReader<'r, 'a> {
    reader: &'r mut Reader,
    fields: Fields<'a>,
    pair: Pair,
}

impl ConnectorReader<'_, '_> {
    fn flag(&mut self, key: &str, default: bool) -> Option<bool> {
        match self.fields.get(key) {
            Some(node) if node.text() == Some("NoMutual") => {
                self.reader.note(
                    Diagnostic::error("not-yet", &node.place, "\"NoMutual\" is not supported by this version")
                        .label("not yet")
                        .help("write true or false, without quotes"),
                );
                None
            }
            Some(node) => self.reader.boolean(node),
            None => Some(default),
        }
    }

    fn refuse(&mut self, key: &str, message: String, help: String) {
        let place = self.fields.place_of(key);
        self.reader.note(Diagnostic::error("unsatisfiable", place, message).label("impossible").help(help));
    }

    fn one_to_one(&mut self, kind: &Node) -> Option<Connector> {
        let (from, to) = (self.pair.from_size?, self.pair.to_size?);
        if from != to {
            self.reader.note(
                Diagnostic::error(
                    "unsatisfiable",
                    &kind.place,
                    format!("OneToOne needs equal sizes, but the source has {from} neurons and the target {to}"),
                )
                .label("sizes differ")
                .help("make the sizes equal, or use FromList or FixedNumberPre"),
            );
            return None;
        }
        Some(Connector::OneToOne)
    }

    fn fixed_probability(&mut self) -> Option<Connector> {
        let allow_self_connections = self.flag("allow_self_connections", true);
        let node = self.fields.get("p")?;
        let p = self.reader.number(node, Dimension::None)?;
        if !(0.0..=1.0).contains(&p) {
            self.reader.note(
                Diagnostic::error("out-of-range", &node.place, format!("{p} is no probability"))
                    .label("out of range")
                    .help("a number from 0 to 1 is expected"),
            );
            return None;
        }
        Some(Connector::FixedProbability { p, allow_self_connections: allow_self_connections? })
    }

    fn fixed_total_number(&mut self) -> Option<Connector> {
        let allow_self_connections = self.flag("allow_self_connections", true);
        let with_replacement = self.flag("with_replacement", true);
        let n = self.fields.get("n").and_then(|node| self.reader.integer(node, 0, MOST_SYNAPSES));
        let (allow_self_connections, with_replacement, n) = (allow_self_connections?, with_replacement?, n?);
        let (from, to) = (u64::from(self.pair.from_size?), u64::from(self.pair.to_size?));
        let excluded = if self.pair.recurrent && !allow_self_connections { from } else { 0 };
        let pairs = from * to - excluded;
        if n > 0 && pairs == 0 {
            self.no_partner();
            return None;
        }
        if !with_replacement && n > pairs {
            self.refuse(
                "n",
                format!("{n} different pairs are asked for, but there are {pairs}"),
                format!("at most {pairs}, or with_replacement = true"),
            );
            return None;
        }
        Some(Connector::FixedTotalNumber { n, with_replacement, allow_self_connections })
    }

    fn fixed_number(&mut self, pre: bool) -> Option<Connector> {
        let allow_self_connections = self.flag("allow_self_connections", true);
        let with_replacement = self.flag("with_replacement", false);
        let n = self.fields.get("n").and_then(|node| self.reader.integer(node, 0, u64::from(u32::MAX)));
        let (allow_self_connections, with_replacement, n) = (allow_self_connections?, with_replacement?, n? as u32);
        let (size, which) = if pre { (self.pair.from_size?, "source") } else { (self.pair.to_size?, "target") };
        let partners = size - u32::from(self.pair.recurrent && !allow_self_connections);
        if n > 0 && partners == 0 {
            self.no_partner();
            return None;
        }
        if !with_replacement && n > partners {
            self.refuse(
                "n",
                format!("each neuron is to get {n} different partners, but the {which} has {partners} for it"),
                format!("at most {partners}, or with_replacement = true"),
            );
            return None;
        }
        Some(match pre {
            true => Connector::FixedNumberPre { n, with_replacement, allow_self_connections },
            false => Connector::FixedNumberPost { n, with_replacement, allow_self_connections },
        })
    }

    fn no_partner(&mut self) {
        self.refuse(
            "allow_self_connections",
            "a single neuron has no partner but itself".to_string(),
            "remove allow_self_connections = false, or make the population larger".to_string(),
        );
    }

    fn listed(&mut self) -> Option<Connector> {
        const FORM: &str = "a list of [source index, target index]";
        let node = self.fields.get("pairs")?;
        let items = self.reader.list(node, FORM)?;
        let mut pairs = Vec::with_capacity(items.len());
        for item in items {
            // The first wrong one is enough: a list is rarely typed by hand.
            let two = self.reader.list(item, FORM)?;
            let [pre, post] = two else {
                self.reader.note(
                    Diagnostic::error(
                        "wrong-length",
                        &item.place,
                        format!("a pair has two indices, not {}", two.len()),
                    )
                    .label("not a pair")
                    .help("write [source index, target index]; weights and delays are lists in `synapse`"),
                );
                return None;
            };
            let mut index = |node: &Node, size: Option<u32>| {
                let high = size.map_or(u64::from(u32::MAX), |n| u64::from(n) - 1);
                self.reader.integer(node, 0, high).map(|i| i as u32)
            };
            let (pre, post) = (index(pre, self.pair.from_size), index(post, self.pair.to_size));
            pairs.push((pre?, post?));
        }
        Some(Connector::FromList { pairs })
    }
}

/// True when it makes no synapse at all.
pub(super) fn is_empty(connector: &Connector) -> bool {
    match connector {
        Connector::FixedProbability { p, .. } => *p == 0.0,
        Connector::FixedTotalNumber { n, .. } => *n == 0,
        Connector::FixedNumberPre { n, .. } | Connector::FixedNumberPost { n, .. } => *n == 0,
        Connector::FromList { pairs } => pairs.is_empty(),
        Connector::AllToAll { .. } | Connector::OneToOne => false,
    }
}
