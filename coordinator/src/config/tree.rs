//! The configuration as a tree of values that know where they were written.

use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::diagnostic::{Diagnostic, Place, Source};

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub place: Place,
    pub kind: Kind,
}

/// What a value is.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    String(String),
    Integer(i64),
    Float(f64),
    Bool(bool),
    /// TOML knows dates; no key here takes one.
    Datetime(toml::value::Datetime),
    Array(Vec<Node>),
    Table(Table),
}

/// A table, in the order of the file.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    pub entries: Vec<Entry>,
}

/// A key with its value.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub key: String,
    pub key_place: Place,
    pub value: Node,
}

impl Table {
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|e| &e.value)
    }
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|e| e.key == key)
    }
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        self.entries.iter_mut().find(|e| e.key == key).map(|e| &mut e.value)
    }
}

impl Node {
    pub fn table(&self) -> Option<&Table> {
        match &self.kind {
            Kind::Table(table) => Some(table),
            _ => None,
        }
    }
    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::String(text) => Some(text),
            _ => None,
        }
    }
    /// What the value is, for messages.
    pub fn describe(&self) -> &'static str {
        match &self.kind {
            Kind::String(_) => "a string",
            Kind::Integer(_) => "an integer",
            Kind::Float(_) => "a number",
            Kind::Bool(_) => "a boolean",
            Kind::Datetime(_) => "a date",
            Kind::Array(_) => "a list",
            Kind::Table(_) => "a table",
        }
    }
    fn to_toml(&self) -> toml::Value {
        match &self.kind {
            Kind::String(v) => toml::Value::String(v.clone()),
            Kind::Integer(v) => toml::Value::Integer(*v),
            Kind::Float(v) => toml::Value::Float(*v),
            Kind::Bool(v) => toml::Value::Boolean(*v),
            Kind::Datetime(v) => toml::Value::Datetime(*v),
            Kind::Array(v) => toml::Value::Array(v.iter().map(Node::to_toml).collect()),
            Kind::Table(v) => {
                toml::Value::Table(v.entries.iter().map(|e| (e.key.clone(), e.value.to_toml())).collect())
            }
        }
    }
}

/// Reads `source` as TOML; syntax errors are reported all at once.
pub(super) fn parse(source: &Arc<Source>) -> Result<Table, Vec<Diagnostic>> {
    let (document, errors) = DeTable::parse_recoverable(&source.text);
    let mut builder = Builder { source, diagnostics: vec![] };
    syntax_errors(source, &errors, &mut builder.diagnostics);
    let table = builder.table(document.get_ref());
    if builder.diagnostics.is_empty() { Ok(table) } else { Err(builder.diagnostics) }
}

/// One message for each cause: what follows on the same line, or repeats below a repeated table, is left out.
fn syntax_errors(source: &Arc<Source>, errors: &[toml::de::Error], diagnostics: &mut Vec<Diagnostic>) {
    let text = &source.text;
    let mut last_line = None;
    // Up to here everything is the content of a table that is given a second time.
    let mut repeated = 0;
    for error in errors {
        let place = Place { source: source.clone(), range: visible(text, error.span().unwrap_or(0..0)) };
        let start = place.range.start;
        let line = text[..start].matches('\n').count();
        if last_line.replace(line) == Some(line) {
            continue;
        }
        let message = error.message().replace('\n', ", ");
        if !message.starts_with("duplicate key") {
            diagnostics.push(
                Diagnostic::error("syntax", &place, format!("this is not TOML: {message}")).label("from here").help(
                    "a line is `key = value`, `[table]` or `[[list of tables]]`; strings stand in \"double quotes\"",
                ),
            );
        } else if start >= repeated {
            let head = text[..start].rfind('\n').map_or(0, |i| i + 1);
            if text[head..].trim_start().starts_with('[') {
                repeated = text[start..].find("\n[").map_or(text.len(), |i| start + i);
            }
            diagnostics.push(duplicate(&place, text[place.range.clone()].trim(), head));
        }
    }
}

