"""Populations of the configuration beside the same network in plain Brian2: equations, method, synapses and delays are Brian2's.

Times are converted: a stamp of couple is the end of a step, Brian2's time its beginning, from which it counts the refractory
period, too.
"""

from brian2 import *
import couple.brian2 as cb
import numpy as np

prefs.codegen.target = "numpy"
cb.setup()
dt = defaultclock.dt
equations = """
dv/dt = (v_rest - v)/tau_m + (ge + gi + offset)/C : volt (unless refractory)
dge/dt = -ge/tau_e : amp
dgi/dt = -gi/tau_i : amp
"""
v_rest, tau_m, C, tau_e, tau_i, offset = -65 * mV, 10 * ms, 250 * pF, 2 * ms, 5 * ms, 0.35 * nA
stamps = [(0, 2.0), (1, 4.1), (0, 4.2), (1, 6.0), (0, 12.5), (1, 30.0), (0, 31.0), (1, 31.5), (0, 40.0)]
source = SpikeGeneratorGroup(2, [i for i, _ in stamps], [t for _, t in stamps] * ms - dt)


def group(n, v):
    neurons = NeuronGroup(n, equations, threshold="v >= -50*mV", reset="v = -65*mV", refractory=2 * ms + dt, method="exact")
    neurons.v = v * mV
    return neurons


def project(start, end, target, weight, delay):
    synapses = Synapses(start, end, "w : amp", on_pre=f"{target}_post += w", delay=delay)
    synapses.connect()
    synapses.w = weight
    return synapses


excitatory = group(8, np.arange(-66, -50, 2))
inhibitory = group(4, np.arange(-64, -48, 4))
projections = [
    project(source, excitatory, "ge", 0.875 * nA, 1.5 * ms),
    project(excitatory, excitatory, "ge", 0.046875 * nA, 0.8 * ms),
    project(excitatory, inhibitory, "ge", 0.5 * nA, 2 * ms),
    project(inhibitory, excitatory, "gi", -0.125 * nA, 1.1 * ms),
]
pairs = [(cb.group("E"), excitatory), (cb.group("I"), inhibitory)]
monitors = [(SpikeMonitor(ours), SpikeMonitor(plain)) for ours, plain in pairs]
cb.run(Network(collect(), projections, monitors))
for ours, plain in monitors:
    assert ours.num_spikes >= 8, ours.num_spikes
    a, b = (sorted(zip(np.round(m.t / dt).astype(int), m.i)) for m in (ours, plain))
    assert a == b, (a, b)
