"""The NEST half of coupled.toml in plain PyNEST, without couple: what NEST needs for itself.

With the argument `record` a spike_recorder gets the spikes, as something must if anybody is to see them.
"""

import sys
import time

import nest
import numpy

nest.verbosity = nest.VerbosityLevel.ERROR
nest.resolution = 0.1
cells = nest.Create(
    "iaf_psc_exp",
    10000,
    {
        "tau_m": 20.0,
        "C_m": 250.0,
        "tau_syn_ex": 2.0,
        "tau_syn_in": 2.0,
        "t_ref": 2.0,
        "I_e": 210.0,
        "E_L": -65.0,
        "V_reset": -65.0,
        "V_th": -50.0,
    },
)
cells.V_m = numpy.random.default_rng(1).uniform(-65.0, -50.0, 10000)
nest.Connect(
    cells, cells, {"rule": "fixed_indegree", "indegree": 110}, {"synapse_model": "static_synapse", "weight": 1e-6, "delay": 1.0}
)
if "record" in sys.argv[1:]:
    recorder = nest.Create("spike_recorder")
    nest.Connect(cells, recorder, "all_to_all", {"delay": 1.0})
nest.Prepare()
begin, processor = time.perf_counter(), time.process_time()
nest.Run(2000.0)
wall, processor = time.perf_counter() - begin, time.process_time() - processor
print(f"simulated 2000.0 ms in {wall:.3f} s, {processor:.3f} s of processor time")
nest.Cleanup()
