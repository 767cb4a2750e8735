//! `[population.NAME]` and the cells that populations share, `[cell.NAME]`.

mod own;
mod sources;

use std::collections::BTreeMap;
use std::path::Path;

use couple_network::cells::{self, ParamError};
use couple_network::description::{Cell, ComponentId, Model, Population, Simulator, Value};
use couple_ports::time::Span;

use super::component::ComponentDraft;
use super::diagnostic::{Diagnostic, Place};
use super::keys::{CELL, POPULATION};
use super::limits;
use super::nearest::{nearest, suggest};
use super::reader::{Fields, Reader};
use super::synonyms;
use super::tree::{Entry, Node};
use super::units::Dimension;
use super::values::Length;

/// A population as far as it could be read.
pub(super) struct PopulationDraft {
    pub name: String,
    pub place: Place,
    pub component: Option<ComponentId>,
    pub size: Option<u32>,
    pub kind: Option<Kind>,
    /// Where the rate or the spike times of a spike source stand.
    pub stimulus: Option<Place>,
    /// All of it, if nothing is wrong.
    pub whole: Option<Population>,
}

/// What the neurons are, apart from all parameters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Cell(Cell),
    Stimulus,
    /// The port of a program: takes spikes as they are.
    Port,
    /// Neurons of a user's own model in a simulator: take synapses.
    OwnModel,
    Converter {
        takes_spikes: bool,
        makes_spikes: bool,
    },
}

/// Largest population: indices travel as 32-bit numbers.
const LARGEST: u64 = i32::MAX as u64;

/// What populations are read against.
pub(super) struct Surroundings<'a> {
    pub components: &'a [ComponentDraft],
    pub cells: Vec<CellTable<'a>>,
    pub duration: Option<Span>,
    pub directory: &'a Path,
}

/// A `[cell.NAME]`.
pub(super) struct CellTable<'a> {
    name: &'a str,
    place: &'a Place,
    fields: Option<Fields<'a>>,
    used: bool,
}

/// Reads `[cell.NAME]` tables.
pub(super) fn read_cells<'a>(reader: &mut Reader, root: Option<&'a Node>) -> Vec<CellTable<'a>> {
    let entries = reader.named(root, "cell");
    let mut tables = vec![];
    for entry in entries {
        let name = entry.key.as_str();
        if cells::find(name).is_some() {
            reader.note(
                Diagnostic::error("bad-name", &entry.key_place, format!("`{name}` is the name of a standard cell"))
                    .label("taken")
                    .help("choose another name for your own set of parameters"),
            );
        }
        let fields = reader.open(&entry.value, &entry.key_place, &CELL);
        tables.push(CellTable { name, place: &entry.key_place, fields, used: false });
    }
    tables
}

/// Reads all populations.
pub(super) fn read_populations(
    reader: &mut Reader,
    root: Option<&Node>,
    around: &mut Surroundings<'_>,
) -> Vec<PopulationDraft> {
    let entries = reader.named(root, "population");
    let drafts = entries.iter().map(|entry| read_population(reader, entry, around)).collect();
    for cell in around.cells.iter().filter(|c| !c.used && c.fields.is_some()) {
        reader.note(
            Diagnostic::warning("unused", cell.place, format!("no population has the cell `{}`", cell.name))
                .label("not used")
                .help(format!("write  cell = \"{}\"  in a population, or remove it", cell.name)),
        );
    }
    drafts
}

fn read_population(reader: &mut Reader, entry: &Entry, around: &mut Surroundings<'_>) -> PopulationDraft {
    let mut draft = PopulationDraft {
        name: entry.key.clone(),
        place: entry.key_place.clone(),
        component: None,
        size: None,
        kind: None,
        stimulus: None,
        whole: None,
    };
    let before = reader.diagnostics.len();
    let Some(fields) = reader.open(&entry.value, &entry.key_place, &POPULATION) else { return draft };
    draft.size = fields.get("size").and_then(|n| reader.integer(n, 1, LARGEST)).map(|n| n as u32);
    if let Some(node) = fields.get("component")
        && let Some(name) = reader.text(node)
    {
        draft.component = around.components.iter().position(|c| c.name == name);
        if draft.component.is_none() {
            let known = around.components.iter().map(|c| c.name.as_str());
            reader.unknown("unknown-component", &node.place, ("component", "components"), name, known);
        }
    }
    let component = draft.component.map(|id| &around.components[id]);
    let model = match (fields.get("cell"), fields.get("converter")) {
        (Some(cell), Some(converter)) => {
            own::refuse_both(reader, cell, converter);
            None
        }
        (None, Some(converter)) => own::read_converter(reader, converter, &fields, (component, around), &mut draft),
        (Some(node), None) => read_model(reader, node, &fields, &mut draft, component.and_then(|c| c.step), around),
        (None, None) => own::read_port(reader, &fields, component, &mut draft),
    };
    let variables = own::read_variables(reader, &fields, &draft);
    if let (Some(component), Some(size), Some(model)) = (draft.component, draft.size, model)
        && !reader.failed_since(before)
    {
        draft.whole = Some(Population { name: draft.name.clone(), component, size, model, variables });
    }
    draft
}

