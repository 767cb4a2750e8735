//! `[component.NAME]`.

use std::path::{Path, PathBuf};

use couple_network::description::{Component, Cvode, Simulator};
use couple_ports::time::Span;

use super::diagnostic::{Diagnostic, Place};
use super::keys::{COMPONENT, CVODE, FUTURE_SIMULATORS, SIMULATORS};
use super::reader::{Fields, Reader};
use super::tree::{Entry, Node};
use super::units::Dimension;

/// A component as far as it could be read.
pub(super) struct ComponentDraft {
    pub name: String,
    pub place: Place,
    pub simulator: Option<Simulator>,
    /// Its step, if that is known.
    pub step: Option<Span>,
    /// All of it, if nothing is wrong.
    pub whole: Option<Component>,
}

/// The interpreter of scripts, unless the configuration says otherwise.
const PYTHON: &str = "python3";
/// Unless the configuration says otherwise.
const STEP: Span = Span::from_ns(100_000);
/// Most processes of a run, and most threads of a process: beyond what one host has. Each two processes that exchange
/// spikes have channels of their own, so that there may be a million of these.
pub(super) const MOST: u32 = 1024;

/// Reads all components; relative paths start at `directory`.
pub(super) fn read_components(reader: &mut Reader, root: Option<&Node>, directory: &Path) -> Vec<ComponentDraft> {
    let entries = reader.named(root, "component");
    entries.iter().map(|entry| read_component(reader, entry, directory)).collect()
}

fn read_component(reader: &mut Reader, entry: &Entry, directory: &Path) -> ComponentDraft {
    let mut draft = ComponentDraft {
        name: entry.key.clone(),
        place: entry.key_place.clone(),
        simulator: None,
        step: None,
        whole: None,
    };
    let before = reader.diagnostics.len();
    let Some(fields) = reader.open(&entry.value, &entry.key_place, &COMPONENT) else { return draft };
    draft.simulator = fields.get("simulator").and_then(|node| read_simulator(reader, node));
    draft.step = match fields.get("step") {
        Some(node) => reader.positive_time(node, "a step", false),
        None => Some(STEP),
    };
    let mut number = |key: &str| match fields.get(key) {
        Some(node) => reader.integer(node, 1, MOST.into()).map(|n| n as u32),
        None => Some(1),
    };
    let (ranks, threads) = (number("ranks"), number("threads"));
    let runs_scripts =
        matches!(draft.simulator, Some(Simulator::Nest | Simulator::Neuron | Simulator::Brian2 | Simulator::Arbor));
    if let (true, Some(2..), Some(node)) = (runs_scripts, ranks, fields.get("script")) {
        let message = "a model of your own runs in one process".to_string();
        reader.note(
            Diagnostic::error("not-used", fields.place_of("ranks"), message)
                .label("more than one")
                .related(&node.place, "the model")
                .help("set ranks = 1 and use `threads`, or describe the populations here, without a script"),
        );
    }
    if let (Some(Simulator::Converter), Some(2..), Some(node)) = (draft.simulator, threads, fields.get("threads")) {
        reader.note(
            Diagnostic::error("not-used", &node.place, "converters have one thread")
                .label("more than one")
                .help("remove it; `ranks` divides the neurons among processes"),
        );
    }
    if let (Some(Simulator::Neuron | Simulator::Brian2), Some(2..)) = (draft.simulator, threads) {
        let name = if draft.simulator == Some(Simulator::Neuron) { "NEURON" } else { "Brian2" };
        let message = format!("{name} runs on one thread in each process");
        reader.note(
            Diagnostic::error("limit", fields.place_of("threads"), message)
                .label("more than one")
                .help("use `ranks` instead: each is a process with a part of the neurons"),
        );
    }
    let (script, command, python) = read_program(reader, &fields, draft.simulator, directory);
    let cvode = read_cvode(reader, &fields, draft.simulator);
    if let (Some(simulator), Some(step), Some(ranks), Some(threads)) = (draft.simulator, draft.step, ranks, threads)
        && !reader.failed_since(before)
    {
        let name = draft.name.clone();
        draft.whole = Some(Component { name, simulator, step, ranks, threads, script, command, python, cvode });
    }
    draft
}

