//! What NEST, PyNN and Brian call the things that have another name here, so that a message can say which.

use couple_network::cells;

/// Their name, lower case and with `_`; our names, of which the one that is possible in the place at hand is meant.
const SYNONYMS: &[(&str, &[&str])] = &[
    // Cells.
    ("iaf_psc_exp", &["IF_curr_exp"]),
    ("iaf_psc_alpha", &["IF_curr_alpha"]),
    ("iaf_psc_delta", &["IF_curr_delta"]),
    ("iaf_cond_exp", &["IF_cond_exp"]),
    ("poisson_generator", &["SpikeSourcePoisson"]),
    ("poissongroup", &["SpikeSourcePoisson"]),
    ("poisson", &["SpikeSourcePoisson"]),
    ("spike_generator", &["SpikeSourceArray"]),
    ("spikegeneratorgroup", &["SpikeSourceArray"]),
    ("aeif_cond_exp", &["EIF_cond_exp_isfa_ista"]),
    ("aeif_cond_alpha", &["EIF_cond_alpha_isfa_ista"]),
    ("iaf_cond_alpha", &["IF_cond_alpha"]),
    ("hh_cond_exp_traub", &["HH_cond_exp"]),
    ("izhikevich", &["Izhikevich"]),
    // Parameters and state variables of cells.
    ("e_l", &["v_rest"]),
    ("v_th", &["v_thresh"]),
    ("v_threshold", &["v_thresh"]),
    ("t_ref", &["tau_refrac"]),
    ("refractory", &["tau_refrac"]),
    ("c_m", &["cm"]),
    ("c", &["cm"]),
    ("i_e", &["i_offset"]),
    ("i_ext", &["i_offset"]),
    ("tau_syn_ex", &["tau_syn_E"]),
    ("tau_syn_in", &["tau_syn_I"]),
    ("e_ex", &["e_rev_E"]),
    ("e_in", &["e_rev_I"]),
    ("v_m", &["v"]),
    ("vm", &["v"]),
    ("v_init", &["v"]),
    ("membrane_potential", &["v"]),
    ("g_ex", &["gsyn_exc"]),
    ("g_in", &["gsyn_inh"]),
    ("i_syn_ex", &["isyn_exc"]),
    ("i_syn_in", &["isyn_inh"]),
    ("i_inj", &["current"]),
    ("iclamp", &["current"]),
    ("times", &["spike_times"]),
    ("spikes", &["spike_times"]),
    ("rates", &["rate"]),
    ("freq", &["rate"]),
    ("frequency", &["rate"]),
    // Connectors and their keys.
    ("pairwise_bernoulli", &["FixedProbability"]),
    ("bernoulli", &["FixedProbability"]),
    ("random", &["FixedProbability"]),
    ("fixed_indegree", &["FixedNumberPre"]),
    ("fixed_outdegree", &["FixedNumberPost"]),
    ("all", &["AllToAll"]),
    ("list", &["FromList"]),
    ("rule", &["type", "connector"]),
    ("class", &["type"]),
    ("name", &["type"]),
    ("indegree", &["n"]),
    ("outdegree", &["n"]),
    ("number", &["n"]),
    ("probability", &["p"]),
    ("list", &["pairs"]),
    ("conn_list", &["pairs"]),
    ("connections", &["pairs"]),
    ("allow_autapses", &["allow_self_connections"]),
    ("autapses", &["allow_self_connections"]),
    ("allow_multapses", &["with_replacement"]),
    ("multapses", &["with_replacement"]),
    // Projections.
    ("pre", &["from", "per_source"]),
    ("source", &["from"]),
    ("presynaptic_population", &["from"]),
    ("post", &["to"]),
    ("target", &["to"]),
    ("postsynaptic_population", &["to"]),
    ("conn_spec", &["connector"]),
    ("connectivity", &["connector"]),
    ("syn_spec", &["synapse"]),
    ("synapse_type", &["synapse"]),
    ("ampa", &["excitatory"]),
    ("nmda", &["excitatory"]),
    ("gaba", &["inhibitory"]),
    ("gaba_a", &["inhibitory"]),
    // Distributions.
    ("dist", &["distribution"]),
    ("name", &["distribution"]),
    ("type", &["distribution"]),
    ("gaussian", &["normal"]),
    ("normal_clipped_to_bounds", &["normal_clipped_to_boundary"]),
    ("mean", &["mu", "beta"]),
    ("std", &["sigma"]),
    ("std_dev", &["sigma"]),
    ("stdev", &["sigma"]),
    ("sd", &["sigma"]),
    ("min", &["low"]),
    ("max", &["high"]),
    ("scale", &["theta", "beta"]),
    ("shape", &["k"]),
    // Populations.
    ("number_of_neurons", &["size"]),
    ("n_neurons", &["size"]),
    ("neurons", &["size", "population"]),
    ("n", &["size"]),
    ("model", &["cell"]),
    ("type", &["cell", "simulator", "connector"]),
    ("neuron", &["cell", "population"]),
    ("cellclass", &["cell"]),
    ("celltype", &["cell"]),
    ("cellparams", &["params"]),
    ("parameter", &["params", "parameters"]),
    ("parameters", &["params"]),
    // Components.
    ("dt", &["step"]),
    ("timestep", &["step"]),
    ("time_step", &["step"]),
    ("resolution", &["step"]),
    ("num_threads", &["threads"]),
    ("local_num_threads", &["threads"]),
    ("processes", &["ranks"]),
    ("num_processes", &["ranks"]),
    ("backend", &["simulator"]),
    ("pynn.nest", &["nest"]),
    ("python", &["script"]),
    ("kernel", &["native"]),
    ("couple", &["native"]),
    // The run.
    ("simulation", &["run"]),
    ("sim", &["run"]),
    ("general", &["run"]),
    ("simtime", &["duration"]),
    ("sim_time", &["duration"]),
    ("t_sim", &["duration"]),
    ("t_stop", &["duration"]),
    ("tstop", &["duration"]),
    ("stop_time", &["duration"]),
    ("time", &["duration"]),
    ("rng_seed", &["seed"]),
    ("random_seed", &["seed"]),
    ("label", &["name"]),
    ("recording", &["record"]),
    ("recorders", &["record"]),
];