fn read_model(
    reader: &mut Reader,
    node: &Node,
    fields: &Fields<'_>,
    draft: &mut PopulationDraft,
    step: Option<Span>,
    around: &mut Surroundings<'_>,
) -> Option<Model> {
    if node.table().is_some() {
        reader.wrong_type(
            node,
            "the name of a cell",
            "give parameters in `params`, or make this a [cell.NAME] and write  cell = \"NAME\"",
        );
        return None;
    }
    let name = reader.text(node)?;
    // Parameters of a shared cell come first, so that the population's own take their place.
    let shared = around.cells.iter_mut().find(|c| c.name == name);
    let (entry, shared_fields) = match shared {
        Some(cell) => {
            cell.used = true;
            let shared_fields = cell.fields?;
            let kind = shared_fields.get("type")?;
            (find_cell(reader, kind, &[])?, Some(shared_fields))
        }
        None => {
            let own: Vec<&str> = around.cells.iter().map(|c| c.name).collect();
            (find_cell(reader, node, &own)?, None)
        }
    };
    draft.kind = Some(entry.cell.map_or(Kind::Stimulus, Kind::Cell));
    let params = Settings::gather(reader, "params", shared_fields.as_ref(), fields);
    let initial = Settings::gather(reader, "initial", shared_fields.as_ref(), fields);
    let known_component = draft.component.map(|id| &around.components[id]);
    if let Some(component) = known_component.filter(|c| c.simulator == Some(Simulator::Converter)) {
        own::refuse_cell(reader, node, component, &draft.name);
        return None;
    }
    if let Some(component) = known_component.filter(|c| c.simulator == Some(Simulator::Arbor)) {
        own::refuse_cell_on_arbor(reader, node, component);
        return None;
    }
    if let Some(component) = known_component.filter(|c| c.simulator == Some(Simulator::Script)) {
        reader.note(
            Diagnostic::error(
                "not-used",
                &node.place,
                format!("component `{}` is a program of your own and has no standard cells", component.name),
            )
            .label("no cells there")
            .help("remove `cell`: the population is then a port that the program serves"),
        );
        return None;
    }
    for setting in params.list.iter().filter(|s| entry.parameter(&s.key).is_none()) {
        unknown_setting(reader, setting, entry, Role::Parameter);
    }
    for setting in initial.list.iter().filter(|s| entry.state_variable(&s.key).is_none()) {
        unknown_setting(reader, setting, entry, Role::State);
    }
    match entry.cell {
        Some(cell) => read_cell(reader, cell, draft.size, known_component, &params, &initial),
        None if entry.name == "SpikeSourceArray" => {
            draft.stimulus = params.get("spike_times").map(|n| n.place.clone());
            read_spike_times(reader, node, &params, draft.size, step, around.duration)
        }
        None => {
            let main = ["rate", "alpha", "beta", "tbins", "a", "b"];
            draft.stimulus = main.into_iter().find_map(|name| params.get(name)).map(|n| n.place.clone());
            sources::read(reader, node, entry, &params)
        }
    }
}

/// What a setting belongs to.
#[derive(Clone, Copy, PartialEq)]
enum Role {
    Parameter,
    State,
}

fn unknown_setting(reader: &mut Reader, setting: &Entry, cell: &cells::Entry, role: Role) {
    let parameters: Vec<_> = cell.parameters.iter().map(|p| (p.name, p.unit)).collect();
    let state: Vec<_> = cell.state.iter().map(|s| (s.name, s.unit)).collect();
    let (what, own, other) = match role {
        Role::Parameter => ("parameter", &parameters, &state),
        Role::State => ("state variable", &state, &parameters),
    };
    let names = |settings: &[(&'static str, &'static str)]| settings.iter().map(|s| s.0).collect::<Vec<_>>();
    let known = names(own);
    let help = match (nearest(&setting.key, known.clone()), nearest(&setting.key, names(other))) {
        _ if synonyms::remark(&setting.key, &known).is_some() => suggest(&setting.key, what, known),
        (None, Some(name)) if role == Role::Parameter => {
            format!("`{name}` is a state variable: write its start as  initial = {{ {name} = … }}")
        }
        (None, Some(name)) => format!("`{name}` is a parameter: write  params = {{ {name} = … }}"),
        (Some(name), _) => {
            let unit = own.iter().find(|s| s.0 == name).map_or("", |s| s.1);
            match unit {
                // Where scripts for NEST have another unit.
                "nF" | "nA" => {
                    format!("did you mean `{name}`? Without a unit it is in {unit}; \"250 p{}\" has one", &unit[1..])
                }
                _ => format!("did you mean `{name}`?"),
            }
        }
        (None, None) => suggest(&setting.key, &format!("{what}s"), known),
    };
    reader.note(
        Diagnostic::error(
            "unknown-param",
            &setting.key_place,
            format!("{} has no {what} `{}`", cell.name, setting.key),
        )
        .label(format!("unknown {what}"))
        .help(help),
    );
}

