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
    # PyNN state variable -> NEST state variable, or that and a factor; None: NEST cannot set it, it starts at zero.
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
_CONDUCTANCES_AT_ZERO = {"v": "V_m", "gsyn_exc": None, "gsyn_inh": None}
_ADEX = {
    "V_peak": _same("v_spike"),
    "Delta_T": _same("delta_T"),
    "a": _same("a"),
    "b": lambda p: p["b"] * 1000.0,
    "tau_w": _same("tau_w"),
}
_SFA_RR = {
    "tau_sfa": _same("tau_sfa"),
    "E_sfa": _same("e_rev_sfa"),
    "q_sfa": _same("q_sfa"),
    "tau_rr": _same("tau_rr"),
    "E_rr": _same("e_rev_rr"),
    "q_rr": _same("q_rr"),
}
_FACETS = {
    "E_L": _same("v_rest"),
    "V_reset": _same("v_reset"),
    "V_th": _same("v_thresh"),
    "g_L": _same("g_leak"),
    "E_in": _same("e_rev_I"),
    # What the chip has fixed.
    "C_m": lambda p: 200.0,
    "t_ref": lambda p: 1.0,
    "E_ex": lambda p: 0.0,
}
_TRAUB = {
    "g_Na": lambda p: p["gbar_Na"] * 1000.0,
    "g_K": lambda p: p["gbar_K"] * 1000.0,
    "g_L": lambda p: p["g_leak"] * 1000.0,
    "C_m": lambda p: p["cm"] * 1000.0,
    "V_T": _same("v_offset"),
    "E_Na": _same("e_rev_Na"),
    "E_K": _same("e_rev_K"),
    "E_L": _same("e_rev_leak"),
    "E_ex": _same("e_rev_E"),
    "E_in": _same("e_rev_I"),
    "I_e": lambda p: p["i_offset"] * 1000.0,
}
_IZHIKEVICH = {
    "a": _same("a"),
    "b": _same("b"),
    "c": _same("c"),
    "d": _same("d"),
    "I_e": lambda p: p["i_offset"] * 1000.0,
}


def _conductance_based(model, parameters, initial=None):
    states = {**_CONDUCTANCES_AT_ZERO, **(initial or {})}
    return Cell(model, {**parameters, **_TAU_SYN}, states, negate_inhibitory=True)


CELLS = {
    "IF_curr_exp": Cell("iaf_psc_exp", {**_MEMBRANE, **_TAU_M, **_TAU_SYN}, _CURRENTS_AT_ZERO),
    "IF_curr_alpha": Cell("iaf_psc_alpha", {**_MEMBRANE, **_TAU_M, **_TAU_SYN}, _CURRENTS_AT_ZERO),
    "IF_curr_delta": Cell("iaf_psc_delta", {**_MEMBRANE, **_TAU_M}, {"v": "V_m"}, weight_factor=1.0, signed=False),
    "IF_cond_exp": _conductance_based("iaf_cond_exp", {**_MEMBRANE, **_CONDUCTANCES}),
    "IF_cond_alpha": _conductance_based("iaf_cond_alpha", {**_MEMBRANE, **_CONDUCTANCES}),
    "IF_cond_exp_gsfa_grr": _conductance_based(
        "iaf_cond_exp_sfa_rr", {**_MEMBRANE, **_CONDUCTANCES, **_SFA_RR}, {"g_s": "g_sfa", "g_r": "g_rr"}
    ),
    "IF_facets_hardware1": _conductance_based("iaf_cond_exp", _FACETS),
    "EIF_cond_exp_isfa_ista": _conductance_based(
        "aeif_cond_exp", {**_MEMBRANE, **_CONDUCTANCES, **_ADEX}, {"w": ("w", 1000.0)}
    ),
    "EIF_cond_alpha_isfa_ista": _conductance_based(
        "aeif_cond_alpha", {**_MEMBRANE, **_CONDUCTANCES, **_ADEX}, {"w": ("w", 1000.0)}
    ),
    "HH_cond_exp": _conductance_based(
        "hh_cond_exp_traub", _TRAUB, {"m": "Act_m", "h": "Inact_h", "n": "Act_n"}
    ),
    "Izhikevich": Cell("izhikevich", _IZHIKEVICH, {"v": "V_m", "u": "U_m"}, weight_factor=1.0, signed=False),
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


def state(cell, name):
    """The NEST name of a PyNN state variable (None where it cannot be set), and the factor from PyNN's unit to NEST's."""
    target = cell.initial[name]
    return target if isinstance(target, tuple) else (target, 1.0)
