//! Populations without a cell: ports of programs and of users' own models, with the variables that they declare, and
//! converters.

use couple_network::description::{Model, Quantity, Simulator, Variable};

use super::{Kind, PopulationDraft, Surroundings};
use crate::config::component::ComponentDraft;
use crate::config::converter::{self, Setting};
use crate::config::diagnostic::Diagnostic;
use crate::config::nearest::nearest;
use crate::config::reader::{Fields, Reader};
use crate::config::tree::{Entry, Node, Table};

/// A port into the user's own model.
pub(super) fn read_port(
    reader: &mut Reader,
    fields: &Fields<'_>,
    component: Option<&ComponentDraft>,
    draft: &mut PopulationDraft,
) -> Option<Model> {
    let component = component?;
    let has_script = match component.simulator? {
        Simulator::Native => false,
        // With a broken component it is not known whether it has a script.
        Simulator::Nest | Simulator::Neuron | Simulator::Brian2 | Simulator::Arbor => {
            component.whole.as_ref().is_none_or(|c| c.script.is_some())
        }
        Simulator::Script => true,
        Simulator::Converter => {
            let message = format!("population `{}` lives among converters and has no `converter`", draft.name);
            reader.note(
                Diagnostic::error("missing-key", fields.place, message)
                    .label("`converter` is missing")
                    .help("add  converter = { type = \"rate_to_poisson\" }, or place it on another component"),
            );
            return None;
        }
    };
    if !has_script {
        let message = format!(
            "population `{}` has no `cell`, and component `{}` runs no script that could bring it",
            draft.name, component.name
        );
        reader.note(
            Diagnostic::error("missing-key", fields.place, message)
                .label("`cell` is missing")
                .help("add  cell = \"IF_curr_exp\", or place it on a component with a model of your own"),
        );
        return None;
    }
    draft.kind = Some(if component.simulator == Some(Simulator::Script) { Kind::Port } else { Kind::OwnModel });
    refuse_settings(
        reader,
        fields,
        "needs a `cell` that it belongs to",
        "add a `cell`; without one this is a port of the component's own model, which has its own",
    );
    Some(Model::Port)
}

fn refuse_settings(reader: &mut Reader, fields: &Fields<'_>, reason: &str, help: &str) {
    for key in ["params", "initial"] {
        if let Some(entry) = fields.entry(key) {
            reader.note(
                Diagnostic::error("not-used", &entry.key_place, format!("`{key}` {reason}"))
                    .label("no cell")
                    .help(help),
            );
        }
    }
}

/// Arbor's cells are those of a script.
pub(super) fn refuse_cell_on_arbor(reader: &mut Reader, node: &Node, component: &ComponentDraft) {
    let message = format!("component `{}` is Arbor, which has the cells of your script and no others", component.name);
    reader.note(Diagnostic::error("not-used", &node.place, message).label("no standard cells there").help(
        "remove `cell`: the population is then a number of the script's cells; or place it on another component",
    ));
}

/// A population is one or the other.
pub(super) fn refuse_both(reader: &mut Reader, cell: &Node, converter: &Node) {
    reader.note(
        Diagnostic::error("not-used", &converter.place, "a population has a `cell` or a `converter`, not both")
            .label("one too many")
            .related(&cell.place, "the cell")
            .help("make two populations of it, or remove one of the two keys"),
    );
}

/// Among converters there are no cells.
pub(super) fn refuse_cell(reader: &mut Reader, node: &Node, component: &ComponentDraft, population: &str) {
    let message = format!("component `{}` has converters, and `{population}` has a `cell`", component.name);
    reader.note(
        Diagnostic::error("not-used", &node.place, message)
            .label("no cells there")
            .help("give it a `converter` instead, or place it on a component with simulator = \"native\""),
    );
}

