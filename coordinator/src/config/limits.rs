//! What one simulator cannot do although another can: found here, before it is started.
//!
//! Of the native kernel and of NEST in its present version. Whatever is refused here would fail when the component
//! builds its part of the network, or (delays in NEST) be simulated wrongly.

use couple_network::description::{Connector, Delay, Network, Plasticity, Simulator, Value};
use couple_ports::time::Span;

use super::component::ComponentDraft;
use super::diagnostic::{Diagnostic, Place};
use super::places::Places;
use super::reader::Reader;
use super::tree::{Entry, Node};

/// The one parameter that the native kernel takes for each neuron.
const EACH_NEURON: &str = "i_offset";
/// The native kernel counts the steps of a refractory period in so many.
const REFRACTORY_STEPS: f64 = (1_u64 << 31) as f64;
/// A synapse of the native kernel addresses one of so many places: its neuron and the steps of its delay.
const PLACES: u64 = u32::MAX as u64;
/// Synapses of a projection on one thread of the native kernel.
const SYNAPSES: f64 = u32::MAX as f64;
/// NEST keeps a delay in 21 bits, and begins at zero again when there are more steps.
const NEST_DELAY_STEPS: i64 = (1 << 21) - 1;

/// NEST numbers the synapses on each thread in 27 bits.
const NEST_SYNAPSES: f64 = ((1_u64 << 27) - 1) as f64;

/// Whether the simulator of `component` takes `value` for the parameter `setting`.
pub(super) fn parameter(reader: &mut Reader, component: &ComponentDraft, setting: &Entry, value: &Value) {
    if component.simulator != Some(Simulator::Native) {
        return;
    }
    let place = &setting.value.place;
    match value {
        Value::Constant(tau) if setting.key == "tau_refrac" => {
            if component.step.is_some_and(|step| tau / step.ms() >= REFRACTORY_STEPS - 1.0) {
                let message = format!("a refractory period of {tau} ms has more than 2^31 steps");
                reader.note(
                    Diagnostic::error("limit", place, message)
                        .label("too long")
                        .help("the unit is ms; a period longer than the run is as good"),
                );
            }
        }
        Value::Constant(_) => {}
        Value::List(_) | Value::Random(_) if setting.key == EACH_NEURON => {}
        Value::List(_) | Value::Random(_) => {
            let message = format!("the native simulator takes one `{}` for all neurons of a population", setting.key);
            reader.note(Diagnostic::error("limit", place, message).label("differs between neurons").help(format!(
                "give one number, split the population, or place it on a component with simulator = \"nest\"; \
                     only `{EACH_NEURON}` and initial values differ between neurons here"
            )));
        }
    }
}

/// Whether the simulator of `component` can start with `value` for the state variable `setting`.
pub(super) fn initial(reader: &mut Reader, component: &ComponentDraft, setting: &Entry, value: &Value) {
    let synaptic = setting.key.starts_with("isyn_") || setting.key.starts_with("gsyn_");
    if component.simulator != Some(Simulator::Nest) || !synaptic || value.bounds() == (0.0, 0.0) {
        return;
    }
    let message = format!("NEST's cells start with {} = 0; it cannot be set", setting.key);
    reader.note(
        Diagnostic::error("limit", &setting.value.place, message)
            .label("not zero")
            .help("leave out this initial value, or place the population on a component with simulator = \"native\""),
    );
}

/// Whether the simulator of `component` can keep spikes for `delay` for a population of `size` neurons there.
pub(super) fn delay(
    reader: &mut Reader,
    component: &ComponentDraft,
    size: Option<u32>,
    node: &Node,
    delay: &Delay,
) -> bool {
    let (Some(simulator), Some(step)) = (component.simulator, component.step) else { return true };
    let (message, help) = match simulator {
        Simulator::Nest if delay.max(step).steps(step) > NEST_DELAY_STEPS => (
            format!("NEST keeps delays of at most {NEST_DELAY_STEPS} steps, {}", step * NEST_DELAY_STEPS),
            "use a longer step, a shorter delay, or simulator = \"native\"".to_string(),
        ),
        Simulator::Native => {
            let (Some(size), Some(parts)) = (size, parts(component)) else { return true };
            let steps = certain_delay(delay, step).steps(step) as u64;
            let neurons = u64::from(size).div_ceil(parts);
            if (steps + 1) * neurons <= PLACES {
                return true;
            }
            let message =
                format!("a delay of {steps} steps to {neurons} neurons on one thread is more than a synapse holds");
            let least = u64::from(size).div_ceil((PLACES / (steps + 1)).max(1));
            (
                message,
                format!("use {least} threads (`ranks` times `threads`) at least, a longer step or a shorter delay"),
            )
        }
        _ => return true,
    };
    reader.note(Diagnostic::error("limit", &node.place, message).label("too long here").help(help));
    false
}

/// A delay that occurs, or all are longer.
pub(crate) fn certain_delay(delay: &Delay, step: Span) -> Span {
    match delay {
        Delay::Constant(_) | Delay::List(_) => delay.max(step),
        Delay::Random(_) => delay.min(step),
    }
}

/// Threads of all ranks.
fn parts(component: &ComponentDraft) -> Option<u64> {
    component.whole.as_ref().map(|c| u64::from(c.ranks) * u64::from(c.threads))
}

