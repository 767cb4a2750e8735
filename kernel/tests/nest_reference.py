"""Runs one NEST neuron on given input and writes down what it does, bit for bit.

usage: python nest_reference.py INPUT.json OUTPUT.txt

The input is a list of cases: a standard cell, its PyNN parameters, initial values, the step in ms, the
number of steps, for each receptor the arrivals as (step, weight in PyNN units), the injected current as (step after which
it flows, nA), parameters that change as (step after which they are so, name, value), and the state variables to be read.
The output has for each case a line `case NAME`, then for each step and each state variable a line `x` with the variable's
position and the 64 bits of its value in PyNN's unit in hexadecimal, and for each spike a line `s` with its step.
"""

import json
import struct
import sys

import nest

CURRENT = {
    "E_L": "v_rest", "V_reset": "v_reset", "V_th": "v_thresh", "t_ref": "tau_refrac", "C_m": ("cm", 1000.0),
    "I_e": ("i_offset", 1000.0), "tau_m": "tau_m", "V_m": "v",
}
SYNAPSES = {"tau_syn_ex": "tau_syn_E", "tau_syn_in": "tau_syn_I"}
CONDUCTANCE = {
    **{name: value for name, value in CURRENT.items() if name != "tau_m"},
    **SYNAPSES, "E_ex": "e_rev_E", "E_in": "e_rev_I",
    "g_L": lambda p: p["cm"] / p["tau_m"] * 1000.0,
}
ADEX = {
    **CONDUCTANCE, "V_peak": "v_spike", "Delta_T": "delta_T", "a": "a", "b": ("b", 1000.0), "tau_w": "tau_w",
    "w": ("w", 1000.0),
}
# PyNN's cell -> NEST's model, its parameters and initial values from PyNN's, and how weights are converted.
MODELS = {
    "IF_curr_exp": ("iaf_psc_exp", {**CURRENT, **SYNAPSES}, (1000.0, 1000.0)),
    "IF_curr_alpha": ("iaf_psc_alpha", {**CURRENT, **SYNAPSES}, (1000.0, 1000.0)),
    "IF_curr_delta": ("iaf_psc_delta", CURRENT, (1.0, 1.0)),
    "IF_cond_exp": ("iaf_cond_exp", CONDUCTANCE, (1000.0, -1000.0)),
    "IF_cond_alpha": ("iaf_cond_alpha", CONDUCTANCE, (1000.0, -1000.0)),
    "IF_cond_exp_gsfa_grr": (
        "iaf_cond_exp_sfa_rr",
        {
            **CONDUCTANCE, "tau_sfa": "tau_sfa", "E_sfa": "e_rev_sfa", "q_sfa": "q_sfa", "tau_rr": "tau_rr",
            "E_rr": "e_rev_rr", "q_rr": "q_rr", "g_sfa": "g_s", "g_rr": "g_r",
        },
        (1000.0, -1000.0),
    ),
    "IF_facets_hardware1": (
        "iaf_cond_exp",
        {
            "g_L": "g_leak", "E_L": "v_rest", "V_reset": "v_reset", "V_th": "v_thresh", "E_in": "e_rev_I", **SYNAPSES,
            "V_m": "v", "C_m": lambda p: 200.0, "t_ref": lambda p: 1.0, "E_ex": lambda p: 0.0,
        },
        (1000.0, -1000.0),
    ),
    "EIF_cond_exp_isfa_ista": ("aeif_cond_exp", ADEX, (1000.0, -1000.0)),
    "EIF_cond_alpha_isfa_ista": ("aeif_cond_alpha", ADEX, (1000.0, -1000.0)),
    "HH_cond_exp": (
        "hh_cond_exp_traub",
        {
            "g_Na": ("gbar_Na", 1000.0), "g_K": ("gbar_K", 1000.0), "g_L": ("g_leak", 1000.0), "C_m": ("cm", 1000.0),
            "V_T": "v_offset", "E_Na": "e_rev_Na", "E_K": "e_rev_K", "E_L": "e_rev_leak", "E_ex": "e_rev_E",
            "E_in": "e_rev_I", **SYNAPSES, "I_e": ("i_offset", 1000.0), "V_m": "v", "Act_m": "m", "Inact_h": "h",
            "Act_n": "n",
        },
        (1000.0, -1000.0),
    ),
    "Izhikevich": (
        "izhikevich",
        {"a": "a", "b": "b", "c": "c", "d": "d", "I_e": ("i_offset", 1000.0), "V_m": "v", "U_m": "u"},
        (1.0, 1.0),
    ),
}
# PyNN's state variable -> NEST's recordable, and what NEST's unit is in PyNN's.
RECORDABLES = {
    "v": ("V_m", 1.0), "isyn_exc": ("I_syn_ex", 1000.0), "isyn_inh": ("I_syn_in", 1000.0), "gsyn_exc": ("g_ex", 1000.0),
    "gsyn_inh": ("g_in", 1000.0), "w": ("w", 1000.0), "u": ("U_m", 1.0), "g_s": ("g_sfa", 1.0), "g_r": ("g_rr", 1.0),
    "m": ("Act_m", 1.0), "h": ("Inact_h", 1.0), "n": ("Act_n", 1.0),
}
# Where state variables start that a case does not name.
STARTS = {"u": -14.0, "h": 1.0}


