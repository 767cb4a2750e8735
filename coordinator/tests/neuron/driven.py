"""cell.py with a current that an analog signal sets, and its potential as another one."""

from neuron import h

import couple.neuron as cn
from cell import Cell

cn.setup()
cell = Cell()
clamp = h.IClamp(cell.soma(0.5))
clamp.dur = 1e9
cn.input("P", "drive", [clamp._ref_amp])
cn.output("P", "soma", [cell.soma(0.5)._ref_v])
cn.output("P", "current", [clamp._ref_amp])
cn.port("P", spikes=[(cell.soma(0.5), -10)])
cn.run(v_init=-65)
