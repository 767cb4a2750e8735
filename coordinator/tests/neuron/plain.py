"""The same as script.toml in NEURON alone: prints when its spikes would be heard, in ns."""

import json
import math
import os
import sys

os.environ["NEURON_MODULE_OPTIONS"] = "-nogui"
from neuron import h

from cell import Cell

TIMES = [
    [5.0, 10.0, 10.1, 30.0, 31.0, 32.0, 60.0, 90.0, 91.0, 130.0],
    [8.0, 40.0, 41.0, 70.0, 90.0, 100.0, 101.0, 150.0, 160.0, 170.0],
]

variable = sys.argv[1] == "variable"
h.dt = 0.025
cell = Cell()
connection = h.NetCon(None, cell.synapse)
connection.weight[0] = 0.0625
# Two spikes at one time are one event of twice the weight.
double = h.NetCon(None, cell.synapse)
double.weight[0] = 0.125
watch = h.NetCon(cell.soma(0.5)._ref_v, None, sec=cell.soma)
watch.threshold = -10
times = h.Vector()
watch.record(times)
if variable:
    cvode = h.CVode()
    cvode.active(True)
    cvode.atol(1e-3)
    cvode.condition_order(2)
h.finitialize(-65)
both = set(TIMES[0]) & set(TIMES[1])
for time in sorted(set(TIMES[0]) | set(TIMES[1])):
    # The delay, and all in whole microseconds as nobody's rounding may matter.
    (double if time in both else connection).event(round(time * 1000 + 1100) / 1000)
if variable:
    cvode.solve(200)
else:
    while h.t < 200 - 0.0125:
        h.fadvance()


def heard(time):
    """A spike is heard one delay later; stamps are those of the step, or whole nanoseconds."""
    stamp = math.ceil(time * 1e6 - 1e-3) if variable else round(time / 0.025) * 25_000
    return stamp + 1_000_000


print(json.dumps([heard(time) for time in times]))
