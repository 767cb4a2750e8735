"""PyNN's standard cells as NEURON's: a section with one mechanism each, and the names of parameters and variables.

Every cell is a cylinder of 10⁻³ cm², so that the membrane's capacitance in µF/cm² is that of the cell in nF. One point
process (``mechanisms/*.mod``) holds all of its currents, in nA: leak, synapses, injected current, channels. It finds
the threshold with WATCH, holds the membrane after a spike by having no current at all, and takes input by these flags
of its NET_RECEIVE:

====  ==============================================================
1     the threshold is crossed
2     the refractory period is over
3     watch the threshold, from below: at the start, and after each spike, as the next may be one step later
4     the potential was above it then, or at the end of the refractory period: is it still, one step later?
10    a sum of weights arrives at the excitatory receptor (or at both, where input is added to the potential)
11    a sum of weights arrives at the inhibitory receptor
20    `current` changes
21    `i_offset` changes
22    `v_thresh` changes; a potential above it counts from the end of the step on
====  ==============================================================

Units are PyNN's: ms, mV, nA, nF, µS.
"""

import math
from dataclasses import dataclass, field

import numpy

EXCITATORY, INHIBITORY = 10.0, 11.0
#: Flags of what an analog signal can drive.
DRIVEN = {"current": 20.0, "i_offset": 21.0, "v_thresh": 22.0}


@dataclass(frozen=True)
class Cell:
    """How a standard cell is made in NEURON."""

    #: Name of the point process.
    mechanism: str
    #: Its parameters whose names are PyNN's.
    parameters: tuple
    #: PyNN's state variables -> those of the mechanism; `v` is the section's.
    states: dict
    #: Flag of each receptor. Two with the same flag are one place: their input is summed first.
    receptors: dict = field(default_factory=lambda: {"excitatory": EXCITATORY, "inhibitory": INHIBITORY})
    #: The states that receptors add their input to, and the factor: what the mechanism does under their flags.
    added_to: dict = field(default_factory=dict)
    #: Further parameters, as functions of PyNN's.
    derived: dict = field(default_factory=dict)
    #: What only the fixed step needs, as functions of PyNN's parameters and the step in ms.
    fixed_step: dict = field(default_factory=dict)


_MEMBRANE = ("cm", "tau_m", "v_rest", "v_reset", "v_thresh", "i_offset")
_TAU_SYN = ("tau_syn_E", "tau_syn_I")
_E_REV = ("e_rev_E", "e_rev_I")
_CURRENTS = {"isyn_exc": "exc", "isyn_inh": "inh"}
_CONDUCTANCES = {"gsyn_exc": "exc", "gsyn_inh": "inh"}
#: No receptors of their own: all input is added to the potential.
_POTENTIAL = {"excitatory": EXCITATORY, "inhibitory": EXCITATORY}


def _refractory(p, step_ms=None):
    """How long the mechanism waits: a trifle longer than wanted, as input that arrives just then comes before the end."""
    tau_refrac = numpy.asarray(p["tau_refrac"])
    if step_ms is None:
        return numpy.where(tau_refrac > 0, tau_refrac + 5e-7, 0.0)
    steps = numpy.ceil(tau_refrac / step_ms - 1e-6)
    return numpy.where(steps > 0, (steps + 0.125) * step_ms, 0.0)


def _scale(tau):
    """What makes the integration of an alpha function exact; see the mechanisms."""

    def of(p, step_ms):
        x = step_ms / numpy.asarray(p[tau])
        return x / -numpy.expm1(-x)

    return of


def _v_spike(p):
    return numpy.where(numpy.asarray(p["delta_T"]) > 0, p["v_spike"], p["v_thresh"])


_STEP = {"excitatory": ("exc", 1.0), "inhibitory": ("inh", 1.0)}
#: An alpha function rises to its weight with e times it.
_RISE = {"excitatory": ("exc_rise", math.e), "inhibitory": ("inh_rise", math.e)}
_SOON = {"soon": lambda p: 1e-6}, {"soon": lambda p, step_ms: 1.125 * step_ms}
_RESETS = {
    "derived": {"refractory": _refractory, **_SOON[0]},
    "fixed_step": {"refractory": _refractory, **_SOON[1]},
}
_SPIKES = {"added_to": _STEP, **_RESETS}
_ALPHA = {
    "added_to": _RISE,
    "derived": _RESETS["derived"],
    "fixed_step": {**_RESETS["fixed_step"], "exc_scale": _scale("tau_syn_E"), "inh_scale": _scale("tau_syn_I")},
}
_EXPLICIT = {"explicit": lambda p, step_ms: 1.0}


