"""A model of a user's own, and its twin that gets the same spikes by Brian2's own means: the two must do the same."""

from brian2 import *
import couple.brian2 as cb
import numpy as np

prefs.codegen.target = "numpy"
cb.setup()
tau_m, tau_s, C = 10 * ms, 5 * ms, 250 * pF
equations = """
dv/dt = (-65*mV - v)/tau_m + (ge + gi)/C : volt (unless refractory)
dge/dt = -ge/tau_s : amp
dgi/dt = -gi/tau_s : amp
"""
spiking = dict(threshold="v >= -50*mV", reset="v = -65*mV", refractory=2 * ms, method="exact")
all_neurons = NeuronGroup(14, equations, **spiking)
all_neurons.v = -65 * mV
neurons = all_neurons[4:]  # a part of a group
cb.port("P", neurons, receptors={"excitatory": "ge", "inhibitory": "gi"})
cb.output("P", "potential", neurons, "v")
passive = NeuronGroup(10, "dv/dt = -v/tau_m + drive/C : volt\ndrive : amp\nabove = v + 2*shift : volt", method="exact")
shift = 1.5 * mV
cb.output("Q", "above", passive[:], "above")  # an expression of others
cb.output("Q", "potential", passive, "v")
cb.input("Q", "drive", passive, "drive")

# The same spikes of source 0, 1: a stamp is the end of a step here, and Brian2's time its beginning.
stamps = np.array([2.0, 4.1, 4.2, 6.0, 12.5, 30.0, 31.0, 31.5, 40.0]) * ms
source = SpikeGeneratorGroup(2, np.arange(9) % 2, stamps - defaultclock.dt)
twin = NeuronGroup(10, equations, **spiking)
twin.v = -65 * mV
strong = Synapses(source, twin, "w : amp", on_pre="ge_post += w", delay=1.5 * ms)
strong.connect()
strong.w = 0.75 * nA

seen, expected = SpikeMonitor(neurons), SpikeMonitor(twin)
v_seen, v_expected = StateMonitor(neurons, "v", record=True), StateMonitor(twin, "v", record=True)
cb.run(Network(collect()))
assert seen.num_spikes > 20, seen.num_spikes
assert np.array_equal(seen.i, expected.i) and np.array_equal(seen.t, expected.t), (seen.t, expected.t)
assert np.array_equal(v_seen.v, v_expected.v), abs(v_seen.v - v_expected.v).max()
