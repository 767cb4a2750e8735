"""PyNN's standard cells as NEURON's: a section with one mechanism each, and the names of parameters and variables.

Every cell is a cylinder of 10⁻³ cm², so that the membrane's capacitance in µF/cm² is that of the cell in nF. One point
process (``mechanisms/*.mod``) holds all of its currents, in nA: leak, synapses, injected current, channels. It finds
the threshold with WATCH, holds the membrane after a spike by having no current at all, and takes input by these flags
of its NET_RECEIVE:

====  ==============================================================
1     the threshold is crossed
2     the refractory period is over
3     start: watch the threshold
10    a sum of weights arrives at the excitatory receptor
11    a sum of weights arrives at the inhibitory receptor
====  ==============================================================

Units are PyNN's: ms, mV, nA, nF, µS.
"""

from dataclasses import dataclass, field

EXCITATORY, INHIBITORY = 10.0, 11.0


@dataclass(frozen=True)
class Cell:
    """How a standard cell is made in NEURON."""

    #: Name of the point process.
    mechanism: str
    #: Its parameters whose names are PyNN's.
    parameters: tuple
    #: PyNN's state variables -> parameters that hold their initial values; `v` is the section's.
    initial: dict
    #: Flag of each receptor.
    receptors: dict = field(default_factory=lambda: {"excitatory": EXCITATORY, "inhibitory": INHIBITORY})
    #: What is not a parameter in PyNN.
    fixed: dict = field(default_factory=dict)


_MEMBRANE = ("cm", "tau_m", "v_rest", "v_reset", "v_thresh", "i_offset")
_TAU_SYN = ("tau_syn_E", "tau_syn_I")

CELLS = {
    "IF_curr_exp": Cell(
        "CoupleIFCurrExp", _MEMBRANE + _TAU_SYN, {"isyn_exc": "exc_start", "isyn_inh": "inh_start"}
    ),
}
