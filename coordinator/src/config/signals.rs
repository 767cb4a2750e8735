//! Connections between variables: signals and messages.

use std::borrow::Cow;
use std::collections::BTreeMap;

use couple_network::cells;
use couple_network::description::{
    End, Interpolation, MessageConnection, Model, Population, Quantity, SignalConnection, Simulator, Value,
};
use couple_network::variables::{self, CURRENT, VariableInfo};
use couple_ports::time::Span;

use super::diagnostic::{Diagnostic, Place};
use super::keys::INTERPOLATIONS;
use super::links::EndDraft;
use super::nearest::nearest;
use super::population::{Kind, PopulationDraft};
use super::projection::Net;
use super::reader::{Fields, Reader};
use super::units;

/// A connection between variables.
pub(super) enum Link {
    Signal(SignalConnection),
    Message(MessageConnection),
}

/// The role of an end, or of a recorded variable.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Role {
    Source,
    Target,
}

impl Role {
    fn fits(self, variable: &VariableInfo) -> bool {
        match self {
            Role::Source => variable.gives(),
            Role::Target => variable.takes(),
        }
    }
}

/// Reads the connection from one variable to another.
pub(super) fn read(
    reader: &mut Reader,
    fields: &Fields<'_>,
    (from, to): (&EndDraft<'_>, &EndDraft<'_>),
    delay: Option<Span>,
    net: Net<'_>,
) -> Option<Link> {
    let source = variable(reader, from, Role::Source, net);
    let target = variable(reader, to, Role::Target, net);
    let (source, target) = (source?, target?);
    let end =
        |end: &EndDraft<'_>| End { population: end.population, variable: end.variable.unwrap_or_default().to_string() };
    let ends = (end(from), end(to));
    match (source.unit(), target.unit()) {
        (None, None) => {
            refuse_keys(reader, fields, "messages have");
            Some(Link::Message(MessageConnection { from: ends.0, to: ends.1, delay: delay? }))
        }
        (Some(_), Some(_)) => {
            let fits = check_units(reader, (from, &source), (to, &target), net);
            let fits = check_widths(reader, (from, &source), (to, &target), net) && fits;
            let interpolation = read_interpolation(reader, fields);
            let initial = read_initial(reader, fields, &net.populations[from.population], &source);
            let signal = SignalConnection {
                from: ends.0,
                to: ends.1,
                delay: delay?,
                interpolation: interpolation?,
                initial: initial?,
            };
            let in_time = check_causal(reader, fields, &signal, net);
            let sound = fits
                && check_threshold(reader, fields, to, &signal, net)
                && check_first_current(reader, fields, to, &signal, net);
            (sound && in_time).then_some(Link::Signal(signal))
        }
        (unit, _) => {
            let (names, name) = match unit.is_none() {
                true => (shown(from, net), shown(to, net)),
                false => (shown(to, net), shown(from, net)),
            };
            let message = format!("{names} carries messages, but {name} is a signal");
            reader.note(
                Diagnostic::error("wrong-end", to.place, message)
                    .label("of another kind")
                    .help("connect messages to messages and signals to signals"),
            );
            None
        }
    }
}

/// `population.variable`, in quotes.
fn shown(end: &EndDraft<'_>, net: Net<'_>) -> String {
    format!("`{}.{}`", net.populations[end.population].name, end.variable.unwrap_or_default())
}

/// The variables of a population that `which` selects, by name.
pub(super) fn named(population: &PopulationDraft, which: impl Fn(&VariableInfo) -> bool) -> String {
    let all = population.whole.as_ref().map(variables::of).unwrap_or_default();
    let names = all.iter().filter(|v| which(v)).map(|v| match v.unit() {
        Some(unit) => format!("`{}` ({unit})", v.name),
        None => format!("`{}` (message)", v.name),
    });
    names.collect::<Vec<_>>().join(", ")
}

/// "population.spikes" is what is meant by the population's name alone.
pub(super) fn refuse_spikes(reader: &mut Reader, end: &EndDraft<'_>, population: &str) {
    reader.note(
        Diagnostic::error("wrong-end", end.place, "spikes are no variable")
            .label("spikes")
            .help(format!("the population's name alone stands for its spikes: write \"{population}\"")),
    );
}

/// What is known of the variable at an end, if it can have that role.
pub(super) fn variable(reader: &mut Reader, end: &EndDraft<'_>, role: Role, net: Net<'_>) -> Option<VariableInfo> {
    let draft = &net.populations[end.population];
    let name = end.variable?;
    if name == "spikes" {
        refuse_spikes(reader, end, &draft.name);
        return None;
    }
    if draft.kind == Some(Kind::Stimulus) {
        let message = format!("the spike source `{}` has no variables, only spikes", draft.name);
        let help = format!("write \"{}\" for its spikes", draft.name);
        reader.note(Diagnostic::error("unknown-variable", end.place, message).label("a spike source").help(help));
        return None;
    }
    let population = &as_far_as_known(draft)?;
    let Some(found) = variables::find(population, name) else {
        unknown(reader, end.place, population, name, role);
        return None;
    };
    if !role.fits(&found) {
        let (is, wanted) = match role {
            Role::Source => ("an input", "outputs"),
            Role::Target => ("an output", "inputs"),
        };
        let others = named(draft, |v| role.fits(v));
        let help = match others.is_empty() {
            true => format!("`{}` has no {wanted}", draft.name),
            false => format!("the {wanted} of `{}` are {others}", draft.name),
        };
        let message = format!("`{}.{name}` is {is}", draft.name);
        reader.note(Diagnostic::error("wrong-direction", end.place, message).label(is).help(help));
        return None;
    }
    Some(found)
}