/// `node` as the name of a standard cell; `own` are further names that would have been possible.
fn find_cell(reader: &mut Reader, node: &Node, own: &[&str]) -> Option<&'static cells::Entry> {
    let name = reader.text(node)?;
    if let Some(entry) = cells::find(name) {
        return Some(entry);
    }
    let plain = name.trim_end_matches("()");
    let later = synonyms::meant(name, cells::NOT_YET).or_else(|| cells::NOT_YET.iter().copied().find(|c| *c == plain));
    if let Some(plain) = later {
        let known: Vec<_> = cells::names().collect();
        reader.note(
            Diagnostic::error("not-yet", &node.place, format!("the cell `{plain}` is not supported by this version"))
                .label("not yet")
                .help(format!("the cells are {}", known.join(", "))),
        );
        return None;
    }
    let mut known = own.to_vec();
    cells::names().for_each(|name| known.push(name));
    reader.unknown("unknown-cell", &node.place, ("cell", "cells"), name, known);
    None
}

/// The entries of `params` or `initial`, the population's own before those of its shared cell.
struct Settings<'a> {
    list: Vec<&'a Entry>,
}

impl<'a> Settings<'a> {
    fn gather(reader: &mut Reader, key: &str, shared: Option<&Fields<'a>>, own: &Fields<'a>) -> Self {
        let mut list: Vec<&'a Entry> = vec![];
        for node in [own.get(key), shared.and_then(|f| f.get(key))].into_iter().flatten() {
            match node.table() {
                Some(table) => {
                    let new = table.entries.iter().filter(|e| !list.iter().any(|l| l.key == e.key));
                    let new: Vec<_> = new.collect();
                    list.extend(new);
                }
                None => reader.wrong_type(node, "a table", "write { name = value }"),
            }
        }
        Settings { list }
    }
    fn get(&self, key: &str) -> Option<&'a Node> {
        self.list.iter().find(|e| e.key == key).map(|e| &e.value)
    }
}

fn read_cell(
    reader: &mut Reader,
    cell: Cell,
    size: Option<u32>,
    component: Option<&ComponentDraft>,
    params: &Settings<'_>,
    initial: &Settings<'_>,
) -> Option<Model> {
    let before = reader.diagnostics.len();
    let length = size.map_or(Length::Unknown, |n| Length::Exactly(n as usize, "neurons of the population"));
    let entry = cell.entry();
    let mut values = BTreeMap::new();
    for setting in &params.list {
        let Some(parameter) = entry.parameter(&setting.key) else { continue };
        let Some(value) = reader.value(&setting.value, Dimension::of_unit(parameter.unit), length) else { continue };
        // Alone among defaults, so that one wrong parameter does not hide the next; the reset and the peak need others.
        let alone = BTreeMap::from([(setting.key.clone(), value.clone())]);
        let fine = matches!(parameter.name, "v_reset" | "v_thresh" | "v_spike" | "delta_T")
            || check_params(reader, cell, size, alone, params).is_some();
        // The channels of a Hodgkin-Huxley cell have thousands of times the conductance of others at their peak.
        if !parameter.name.starts_with("gbar_") {
            reader.check_magnitude(&setting.value, Dimension::of_unit(parameter.unit));
        }
        if let Some(component) = component.filter(|_| fine) {
            limits::parameter(reader, component, setting, &value);
        }
        values.insert(setting.key.clone(), value);
    }
    let mut states = BTreeMap::new();
    for setting in &initial.list {
        let Some(variable) = entry.state_variable(&setting.key) else { continue };
        if let Some(value) = reader.value(&setting.value, Dimension::of_unit(variable.unit), length) {
            if let Some(component) = component {
                limits::initial(reader, component, setting, &value);
            }
            states.insert(setting.key.clone(), value);
        }
    }
    if reader.failed_since(before) {
        return None;
    }
    let complete = check_params(reader, cell, size, values, params)?;
    let states = cell.complete_initial(&complete, states);
    if let Err(error) = cells::validate_initial(cell, size?, &states) {
        param_error(reader, &error, initial);
        return None;
    }
    Some(Model::Cell { cell, params: complete, initial: states })
}