/// What has no counterpart under another name: their name, one of the keys of the table where it stands, what to do.
const REMARKS: &[(&str, &str, &str)] = &[
    ("dt", "duration", "each component has its own:  [component.NAME] step = \"0.1 ms\""),
    ("timestep", "duration", "each component has its own:  [component.NAME] step = \"0.1 ms\""),
    ("resolution", "duration", "each component has its own:  [component.NAME] step = \"0.1 ms\""),
    ("step", "duration", "each component has its own:  [component.NAME] step = \"0.1 ms\""),
    ("threads", "duration", "each component has its own:  [component.NAME] threads = 2"),
    ("min_delay", "duration", "leave it out: it follows from the delays of the projections"),
    ("max_delay", "duration", "leave it out: it follows from the delays of the projections"),
    ("min_delay", "simulator", "leave it out: it follows from the delays of the projections"),
    ("max_delay", "simulator", "leave it out: it follows from the delays of the projections"),
    (
        "simulator",
        "size",
        "a population lives on a component:  component = \"NAME\", and [component.NAME] simulator = \"nest\"",
    ),
    ("weight", "connector", "it belongs to the synapse:  synapse = { weight = 0.1, delay = \"1.5 ms\" }"),
    ("delay", "connector", "it belongs to the synapse:  synapse = { weight = 0.1, delay = \"1.5 ms\" }"),
    ("p", "connector", "it belongs to the connector:  connector = { type = \"FixedProbability\", p = 0.1 }"),
    ("n", "connector", "it belongs to the connector:  connector = { type = \"FixedNumberPre\", n = 100 }"),
    ("weight", "type", "it belongs to the synapse:  synapse = { weight = 0.1, delay = \"1.5 ms\" }"),
    ("weights", "type", "it belongs to the synapse:  synapse = { weight = 0.1, delay = \"1.5 ms\" }"),
    ("delay", "type", "it belongs to the synapse:  synapse = { weight = 0.1, delay = \"1.5 ms\" }"),
    ("delays", "type", "it belongs to the synapse:  synapse = { weight = 0.1, delay = \"1.5 ms\" }"),
    ("plasticity", "connector", "it belongs to `synapse`:  synapse = { type = \"STDPMechanism\", … }"),
    ("tau_plus", "timing", "it belongs to the rule of timing:  timing = { tau_plus = 20.0 }"),
    ("tau_plus", "w_max", "it belongs to the rule of timing:  timing = { tau_plus = 20.0 }"),
    ("tau_minus", "timing", "it belongs to the rule of timing:  timing = { tau_minus = 20.0 }"),
    ("tau_minus", "w_max", "it belongs to the rule of timing:  timing = { tau_minus = 20.0 }"),
    ("a_plus", "timing", "it belongs to the rule of timing:  timing = { A_plus = 0.01 }"),
    ("a_plus", "w_max", "it belongs to the rule of timing:  timing = { A_plus = 0.01 }"),
    ("a_minus", "timing", "it belongs to the rule of timing:  timing = { A_minus = 0.01 }"),
    ("a_minus", "w_max", "it belongs to the rule of timing:  timing = { A_minus = 0.01 }"),
    (
        "w_max",
        "timing",
        "it belongs to the weight dependence:  weight_dependence = { type = \"Additive\", w_max = 0.2 }",
    ),
    (
        "w_min",
        "timing",
        "it belongs to the weight dependence:  weight_dependence = { type = \"Additive\", w_max = 0.2 }",
    ),
    ("tau_rec", "weight", "give the synapse its type:  type = \"TsodyksMarkramSynapse\""),
    ("tau_facil", "weight", "give the synapse its type:  type = \"TsodyksMarkramSynapse\""),
    ("u", "weight", "give the synapse its type:  type = \"TsodyksMarkramSynapse\""),
    ("record", "params", "recordings stand on their own:  [[record]] population = \"NAME\""),
    ("rng", "type", "leave it out: random numbers follow from run.seed and the projection's name"),
    ("model", "weight", "write  type = \"StaticSynapse\", \"TsodyksMarkramSynapse\" or \"STDPMechanism\""),
    ("synapse_model", "weight", "write  type = \"StaticSynapse\", \"TsodyksMarkramSynapse\" or \"STDPMechanism\""),
    ("receptor", "weight", "it belongs to the projection, beside `synapse`:  receptor = \"inhibitory\""),
    ("receptor_type", "weight", "it belongs to the projection, beside `synapse`:  receptor = \"inhibitory\""),
    ("stop", "rate", "give `duration`, which counts from `start`"),
    ("g_l", "tau_m", "give  tau_m, which is cm / g_L"),
    ("tau_syn", "tau_m", "give  tau_syn_E and tau_syn_I, for the two receptors"),
    ("label", "size", "the name stands in the head of the table:  [population.NAME]"),
    ("stimulus", "population", "spike sources are populations:  [population.drive] with cell = \"SpikeSourcePoisson\""),
    ("input", "population", "spike sources are populations:  [population.drive] with cell = \"SpikeSourcePoisson\""),
    (
        "synapse",
        "projection",
        "synapses are described where they are made:  [[projection]] synapse = { weight = 0.1, … }",
    ),
];