/// The population, or the cells that it surely has when something else about it is wrong.
fn as_far_as_known(draft: &PopulationDraft) -> Option<Cow<'_, Population>> {
    match (&draft.whole, draft.kind) {
        (Some(whole), _) => Some(Cow::Borrowed(whole)),
        (None, Some(Kind::Cell(cell))) => Some(Cow::Owned(Population {
            name: draft.name.clone(),
            component: draft.component?,
            size: draft.size?,
            model: Model::Cell { cell, params: BTreeMap::new(), initial: BTreeMap::new() },
            variables: vec![],
        })),
        _ => None,
    }
}

fn unknown(reader: &mut Reader, place: &Place, population: &Population, name: &str, role: Role) {
    let all = variables::of(population);
    let what = match &population.model {
        Model::Cell { cell, .. } => format!(" ({})", cell.name()),
        Model::Converter(converter) => format!(" ({})", converter.name()),
        _ => String::new(),
    };
    let known: Vec<&str> = all.iter().filter(|v| role.fits(v)).map(|v| v.name.as_str()).collect();
    let (declared, message) = match population.model {
        Model::Port if all.is_empty() => (false, format!("`{}` declares no variables", population.name)),
        Model::Port => (false, format!("`{}` declares no variable `{name}`", population.name)),
        _ => (true, format!("`{}`{what} has no variable `{name}`", population.name)),
    };
    let list = if role == Role::Source { "outputs" } else { "inputs" };
    let all = format!("the {list} are {}", known.join(", "));
    // Names of one letter are near to every other.
    let near = nearest(name, known.iter().copied()).filter(|_| name.len() > 1);
    let help = match (declared, near) {
        (true, None) if known.is_empty() => format!("it has no {list}"),
        (true, None) => all,
        (true, Some(near)) => format!("did you mean `{near}`? The {}", &all[4..]),
        (false, Some(near)) => format!("did you mean `{near}`?"),
        (false, None) => {
            format!("declare it, with its unit:  [population.{}] variables = {{ {name} = \"mV\" }}", population.name)
        }
    };
    reader.note(Diagnostic::error("unknown-variable", place, message).label("unknown variable").help(help));
}

/// An end and what is known of its variable.
type Known<'a> = (&'a EndDraft<'a>, &'a VariableInfo);

fn check_units(reader: &mut Reader, (from, source): Known<'_>, (to, target): Known<'_>, net: Net<'_>) -> bool {
    let (Some(given), Some(wanted)) = (source.unit(), target.unit()) else { return true };
    if given == wanted {
        return true;
    }
    let declared =
        |end: &EndDraft<'_>| matches!(net.populations[end.population].kind, Some(Kind::Port | Kind::OwnModel));
    let converts = |end: &EndDraft<'_>| matches!(net.populations[end.population].kind, Some(Kind::Converter { .. }));
    let same = units::same_kind(given, wanted);
    let help = if same && declared(from) {
        format!("declare {} in {wanted}", shown(from, net))
    } else if same && declared(to) {
        format!("declare {} in {given}", shown(to, net))
    } else if same && converts(from) {
        format!("make it {wanted} in the converter of `{}`", net.populations[from.population].name)
    } else if same && converts(to) {
        format!("make it {given} in the converter of `{}`", net.populations[to.population].name)
    } else {
        format!(
            "between different quantities stands a converter: {{ type = \"gain\", gain = …, unit_in = \"{given}\", \
             unit_out = \"{wanted}\" }}"
        )
    };
    let message = format!("{} is in {given}, but {} is in {wanted}", shown(from, net), shown(to, net));
    reader.note(Diagnostic::error("wrong-unit", to.place, message).label("units differ").help(help));
    false
}

fn check_widths(reader: &mut Reader, (from, source): Known<'_>, (to, target): Known<'_>, net: Net<'_>) -> bool {
    if source.width == target.width {
        return true;
    }
    let population = &net.populations[to.population];
    let help = match population.whole.as_ref().map(|p| &p.model) {
        Some(Model::Converter(couple_network::description::Converter::Linear { .. })) => {
            format!("give each row of the matrix {} numbers", source.width)
        }
        _ => format!("make population.{}.size {}", population.name, source.width),
    };
    let message =
        format!("{} is {} wide, but {} is {} wide", shown(from, net), source.width, shown(to, net), target.width);
    reader.note(Diagnostic::error("wrong-width", to.place, message).label("widths differ").help(help));
    false
}

