"""One plastic synapse in NEST: its weight at the end, and the membrane potential of its target after each step.

usage: python nest_plasticity.py INPUT.json OUTPUT.txt

The input is a list of cases: steps of presynaptic and of postsynaptic spikes, the delay in steps, the weight in mV, the
synapse by NEST's names, tau_minus, and the number of steps. The target is an iaf_psc_delta that fires when it is made to.
The output has a line for each case: the weight and the potentials.
"""

import json
import sys

import nest

STEP = 0.1


def train(steps):
    """A generator whose spikes reach what it is connected to at the steps given, with a delay of one step."""
    return nest.Create("spike_generator", params={"spike_times": [round((k - 1) * STEP, 6) for k in steps]})


def run(case):
    """One case."""
    nest.ResetKernel()
    nest.set(resolution=STEP, local_num_threads=1)
    cell = {"V_th": -50.0, "V_reset": -65.0, "E_L": -65.0, "t_ref": 0.1, "tau_m": 20.0, "C_m": 1000.0, "V_m": -65.0}
    neuron = nest.Create("iaf_psc_delta", params=cell)
    if case["tau_minus"]:
        neuron.tau_minus = case["tau_minus"]
    nest.Connect(train(case["post"]), neuron, syn_spec={"weight": 100.0, "delay": STEP})
    pre = nest.Create("parrot_neuron")
    nest.Connect(train(case["pre"]), pre, syn_spec={"delay": STEP})
    synapse = {"synapse_model": case["model"], "weight": case["weight"], "delay": round(case["delay"] * STEP, 6)}
    nest.Connect(pre, neuron, "one_to_one", {**synapse, **case["parameters"]})
    meter = nest.Create("multimeter", params={"interval": STEP, "record_from": ["V_m"]})
    nest.Connect(meter, neuron, syn_spec={"delay": STEP})
    nest.Simulate(round((case["steps"] + 20) * STEP, 6))
    events = meter.events
    trace = {round(t / STEP): v for t, v in zip(events["times"], events["V_m"])}
    weight = nest.GetConnections(pre, neuron).weight
    return {"weight": float(weight), "v": [float(trace[k]) for k in range(1, case["steps"] + 1)]}


def main():
    """Runs every case of the input file."""
    with open(sys.argv[1], encoding="utf-8") as file:
        cases = json.load(file)
    nest.verbosity = nest.VerbosityLevel.ERROR
    with open(sys.argv[2], "w", encoding="utf-8") as out:
        for case in cases:
            result = run(case)
            print(repr(result["weight"]), *map(repr, result["v"]), file=out)


if __name__ == "__main__":
    main()