def nest_parameters(translations, given):
    """The parameters and initial values of NEST's model, from PyNN's."""
    out = {}
    for name, source in translations.items():
        if callable(source):
            out[name] = source(given)
            continue
        source, factor = source if isinstance(source, tuple) else (source, 1.0)
        out[name] = factor * given[source] if source in given else factor * STARTS.get(source, 0.0)
    return out


def run(case, out):
    """One case."""
    step = case["step"]
    nest.ResetKernel()
    nest.set(resolution=step, local_num_threads=1)
    # Every connection, also of devices, counts for the shortest delay.
    nest.SetDefaults("static_synapse", {"delay": step})
    model, translations, units = MODELS[case["cell"]]
    neuron = nest.Create(model, params=nest_parameters(translations, {**case["params"], **case["initial"]}))
    for receptor, unit in zip(("excitatory", "inhibitory"), units):
        arrivals = case[receptor]
        if arrivals:
            generator = nest.Create(
                "spike_generator",
                params={
                    # Emitted one step before it arrives.
                    "spike_times": [round((at - 1) * step, 6) for at, _ in arrivals],
                    "spike_weights": [unit * weight for _, weight in arrivals],
                },
            )
            nest.Connect(generator, neuron, syn_spec={"weight": 1.0, "delay": step})
    if case["current"]:
        # Reaches the neuron a step after it is emitted, and drives it in the step that begins then.
        generator = nest.Create(
            "step_current_generator",
            params={
                "amplitude_times": [round((after - 1) * step, 6) for after, _ in case["current"]],
                "amplitude_values": [1000.0 * current for _, current in case["current"]],
            },
        )
        nest.Connect(generator, neuron, syn_spec={"weight": 1.0, "delay": step})
    recordables = [RECORDABLES[name] for name in case["read"]]
    meter = nest.Create("multimeter", params={"interval": step, "record_from": [name for name, _ in recordables]})
    nest.Connect(meter, neuron)
    recorder = nest.Create("spike_recorder")
    nest.Connect(neuron, recorder)
    done = 0
    for after, name, value in case["changes"]:
        if after > done:
            nest.Simulate(round((after - done) * step, 6))
            done = after
        theirs, unit = {"i_offset": ("I_e", 1000.0), "v_thresh": ("V_th", 1.0)}[name]
        neuron.set({theirs: unit * value})
    # A few steps more, since devices lag behind.
    nest.Simulate(round((case["steps"] - done + 20) * step, 6))

    out.write(f"case {case['name']}\n")
    events = meter.events
    for position, (name, unit) in enumerate(recordables):
        trace = {round(t / step): value / unit for t, value in zip(events["times"], events[name])}
        for k in range(1, case["steps"] + 1):
            out.write(f"x {position} " + struct.pack(">d", trace[k]).hex() + "\n")
    for t in recorder.events["times"]:
        if round(t / step) <= case["steps"]:
            out.write(f"s {round(t / step)}\n")


def main():
    """Runs every case of the input file."""
    with open(sys.argv[1], encoding="utf-8") as file:
        cases = json.load(file)
    nest.verbosity = nest.VerbosityLevel.ERROR
    with open(sys.argv[2], "w", encoding="utf-8") as out:
        for case in cases:
            run(case, out)


if __name__ == "__main__":
    main()
