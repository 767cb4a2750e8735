//! Reading the tree: keys, types, units, names; each mistake is noted and reading goes on.
//!
//! Functions return `None` where a mistake has been noted (or an earlier one makes the value meaningless), so that no
//! cause is reported twice.

use std::collections::BTreeMap;

use couple_ports::time::{Span, TimeError};

use super::diagnostic::{Diagnostic, Place, Severity};
use super::expression::{self, Names};
use super::keys::{DISTRIBUTIONS, Section};
use super::nearest::{nearest, suggest};
use super::tree::{Entry, Kind, Node, Table};
use super::units::{self, Dimension, UnitError};

/// The named numbers of expressions.
#[derive(Clone, Default)]
pub(super) struct Scope {
    numbers: BTreeMap<String, f64>,
    /// Names that exist but have no value here, with the reason.
    absent: BTreeMap<String, String>,
    /// A parameter was wrong: names may be missing for that reason alone.
    pub broken: bool,
}

impl Scope {
    pub fn set(&mut self, name: &str, value: f64) {
        self.absent.remove(name);
        self.numbers.insert(name.to_string(), value);
    }
    pub fn set_absent(&mut self, name: &str, reason: &str) {
        self.absent.insert(name.to_string(), reason.to_string());
    }
}

impl Names for Scope {
    fn number(&self, name: &str) -> Option<f64> {
        self.numbers.get(name).copied()
    }
    fn all(&self) -> Vec<String> {
        self.numbers.keys().cloned().collect()
    }
    fn hint(&self, name: &str) -> Option<String> {
        self.absent.get(name).cloned()
    }
}

/// What has been noted so far, and the names that expressions may use.
#[derive(Default)]
pub(super) struct Reader {
    pub diagnostics: Vec<Diagnostic>,
    pub scope: Scope,
    /// Which pair of populations is being read, where there are several.
    pub pair: Option<String>,
}

/// A table whose keys are known to be allowed.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a> {
    pub table: &'a Table,
    /// The table's own place: its head, or its key.
    pub place: &'a Place,
}

impl<'a> Fields<'a> {
    pub fn get(&self, key: &str) -> Option<&'a Node> {
        self.table.get(key)
    }
    pub fn entry(&self, key: &str) -> Option<&'a Entry> {
        self.table.entry(key)
    }
    /// The place of the value of `key`, or of the table when it has none.
    pub fn place_of(&self, key: &str) -> &'a Place {
        self.get(key).map_or(self.place, |n| &n.place)
    }
}

impl Reader {
    /// Notes `diagnostic`, unless the same is already noted of the same place (an expression that is evaluated for
    /// several pairs fails once for the user).
    pub fn note(&mut self, mut diagnostic: Diagnostic) {
        let same = |d: &Diagnostic| {
            let same_text = diagnostic.code != "missing-key" || d.message == diagnostic.message;
            d.place == diagnostic.place && d.code == diagnostic.code && same_text
        };
        if diagnostic.place.is_some() && self.diagnostics.iter().any(same) {
            return;
        }
        if let (Some(pair), Some(place)) = (&self.pair, &diagnostic.place) {
            let text = place.source.text.get(place.range.clone()).unwrap_or("");
            if diagnostic.code == "expression" || text.starts_with("\"=") || text.starts_with("'=") {
                diagnostic.message = format!("{} ({pair})", diagnostic.message);
            }
        }
        self.diagnostics.push(diagnostic);
    }

    /// True when an error has been noted since there were `before` diagnostics.
    pub fn failed_since(&self, before: usize) -> bool {
        self.diagnostics[before..].iter().any(|d| d.severity == Severity::Error)
    }

