"""The Brian2 half of coupled.toml without couple: the same cells in one run.

Usage: alone.py PACKAGE CELLS MS, with the folder of couple's Python package, for the cell's equations.
"""

import sys
import time

import brian2
import numpy

package, count, duration = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
sys.path.insert(0, package)
from couple.brian2 import cells, groups

brian2.prefs.codegen.target = "numpy"
brian2.prefs.codegen.loop_invariant_optimisations = False
brian2.defaultclock.dt = 0.1 * brian2.ms
parameters = {
    "v_rest": -65.0, "v_reset": -65.0, "v_thresh": -50.0, "cm": 0.25, "tau_m": 20.0, "tau_refrac": 2.0, "tau_syn_E": 2.0,
    "tau_syn_I": 2.0, "i_offset": 0.21,
}  # fmt: skip
initial = {"v": numpy.random.default_rng(1).uniform(-65.0, -50.0, count), "isyn_exc": 0.0, "isyn_inh": 0.0}
model = cells.CELLS["IF_curr_exp"](parameters, initial, 0.1, 100_000)
group = groups._group(brian2, model, count, "cells")
begun = []
# The clock starts with the first step: before it, Brian2 makes its code.
start = brian2.NetworkOperation(lambda: begun or begun.append((time.perf_counter(), time.process_time())))
network = brian2.Network(group, start)
network.run(duration * brian2.ms)
(wall, processor), now = begun[0], (time.perf_counter(), time.process_time())
print(f"simulated {duration} ms in {now[0] - wall:.3f} s, {now[1] - processor:.3f} s of processor time")
