//! One cell of each kind on the same input, with and without spikes, on several simulators.

#![allow(dead_code, reason = "not every test uses all of it")]

use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// A cell with parameters with which it does not fire, those with which it does, and weights of excitation and inhibition.
pub struct Case {
    pub cell: &'static str,
    pub quiet: &'static str,
    pub firing: &'static str,
    weights: [f64; 2],
    /// Largest error in mV with NEURON's fixed step of 0.1 ms, without spikes.
    pub limit: f64,
}

const IF: &str = "cm = 0.25, tau_refrac = 2.0, i_offset = 0.1, v_thresh = 1000.0";
const IF_FIRING: &str = "cm = 0.25, tau_refrac = 2.0, i_offset = 0.2";

pub const CASES: [Case; 11] = [
    Case { cell: "IF_curr_exp", quiet: IF, firing: IF_FIRING, weights: [0.15, -0.15], limit: 0.5 },
    Case { cell: "IF_curr_alpha", quiet: IF, firing: IF_FIRING, weights: [0.6, -0.6], limit: 0.8 },
    Case {
        cell: "IF_curr_delta",
        quiet: IF,
        firing: "cm = 0.25, tau_refrac = 2.0, i_offset = 0.15",
        weights: [1.5, -1.5],
        limit: 0.1,
    },
    Case { cell: "IF_cond_exp", quiet: IF, firing: IF_FIRING, weights: [0.004, 0.004], limit: 0.5 },
    Case { cell: "IF_cond_alpha", quiet: IF, firing: IF_FIRING, weights: [0.02, 0.02], limit: 1.0 },
    Case {
        cell: "IF_cond_exp_gsfa_grr",
        quiet: IF,
        firing: "cm = 0.25, tau_refrac = 2.0, i_offset = 0.3",
        weights: [0.006, 0.004],
        limit: 0.5,
    },
    Case {
        cell: "IF_facets_hardware1",
        quiet: "g_leak = 20.0, v_thresh = 1000.0",
        firing: "g_leak = 20.0",
        weights: [0.002, 0.002],
        limit: 0.3,
    },
    Case {
        cell: "EIF_cond_exp_isfa_ista",
        quiet: "v_thresh = -30.0, v_spike = 0.0, i_offset = 0.1",
        firing: "i_offset = 0.4",
        weights: [0.004, 0.004],
        limit: 0.5,
    },
    Case {
        cell: "EIF_cond_alpha_isfa_ista",
        quiet: "v_thresh = -30.0, v_spike = 0.0",
        firing: "i_offset = 0.4",
        weights: [0.004, 0.004],
        limit: 0.5,
    },
    Case { cell: "HH_cond_exp", quiet: "i_offset = 0.0", firing: "i_offset = 0.2", weights: [0.002, 0.02], limit: 1.0 },
    Case { cell: "Izhikevich", quiet: "i_offset = 0.0", firing: "i_offset = 0.004", weights: [0.3, -0.3], limit: 1.0 },
];

/// Ten cells, each with its own spikes at random points of a grid of 0.1 ms.
pub fn config(case: &Case, params: &str, step: &str) -> String {
    let mut state = 7_u64;
    let mut times = |n: usize| {
        let mut train = |_| {
            let mut steps: Vec<u64> = (0..n)
                .map(|_| {
                    state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                    10 + (state >> 33) % 9900
                })
                .collect();
            steps.sort_unstable();
            let text: Vec<String> = steps.iter().map(|s| format!("{}.{}", s / 10, s % 10)).collect();
            format!("[{}]", text.join(", "))
        };
        (0..10).map(&mut train).collect::<Vec<_>>().join(", ")
    };
    let (excitatory, inhibitory) = (times(300), times(75));
    let [w, v] = case.weights;
    let projection = |from: &str, weight: f64, receptor: &str| {
        format!(
            "[[projection]]\nfrom = \"{from}\"\nto = \"P\"\nconnector = {{ type = \"OneToOne\" }}\n\
             synapse = {{ weight = {weight:?}, delay = \"1 ms\" }}\nreceptor = \"{receptor}\"\n"
        )
    };
    let source = |name: &str, times: &str| {
        format!(
            "[population.{name}]\ncomponent = \"a\"\nsize = 10\ncell = \"SpikeSourceArray\"\nparams = {{ spike_times = [{times}] }}\n"
        )
    };
    format!(
        "[run]\nduration = \"1 s\"\n[component.a]\nsimulator = \"native\"\nstep = \"{step}\"\n{}{}\
         [population.P]\ncomponent = \"a\"\nsize = 10\ncell = \"{}\"\nparams = {{ {params} }}\n{}{}[[record]]\npopulation = \"P\"\n",
        source("e", &excitatory),
        source("i", &inhibitory),
        case.cell,
        projection("e", w, "excitatory"),
        projection("i", v, "inhibitory"),
    )
}

/// What `couple crosscheck` finds, native being the reference.
pub fn crosscheck(folder: &Path, config: &str, on: &str) -> Value {
    std::fs::write(folder.join("case.toml"), config).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_couple"));
    command.args(["crosscheck", "--json", "--variables", "v", "--interval", "0.1 ms", "--on", on, "case.toml"]);
    let output = command.current_dir(folder).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let begin = text.find("{\n").unwrap_or_else(|| panic!("{text}{}", String::from_utf8_lossy(&output.stderr)));
    serde_json::from_str(&text[begin..]).unwrap()
}

/// Largest difference of the potentials to native's.
pub fn potential(found: &Value, simulator: &str) -> f64 {
    let one = found["variables"].as_array().unwrap().iter().find(|v| v["simulator"] == simulator).unwrap();
    one["overall"]["max"].as_f64().unwrap()
}

/// Spikes, and the median distance of those that have a partner within 1 ms.
pub fn spikes(found: &Value, simulator: &str) -> (u64, f64) {
    let population = &found["populations"][0];
    let of =
        |list: &str| population[list].as_array().unwrap().iter().find(|v| v["simulator"] == simulator).unwrap().clone();
    (of("trains")["spikes"].as_u64().unwrap(), of("pairs")["median_distance_ms"].as_f64().unwrap_or(f64::NAN))
}
