"""The pyramidal cell of cell.py behind the ports of the configuration."""

from neuron import h

import couple.neuron as cn
from cell import Pyramidal

cn.setup()
h.celsius = 6.3
cell = Pyramidal()


def synapses(places, reversal, tau):
    made = []
    for place in places:
        synapse = h.ExpSyn(place)
        synapse.e, synapse.tau = reversal, tau
        made.append(synapse)
    return made


excitatory = {
    "basal": cell.sites(cell.basal, 60),
    "oblique": cell.sites(cell.oblique, 30),
    "tuft": cell.sites(cell.tuft, 30),
}
for port, places in excitatory.items():
    cn.port(port, synapses={"excitatory": synapses(places, 0, 2)})
cn.port("basket", synapses={"inhibitory": synapses(cell.sites([cell.soma], 12), -75, 5)})
cn.port("P", spikes=[(cell.axon(0.9), -10)])
cn.output("P", "soma", [cell.soma(0.5)._ref_v])
cn.output("P", "tuft", [cell.tuft[-1](0.9)._ref_v])
cn.run(v_init=-68)
