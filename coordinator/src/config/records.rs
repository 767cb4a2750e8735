//! `[[record]]`.

use couple_network::description::{End, PopulationId, Recorded, Recording};
use couple_network::variables::find;
use couple_ports::time::Span;

use super::diagnostic::{Diagnostic, Place};
use super::keys::RECORD;
use super::links::{EndDraft, makes_spikes};
use super::nearest::nearest;
use super::population::off_grid_help;
use super::projection::Net;
use super::reader::{Fields, Reader};
use super::signals::{self, Role};
use super::tree::Node;

/// What is recorded.
#[derive(Default)]
pub(super) struct Records {
    pub recordings: Vec<Recording>,
    /// Recorded variables, with the place where the population is named.
    pub variables: Vec<(End, Place)>,
}

/// What has been asked for, with the place of the population.
type Asked<'a> = Vec<(PopulationId, &'a str, &'a Place)>;

/// Reads all recordings.
pub(super) fn read_records(reader: &mut Reader, root: Option<&Node>, net: Net<'_>) -> Records {
    let mut records = Records::default();
    let mut asked: Asked<'_> = vec![];
    for node in reader.elements(root, "record") {
        let Some(fields) = reader.open(node, &node.place, &RECORD) else { continue };
        let variables = match fields.get("variables") {
            Some(node) => reader.texts(node),
            None => Some(vec![("spikes", fields.place)]),
        };
        let variables = variables.unwrap_or_default();
        let interval = read_interval(reader, &fields, &variables);
        let names = fields.get("population").and_then(|node| reader.texts(node));
        for (name, place) in names.unwrap_or_default() {
            let Some(id) = net.find(reader, name, place) else { continue };
            for &(variable, at) in &variables {
                if twice(reader, &asked, (id, variable), (name, place)) {
                    continue;
                }
                asked.push((id, variable, place));
                let recording = match variable {
                    "spikes" => makes_spikes(reader, &net.populations[id], place).map(|()| Recording::spikes(id)),
                    _ => read_variable(reader, &fields, (id, variable, at), interval, net),
                };
                let Some(recording) = recording else { continue };
                if variable != "spikes" {
                    let end = End { population: id, variable: variable.to_string() };
                    records.variables.push((end, place.clone()));
                }
                records.recordings.push(recording);
            }
        }
    }
    records
}

/// The interval as it is written; `Some(None)` when it is not.
fn read_interval(reader: &mut Reader, fields: &Fields<'_>, variables: &[(&str, &Place)]) -> Option<Option<Span>> {
    let Some(entry) = fields.entry("interval") else { return Some(None) };
    if !variables.is_empty() && variables.iter().all(|v| v.0 == "spikes") {
        reader.note(
            Diagnostic::error(
                "not-used",
                &entry.key_place,
                "spikes are recorded when they occur, without an `interval`",
            )
            .label("only for signals")
            .help("remove it, or name a signal in `variables`, for example [\"spikes\", \"v\"]"),
        );
        return None;
    }
    reader.positive_time(&entry.value, "an interval", false).map(Some)
}

fn twice(
    reader: &mut Reader,
    asked: &Asked<'_>,
    (id, variable): (PopulationId, &str),
    (name, place): (&str, &Place),
) -> bool {
    let Some((.., first)) = asked.iter().find(|a| (a.0, a.1) == (id, variable)) else { return false };
    let what = if variable == "spikes" { format!("`{name}`") } else { format!("`{name}.{variable}`") };
    reader.note(
        Diagnostic::error("duplicate-name", place, format!("{what} is recorded twice"))
            .label("again here")
            .related(first, "first here")
            .help("remove one of the two"),
    );
    true
}

fn read_variable(
    reader: &mut Reader,
    fields: &Fields<'_>,
    (population, name, place): (PopulationId, &str, &Place),
    interval: Option<Option<Span>>,
    net: Net<'_>,
) -> Option<Recording> {
    if nearest(name, ["spikes"]).is_some()
        && net.populations[population].whole.as_ref().is_none_or(|p| find(p, name).is_none())
    {
        let message = format!("there is no variable `{name}`");
        let help = "did you mean `spikes`?";
        reader.note(Diagnostic::error("unknown-variable", place, message).label("unknown variable").help(help));
        return None;
    }
    let end = EndDraft { population, variable: Some(name), place };
    let found = signals::variable(reader, &end, Role::Source, net)?;
    if signals::is_message(&found) {
        let message = format!("`{}.{name}` carries messages, which are not recorded", net.populations[population].name);
        reader.note(
            Diagnostic::error("wrong-end", place, message)
                .label("a message port")
                .help("record signals and spikes; a program can write down the messages that it gets"),
        );
        return None;
    }
    let step = net.step(population)?;
    let interval = interval?.unwrap_or(step);
    if !interval.is_multiple_of(step) {
        let component = net.populations[population].component.map_or("", |c| net.components[c].name.as_str());
        let message = format!("the interval {interval} is no multiple of the step of component `{component}`, {step}");
        reader.note(
            Diagnostic::error("off-grid", fields.place_of("interval"), message)
                .label("here")
                .help(off_grid_help(interval, step)),
        );
        return None;
    }
    Some(Recording { population, variable: Recorded::Analog { variable: name.to_string(), interval } })
}