/// `values` with defaults, if they are in range.
fn check_params(
    reader: &mut Reader,
    cell: Cell,
    size: Option<u32>,
    values: BTreeMap<String, Value>,
    settings: &Settings<'_>,
) -> Option<BTreeMap<String, Value>> {
    let complete = cell.complete_params(values);
    match cells::validate_params(cell, size?, &complete) {
        Ok(()) => Some(complete),
        Err(error) => {
            param_error(reader, &error, settings);
            None
        }
    }
}

fn param_error(reader: &mut Reader, error: &ParamError, settings: &Settings<'_>) {
    // The parameter itself may be a default, and what does not fit with it is what was written.
    let at = [error.parameter(), "v_thresh", "v_spike"].into_iter().find_map(|name| settings.get(name));
    let Some(at) = at else { return };
    let help = match error {
        ParamError::OutOfRange { must_be, unit, .. } => format!("a value in {unit}, {must_be}, is expected"),
        ParamError::ResetAboveThreshold { .. } => "otherwise the cell would spike at each step".to_string(),
        ParamError::PeakBelowThreshold { .. } => "v_spike is where the upswing of a spike ends".to_string(),
        ParamError::TooSteep { .. } => {
            "a larger delta_T, a lower v_spike, or delta_T = 0 for spikes at v_thresh".to_string()
        }
        _ => "see configs/default.toml for how values are written".to_string(),
    };
    reader.note(Diagnostic::error("out-of-range", &at.place, error.to_string()).label("out of range").help(help));
}

fn read_spike_times(
    reader: &mut Reader,
    cell: &Node,
    params: &Settings<'_>,
    size: Option<u32>,
    step: Option<Span>,
    duration: Option<Span>,
) -> Option<Model> {
    let Some(node) = params.get("spike_times") else {
        if params.list.iter().any(|s| nearest(&s.key, ["spike_times"]).is_some()) {
            return None;
        }
        reader.note(
            Diagnostic::error("missing-key", &cell.place, "a SpikeSourceArray needs `spike_times`")
                .label("`spike_times` are missing")
                .help("add  params = { spike_times = [1.0, 2.5] }, or a list of lists, one for each neuron"),
        );
        return None;
    };
    let items = reader.list(node, "a list of times, or a list of lists of times")?;
    let nested = items.iter().any(|n| matches!(n.kind, super::tree::Kind::Array(_)));
    if !nested {
        let times = read_train(reader, items, step, duration)?;
        return Some(Model::SpikeSourceArray { spike_times: vec![times] });
    }
    let lists: Vec<_> = items
        .iter()
        .map(|n| {
            let train = reader.list(n, "a list of times, as the other elements are")?;
            read_train(reader, train, step, duration)
        })
        .collect();
    let size = size?;
    if lists.len() != size as usize {
        reader.note(
            Diagnostic::error(
                "wrong-length",
                &node.place,
                format!("{} lists of spike times for {size} neurons", lists.len()),
            )
            .label(format!("{} lists", lists.len()))
            .help("give one list for each neuron, or a single one that all share"),
        );
        return None;
    }
    Some(Model::SpikeSourceArray { spike_times: lists.into_iter().collect::<Option<_>>()? })
}

/// The spike times of one neuron: after 0, in order, on the grid of its component.
fn read_train(reader: &mut Reader, items: &[Node], step: Option<Span>, duration: Option<Span>) -> Option<Vec<Span>> {
    let mut times: Vec<Span> = Vec::with_capacity(items.len());
    for node in items {
        // One of a list is enough: the others are likely wrong for the same reason.
        let time = reader.positive_time(node, "a spike time", false)?;
        let wrong = match (times.last(), step) {
            (Some(last), _) if *last > time => {
                Some(("unsorted", format!("{time} comes after {last}"), "sort the spike times".to_string()))
            }
            (_, Some(step)) if !time.is_multiple_of(step) => Some((
                "off-grid",
                format!("{time} is no multiple of the component's step, {step}"),
                off_grid_help(time, step),
            )),
            _ => None,
        };
        if let Some((code, message, help)) = wrong {
            reader.note(Diagnostic::error(code, &node.place, message).label("here").help(help));
            return None;
        }
        if duration.is_some_and(|d| time > d) && times.last().is_none_or(|last| duration.is_some_and(|d| *last <= d)) {
            reader.note(
                Diagnostic::warning("beyond-end", &node.place, format!("the run ends before {time}"))
                    .label("this spike and later ones do not occur")
                    .help("make run.duration longer, or remove them"),
            );
        }
        times.push(time);
    }
    Some(times)
}

/// The neighbours of a time on a grid.
pub(super) fn off_grid_help(time: Span, step: Span) -> String {
    let below = step * time.steps(step);
    let above = Span::from_ns(below.ns().saturating_add(step.ns()));
    match below {
        Span::ZERO => format!("the nearest is {above}"),
        _ => format!("the nearest are {below} and {above}"),
    }
}