/// Names as they are compared: without what scripts add to them.
pub(super) fn plain(name: &str) -> String {
    let name = name.trim().trim_end_matches("()");
    let name = ["sim.", "nest.", "p."].iter().fold(name, |name, module| name.strip_prefix(module).unwrap_or(name));
    name.strip_suffix("Connector").unwrap_or(name).to_lowercase().replace(['-', ' '], "_")
}

/// The one of `known` that is meant by someone else's `name` for it.
pub(super) fn meant<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let name = plain(name);
    let ours = SYNONYMS.iter().filter(|s| s.0 == name).flat_map(|s| s.1);
    ours.filter_map(|ours| known.iter().find(|k| *k == ours)).copied().next()
}

/// What to do instead of writing `name` in a table with the keys `known`.
pub(super) fn remark(name: &str, known: &[&str]) -> Option<String> {
    let compared = plain(name);
    // A synapse has a type like a connector; its own keys in other letters are no one else's.
    let is_synapse = known.contains(&"weight");
    let fits = |marker: &str| known.contains(&marker) && !(is_synapse && marker == "type");
    let own = known.iter().any(|key| key.to_lowercase() == compared);
    if let Some((_, _, remark)) = REMARKS.iter().find(|r| !own && r.0 == compared && fits(r.1)) {
        return Some(remark.to_string());
    }
    // Settings of a cell beside `params` instead of in it.
    let place = |key: &str| format!("it belongs to the cell:  {key} = {{ {name} = … }}");
    let is_param = || cells::catalogue().iter().any(|cell| cell.parameter(name).is_some());
    // `n` alone is hardly a gating variable, more likely a number of neurons.
    let of_cell = |cell: &cells::Entry| cell.state_variable(name).is_some_and(|variable| !variable.unit.is_empty());
    let is_state = || cells::catalogue().iter().any(of_cell);
    match known.contains(&"params") {
        true if is_param() => Some(place("params")),
        true if is_state() => Some(place("initial")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{REMARKS, SYNONYMS, meant, plain, remark};

    #[test]
    fn tables_are_written_as_names_are_compared() {
        for name in SYNONYMS.iter().map(|s| s.0).chain(REMARKS.iter().map(|r| r.0)) {
            assert!(plain(name) == name, "{name}");
        }
    }

    #[test]
    fn the_place_decides() {
        assert_eq!(meant("iaf_psc_exp()", &["IF_curr_exp"]), Some("IF_curr_exp"));
        assert_eq!(meant("dt", &["simulator", "step"]), Some("step"));
        assert_eq!(meant("dt", &["duration"]), None);
        assert!(remark("dt", &["duration"]).is_some_and(|r| r.contains("step")));
        assert_eq!(remark("dt", &["simulator", "step"]), None);
    }
}