    /// `node` as a table of `section`, its keys checked.
    pub fn open<'a>(&mut self, node: &'a Node, head: &'a Place, section: &Section) -> Option<Fields<'a>> {
        let Kind::Table(table) = &node.kind else {
            let keys = section.keys.iter().filter(|k| k.required && !k.example.starts_with('['));
            let keys: Vec<_> = keys.map(|k| format!("{} = {}", k.name, k.example)).collect();
            let example = if keys.is_empty() { "key = value".to_string() } else { keys.join(", ") };
            self.wrong_type(node, "a table", &format!("write a table: its keys below its [head], or {{ {example} }}"));
            return None;
        };
        let meant = self.check_keys(table, section);
        for key in section.required().filter(|k| table.get(k).is_none() && !meant.contains(k)) {
            let example = section.key(key).map_or("", |k| k.example);
            let assignment = if example.starts_with('[') { String::new() } else { format!("{key} = ") };
            self.note(
                Diagnostic::error("missing-key", head, format!("{} has no `{key}`", section.name()))
                    .label(format!("`{key}` is missing"))
                    .help(format!("add  {assignment}{example}")),
            );
        }
        Some(Fields { table, place: head })
    }

    /// Notes unknown keys; returns the known ones that were probably meant, which are then not missing.
    fn check_keys(&mut self, table: &Table, section: &Section) -> Vec<&'static str> {
        let mut meant = vec![];
        for entry in table.entries.iter().filter(|e| section.key(&e.key).is_none()) {
            let absent = section.keys.iter().map(|k| k.name).filter(|k| table.get(k).is_none());
            meant.extend(nearest(&entry.key, absent));
            let help = suggest(&entry.key, "keys", section.keys.iter().map(|k| k.name));
            self.note(
                Diagnostic::error(
                    "unknown-key",
                    &entry.key_place,
                    format!("{} has no key `{}`", section.name(), entry.key),
                )
                .label("unknown key")
                .help(help),
            );
        }
        meant
    }

    pub fn wrong_type(&mut self, node: &Node, wanted: &str, help: &str) {
        self.note(
            Diagnostic::error("wrong-type", &node.place, format!("expected {wanted}, found {}", node.describe()))
                .label(format!("this is {}", node.describe()))
                .help(help),
        );
    }

    pub fn text<'a>(&mut self, node: &'a Node) -> Option<&'a str> {
        let text = node.text();
        if text.is_none() {
            self.wrong_type(node, "a string", "strings stand in \"double quotes\"");
        }
        text
    }

    pub fn boolean(&mut self, node: &Node) -> Option<bool> {
        match node.kind {
            Kind::Bool(value) => Some(value),
            _ => {
                self.wrong_type(node, "true or false", "write true or false, without quotes");
                None
            }
        }
    }

    pub fn list<'a>(&mut self, node: &'a Node, wanted: &str) -> Option<&'a [Node]> {
        match &node.kind {
            Kind::Array(items) => Some(items),
            _ => {
                self.wrong_type(node, "a list", &format!("write {wanted}"));
                None
            }
        }
    }

    /// One string or a list of strings.
    pub fn texts<'a>(&mut self, node: &'a Node) -> Option<Vec<(&'a str, &'a Place)>> {
        match &node.kind {
            Kind::Array(items) => {
                if items.is_empty() {
                    self.note(
                        Diagnostic::error("wrong-length", &node.place, "this list is empty")
                            .label("nothing in it")
                            .help("name at least one"),
                    );
                    return None;
                }
                items.iter().map(|n| self.text(n).map(|t| (t, &n.place))).collect()
            }
            Kind::String(text) => Some(vec![(text, &node.place)]),
            _ => {
                self.wrong_type(node, "a string or a list of strings", "write \"one\" or [\"one\", \"two\"]");
                None
            }
        }
    }

    /// The value of an expression, when the text is one.
    fn expression(&mut self, node: &Node, text: &str) -> Option<Option<f64>> {
        let body = text.strip_prefix('=')?;
        let error = match expression::evaluate(body, &self.scope) {
            Ok(value) => return Some(Some(value)),
            Err(error) => error,
        };
        if self.scope.broken && error.message.ends_with("is not defined") {
            return Some(None);
        }
        // Point into the string, if it is written without escapes.
        let mut place = node.place.clone();
        let source = place.source.clone();
        if let Some(offset) = source.text.get(place.range.clone()).and_then(|raw| raw.find(text)) {
            let start = place.range.start + offset + 1;
            place.range = start + error.range.start..start + error.range.end;
        }
        let diagnostic = Diagnostic::error("expression", &place, format!("in this expression, {}", error.message));
        self.note(match error.help {
            Some(help) => diagnostic.help(help),
            None => diagnostic.help("expressions are described in configs/default.toml, at [parameters]"),
        });
        Some(None)
    }

    fn quantity_error(&mut self, node: &Node, text: &str, dimension: Dimension, error: &UnitError) {
        let (code, message, label) = match error {
            UnitError::NotANumber => {
                ("wrong-type", format!("expected {}", dimension.describe()), "not a number".to_string())
            }
            UnitError::UnknownUnit(unit) => {
                ("unknown-unit", format!("`{unit}` is no unit known here"), "unknown unit".to_string())
            }
            UnitError::Wrong(found) => (
                "wrong-unit",
                format!("expected {}, found {}", dimension.describe(), found.describe()),
                format!("this is {}", found.describe()),
            ),
        };
        let known: Vec<_> = units::units_of(dimension).collect();
        let drawn = text.split_once('(').and_then(|(name, _)| DISTRIBUTIONS.iter().find(|d| d.title == name.trim()));
        let help = match (error, units::meant(text, dimension)) {
            (UnitError::UnknownUnit(_) | UnitError::NotANumber, Some(meant)) => format!("write \"{meant}\""),
            _ if expression::evaluate(text, &self.scope).is_ok() => {
                format!("an expression begins with `=`: write \"= {text}\"")
            }
            _ if drawn.is_some() => {
                format!("a distribution is a table: {{ distribution = \"{}\", … }}", drawn.map_or("", |d| d.title))
            }
            (UnitError::UnknownUnit(_), None) if !known.is_empty() => {
                format!("write {}; the units are {}", dimension.example(), known.join(", "))
            }
            _ => format!("write {}", dimension.example()),
        };
        self.note(Diagnostic::error(code, &node.place, message).label(label).help(help));
    }

    /// A number in PyNN's unit of `dimension`; infinite ones are allowed.
    pub fn number_or_infinite(&mut self, node: &Node, dimension: Dimension) -> Option<f64> {
        match &node.kind {
            Kind::Integer(value) => Some(*value as f64),
            Kind::Float(value) => Some(*value),
            Kind::String(text) => {
                if let Some(value) = self.expression(node, text) {
                    return value;
                }
                match units::parse(text, dimension) {
                    Ok(value) => Some(value),
                    Err(error) => {
                        self.quantity_error(node, text, dimension, &error);
                        None
                    }
                }
            }
            _ => {
                self.wrong_type(node, dimension.describe(), &format!("write {}", dimension.example()));
                None
            }
        }
    }

    /// A finite number in PyNN's unit of `dimension`.
    pub fn number(&mut self, node: &Node, dimension: Dimension) -> Option<f64> {
        let value = self.number_or_infinite(node, dimension)?;
        if value.is_finite() {
            return Some(value);
        }
        self.note(
            Diagnostic::error("out-of-range", &node.place, "this number is not finite")
                .label(if value.is_nan() { "not a number" } else { "infinite, or too large for a double" })
                .help(format!("write {}", dimension.example())),
        );
        None
    }

    /// A whole number within `low..=high`.
    pub fn integer(&mut self, node: &Node, low: u64, high: u64) -> Option<u64> {
        let value = match node.kind {
            Kind::Integer(value) => i128::from(value),
            Kind::Float(_) | Kind::String(_) => {
                let value = self.number(node, Dimension::None)?;
                if value.fract() != 0.0 {
                    self.note(
                        Diagnostic::error("wrong-type", &node.place, format!("expected a whole number, found {value}"))
                            .label("has a fraction")
                            .help("round it, for example with round(x) in an expression"),
                    );
                    return None;
                }
                value as i128
            }
            _ => {
                self.wrong_type(node, "a whole number", &format!("write a whole number from {low} to {high}"));
                return None;
            }
        };
        if (i128::from(low)..=i128::from(high)).contains(&value) {
            return u64::try_from(value).ok();
        }
        let bound = if value < i128::from(low) { "too small" } else { "too large" };
        self.note(
            Diagnostic::error("out-of-range", &node.place, format!("{value} is {bound}"))
                .label(bound)
                .help(format!("a whole number from {low} to {high} is expected")),
        );
        None
    }

    /// An exact time.
    pub fn time(&mut self, node: &Node) -> Option<Span> {
        let result = match &node.kind {
            Kind::Integer(value) => {
                value.checked_mul(1_000_000).map(Span::from_ns).ok_or_else(|| TimeError::TooLong(format!("{value} ms")))
            }
            Kind::Float(value) => Span::from_ms(*value),
            Kind::String(text) => match self.expression(node, text) {
                Some(value) => computed_time(value?),
                None => match units::parse(text, Dimension::Time) {
                    Ok(_) => text.parse(),
                    Err(error) => {
                        self.quantity_error(node, text, Dimension::Time, &error);
                        return None;
                    }
                },
            },
            _ => {
                self.wrong_type(node, "a time", &format!("write {}", Dimension::Time.example()));
                return None;
            }
        };
        match result {
            Ok(span) if span.ns().unsigned_abs() <= LONGEST_TIME.ns().unsigned_abs() => Some(span),
            Ok(_) => {
                self.note(
                    Diagnostic::error("out-of-range", &node.place, "this time is longer than 30 years")
                        .label("too long")
                        .help("times are in ms unless they have a unit"),
                );
                None
            }
            Err(error) => {
                let diagnostic = Diagnostic::error("not-exact", &node.place, error.to_string());
                self.note(match error {
                    TimeError::TooFine(_) => diagnostic
                        .label("not exact")
                        .help("times are whole nanoseconds and never rounded in silence: write it with fewer digits"),
                    _ => diagnostic.label("not a time").help(format!("write {}", Dimension::Time.example())),
                });
                None
            }
        }
    }

    /// A time that is more than 0 (or at least 0, when `zero` is allowed).
    pub fn positive_time(&mut self, node: &Node, what: &str, zero: bool) -> Option<Span> {
        let span = self.time(node)?;
        if span > Span::ZERO || (zero && span == Span::ZERO) {
            return Some(span);
        }
        let wanted = if zero { "0 or more" } else { "more than 0" };
        self.note(
            Diagnostic::error("out-of-range", &node.place, format!("{what} must be {wanted}, not {span}"))
                .label("too short")
                .help(format!("write {}", Dimension::Time.example())),
        );
        None
    }

    /// Notes that nothing is called `name`, with the nearest of `known`.
    pub fn unknown<'a>(
        &mut self,
        code: &'static str,
        place: &Place,
        what: (&str, &str),
        name: &str,
        known: impl IntoIterator<Item = &'a str>,
    ) {
        let help = suggest(name, what.1, known);
        self.note(
            Diagnostic::error(code, place, format!("there is no {} `{name}`", what.0))
                .label(format!("unknown {}", what.0))
                .help(help),
        );
    }
}

/// Far enough from the end of the axis that sums of a few times stay on it.
const LONGEST_TIME: Span = Span::from_ns(946_080_000_000_000_000);

/// A time that came out of an expression: doubles are not exact there, so what is within a billionth of a whole
/// number of nanoseconds is that number.
fn computed_time(ms: f64) -> Result<Span, TimeError> {
    let ns = ms * 1e6;
    let whole = ns.round();
    if !ns.is_finite() || whole.abs() >= i64::MAX as f64 {
        return Err(TimeError::TooLong(format!("{ms} ms")));
    }
    if (ns - whole).abs() > 1e-9 * whole.abs().max(1.0) {
        return Err(TimeError::TooFine(format!("{ms} ms")));
    }
    Ok(Span::from_ns(whole as i64))
}
