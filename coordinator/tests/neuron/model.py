"""cell.py behind a port."""

import couple.neuron as cn
from cell import Cell

cn.setup()
cell = Cell()
cn.port("P", synapses={"excitatory": [cell.synapse]}, spikes=[(cell.soma(0.5), -10)])
cn.run(v_init=-65)