fn read_interpolation(reader: &mut Reader, fields: &Fields<'_>) -> Option<Interpolation> {
    let Some(node) = fields.get("interpolation") else { return Some(Interpolation::Hold) };
    match reader.text(node)? {
        "hold" => Some(Interpolation::Hold),
        "linear" => Some(Interpolation::Linear),
        other => {
            let what = ("interpolation", "interpolations");
            reader.unknown("unknown-interpolation", &node.place, what, other, INTERPOLATIONS);
            None
        }
    }
}

/// The sample before the first: as written, or where the cell's state variable starts.
fn read_initial(
    reader: &mut Reader,
    fields: &Fields<'_>,
    source: &PopulationDraft,
    variable: &VariableInfo,
) -> Option<Value> {
    match fields.get("initial") {
        Some(node) => reader.sample(node, variable.unit()?, variable.width),
        None => {
            let start = variables::start(source.whole.as_ref()?, &variable.name);
            Some(start.cloned().unwrap_or(Value::Constant(0.0)))
        }
    }
}

/// What is received depends on earlier samples alone.
fn check_causal(reader: &mut Reader, fields: &Fields<'_>, signal: &SignalConnection, net: Net<'_>) -> bool {
    let (Some(sender), Some(receiver)) = (net.step(signal.from.population), net.step(signal.to.population)) else {
        return true;
    };
    if signal.is_causal(sender, receiver) {
        return true;
    }
    let shortest = SignalConnection::shortest_linear(sender, receiver);
    let message = format!(
        "with a delay of {} the receiver would depend on later samples: linear interpolation needs the one behind, and \
         the sender's step is {sender}",
        signal.delay
    );
    reader.note(
        Diagnostic::error("delay", fields.place_of("delay"), message)
            .label("too short")
            .help(format!("use a delay of at least {shortest}, or interpolation = \"hold\"")),
    );
    false
}

/// Cells begin with a threshold with which they can work, and likely with one that they can reach.
fn check_threshold(
    reader: &mut Reader,
    fields: &Fields<'_>,
    to: &EndDraft<'_>,
    signal: &SignalConnection,
    net: Net<'_>,
) -> bool {
    const THRESHOLD: &str = "v_thresh";
    let Some(population) = net.populations[to.population].whole.as_ref() else { return true };
    let Model::Cell { cell, params, .. } = &population.model else { return true };
    if signal.to.variable != THRESHOLD || matches!(signal.initial, Value::Random(_)) {
        return true;
    }
    let initial = fields.get("initial");
    let place = initial.map_or(to.place, |node| &node.place);
    let mut params = params.clone();
    params.insert(THRESHOLD.to_string(), signal.initial.clone());
    if let Err(error) = cells::validate_params(*cell, population.size, &params) {
        let message = format!("{} cannot begin with this threshold: {error}", shown(to, net));
        let help = match initial {
            Some(_) => "`initial` is the threshold until the first sample arrives",
            None => "without `initial` the signal begins where the sending cell does: add for example  initial = -50.0",
        };
        reader.note(Diagnostic::error("out-of-range", place, message).label("here").help(help));
        return false;
    }
    let start =
        net.populations[signal.from.population].whole.as_ref().and_then(|p| variables::start(p, &signal.from.variable));
    if initial.is_none() && start.is_none() {
        let message = format!("until the first sample arrives, {} is 0 mV", shown(to, net));
        let help = "add the threshold to begin with, for example  initial = -50.0";
        reader.note(Diagnostic::warning("unlikely", place, message).label("without `initial`").help(help));
    }
    true
}

/// NEST's neurons take the first step without injected current.
fn check_first_current(
    reader: &mut Reader,
    fields: &Fields<'_>,
    to: &EndDraft<'_>,
    signal: &SignalConnection,
    net: Net<'_>,
) -> bool {
    let target = &net.populations[to.population];
    let on_nest = target.component.is_some_and(|c| net.components[c].simulator == Some(Simulator::Nest));
    let injected = matches!(target.kind, Some(Kind::Cell(_))) && signal.to.variable == CURRENT;
    if !on_nest || !injected || signal.initial.bounds() == (0.0, 0.0) {
        return true;
    }
    let message = format!("{} is not 0 in the beginning: NEST's cells take the first step without it", shown(to, net));
    reader.note(
        Diagnostic::error("limit", fields.get("initial").map_or(to.place, |node| &node.place), message)
            .label("not zero")
            .help(format!("write  initial = 0.0, or connect to \"{}.i_offset\" where the cell has it", target.name)),
    );
    false
}

/// Only signals have values between samples.
pub(super) fn refuse_keys(reader: &mut Reader, fields: &Fields<'_>, who: &str) {
    for key in ["interpolation", "initial"] {
        if let Some(entry) = fields.entry(key) {
            reader.note(
                Diagnostic::error("not-used", &entry.key_place, format!("{who} no `{key}`"))
                    .label("only for signals")
                    .help("remove it; a signal is named as \"POPULATION.VARIABLE\""),
            );
        }
    }
}

/// Whether messages are what a variable carries.
pub(super) fn is_message(variable: &VariableInfo) -> bool {
    variable.quantity == Quantity::Message
}
