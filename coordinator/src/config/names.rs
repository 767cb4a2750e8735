//! Named tables: components, cells, populations.

use super::diagnostic::{Diagnostic, Place};
use super::reader::Reader;
use super::tree::{Entry, Node};

/// Longest name: names become names of files and of groups in recordings.
const LONGEST: usize = 100;

impl Reader {
    /// The entries of `[what.NAME]` tables, their names checked.
    pub fn named<'a>(&mut self, root: Option<&'a Node>, what: &str) -> &'a [Entry] {
        let Some(node) = root else { return &[] };
        let Some(table) = node.table() else {
            self.wrong_type(node, "a table", &format!("write a table for each {what}, [{what}.NAME]"));
            return &[];
        };
        for entry in &table.entries {
            self.file_safe(what, &entry.key, &entry.key_place);
        }
        &table.entries
    }

    /// The elements of `[[what]]`.
    pub fn elements<'a>(&mut self, root: Option<&'a Node>, what: &str) -> &'a [Node] {
        let Some(node) = root else { return &[] };
        if node.table().is_some() {
            self.note(
                Diagnostic::error("wrong-type", &node.place, format!("[{what}] is a list of tables"))
                    .label("a single table")
                    .help(format!("write [[{what}]] with two brackets, once for each {what}")),
            );
            return &[];
        }
        self.list(node, &format!("tables, each headed [[{what}]]")).unwrap_or(&[])
    }

    /// Names become names of files on any system.
    pub fn file_safe(&mut self, what: &str, name: &str, place: &Place) -> bool {
        let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        let trouble = if name.is_empty() {
            Some("an empty name".to_string())
        } else if let Some(c) = name.chars().find(|c| !fine(*c)) {
            Some(format!("`{}` in a name", c.escape_debug()))
        } else if name.starts_with(['.', '-']) {
            Some(format!("`{}` at the start of a name", &name[..1]))
        } else if name.len() > LONGEST {
            Some(format!("a name of more than {LONGEST} characters"))
        } else {
            None
        };
        let Some(trouble) = trouble else { return true };
        self.note(
            Diagnostic::error("bad-name", place, format!("{trouble}: {what} names become names of files"))
                .label("not a possible name")
                .help("use letters, digits, `_`, `-` and `.`, beginning with a letter, a digit or `_`"),
        );
        false
    }
}
