//! What variables are used for, over all connections and recordings.

use couple_network::description::{End, Model, Recording};
use couple_network::variables::{self, CURRENT, VariableInfo};

use super::diagnostic::{Diagnostic, Place};
use super::links::Connections;
use super::population::{Kind, PopulationDraft};
use super::projection::{Net, ProjectionDraft};
use super::reader::Reader;

/// Whether a variable adds up what it gets.
fn adds_up(population: &PopulationDraft, variable: &str) -> bool {
    matches!(population.kind, Some(Kind::Cell(_))) && variable == CURRENT
}

/// A variable has one source, and one direction.
pub(super) fn check(reader: &mut Reader, connections: &Connections, recorded: &[(End, Place)], net: Net<'_>) {
    let signals = connections.signals.iter().map(|(c, place)| (&c.from, &c.to, place));
    let messages = connections.messages.iter().map(|(c, place)| (&c.from, &c.to, place));
    let mut all: Vec<_> = signals.chain(messages).collect();
    all.sort_by_key(|(_, _, place)| place.range.start);
    let name = |end: &End| format!("`{}.{}`", net.populations[end.population].name, end.variable);
    for (number, (from, to, place)) in all.iter().enumerate() {
        let adds = adds_up(&net.populations[to.population], &to.variable);
        let earlier = all[..number].iter().find(|(f, t, _)| t == to && (!adds || f == from));
        if let Some((_, _, first)) = earlier {
            let (message, help) = match adds {
                true => (
                    "these two are already connected".to_string(),
                    "currents of different sources add up; this one would count twice",
                ),
                false => (
                    format!("{} already has a source", name(to)),
                    "a variable has one source: connect the other to a variable of its own",
                ),
            };
            reader.note(
                Diagnostic::error("duplicate-name", place, message)
                    .label("again here")
                    .related(first, "first here")
                    .help(help),
            );
        }
    }
    let sources = all.iter().map(|(from, _, place)| (*from, *place)).chain(recorded.iter().map(|(e, p)| (e, p)));
    let mut told: Vec<&End> = vec![];
    for (end, place) in sources {
        if let Some((_, _, target)) = all.iter().find(|(_, to, _)| *to == end)
            && !told.contains(&end)
        {
            told.push(end);
            reader.note(
                Diagnostic::error("wrong-direction", target, format!("{} is used as source and as target", name(end)))
                    .label("a target here")
                    .related(place, "a source here")
                    .help("declare two variables, one for each direction"),
            );
        }
    }
}

/// Declared variables that nothing is done with.
pub(super) fn unused(reader: &mut Reader, connections: &Connections, recorded: &[(End, Place)], net: Net<'_>) {
    for (id, draft) in net.populations.iter().enumerate() {
        let Some(population) = &draft.whole else { continue };
        let used = |name: &str| {
            let this = |end: &End| end.population == id && end.variable == name;
            connections.signals.iter().any(|(c, _)| this(&c.from) || this(&c.to))
                || connections.messages.iter().any(|(c, _)| this(&c.from) || this(&c.to))
                || recorded.iter().any(|(end, _)| this(end))
        };
        let unused = population.variables.iter().filter(|v| !used(&v.name));
        let names: Vec<_> = unused.map(|v| format!("`{}`", v.name)).collect();
        let message = match &names[..] {
            [] => continue,
            [one] => format!("the variable {one} of `{}` is not connected", draft.name),
            all => format!("the variables {} of `{}` are not connected", all.join(", "), draft.name),
        };
        reader.note(
            Diagnostic::warning("unused", &draft.place, message)
                .label("declared here")
                .help("add a [[connection]] from or to it, or a [[record]] of it, or remove it"),
        );
    }
}

/// Converters to which nothing comes, and those from which nothing goes.
pub(super) fn converters(
    reader: &mut Reader,
    connections: &Connections,
    recordings: &[Recording],
    projections: &[ProjectionDraft],
    net: Net<'_>,
) {
    for (id, draft) in net.populations.iter().enumerate() {
        let Some(population) = &draft.whole else { continue };
        let Model::Converter(converter) = &population.model else { continue };
        let name = &draft.name;
        let input = variables::of(population).into_iter().find(VariableInfo::takes).map(|v| v.name);
        let (fed, to) = match &input {
            Some(variable) => {
                let this = |end: &End| end.population == id && end.variable == *variable;
                (connections.signals.iter().any(|(c, _)| this(&c.to)), format!("{name}.{variable}"))
            }
            None => (connections.spikes.iter().any(|(c, _)| c.to == id), name.clone()),
        };
        if !fed {
            let message = format!("nothing comes to the converter `{name}` ({})", converter.name());
            reader.note(
                Diagnostic::error("missing-input", &draft.place, message)
                    .label("no input")
                    .help(format!("add  [[connection]] from = \"…\", to = \"{to}\", delay = \"1 ms\"")),
            );
        }
        let read = connections.leave(id)
            || recordings.iter().any(|r| r.population == id)
            || projections.iter().any(|p| p.projection.from == id);
        if fed && !read {
            reader.note(
                Diagnostic::warning("unused", &draft.place, format!("what `{name}` makes goes nowhere"))
                    .label("neither connected nor recorded")
                    .help("add a [[connection]], a [[projection]] or a [[record]] of it, or remove it"),
            );
        }
    }
}