/// Whether the simulator of `component` can hold the synapses that `connector` makes.
pub(super) fn synapses(
    reader: &mut Reader,
    component: &ComponentDraft,
    sizes: (Option<u32>, Option<u32>),
    node: &Node,
    connector: &Connector,
) -> bool {
    let ((Some(from), Some(to)), Some(parts)) = (sizes, parts(component)) else { return true };
    if component.simulator != Some(Simulator::Native) {
        return true;
    }
    let expected = expected_synapses(connector, f64::from(from), f64::from(to));
    let share = expected * u64::from(to).div_ceil(parts) as f64 / f64::from(to);
    if share <= SYNAPSES {
        return true;
    }
    let least = (expected / SYNAPSES).ceil();
    let message = format!("about {share:.2e} synapses on one thread are more than the native simulator holds, 2^32");
    reader.note(
        Diagnostic::error("limit", &node.place, message)
            .label("too many")
            .help(format!("use {least} threads (`ranks` times `threads`) at least, or fewer synapses")),
    );
    false
}

/// The mean number of synapses that a connector makes between populations of these sizes.
pub(crate) fn expected_synapses(connector: &Connector, from: f64, to: f64) -> f64 {
    match connector {
        Connector::AllToAll { .. } => from * to,
        Connector::OneToOne => to,
        Connector::FixedProbability { p, .. } => p * from * to,
        Connector::FixedTotalNumber { n, .. } => *n as f64,
        Connector::FixedNumberPre { n, .. } => f64::from(*n) * to,
        Connector::FixedNumberPost { n, .. } => f64::from(*n) * from,
        Connector::FromList { pairs } => pairs.len() as f64,
    }
}

/// Whether each NEST component can hold the synapses among its own neurons; `places` are those of the components.
pub(super) fn nest_synapses(reader: &mut Reader, network: &Network, places: &[Place]) {
    for (id, (component, place)) in network.components.iter().zip(places).enumerate() {
        if component.simulator != Simulator::Nest {
            continue;
        }
        let inner = network.projections.iter().filter(|p| {
            let source = &network.populations[p.from];
            source.component == id && network.target_component(p) == id && !source.model.is_stimulus()
        });
        let size = |population: usize| f64::from(network.populations[population].size);
        let all: f64 = inner.map(|p| expected_synapses(&p.connector, size(p.from), size(p.to))).sum();
        // Spikes of other ranks come in by another way.
        let share = all / f64::from(component.ranks).powi(2) / f64::from(component.threads);
        if share > NEST_SYNAPSES {
            let least = (share / NEST_SYNAPSES * f64::from(component.threads)).ceil();
            let message = format!("about {share:.2e} synapses on one thread are more than NEST holds, 2^27");
            reader.note(
                Diagnostic::error("limit", place, message)
                    .label("too many synapses")
                    .help(format!("use threads = {least} at least, more ranks, or simulator = \"native\"")),
            );
        }
    }
}

/// In NEST the trace of postsynaptic spikes belongs to the neuron: a population there has one `tau_minus`. `places` are
/// those of the projections.
pub(super) fn nest_traces(reader: &mut Reader, network: &Network, places: &[Place]) {
    let mut first = std::collections::BTreeMap::new();
    for (p, place) in network.projections.iter().zip(places) {
        let Plasticity::Stdp(stdp) = p.plasticity else { continue };
        if network.components[network.target_component(p)].simulator != Simulator::Nest {
            continue;
        }
        let (tau, other) = *first.entry(p.to).or_insert((stdp.tau_minus, place));
        if tau != stdp.tau_minus {
            let name = &network.populations[p.to].name;
            let message = format!(
                "tau_minus is {} ms here and {tau} ms elsewhere, but in NEST it belongs to the neurons of `{name}`",
                stdp.tau_minus
            );
            reader.note(
                Diagnostic::error("limit", place, message)
                    .label("another tau_minus")
                    .related(other, "one tau_minus")
                    .help("give both the same, or place the target on a component with simulator = \"native\""),
            );
        }
    }
}

/// Arbor sends spikes and takes nothing: its Python interface has no way in while a simulation runs.
pub(super) fn arbor_sends_only(reader: &mut Reader, network: &Network, places: &Places) {
    let on_arbor =
        |population: usize| network.components[network.populations[population].component].simulator == Simulator::Arbor;
    let mut refuse =
        |population: usize, place: &Place, what: &str| {
            let message = format!(
                "{what} `{}`, which lives in Arbor: its Python interface takes no input while it runs",
                network.populations[population].name
            );
            reader.note(Diagnostic::error("limit", place, message).label("Arbor only sends spikes").help(
                "let its spikes go elsewhere; for input, use NEURON, or give the recipe's cells event generators",
            ));
        };
    for (p, place) in network.projections.iter().zip(&places.projections).filter(|(p, _)| on_arbor(p.to)) {
        refuse(p.to, place, "this projection goes to");
    }
    for (c, place) in network.connections.iter().zip(&places.connections).filter(|(c, _)| on_arbor(c.to)) {
        refuse(c.to, place, "this connection goes to");
    }
    for (id, place) in places.populations.iter().enumerate() {
        if on_arbor(id) && !network.populations[id].variables.is_empty() {
            let message = format!("`{}` lives in Arbor and cannot have variables", network.populations[id].name);
            reader.note(
                Diagnostic::error("limit", place, message)
                    .label("Arbor only sends spikes")
                    .help("remove `variables`; a script's samplers can write what they see into files of their own"),
            );
        }
    }
}
