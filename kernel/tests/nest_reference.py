"""Runs one NEST neuron on given input and writes down what it does, bit for bit.

usage: python nest_reference.py INPUT.json OUTPUT.txt

The input is a list of cases: a standard cell, its PyNN parameters, the initial membrane potential, the step in ms, the
number of steps, and for each receptor the arrivals as (step, weight in PyNN units).
The output has for each case a line `case NAME`, then for each step a line `v` with the 64 bits of the membrane
potential in hexadecimal, and for each spike a line `s` with its step.
"""

import json
import struct
import sys

import nest

MODELS = {
    "IF_curr_exp": "iaf_psc_exp",
    "IF_curr_alpha": "iaf_psc_alpha",
    "IF_curr_delta": "iaf_psc_delta",
    "IF_cond_exp": "iaf_cond_exp",
}


def nest_parameters(cell, params, v):
    """The parameters of NEST's model, from PyNN's."""
    out = {
        "E_L": params["v_rest"],
        "V_reset": params["v_reset"],
        "V_th": params["v_thresh"],
        "C_m": 1000.0 * params["cm"],
        "t_ref": params["tau_refrac"],
        "I_e": 1000.0 * params["i_offset"],
        "V_m": v,
    }
    if cell != "IF_curr_delta":
        out["tau_syn_ex"] = params["tau_syn_E"]
        out["tau_syn_in"] = params["tau_syn_I"]
    if cell == "IF_cond_exp":
        out["g_L"] = params["cm"] / params["tau_m"] * 1000.0
        out["E_ex"] = params["e_rev_E"]
        out["E_in"] = params["e_rev_I"]
    else:
        out["tau_m"] = params["tau_m"]
    return out


def run(case, out):
    """One case."""
    step = case["step"]
    nest.ResetKernel()
    nest.set(resolution=step, local_num_threads=1)
    # Every connection, also of devices, counts for the shortest delay.
    nest.SetDefaults("static_synapse", {"delay": step})
    neuron = nest.Create(MODELS[case["cell"]], params=nest_parameters(case["cell"], case["params"], case["v"]))
    unit = 1.0 if case["cell"] == "IF_curr_delta" else 1000.0
    for receptor in ("excitatory", "inhibitory"):
        sign = -1.0 if case["cell"] == "IF_cond_exp" and receptor == "inhibitory" else 1.0
        arrivals = case[receptor]
        if arrivals:
            generator = nest.Create(
                "spike_generator",
                params={
                    # Emitted one step before it arrives.
                    "spike_times": [round((at - 1) * step, 6) for at, _ in arrivals],
                    "spike_weights": [sign * unit * weight for _, weight in arrivals],
                },
            )
            nest.Connect(generator, neuron, syn_spec={"weight": 1.0, "delay": step})
    meter = nest.Create("multimeter", params={"interval": step, "record_from": ["V_m"]})
    nest.Connect(meter, neuron)
    recorder = nest.Create("spike_recorder")
    nest.Connect(neuron, recorder)
    # A few steps more, since devices lag behind.
    nest.Simulate(round((case["steps"] + 20) * step, 6))

    out.write(f"case {case['name']}\n")
    events = meter.events
    trace = {round(t / step): v for t, v in zip(events["times"], events["V_m"])}
    for k in range(1, case["steps"] + 1):
        out.write("v " + struct.pack(">d", trace[k]).hex() + "\n")
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
