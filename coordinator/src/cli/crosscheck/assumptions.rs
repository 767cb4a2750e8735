//! How each simulator computes the standard cells, as far as that makes a difference: what is known before one looks.

use std::collections::BTreeMap;

use couple_network::description::{Cell, Component, Model, Network, Simulator};

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

/// How `component` integrates `cell` and when it spikes.
fn method(cell: Cell, component: &Component) -> String {
    let step = component.step;
    match component.simulator {
        Simulator::Native | Simulator::Nest => {
            let grid = "a spike is at the end of its step, and so is the reset";
            match cell {
                Cell::IfCurrExp | Cell::IfCurrAlpha | Cell::IfCurrDelta => {
                    format!("exact from step to step of {step}; {grid}")
                }
                Cell::IfCondExp
                | Cell::IfCondAlpha
                | Cell::IfCondExpGsfaGrr
                | Cell::IfFacetsHardware1
                | Cell::HhCondExp => {
                    format!("Runge-Kutta-Fehlberg 4(5) with a tolerance of 1e-3 in each step of {step}; {grid}")
                }
                Cell::EifCondExpIsfaIsta | Cell::EifCondAlphaIsfaIsta => format!(
                    "Runge-Kutta-Fehlberg 4(5) with a tolerance of 1e-6 in each step of {step}; resets within the step, \
                     the spike is at its end"
                ),
                Cell::Izhikevich => format!("forward Euler with the step of {step}: first order; {grid}"),
            }
        }
        Simulator::Neuron => match component.cvode {
            Some(cvode) => {
                let crossing = match cvode.condition_order {
                    2 => "the threshold crossing is interpolated, then rounded up to the grid",
                    _ => "the threshold crossing is at the end of the integrator's step",
                };
                format!("CVODE, variable step with an absolute tolerance of {:e}; {crossing}", cvode.atol)
            }
            None => format!(
                "implicit Euler with the step of {step}: first order, half the step halves the error; a spike is at the \
                 end of its step"
            ),
        },
        Simulator::Brian2 => format!("one update each step of {step}; a spike is at the end of its step"),
        _ => format!("step {step}"),
    }
}
