//! How each simulator computes the standard cells, as far as that makes a difference: what is known before one looks.

use std::collections::BTreeMap;

use couple_network::description::{Cell, Component, Model, Network, Simulator};
use couple_ports::time::Span;

use super::moves::Moves;

/// One line for each way in which the moved cells are computed.
pub fn of(network: &Network, moves: &Moves) -> Vec<String> {
    let mut lines: BTreeMap<String, Vec<&'static str>> = BTreeMap::new();
    for population in network.populations.iter().filter(|p| moves.populations.contains(&p.name)) {
        let Model::Cell { cell, .. } = population.model else { continue };
        let cells = lines.entry(method(cell, &network.components[population.component])).or_default();
        if !cells.contains(&cell.entry().name) {
            cells.push(cell.entry().name);
        }
    }
    lines.into_iter().map(|(method, cells)| format!("{}: {method}", cells.join(", "))).collect()
}

/// Of simulators with one step for all.
const GRID: &str = "a spike is at the end of its step, and so is the reset";

/// How `component` integrates `cell` and when it spikes.
fn method(cell: Cell, component: &Component) -> String {
    let step = component.step;
    match component.simulator {
        Simulator::Native | Simulator::Nest => match cell {
            Cell::IfCurrExp | Cell::IfCurrAlpha | Cell::IfCurrDelta => {
                format!("exact from step to step of {step}; {GRID}")
            }
            Cell::IfCondExp
            | Cell::IfCondAlpha
            | Cell::IfCondExpGsfaGrr
            | Cell::IfFacetsHardware1
            | Cell::HhCondExp => {
                format!("Runge-Kutta-Fehlberg 4(5) with a tolerance of 1e-3 in each step of {step}; {GRID}")
            }
            Cell::EifCondExpIsfaIsta | Cell::EifCondAlphaIsfaIsta => format!(
                "Runge-Kutta-Fehlberg 4(5) with a tolerance of 1e-6 in each step of {step}; resets within the step, \
                 the spike is at its end"
            ),
            Cell::Izhikevich => format!("forward Euler with the step of {step}: first order; {GRID}"),
        },
        Simulator::Neuron => match component.cvode {
            Some(cvode) => {
                let crossing = match cvode.condition_order {
                    2 => "is where the threshold is crossed, between the steps of others",
                    _ => "is at the end of the integrator's step in which the threshold is crossed",
                };
                format!(
                    "CVODE, a variable step for each cell with an absolute tolerance of {:e}; a spike {crossing}",
                    cvode.atol
                )
            }
            None => neuron(cell, step),
        },
        Simulator::Brian2 => brian2(cell, step),
        _ => format!("step {step}"),
    }
}

/// NEURON with its fixed step: the membrane first, with everything else as it was at the start of the step.
fn neuron(cell: Cell, step: Span) -> String {
    let first = format!("with the step of {step}: first order, half the step halves the error");
    let exponential =
        "; a synapse is held over each step at its value at the start, which is about step/(2 tau_syn) too much";
    match cell {
        Cell::Izhikevich => format!("forward Euler {first}; {GRID}"),
        Cell::EifCondExpIsfaIsta => {
            format!("Euler, forward for the upstroke, implicit else, {first}{exponential}; {GRID}")
        }
        Cell::EifCondAlphaIsfaIsta => format!("Euler, forward for the upstroke, implicit else, {first}; {GRID}"),
        // What begins at zero is held as often too low as too high.
        Cell::IfCurrAlpha | Cell::IfCondAlpha | Cell::IfCurrDelta => format!("implicit Euler {first}; {GRID}"),
        _ => format!("implicit Euler {first}{exponential}; {GRID}"),
    }
}

/// As `couple.brian2` does it, which brings its own methods.
fn brian2(cell: Cell, step: Span) -> String {
    let runge_kutta = |steps: i64| {
        format!("Runge-Kutta 4 with the step of {}; conductances decay exactly", Span::from_ns(step.ns() / steps))
    };
    let method = match cell {
        Cell::IfCurrExp | Cell::IfCurrAlpha | Cell::IfCurrDelta => format!("exact from step to step of {step}"),
        Cell::IfCondExp | Cell::IfCondAlpha | Cell::IfCondExpGsfaGrr | Cell::IfFacetsHardware1 => runge_kutta(1),
        Cell::EifCondExpIsfaIsta | Cell::EifCondAlphaIsfaIsta => runge_kutta(8),
        Cell::HhCondExp => runge_kutta(4),
        Cell::Izhikevich => format!("forward Euler with the step of {step}: first order"),
    };
    format!("{method}; {GRID}")
}
