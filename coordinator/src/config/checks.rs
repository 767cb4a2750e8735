//! What no single table can tell: sizes of the whole, grids that must meet, names used twice, parts without use.

use couple_network::description::Network;
use couple_network::{stimulus, synapses};

use super::component::{ComponentDraft, MOST};
use super::diagnostic::{Diagnostic, Place};
use super::links::Connections;
use super::places::Places;
use super::population::{Kind, off_grid_help};
use super::projection::{Net, ProjectionDraft};
use super::reader::{Fields, Reader};
use super::records::Records;
use super::run::Run;
use super::uses;

/// All checks across tables.
pub(super) fn check(
    reader: &mut Reader,
    root: &Fields<'_>,
    run: &Run,
    net: Net<'_>,
    projections: &[ProjectionDraft],
    connections: &Connections,
    records: &Records,
) {
    not_empty(reader, root, net);
    ranks(reader, net);
    grids(reader, run, net);
    names(reader, net);
    spike_times(reader, net, projections);
    unused(reader, net, projections, connections, records);
}

fn not_empty(reader: &mut Reader, root: &Fields<'_>, net: Net<'_>) {
    for (key, empty, example) in [
        ("component", net.components.is_empty(), "[component.ctx]"),
        ("population", net.populations.is_empty(), "[population.E]"),
    ] {
        if let Some(entry) = root.entry(key).filter(|e| empty && e.value.table().is_some()) {
            reader.note(
                Diagnostic::error("empty", &entry.key_place, format!("there is no {key}"))
                    .label("nothing in it")
                    .help(format!("add at least one, for example {example}")),
            );
        }
    }
}

/// The processes of all components are no more than a run can have.
fn ranks(reader: &mut Reader, net: Net<'_>) {
    let ranks = |component: &ComponentDraft| component.whole.as_ref().map_or(0, |whole| whole.ranks);
    let all: u32 = net.components.iter().map(ranks).fold(0, u32::saturating_add);
    let Some(largest) = net.components.iter().max_by_key(|component| ranks(component)) else { return };
    if all > MOST {
        let message = format!("the components have {all} ranks together; a run has {MOST} at most");
        reader.note(
            Diagnostic::error("limit", &largest.place, message)
                .label(format!("{} of them", ranks(largest)))
                .help("use threads instead: they share the memory of their process, ranks send each other spikes"),
        );
    }
}

/// The run and an imposed window end on everyone's grid.
fn grids(reader: &mut Reader, run: &Run, net: Net<'_>) {
    for (time, what) in [(&run.duration, "duration"), (&run.window, "window")] {
        let Some((time, place)) = time else { continue };
        let off = net.components.iter().find_map(|c| c.step.filter(|s| !time.is_multiple_of(*s)).map(|s| (c, s)));
        if let Some((component, step)) = off {
            let message =
                format!("the {what} {time} is no multiple of the step of component `{}`, {step}", component.name);
            reader.note(Diagnostic::error("off-grid", place, message).label("here").help(off_grid_help(*time, step)));
        }
    }
}

/// Components and populations stand side by side in messages, plans and graphs.
fn names(reader: &mut Reader, net: Net<'_>) {
    for population in net.populations {
        if let Some(component) = net.components.iter().find(|c| c.name == population.name) {
            let message = format!("a component and a population are both called `{}`", population.name);
            reader.note(
                Diagnostic::error("duplicate-name", &population.place, message)
                    .label("population")
                    .related(&component.place, "component")
                    .help("rename one of the two"),
            );
        }
    }
}

/// Given spike times also lie on the grids of the components that they are sent to.
fn spike_times(reader: &mut Reader, net: Net<'_>, projections: &[ProjectionDraft]) {
    use couple_network::description::Model;
    for draft in projections {
        let source = &net.populations[draft.projection.from];
        let Some(step) = net.step(draft.projection.to) else { continue };
        let (Some(place), Some(whole)) = (&source.stimulus, &source.whole) else { continue };
        let Model::SpikeSourceArray { spike_times } = &whole.model else { continue };
        let off = spike_times.iter().flatten().find(|t| !t.is_multiple_of(step));
        if let Some(time) = off {
            let target = &net.populations[draft.projection.to].name;
            let message = format!("the spike time {time} is no multiple of the step of its target `{target}`, {step}");
            reader.note(
                Diagnostic::error("off-grid", place, message).label("in this list").help(off_grid_help(*time, step)),
            );
        }
    }
}

/// The last word has the crate that draws: what it refuses and nothing above has found is noted here.
pub(super) fn drawable(reader: &mut Reader, network: &Network, stimuli: &[Option<Place>], places: &Places) {
    if reader.failed_since(0) {
        return;
    }
    let mut refuse = |code, place: &Place, message: String| {
        // Their messages end with the remedy.
        let (message, help) = message.rsplit_once("; ").unwrap_or((&message, "see configs/default.toml"));
        reader.note(Diagnostic::error(code, place, message).help(help));
    };
    for (id, population) in network.populations.iter().enumerate().filter(|p| p.1.model.is_stimulus()) {
        if let Err(error) = stimulus::validate(network, id) {
            let place = stimuli[id].as_ref().unwrap_or(&places.populations[id]);
            refuse("stimulus", place, format!("`{}` cannot be made: {error}", population.name));
        }
    }
    for (id, projection) in network.projections.iter().enumerate() {
        if let Err(error) = synapses::validate(network, id) {
            refuse("synapses", &places.projections[id], format!("`{}` cannot be made: {error}", projection.name));
        }
    }
}

fn unused(
    reader: &mut Reader,
    net: Net<'_>,
    projections: &[ProjectionDraft],
    connections: &Connections,
    records: &Records,
) {
    // With errors about, projections may be missing for that reason.
    if reader.failed_since(0) {
        return;
    }
    uses::unused(reader, connections, &records.variables, net);
    uses::converters(reader, connections, &records.recordings, projections, net);
    for (id, component) in net.components.iter().enumerate() {
        if !net.populations.iter().any(|p| p.component == Some(id)) {
            reader.note(
                Diagnostic::warning(
                    "unused",
                    &component.place,
                    format!("nothing lives on component `{}`", component.name),
                )
                .label("no populations")
                .help(format!("place a population on it with  component = \"{}\", or remove it", component.name)),
            );
        }
    }
    for (id, population) in net.populations.iter().enumerate() {
        let sends = projections.iter().any(|p| p.projection.from == id)
            || connections.leave(id)
            || records.recordings.iter().any(|r| r.population == id);
        if population.kind == Some(Kind::Stimulus) && !sends {
            let message = format!("the spikes of `{}` go nowhere", population.name);
            reader.note(
                Diagnostic::warning("unused", &population.place, message)
                    .label("neither projects nor is recorded")
                    .help("add a [[projection]] from it or a [[record]] of it, or remove it"),
            );
        }
    }
}