fn read_simulator(reader: &mut Reader, node: &Node) -> Option<Simulator> {
    match reader.text(node)? {
        "native" => Some(Simulator::Native),
        "nest" => Some(Simulator::Nest),
        "neuron" => Some(Simulator::Neuron),
        "brian2" => Some(Simulator::Brian2),
        "arbor" => Some(Simulator::Arbor),
        "script" => Some(Simulator::Script),
        "converter" => Some(Simulator::Converter),
        future if FUTURE_SIMULATORS.contains(&future) => {
            reader.note(
                Diagnostic::error(
                    "not-yet",
                    &node.place,
                    format!("the simulator `{future}` is not supported by this version"),
                )
                .label("not yet")
                .help("use native, nest, neuron or brian2, or a program of your own with simulator = \"script\""),
            );
            None
        }
        other => {
            let known = SIMULATORS.into_iter().chain(FUTURE_SIMULATORS);
            reader.unknown("unknown-simulator", &node.place, ("simulator", "simulators"), other, known);
            None
        }
    }
}

type Program = (Option<String>, Vec<String>, Option<String>);

/// What the component's processes run: keys that do not go with the simulator are refused.
fn read_program(reader: &mut Reader, fields: &Fields<'_>, simulator: Option<Simulator>, directory: &Path) -> Program {
    let allowed: &[&str] = match simulator {
        None => return (None, vec![], None),
        Some(Simulator::Native | Simulator::Converter) => &[],
        Some(Simulator::Nest | Simulator::Neuron | Simulator::Brian2 | Simulator::Arbor) => &["script", "python"],
        Some(Simulator::Script) => &["script", "command", "python"],
    };
    for key in ["script", "command", "python"].into_iter().filter(|k| !allowed.contains(k)) {
        if let Some(entry) = fields.entry(key) {
            refuse_key(reader, key, &entry.key_place, simulator);
        }
    }
    let path_of = |reader: &mut Reader, key: &str| {
        let node = fields.get(key).filter(|_| allowed.contains(&key))?;
        let text = reader.text(node)?;
        existing_file(reader, node, text, directory)
    };
    let script = path_of(reader, "script");
    if let Some(node) = fields.get("script").filter(|_| script.is_some()) {
        refuse_hiding(reader, node, script.as_deref().unwrap_or_default());
    }
    let python = fields.get("python").filter(|_| allowed.contains(&"python")).and_then(|node| {
        let text = reader.text(node)?;
        find_program(reader, node, text, directory)
    });
    if simulator == Some(Simulator::Arbor) && fields.get("script").is_none() {
        reader.note(
            Diagnostic::error("missing-key", fields.place, "a component of simulator `arbor` needs a `script`")
                .label("no model")
                .help("add  script = \"model.py\"  with a recipe of Arbor's; docs/arbor.md shows one"),
        );
    }
    if simulator == Some(Simulator::Script) {
        return read_own_program(reader, fields, directory, script, python);
    }
    (script, vec![], python)
}

/// A script that is called like a package is found in its place by whoever imports that package, itself included.
fn refuse_hiding(reader: &mut Reader, node: &Node, script: &str) {
    let stem = Path::new(script).file_stem().unwrap_or_default().to_string_lossy();
    if let Some(package) = ["couple", "numpy", "nest", "neuron", "brian2", "arbor"].into_iter().find(|p| *p == stem) {
        let message = format!("a script that is called `{package}` hides the package `{package}`");
        reader.note(
            Diagnostic::error("bad-name", &node.place, message)
                .label("Python would import it instead")
                .help("give the script another name, for example model.py"),
        );
    }
}

/// A program of the user's: a script in Python, or any command.
fn read_own_program(
    reader: &mut Reader,
    fields: &Fields<'_>,
    directory: &Path,
    script: Option<String>,
    python: Option<String>,
) -> Program {
    let Some(node) = fields.get("script") else {
        if let Some(entry) = fields.entry("python") {
            refuse(
                reader,
                &entry.key_place,
                "`python` goes with a `script`",
                "name the interpreter as first word of `command`",
            );
        }
        return (None, read_command(reader, fields, directory), None);
    };
    if let Some(entry) = fields.entry("command") {
        refuse(reader, &entry.key_place, "a component has a `script` or a `command`, not both", "remove one of them");
    }
    // Without another one, the interpreter that the user's shell would start.
    let python = if fields.get("python").is_some() { python } else { find_program(reader, node, PYTHON, directory) };
    (script, vec![], python)
}

fn refuse(reader: &mut Reader, place: &Place, message: &str, help: &str) {
    reader.note(Diagnostic::error("not-used", place, message).label("not here").help(help));
}

