"""The same neurons as IF_curr_exp with the parameters of the configuration, as a user would write them."""

import nest
import couple.nest as cn

cn.setup()
cell = {
    "C_m": 250.0, "tau_m": 10.0, "t_ref": 2.0, "E_L": -65.0, "V_reset": -65.0, "V_th": -50.0, "V_m": -65.0,
    "tau_syn_ex": 5.0, "tau_syn_in": 5.0, "I_e": 0.0,
}  # fmt: skip
neurons = nest.Create("iaf_psc_exp", 50, cell)
cn.port("P", neurons)

# A part of the model that the configuration knows nothing of.
inner = nest.Create("iaf_psc_exp", 10, {"I_e": 500.0})
watcher = nest.Create("spike_recorder")
nest.Connect(inner, inner, syn_spec={"delay": 0.4, "weight": 10.0})
nest.Connect(inner, watcher)
cn.run()
assert watcher.n_events > 0