pub(super) fn read_converter(
    reader: &mut Reader,
    node: &Node,
    fields: &Fields<'_>,
    (component, around): (Option<&ComponentDraft>, &Surroundings<'_>),
    draft: &mut PopulationDraft,
) -> Option<Model> {
    let before = reader.diagnostics.len();
    if let Some(component) = component.filter(|c| c.simulator.is_some_and(|s| s != Simulator::Converter)) {
        let message = format!("component `{}` has no converters", component.name);
        reader.note(
            Diagnostic::error("wrong-component", fields.place_of("component"), message)
                .label("another simulator")
                .related(&component.place, "this component")
                .help("place it on a component with  simulator = \"converter\""),
        );
    }
    refuse_settings(reader, fields, "belongs to cells", "what a converter needs stands in `converter`");
    let step = component.and_then(|c| c.step);
    let setting = Setting { step, size: draft.size, directory: around.directory };
    let converter = converter::read_converter(reader, node, setting)?;
    draft.kind =
        Some(Kind::Converter { takes_spikes: converter.takes_spikes(), makes_spikes: converter.makes_spikes() });
    (!reader.failed_since(before)).then_some(Model::Converter(converter))
}

/// The variables that a program declares.
pub(super) fn read_variables(reader: &mut Reader, fields: &Fields<'_>, draft: &PopulationDraft) -> Vec<Variable> {
    let Some(entry) = fields.entry("variables") else { return vec![] };
    if let Some(message) = undeclared(draft) {
        reader.note(
            Diagnostic::error("not-used", &entry.key_place, message)
                .label("not declared here")
                .help("only a population without `cell` and `converter` declares variables: those of a program"),
        );
        return vec![];
    }
    let Some(table) = entry.value.table() else {
        reader.wrong_type(&entry.value, "a table", "write for example { dend = \"mV\", command = \"message\" }");
        return vec![];
    };
    let variables: Vec<_> = table.entries.iter().filter_map(|entry| read_variable(reader, entry)).collect();
    if draft.kind == Some(Kind::OwnModel) {
        refuse_messages(reader, table, &variables);
    }
    variables
}

/// Simulators have no use for messages.
fn refuse_messages(reader: &mut Reader, table: &Table, variables: &[Variable]) {
    for variable in variables.iter().filter(|v| v.quantity == Quantity::Message) {
        let Some(entry) = table.entry(&variable.name) else { continue };
        let message = format!("`{}` would carry messages, which a model in a simulator has no use for", variable.name);
        reader.note(
            Diagnostic::error("limit", &entry.value.place, message)
                .label("a message")
                .help("messages are for programs, with simulator = \"script\"; give the variable a unit"),
        );
    }
}

/// Why the variables of this population are not declared.
fn undeclared(draft: &PopulationDraft) -> Option<String> {
    match draft.kind? {
        Kind::Cell(cell) => {
            let state: Vec<_> = cell.entry().state.iter().map(|s| s.name).collect();
            Some(format!("{} has variables of its own: {}, current, …", cell.name(), state.join(", ")))
        }
        Kind::Stimulus => Some("a spike source has no variables".to_string()),
        Kind::Converter { .. } => Some("a converter has the variables of its kind".to_string()),
        Kind::Port | Kind::OwnModel => None,
    }
}

fn read_variable(reader: &mut Reader, entry: &Entry) -> Option<Variable> {
    let name = entry.key.as_str();
    let fine = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty() || name.len() > 64 || !name.chars().all(fine) || name.starts_with(|c: char| c.is_ascii_digit()) {
        reader.note(
            Diagnostic::error("bad-name", &entry.key_place, "this is not a possible name of a variable")
                .label("not possible")
                .help("use letters, digits and `_`, beginning with a letter or `_`"),
        );
        return None;
    }
    if name == "spikes" {
        reader.note(
            Diagnostic::error("bad-name", &entry.key_place, "every port has `spikes`; they are not declared")
                .label("taken")
                .help("remove it: a [[connection]] from the population itself carries its spikes"),
        );
        return None;
    }
    let text = reader.text(&entry.value)?;
    if text == "message" {
        return Some(Variable { name: name.to_string(), quantity: Quantity::Message });
    }
    if nearest(text, ["message"]).is_some() {
        reader.note(
            Diagnostic::error("unknown-unit", &entry.value.place, format!("`{text}` is no unit"))
                .label("not a unit")
                .help("did you mean \"message\"?"),
        );
        return None;
    }
    let unit = converter::read_unit(reader, Some(&entry.value))?;
    Some(Variable { name: name.to_string(), quantity: Quantity::Analog { unit } })
}