/// NEURON's variable step; any other simulator has none.
fn read_cvode(reader: &mut Reader, fields: &Fields<'_>, simulator: Option<Simulator>) -> Option<Cvode> {
    let entry = fields.entry("cvode")?;
    if simulator.is_some_and(|simulator| simulator != Simulator::Neuron) {
        reader.note(
            Diagnostic::error("not-used", &entry.key_place, "only NEURON has the integrator `cvode`")
                .label("not for this simulator")
                .help("remove it, or choose simulator = \"neuron\""),
        );
        return None;
    }
    let fields = reader.open(&entry.value, &entry.key_place, &CVODE)?;
    let atol = match fields.get("atol") {
        Some(node) => {
            let atol = reader.number(node, Dimension::None)?;
            if atol <= 0.0 {
                reader.note(
                    Diagnostic::error("out-of-range", &node.place, format!("a tolerance of {atol} cannot be met"))
                        .label("not positive")
                        .help("write a small positive number, for example 1e-6"),
                );
            }
            atol
        }
        None => 1e-6,
    };
    let condition_order = match fields.get("condition_order") {
        Some(node) => reader.integer(node, 1, 2)? as u32,
        None => 2,
    };
    Some(Cvode { atol, condition_order })
}

fn refuse_key(reader: &mut Reader, key: &str, place: &Place, simulator: Option<Simulator>) {
    let (name, help) = match (simulator, key) {
        (Some(Simulator::Native), "script") => {
            ("native", "a model of your own needs simulator = \"nest\" (or \"script\", with a `command`)")
        }
        (Some(Simulator::Native), _) => ("native", "remove it, or choose simulator = \"script\""),
        (Some(Simulator::Converter), _) => ("converter", "remove it, or choose simulator = \"script\""),
        (Some(Simulator::Nest), _) => ("nest", "remove it; `script` names a model of your own for NEST"),
        (Some(Simulator::Neuron), _) => ("neuron", "remove it; `script` names a model of your own for NEURON"),
        (Some(Simulator::Brian2), _) => ("brian2", "remove it; `script` names a model of your own for Brian2"),
        (Some(Simulator::Arbor), _) => ("arbor", "remove it; `script` names a model of your own for Arbor"),
        _ => ("script", "remove it"),
    };
    reader.note(
        Diagnostic::error("not-used", place, format!("a component of simulator `{name}` takes no `{key}`"))
            .label("not for this simulator")
            .help(help),
    );
}

fn read_command(reader: &mut Reader, fields: &Fields<'_>, directory: &Path) -> Vec<String> {
    let Some(node) = fields.get("command") else {
        reader.note(
            Diagnostic::error(
                "missing-key",
                fields.place,
                "a component of simulator `script` needs a `script` or a `command`",
            )
            .label("no program")
            .help("add  script = \"robot.py\"  for a program in Python, or  command = [\"./robot\"]  for any other"),
        );
        return vec![];
    };
    let Some(items) = reader.list(node, "a list of strings, [\"program\", \"argument\"]") else { return vec![] };
    let Some(words) = items.iter().map(|n| reader.text(n).map(str::to_string)).collect::<Option<Vec<_>>>() else {
        return vec![];
    };
    let Some(first) = items.first() else {
        reader.note(
            Diagnostic::error("wrong-length", &node.place, "the command is empty")
                .label("no program")
                .help("the first string is the program, for example [\"python3\", \"robot.py\"]"),
        );
        return vec![];
    };
    match find_program(reader, first, &words[0], directory) {
        Some(program) => std::iter::once(program).chain(words[1..].iter().cloned()).collect(),
        None => vec![],
    }
}

/// `text` as the absolute path of a file that exists.
fn existing_file(reader: &mut Reader, node: &Node, text: &str, directory: &Path) -> Option<String> {
    let path = directory.join(text);
    if path.is_file() {
        return Some(absolute(&path));
    }
    let message = match path.exists() {
        true => format!("`{text}` is not a file"),
        false => format!("there is no file `{text}`"),
    };
    reader.note(
        Diagnostic::error("missing-file", &node.place, message)
            .label("not found")
            .help("relative paths start at the folder of the configuration file"),
    );
    None
}

/// A program: a path if it has a slash, else looked for along PATH (and left to be found there again).
fn find_program(reader: &mut Reader, node: &Node, text: &str, directory: &Path) -> Option<String> {
    if text.contains('/') {
        return existing_file(reader, node, text, directory);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    if !text.is_empty() && std::env::split_paths(&path).any(|folder| folder.join(text).is_file()) {
        return Some(text.to_string());
    }
    reader.note(
        Diagnostic::error("missing-file", &node.place, format!("there is no program `{text}` along PATH"))
            .label("not found")
            .help("install it, or write its path, with a `/` in it"),
    );
    None
}

fn absolute(path: &Path) -> String {
    let full: PathBuf = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    full.to_string_lossy().into_owned()
}