/// A key or table that stands a second time in the line that begins at `head`.
fn duplicate(place: &Place, key: &str, head: usize) -> Diagnostic {
    let text = &place.source.text;
    let diagnostic = Diagnostic::error("duplicate-key", place, format!("`{key}` is given twice"))
        .label("again here")
        .help("keep one of the two");
    // The first one: the same head of a table, or the same key above, in whole lines.
    let this = text[head..].lines().next().unwrap_or("").trim_end();
    let is_first = |line: &str| match this.starts_with('[') {
        true => line.trim_end() == this,
        false => line.trim_start().strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with('=')),
    };
    let mut offset = 0;
    let mut found = None;
    for line in text[..head].split_inclusive('\n') {
        if is_first(line) {
            let start = offset + line.find(key).unwrap_or(0);
            found = Some(start..start + key.len());
        }
        offset += line.len();
    }
    match found {
        Some(range) => diagnostic.related(&Place { source: place.source.clone(), range }, "first here"),
        None => diagnostic,
    }
}

/// An empty range, as at the end of a line, shows nothing: the character before it does.
fn visible(text: &str, range: Range<usize>) -> Range<usize> {
    let (start, end) = (text.floor_char_boundary(range.start), text.ceil_char_boundary(range.end));
    if start < end && text[start..end].trim() != "" {
        return start..end;
    }
    let before = text[..start].trim_end();
    before.char_indices().next_back().map_or(start..end, |(i, _)| i..before.len())
}

struct Builder<'a> {
    source: &'a Arc<Source>,
    diagnostics: Vec<Diagnostic>,
}

impl Builder<'_> {
    fn place(&self, range: Range<usize>) -> Place {
        Place { source: self.source.clone(), range }
    }

    fn table(&mut self, table: &DeTable<'_>) -> Table {
        let entry = |(key, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| {
            let key: &Spanned<std::borrow::Cow<'_, str>> = key;
            Entry { key: key.get_ref().to_string(), key_place: self.place(key.span()), value: self.node(value) }
        };
        Table { entries: table.iter().map(entry).collect() }
    }

    fn node(&mut self, value: &Spanned<DeValue<'_>>) -> Node {
        let place = self.place(value.span());
        let kind = match value.get_ref() {
            DeValue::String(text) => Kind::String(text.to_string()),
            DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
                Ok(number) => Kind::Integer(number),
                Err(_) => {
                    self.diagnostics.push(
                        Diagnostic::error("out-of-range", &place, "this integer does not fit in 64 bits")
                            .label("too large")
                            .help("the largest integer is 9223372036854775807"),
                    );
                    Kind::Integer(0)
                }
            },
            // The parser has checked the form; what is too large for a float becomes infinite and is refused later.
            DeValue::Float(number) => Kind::Float(number.as_str().parse().unwrap_or(f64::NAN)),
            DeValue::Boolean(value) => Kind::Bool(*value),
            DeValue::Datetime(value) => Kind::Datetime(*value),
            DeValue::Array(values) => Kind::Array(values.iter().map(|v| self.node(v)).collect()),
            DeValue::Table(table) => Kind::Table(self.table(table)),
        };
        Node { place, kind }
    }
}

/// Writes the tree as TOML: a head for each section and for each named table in it, everything deeper inline.
pub(super) fn write(root: &Table) -> String {
    let mut text = String::new();
    for Entry { key: section, value, .. } in &root.entries {
        match &value.kind {
            Kind::Table(table) => {
                let named = matches!(section.as_str(), "component" | "population" | "cell");
                let (tables, plain): (Vec<_>, Vec<_>) =
                    table.entries.iter().partition(|e| named && e.value.table().is_some());
                if !plain.is_empty() || tables.is_empty() {
                    head(&mut text, &format!("[{}]", bare(section)));
                    plain.iter().for_each(|e| line(&mut text, e));
                }
                for entry in tables {
                    head(&mut text, &format!("[{}.{}]", bare(section), bare(&entry.key)));
                    entry.value.table().iter().flat_map(|t| &t.entries).for_each(|e| line(&mut text, e));
                }
            }
            Kind::Array(items) if items.iter().all(|i| i.table().is_some()) => {
                for item in items {
                    head(&mut text, &format!("[[{}]]", bare(section)));
                    item.table().iter().flat_map(|t| &t.entries).for_each(|e| line(&mut text, e));
                }
            }
            _ => {}
        }
    }
    text
}

fn head(text: &mut String, head: &str) {
    if !text.is_empty() {
        text.push('\n');
    }
    text.push_str(head);
    text.push('\n');
}

fn line(text: &mut String, entry: &Entry) {
    text.push_str(&format!("{} = {}\n", bare(&entry.key), entry.value.to_toml()));
}

fn bare(key: &str) -> String {
    if !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-') {
        key.to_string()
    } else {
        toml::Value::String(key.to_string()).to_string()
    }
}