def _adex(mechanism, more):
    return Cell(
        mechanism,
        _MEMBRANE + _TAU_SYN + _E_REV + ("a", "b", "delta_T", "tau_w"),
        {**_CONDUCTANCES, "w": "w"},
        added_to=more["added_to"],
        derived={**more["derived"], "v_spike": _v_spike},
        fixed_step={**more["fixed_step"], **_EXPLICIT},
    )


#: What the FACETS chip has fixed: nF, ms, mV.
_FACETS_CM, _FACETS_REFRACTORY, _FACETS_E_REV_E = 0.2, 1.0, 0.0

CELLS = {
    "IF_curr_exp": Cell("CoupleIFCurrExp", _MEMBRANE + _TAU_SYN, _CURRENTS, **_SPIKES),
    "IF_curr_alpha": Cell("CoupleIFCurrAlpha", _MEMBRANE + _TAU_SYN, _CURRENTS, **_ALPHA),
    "IF_curr_delta": Cell("CoupleIFCurrDelta", _MEMBRANE, {}, _POTENTIAL, **_RESETS),
    "IF_cond_exp": Cell("CoupleIFCondExp", _MEMBRANE + _TAU_SYN + _E_REV, _CONDUCTANCES, **_SPIKES),
    "IF_cond_alpha": Cell("CoupleIFCondAlpha", _MEMBRANE + _TAU_SYN + _E_REV, _CONDUCTANCES, **_ALPHA),
    "IF_cond_exp_gsfa_grr": Cell(
        "CoupleIFCondExpGsfaGrr",
        _MEMBRANE + _TAU_SYN + _E_REV + ("tau_sfa", "e_rev_sfa", "q_sfa", "tau_rr", "e_rev_rr", "q_rr"),
        {**_CONDUCTANCES, "g_s": "g_s", "g_r": "g_r"},
        **_SPIKES,
    ),
    "IF_facets_hardware1": Cell(
        "CoupleIFCondExp",
        ("v_rest", "v_reset", "v_thresh", "e_rev_I") + _TAU_SYN,
        _CONDUCTANCES,
        added_to=_STEP,
        derived={
            "cm": lambda p: _FACETS_CM,
            "tau_m": lambda p: _FACETS_CM / (0.001 * numpy.asarray(p["g_leak"])),
            "e_rev_E": lambda p: _FACETS_E_REV_E,
            "refractory": lambda p: _refractory({"tau_refrac": _FACETS_REFRACTORY}),
            **_SOON[0],
        },
        fixed_step={
            "refractory": lambda p, step_ms: _refractory({"tau_refrac": _FACETS_REFRACTORY}, step_ms), **_SOON[1]
        },
    ),
    "EIF_cond_exp_isfa_ista": _adex("CoupleEIFCondExp", _SPIKES),
    "EIF_cond_alpha_isfa_ista": _adex("CoupleEIFCondAlpha", _ALPHA),
    "HH_cond_exp": Cell(
        "CoupleHHCondExp",
        ("cm", "gbar_Na", "gbar_K", "g_leak", "v_offset", "e_rev_Na", "e_rev_K", "e_rev_leak", "i_offset")
        + _TAU_SYN
        + _E_REV,
        {**_CONDUCTANCES, "m": "m", "h": "h", "n": "n"},
        added_to=_STEP,
    ),
    "Izhikevich": Cell(
        "CoupleIzhikevich",
        ("a", "b", "c", "d", "i_offset"),
        {"u": "u"},
        _POTENTIAL,
        derived=_SOON[0],
        fixed_step={**_EXPLICIT, **_SOON[1]},
    ),
}


def parameters(cell, given, initial, step_ms):
    """Parameters of the mechanism from PyNN's parameters and initial values (numbers or arrays).

    `step_ms` is None with the variable step.
    """
    values = {name: given[name] for name in cell.parameters}
    values.update({name: derive(given) for name, derive in cell.derived.items()})
    if step_ms is not None:
        values.update({name: derive(given, step_ms) for name, derive in cell.fixed_step.items()})
    values.update({f"{state}_start": initial[name] for name, state in cell.states.items()})
    return values
