//! Projections between lists of populations: which pairs, and the numbers that belong to each.
//!
//! `per_source = { w = [..] }`, `per_target = { .. }` and `per_pair = { p = [[..], ..] }` (a row for each target, a
//! column for each source, as such tables are printed in papers) name numbers for use in the projection's
//! expressions, beside `size_from` and `size_to`.

use couple_network::description::PopulationId;

use super::diagnostic::{Diagnostic, Place};
use super::keys::PAIRINGS;
use super::projection::Net;
use super::reader::{Fields, Reader, Scope};
use super::tree::{Entry, Kind, Node};
use super::units::Dimension;

/// A population in `from` or `to`.
#[derive(Clone, Copy)]
pub(super) struct Member<'a> {
    pub population: PopulationId,
    pub place: &'a Place,
}

/// One source, one target, and the numbers of the pair (`None` where a number was wrong).
pub(super) struct NamedPair {
    pub from: PopulationId,
    pub to: PopulationId,
    numbers: Vec<(String, Option<f64>)>,
}

impl NamedPair {
    /// Makes the pair's numbers known to expressions, on top of `outer`.
    pub fn enter(&self, reader: &mut Reader, outer: &Scope, net: Net<'_>) {
        reader.scope = outer.clone();
        let size = |id: PopulationId| net.populations[id].size.map(f64::from);
        let sizes = [("size_from", size(self.from)), ("size_to", size(self.to))];
        let own = self.numbers.iter().map(|(name, value)| (name.as_str(), *value));
        for (name, value) in sizes.into_iter().chain(own) {
            match value {
                Some(value) => reader.scope.set(name, value),
                None => reader.scope.broken = true,
            }
        }
    }
}

/// Numbers by name; a row for each target, a column for each source (one of them where it does not matter).
struct Grid {
    name: String,
    rows: Vec<Vec<Option<f64>>>,
}

impl Grid {
    fn at(&self, row: usize, column: usize) -> Option<f64> {
        let row = if self.rows.len() == 1 { self.rows.first() } else { self.rows.get(row) }?;
        if row.len() == 1 { *row.first()? } else { *row.get(column)? }
    }
}

/// All pairs of `from` and `to`, or the first with the first, the second with the second and so on.
pub(super) fn expand(
    reader: &mut Reader,
    fields: &Fields<'_>,
    from: &[Member<'_>],
    to: &[Member<'_>],
) -> Vec<NamedPair> {
    let grids = read_grids(reader, fields, from.len(), to.len());
    let Some(matching) = read_pairing(reader, fields, from.len(), to.len()) else { return vec![] };
    let pair = |row: usize, column: usize| NamedPair {
        from: from[column].population,
        to: to[row].population,
        numbers: grids.iter().map(|g| (g.name.clone(), g.at(row, column))).collect(),
    };
    match matching {
        true => (0..from.len()).map(|i| pair(i, i)).collect(),
        false => (0..to.len())
            .flat_map(|row| (0..from.len()).map(move |column| (row, column)))
            .map(|(r, c)| pair(r, c))
            .collect(),
    }
}

fn read_pairing(reader: &mut Reader, fields: &Fields<'_>, from: usize, to: usize) -> Option<bool> {
    let Some(node) = fields.get("pair") else { return Some(false) };
    match reader.text(node)? {
        "all" => Some(false),
        "matching" if from == to => Some(true),
        "matching" => {
            reader.note(
                Diagnostic::error(
                    "wrong-length",
                    &node.place,
                    format!("`from` has {from} populations and `to` has {to}: they do not match one by one"),
                )
                .label("needs lists of equal length")
                .help("make the lists equally long, or write  pair = \"all\""),
            );
            None
        }
        other => {
            reader.unknown("unknown-pairing", &node.place, ("pairing", "pairings"), other, PAIRINGS);
            None
        }
    }
}

fn read_grids(reader: &mut Reader, fields: &Fields<'_>, from: usize, to: usize) -> Vec<Grid> {
    let mut grids: Vec<Grid> = vec![];
    for key in ["per_source", "per_target", "per_pair"] {
        let Some(node) = fields.get(key) else { continue };
        let Some(table) = node.table() else {
            reader.wrong_type(node, "a table of lists", "write { name = [1, 2] }");
            continue;
        };
        for entry in &table.entries {
            if grids.iter().any(|g| g.name == entry.key) {
                let message = format!("`{}` is given twice for this projection", entry.key);
                reader.note(
                    Diagnostic::error("duplicate-name", &entry.key_place, message)
                        .label("again here")
                        .help("give each list of numbers a name of its own"),
                );
                continue;
            }
            let rows = match key {
                "per_source" => vec![read_row(reader, &entry.value, from, "populations in `from`")],
                "per_target" => {
                    read_row(reader, &entry.value, to, "populations in `to`").into_iter().map(|v| vec![v]).collect()
                }
                _ => read_matrix(reader, entry, from, to),
            };
            grids.push(Grid { name: entry.key.clone(), rows });
        }
    }
    grids
}

/// A list of `count` numbers; all `None` when it is not that.
fn read_row(reader: &mut Reader, node: &Node, count: usize, each: &str) -> Vec<Option<f64>> {
    let Some(items) = reader.list(node, "a list of numbers") else { return vec![None; count] };
    if items.len() != count {
        wrong_count(reader, node, items.len(), count, each);
        return vec![None; count];
    }
    items.iter().map(|n| reader.number(n, Dimension::None)).collect()
}

fn read_matrix(reader: &mut Reader, entry: &Entry, from: usize, to: usize) -> Vec<Vec<Option<f64>>> {
    let Kind::Array(rows) = &entry.value.kind else {
        reader.wrong_type(&entry.value, "a list of rows", "write a row for each population in `to`, [[1, 2], [3, 4]]");
        return vec![vec![None; from]; to];
    };
    if rows.len() != to {
        wrong_count(reader, &entry.value, rows.len(), to, "populations in `to` (a row for each)");
        return vec![vec![None; from]; to];
    }
    rows.iter().map(|row| read_row(reader, row, from, "populations in `from` (a column for each)")).collect()
}

fn wrong_count(reader: &mut Reader, node: &Node, found: usize, wanted: usize, each: &str) {
    reader.note(
        Diagnostic::error("wrong-length", &node.place, format!("this list has {found} elements, not {wanted}"))
            .label(format!("{found} elements"))
            .help(format!("there are {wanted} {each}")),
    );
}
