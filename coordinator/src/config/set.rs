//! `--set KEY=VALUE`: changes to single values of a configuration, by dotted path.

use std::sync::Arc;

use super::diagnostic::{Diagnostic, Place, Source};
use super::keys::ROOT;
use super::nearest::suggest;
use super::tree::{self, Entry, Kind, Node, Table};

/// Applies one `KEY=VALUE` to the tree. The value is TOML, or a bare string (`--set run.duration=2 s`).
pub(super) fn apply(root: &mut Table, text: &str) -> Result<(), Box<Diagnostic>> {
    let source = Arc::new(Source { name: "--set".to_string(), text: text.to_string() });
    let (path, value) = read(&source)?;
    let path = match &path[..] {
        // A lone name is a parameter.
        [name] if is_parameter(root, &name.0) => {
            vec![("parameters".to_string(), name.1.clone()), name.clone()]
        }
        _ => path,
    };
    descend(root, &path, &[], value)
}

/// Removes a key of a component, if it is there.
pub(super) fn remove(root: &mut Table, component: &str, key: &str) {
    let Some(Node { kind: Kind::Table(components), .. }) = root.get_mut("component") else { return };
    if let Some(Node { kind: Kind::Table(table), .. }) = components.get_mut(component) {
        table.entries.retain(|entry| entry.key != key);
    }
}

type Step = (String, Place);

fn malformed(source: &Arc<Source>) -> Box<Diagnostic> {
    let place = Place { source: source.clone(), range: 0..source.text.len() };
    Diagnostic::error("set", &place, "this is not KEY=VALUE")
        .label("not understood")
        .help("write for example --set run.duration=\"2 s\" or --set population.E.size=100")
        .into()
}

fn read(source: &Arc<Source>) -> Result<(Vec<Step>, Node), Box<Diagnostic>> {
    let text = &source.text;
    let Some(equals) = text.find('=') else { return Err(malformed(source)) };
    if let Some(found) = tree::parse(source).ok().and_then(|t| chain(&t)) {
        return Ok(found);
    }
    // Not TOML as it stands: the shell has eaten the quotes, and the value is a string.
    let key = Arc::new(Source { name: source.name.clone(), text: format!("{}=0", &text[..equals]) });
    let (mut path, _) = tree::parse(&key).ok().and_then(|t| chain(&t)).ok_or_else(|| malformed(source))?;
    path.iter_mut().for_each(|step| step.1.source = source.clone());
    let place = Place { source: source.clone(), range: equals + 1..text.len() };
    Ok((path, Node { place, kind: Kind::String(text[equals + 1..].trim().to_string()) }))
}

/// A document of one value, as the path to it.
fn chain(table: &Table) -> Option<(Vec<Step>, Node)> {
    let mut path = vec![];
    let mut table = table;
    loop {
        let [entry] = &table.entries[..] else { return None };
        path.push((entry.key.clone(), entry.key_place.clone()));
        match &entry.value.kind {
            // Only dotted keys lead further down; an inline table is a value, and begins after the key.
            Kind::Table(inner) if inner.entries.first().is_some_and(|e| is_dotted(entry, e)) => table = inner,
            _ => return Some((path, entry.value.clone())),
        }
    }
}

fn is_dotted(outer: &Entry, inner: &Entry) -> bool {
    let text = &outer.key_place.source.text;
    let between = outer.key_place.range.end..inner.key_place.range.start;
    text.get(between).is_some_and(|t| t.trim() == ".")
}

fn is_parameter(root: &Table, name: &str) -> bool {
    root.get("parameters").and_then(Node::table).is_some_and(|t| t.get(name).is_some())
}

/// Goes down the path from `table`, which lies at the end of `way`, and puts the value at its end.
fn descend(table: &mut Table, path: &[Step], way: &[&str], value: Node) -> Result<(), Box<Diagnostic>> {
    let Some((step, rest)) = path.split_first() else { return Ok(()) };
    let (name, place) = step;
    check_step(table, step, rest.is_empty(), way)?;
    if rest.is_empty() {
        put(table, step, value);
        return Ok(());
    }
    if table.get(name).is_none() {
        put(table, step, Node { place: place.clone(), kind: Kind::Table(Table::default()) });
    }
    let below = [way, &[name.as_str()]].concat();
    match table.get_mut(name).map(|n| &mut n.kind) {
        Some(Kind::Table(inner)) => descend(inner, rest, &below, value),
        Some(Kind::Array(items)) => {
            let (which, rest) = (&rest[0], &rest[1..]);
            let item = element(items, which, name)?;
            match &mut item.kind {
                _ if rest.is_empty() => *item = value,
                Kind::Table(inner) => return descend(inner, rest, &below, value),
                _ => return Err(not_a_table(which)),
            }
            Ok(())
        }
        _ => Err(not_a_table(step)),
    }
}

/// A set value changes the configuration, it does not extend it: sections and named elements must exist, and so must
/// parameters, since a misspelt one would be defined anew and used by nobody.
fn check_step(table: &Table, step: &Step, last: bool, way: &[&str]) -> Result<(), Box<Diagnostic>> {
    let (name, place) = step;
    match way {
        [] if ROOT.key(name).is_none() => {
            let known = ROOT.keys.iter().map(|k| k.name);
            Err(Diagnostic::error("set", place, format!("the configuration has no `{name}` to set"))
                .label("unknown")
                .help(suggest(name, "tables", known))
                .into())
        }
        [what @ ("component" | "population" | "cell")] if !last && table.get(name).is_none() => {
            Err(unknown(what, &format!("{what}s"), step, table))
        }
        ["parameters"] if table.get(name).is_none() => Err(unknown("parameter", "parameters", step, table)),
        _ => Ok(()),
    }
}

fn not_a_table(step: &Step) -> Box<Diagnostic> {
    Diagnostic::error("set", &step.1, format!("`{}` is a value, nothing lies below it", step.0))
        .label("not a table")
        .help("shorten the path")
        .into()
}

/// An element of a list: by position, counted from 0, or by its `name`.
fn element<'a>(items: &'a mut [Node], which: &Step, list: &str) -> Result<&'a mut Node, Box<Diagnostic>> {
    let name_of = |n: &Node| n.table().and_then(|t| t.get("name")).and_then(Node::text).map(str::to_string);
    let names: Vec<String> = items.iter().filter_map(name_of).collect();
    let by_name = || items.iter().position(|n| name_of(n).as_deref() == Some(&which.0));
    let count = items.len();
    let index = which.0.parse().ok().filter(|i| *i < count).or_else(by_name);
    index.and_then(|i| items.get_mut(i)).ok_or_else(|| {
        let help = match names.is_empty() {
            true => format!("`{list}` has {count} elements, counted from 0"),
            false => suggest(&which.0, "names", names.iter().map(String::as_str)),
        };
        Diagnostic::error("set", &which.1, format!("`{list}` has no element `{}`", which.0))
            .label("unknown")
            .help(help)
            .into()
    })
}

fn unknown(what: &str, plural: &str, step: &Step, table: &Table) -> Box<Diagnostic> {
    let help = suggest(&step.0, plural, table.entries.iter().map(|e| e.key.as_str()));
    Diagnostic::error("set", &step.1, format!("there is no {what} `{}` to set", step.0))
        .label("unknown")
        .help(help)
        .into()
}

fn put(table: &mut Table, step: &Step, value: Node) {
    match table.get_mut(&step.0) {
        Some(old) => *old = value,
        None => table.entries.push(Entry { key: step.0.clone(), key_place: step.1.clone(), value }),
    }
}
