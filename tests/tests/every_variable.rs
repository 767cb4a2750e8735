//! Every variable of every standard cell: all state variables are recorded while spikes and signals drive all inputs. The native
//! kernel and NEST agree in every bit; NEURON and Brian2 give the same variables, and each of them moves.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fmt::Write as _;

use couple::setup::{brian2, nest, neuron};
use couple_network::description::{Cell, Model, Population};
use couple_network::variables::{self, VariableInfo};
use couple_recorder::Signals;
use couple_tests::programs::Runs;

const SIZE: u32 = 2;
const STEPS: u64 = 300;

fn variables(cell: Cell) -> Vec<VariableInfo> {
    let model = Model::Cell { cell, params: cell.default_params(), initial: Default::default() };
    variables::of(&Population { name: cell.name().into(), component: 0, size: SIZE, model, variables: vec![] })
}

/// All cells on `simulator`, each with spikes onto both receptors, and a slow wave on each of its inputs.
fn config(simulator: &str) -> String {
    let mut text = format!(
        "[run]\nduration = \"{} us\"\nseed = 3\n[component]\ncells = {{ simulator = \"{simulator}\" }}\nwaves = {{ simulator = \"native\" }}\n\
         maps = {{ simulator = \"converter\", step = \"0.1 ms\" }}\n\
         [population.wave]\ncomponent = \"waves\"\nsize = {SIZE}\ncell = \"IF_curr_exp\"\nparams = {{ i_offset = [0.8, 0.9] }}\n\
         [population.drive]\ncomponent = \"cells\"\nsize = 20\ncell = \"SpikeSourcePoisson\"\nparams = {{ rate = 100.0 }}\n",
        100 * STEPS
    );
    for (name, gain, offset, unit) in [("amplified", 0.03, 2.45, "nA"), ("thresholds", 0.1, -43.0, "mV")] {
        let _ = write!(
            text,
            "[population.{name}]\ncomponent = \"maps\"\nsize = {SIZE}\nconverter = {{ type = \"gain\", gain = {gain}, \
             offset = {offset}, unit_in = \"mV\", unit_out = \"{unit}\" }}\n\
             [[connection]]\nfrom = \"wave.v\"\nto = \"{name}.x\"\ndelay = 0.1\n"
        );
    }
    for cell in Cell::ALL {
        let (name, unit) = (cell.name(), cell.entry().weight_unit);
        let weight = match unit {
            "nA" => 0.25,
            "mV" => 1.0,
            _ => 0.0078125,
        };
        let _ = writeln!(text, "[population.{name}]\ncomponent = \"cells\"\nsize = {SIZE}\ncell = \"{name}\"");
        for (receptor, sign) in [("excitatory", 1.0), ("inhibitory", if unit == "uS" { 1.0 } else { -1.0 })] {
            let weight = sign * weight;
            let _ = writeln!(
                text,
                "[[projection]]\nfrom = \"drive\"\nto = \"{name}\"\nconnector = {{ type = \"FixedProbability\", p = 0.5 }}\n\
                 synapse = {{ weight = {weight}, delay = 0.1 }}\nreceptor = \"{receptor}\""
            );
        }
        let all = variables(cell);
        for variable in all.iter().filter(|v| v.takes()) {
            let (source, initial) =
                if variable.unit() == Some("mV") { ("thresholds", -49.5) } else { ("amplified", 0.0) };
            let _ = writeln!(
                text,
                "[[connection]]\nfrom = \"{source}.y\"\nto = \"{name}.{}\"\ndelay = 0.1\ninitial = {initial}",
                variable.name
            );
        }
        let names: Vec<_> = all.iter().filter(|v| v.gives()).map(|v| format!("{:?}", v.name)).collect();
        let _ = writeln!(text, "[[record]]\npopulation = \"{name}\"\nvariables = [\"spikes\", {}]", names.join(", "));
    }
    text
}

/// Runs all cells on a simulator; every state variable is there for each step, and is not the same all the time.
fn run(runs: &Runs, simulator: &str) {
    let folder = runs.run(simulator, &config(simulator), &[]);
    let signals = Signals::in_folder(&folder).unwrap();
    for cell in Cell::ALL {
        for variable in variables(cell).iter().filter(|v| v.gives()) {
            let place = format!("{simulator}: {}.{}", cell.name(), variable.name);
            let position = signals.find(cell.name(), &variable.name).unwrap_or_else(|| panic!("{place} is not there"));
            let values = signals.read(position, 0, STEPS).unwrap();
            assert_eq!(values.len() as u64, STEPS * u64::from(SIZE), "{place}");
            for neuron in 0..SIZE as usize {
                let mut column = values.iter().skip(neuron).step_by(SIZE as usize);
                let first = column.next().unwrap();
                assert!(column.any(|value| value != first), "{place}: neuron {neuron} stays at {first}");
            }
        }
    }
}

#[test]
fn all_variables_of_all_cells_on_all_simulators() {
    let runs = Runs::default();
    run(&runs, "native");
    for (simulator, installed) in
        [("nest", nest::installed()), ("neuron", neuron::installed()), ("brian2", brian2::installed())]
    {
        if installed.is_none() {
            eprintln!("skipped: {simulator} is not installed");
            continue;
        }
        run(&runs, simulator);
        if simulator == "nest" {
            runs.assert_same("native", "nest");
        }
    }
}
