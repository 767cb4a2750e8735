//! The description as JSON, for programs that do not read the binary one.

use couple_network::description::{Model, Network, Plasticity, Population, Receptor, Value};
use couple_network::variables;
use couple_network::weights::receptor_grid;
use couple_ports::control::{Interpolation, MessageIn, SignalIn, SignalOut, Welcome};
use couple_ports::index::IndexMap;
use serde_json::{Map, json};

/// What couple_description gives.
pub(crate) fn describe(network: &Network, welcome: &Welcome) -> serde_json::Value {
    let component = &network.components[welcome.component as usize];
    json!({
        "component": component.name,
        "rank": welcome.rank,
        "ranks": welcome.ranks,
        "threads": component.threads,
        "step_ns": welcome.step.ns(),
        "window_ns": welcome.window.ns(),
        "duration_ns": welcome.duration.ns(),
        "step_ms": welcome.step.ms(),
        "window_ms": welcome.window.ms(),
        "duration_ms": welcome.duration.ms(),
        "run": network.name,
        "seed": network.seed,
        "script": component.script,
        "command": component.command,
        "cvode": component.cvode,
        "populations": (0..network.populations.len()).map(|id| population(network, welcome, id)).collect::<Vec<_>>(),
        "projections": (0..network.projections.len()).map(|id| projection(network, welcome, id)).collect::<Vec<_>>(),
        "inputs": (0..welcome.inputs.len()).map(|index| input(network, welcome, index)).collect::<Vec<_>>(),
        "signals_out": each(&welcome.signals_out, signal_out),
        "signals_in": each(&welcome.signals_in, signal_in),
        "messages_out": each(&welcome.messages_out, |index, port| json!({ "index": index, "port": port.port })),
        "messages_in": each(&welcome.messages_in, message_in),
    })
}

/// The block of neurons of a population that the rank owns; empty when it lives elsewhere.
pub(crate) fn owned(welcome: &Welcome, population: &Population) -> std::ops::Range<u32> {
    if population.component == welcome.component as usize {
        IndexMap::block(population.size, welcome.ranks).range(welcome.rank)
    } else {
        0..0
    }
}

fn population(network: &Network, welcome: &Welcome, id: usize) -> serde_json::Value {
    let population = &network.populations[id];
    let own = owned(welcome, population);
    let (cell, params, initial) = match &population.model {
        Model::Cell { cell, params, initial } => (json!(cell.name()), constants(params), constants(initial)),
        _ => (json!(null), Map::new(), Map::new()),
    };
    json!({
        "id": id,
        "name": population.name,
        "component": network.components[population.component].name,
        "size": population.size,
        "first": own.start,
        "count": own.len(),
        "local": population.component == welcome.component as usize,
        "cell": cell,
        "params": params,
        "initial": initial,
        "stimulus": population.model.is_stimulus(),
        "variables": variables::of(population).iter().map(variable).collect::<Vec<_>>(),
        "output": welcome.outputs.iter().position(|output| output.population == population.name),
    })
}

/// Numbers where they are the same for all neurons, null where they differ.
fn constants(values: &std::collections::BTreeMap<String, Value>) -> Map<String, serde_json::Value> {
    let constant = |value: &Value| match value {
        Value::Constant(number) => json!(number),
        _ => json!(null),
    };
    values.iter().map(|(name, value)| (name.clone(), constant(value))).collect()
}

fn projection(network: &Network, welcome: &Welcome, id: usize) -> serde_json::Value {
    let projection = &network.projections[id];
    let step = network.target_step(projection);
    let own = welcome.component as usize;
    json!({
        "id": id,
        "name": projection.name,
        "from": projection.from,
        "to": projection.to,
        "receptor": match projection.receptor {
            Receptor::Excitatory => "excitatory",
            Receptor::Inhibitory => "inhibitory",
        },
        "min_delay_ns": projection.delay.min(step).ns(),
        "max_delay_ns": projection.delay.max(step).ns(),
        "internal": network.source_component(projection) == own && network.target_component(projection) == own,
        "synapse": synapse(projection.plasticity),
        "grid": receptor_grid(network, projection.to, projection.receptor).unit(),
    })
}

fn each<T>(all: &[T], describe: impl Fn(usize, &T) -> serde_json::Value) -> Vec<serde_json::Value> {
    all.iter().enumerate().map(|(index, one)| describe(index, one)).collect()
}

fn variable(variable: &variables::VariableInfo) -> serde_json::Value {
    json!({ "name": variable.name, "message": variable.unit().is_none(), "unit": variable.unit() })
}

fn signal_out(index: usize, signal: &SignalOut) -> serde_json::Value {
    json!({
        "index": index,
        "population": signal.population,
        "variable": signal.variable,
        "unit": signal.unit,
        "width": signal.width,
        "first": signal.first,
        "count": signal.count,
    })
}

fn signal_in(index: usize, signal: &SignalIn) -> serde_json::Value {
    json!({
        "index": index,
        "link": signal.link,
        "source": signal.source,
        "target": signal.target,
        "unit": signal.unit,
        "width": signal.width,
        "first": signal.first,
        "count": signal.count,
        "step_ns": signal.step.ns(),
        "delay_ns": signal.delay.ns(),
        "min_delay_ns": signal.min_delay.ns(),
        "interpolation": match signal.interpolation {
            Interpolation::Hold => "hold",
            Interpolation::Linear => "linear",
        },
    })
}

fn message_in(index: usize, port: &MessageIn) -> serde_json::Value {
    json!({
        "index": index,
        "link": port.link,
        "source": port.source,
        "target": port.target,
        "delay_ns": port.delay.ns(),
    })
}

/// The type and the parameters of a synapse, by PyNN's names.
fn synapse(plasticity: Plasticity) -> serde_json::Value {
    match plasticity {
        Plasticity::Static => json!({ "type": "StaticSynapse" }),
        Plasticity::TsodyksMarkram(p) => json!({
            "type": "TsodyksMarkramSynapse", "U": p.u, "tau_rec": p.tau_rec, "tau_facil": p.tau_facil,
        }),
        Plasticity::Stdp(p) => json!({
            "type": "STDPMechanism",
            "tau_plus": p.tau_plus,
            "tau_minus": p.tau_minus,
            "A_plus": p.a_plus,
            "A_minus": p.a_minus,
            "w_min": p.w_min,
            "w_max": p.w_max,
            "mu_plus": p.mu_plus,
            "mu_minus": p.mu_minus,
        }),
    }
}

fn input(network: &Network, welcome: &Welcome, index: usize) -> serde_json::Value {
    let input = &welcome.inputs[index];
    json!({
        "index": index,
        "link": input.link,
        "source": input.source,
        "source_id": network.population(&input.source),
        "width": input.width,
        "min_delay_ns": input.min_delay.ns(),
        "delay_ns": input.delay.ns(),
        "target": input.target,
    })
}
