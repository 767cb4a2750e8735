"""The NEURON half of coupled.toml without couple: the same cells in one run.

Usage: alone.py MECHANISMS LIBRARY CELLS MS, with the mechanisms that couple has compiled and its C library.
"""

import ctypes
import math
import os
import sys
import time

os.environ["NEURON_MODULE_OPTIONS"] = "-nogui"
import numpy
from neuron import h

mechanisms, library, cells, duration = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
# The mechanisms' library has the exchange in it, too, and wants its functions.
ctypes.CDLL(library, mode=ctypes.RTLD_GLOBAL)
h.nrn_load_dll(mechanisms)
h.dt = 0.1
sections, points = [], []
for v in numpy.random.default_rng(1).uniform(-65.0, -50.0, cells):
    section = h.Section()
    section.L, section.diam, section.cm = 100, 1000 / math.pi, 0.25
    point = h.CoupleIFCurrExp(section(0.5))
    point.cm, point.tau_m, point.tau_syn_E, point.tau_syn_I = 0.25, 20, 2, 2
    point.refractory, point.i_offset = 2, 0.21
    section.v = v
    sections.append(section)
    points.append(point)
context = h.ParallelContext()
context.set_maxstep(10)
h.finitialize()
begin, processor = time.perf_counter(), time.process_time()
context.psolve(duration)
wall, processor = time.perf_counter() - begin, time.process_time() - processor
print(f"simulated {duration} ms in {wall:.3f} s, {processor:.3f} s of processor time")
