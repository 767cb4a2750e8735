"""PyNN's standard cells as NEST's models: names and units.

NEST's units are pA, pF, nS, mV, ms; PyNN's nA, nF, µS, mV, ms.
"""

from dataclasses import dataclass

from ..session import CoupleError


@dataclass(frozen=True)
class Cell:
    """How a standard cell is made in NEST."""

    model: str
    # NEST parameter -> function of PyNN's parameters.
    parameters: dict
    # PyNN state variable -> NEST state variable; None: NEST cannot set it, it starts at zero.
    initial: dict
    # Factor from PyNN's unit of weight to NEST's.
    weight_factor: float = 1000.0
    # NEST tells the receptor by the sign of the weight; PyNN's inhibitory conductances are positive.
    negate_inhibitory: bool = False
    signed: bool = True


def _same(name):
    return lambda p: p[name]


_MEMBRANE = {
    "E_L": _same("v_rest"),
    "V_reset": _same("v_reset"),
    "V_th": _same("v_thresh"),
    "t_ref": _same("tau_refrac"),
    "C_m": lambda p: p["cm"] * 1000.0,
    "I_e": lambda p: p["i_offset"] * 1000.0,
}
_TAU_M = {"tau_m": _same("tau_m")}
_TAU_SYN = {"tau_syn_ex": _same("tau_syn_E"), "tau_syn_in": _same("tau_syn_I")}
_CONDUCTANCES = {
    "g_L": lambda p: p["cm"] / p["tau_m"] * 1000.0,
    "E_ex": _same("e_rev_E"),
    "E_in": _same("e_rev_I"),
}
_CURRENTS_AT_ZERO = {"v": "V_m", "isyn_exc": None, "isyn_inh": None}

CELLS = {
    "IF_curr_exp": Cell("iaf_psc_exp", {**_MEMBRANE, **_TAU_M, **_TAU_SYN}, _CURRENTS_AT_ZERO),
    "IF_curr_alpha": Cell("iaf_psc_alpha", {**_MEMBRANE, **_TAU_M, **_TAU_SYN}, _CURRENTS_AT_ZERO),
    "IF_curr_delta": Cell("iaf_psc_delta", {**_MEMBRANE, **_TAU_M}, {"v": "V_m"}, weight_factor=1.0, signed=False),
    "IF_cond_exp": Cell(
        "iaf_cond_exp",
        {**_MEMBRANE, **_CONDUCTANCES, **_TAU_SYN},
        {"v": "V_m", "gsyn_exc": None, "gsyn_inh": None},
        negate_inhibitory=True,
    ),
}


def weights(cell, receptor, values, projection):
    """Weights of a projection in NEST's units; the sign tells NEST the receptor."""
    if not cell.signed:
        return values * cell.weight_factor
    inhibitory = receptor == "inhibitory"
    positive = not inhibitory or cell.negate_inhibitory
    wrong = values < 0 if positive else values > 0
    if wrong.any():
        sign = "positive" if positive else "negative"
        raise CoupleError(
            f"projection `{projection}`: weight {values[wrong][0]!r} onto the {receptor} receptor of {cell.model}; "
            f"NEST tells the receptor by the sign, so all weights there must be {sign} or zero. "
            "Help: clip the distribution at zero, or project onto the other receptor"
        )
    factor = -cell.weight_factor if inhibitory and cell.negate_inhibitory else cell.weight_factor
    return values * factor


def parameters(cell, given):
    """NEST parameters from PyNN's (numbers or arrays)."""
    return {name: convert(given) for name, convert in cell.parameters.items()}
