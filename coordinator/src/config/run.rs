//! `[run]` and `[parameters]`.

use std::path::{Path, PathBuf};

use couple_ports::time::Span;

use super::diagnostic::{Diagnostic, Place};
use super::keys::RUN;
use super::reader::Reader;
use super::tree::{Entry, Kind, Node};
use super::units::Dimension;

/// How to run a network: what does not change its spikes.
#[derive(Clone, PartialEq, Debug)]
pub struct RunOptions {
    /// No progress for this long (of wall time) ends the run.
    pub stall_limit: Span,
    /// The components have this long (of wall time) to start and report.
    pub connect_timeout: Span,
    /// The window of all components, instead of the planner's choice.
    pub window: Option<Span>,
    /// Where relative paths start: the working directory of programs that the run starts.
    pub directory: PathBuf,
}

/// What `[run]` says, as far as it could be read.
pub(super) struct Run {
    pub name: String,
    pub seed: u64,
    pub duration: Option<(Span, Place)>,
    pub window: Option<(Span, Place)>,
    pub stall_limit: Span,
    pub connect_timeout: Span,
    pub directory: PathBuf,
}

/// Unless the configuration says otherwise.
const SEED: u64 = 1;
const STALL_LIMIT: Span = Span::from_ns(10_000_000_000);
const CONNECT_TIMEOUT: Span = Span::from_ns(60_000_000_000);

/// Reads `[run]`; `file` gives the default name and folder.
pub(super) fn read_run(reader: &mut Reader, root: Option<&Entry>, file: &Path) -> Run {
    let stem = file.file_stem().map_or("run".into(), |s| s.to_string_lossy());
    let safe = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.') { c } else { '-' };
    let mut run = Run {
        name: stem.chars().map(safe).collect(),
        seed: SEED,
        duration: None,
        window: None,
        stall_limit: STALL_LIMIT,
        connect_timeout: CONNECT_TIMEOUT,
        directory: file.parent().unwrap_or(Path::new("")).to_path_buf(),
    };
    let Some(fields) = root.and_then(|e| reader.open(&e.value, &e.key_place, &RUN)) else { return run };
    if let Some(node) = fields.get("name")
        && let Some(name) = reader.text(node)
        && reader.file_safe("run", name, &node.place)
    {
        run.name = name.to_string();
    }
    if let Some(node) = fields.get("seed") {
        run.seed = reader.integer(node, 0, i64::MAX as u64).unwrap_or(SEED);
    }
    let mut time = |key: &str, what: &str| {
        let node = fields.get(key)?;
        Some((reader.positive_time(node, what, false)?, node.place.clone()))
    };
    run.duration = time("duration", "the duration");
    run.window = time("window", "the window");
    run.stall_limit = time("stall_limit", "the stall limit").map_or(STALL_LIMIT, |t| t.0);
    run.connect_timeout = time("connect_timeout", "the connect timeout").map_or(CONNECT_TIMEOUT, |t| t.0);
    if let Some(node) = fields.get("directory")
        && let Some(text) = reader.text(node)
    {
        run.directory = run.directory.join(text);
        if !run.directory.is_dir() {
            reader.note(
                Diagnostic::error("missing-file", &node.place, format!("there is no folder `{text}`"))
                    .label("not a folder")
                    .help("relative paths start at the folder of the configuration file"),
            );
        }
    }
    run
}

/// Words that mean something else in expressions.
const RESERVED: [&str; 3] = ["pi", "size_from", "size_to"];

/// Reads `[parameters]` into the reader's scope.
pub(super) fn read_parameters(reader: &mut Reader, root: Option<&Node>) {
    let Some(node) = root else { return };
    let Some(table) = node.table() else {
        reader.wrong_type(node, "a table", "write numbers below the head [parameters]");
        return;
    };
    for entry in &table.entries {
        let hint = format!("`{}` is defined further down: a parameter may use those above it", entry.key);
        reader.scope.set_absent(&entry.key, &hint);
    }
    for entry in &table.entries {
        let value = check_parameter_name(reader, entry).and_then(|()| {
            if !matches!(entry.value.kind, Kind::String(_) | Kind::Integer(_) | Kind::Float(_)) {
                let help = format!("write {}", Dimension::None.example());
                reader.wrong_type(&entry.value, "a plain number", &help);
                return None;
            }
            reader.number(&entry.value, Dimension::None)
        });
        match value {
            Some(value) => reader.scope.set(&entry.key, value),
            None => {
                reader.scope.broken = true;
            }
        }
    }
}

fn check_parameter_name(reader: &mut Reader, entry: &Entry) -> Option<()> {
    let name = &entry.key;
    let starts = name.starts_with(|c: char| c.is_alphabetic() || c == '_');
    let (message, help) = if !starts || !name.chars().all(|c| c.is_alphanumeric() || c == '_') {
        (format!("`{name}` cannot be used in an expression"), "use letters, digits and `_`, not beginning with a digit")
    } else if RESERVED.contains(&name.as_str()) {
        (format!("`{name}` already means something in expressions"), "choose another name")
    } else {
        return Some(());
    };
    reader.note(Diagnostic::error("bad-name", &entry.key_place, message).label("not a possible name").help(help));
    None
}
