"""PyNN's standard cells as models of Brian2.

Equations, methods and the order of a step (propagation, then what arrives, then the threshold) are those of the native
simulator and of NEST; so is that of floating-point operations where integration is exact. Units are PyNN's, and Brian2
sees plain numbers: mV, ms, pF, nS, pA (PyNN's nF, µS and nA are multiplied by 1000, which is where NEST's cells begin).

| cell | method |
|---|---|
| IF_curr_exp, IF_curr_alpha, IF_curr_delta | exact integration |
| IF_cond_exp, IF_cond_alpha, IF_facets_hardware1, IF_cond_exp_gsfa_grr | Runge-Kutta 4, one step a step |
| EIF_cond_exp_isfa_ista, EIF_cond_alpha_isfa_ista | Runge-Kutta 4, 8 steps a step, the threshold at the end of each |
| HH_cond_exp | Runge-Kutta 4, 4 steps a step |
| Izhikevich | forward Euler |

Conductances decay exactly in all of them.
"""

import math
from dataclasses import dataclass, field

import numpy

from .signals import Input, Output
from .integration import alpha_propagators, exp, expm1, exponential_propagator, runge_kutta

RECEPTORS = ("excitatory", "inhibitory")
#: Steps of integration in a step of the grid.
ADEX_STEPS, HH_STEPS = 8, 4


@dataclass(frozen=True)
class Receptor:
    """What spikes at a receptor do."""

    #: The variable that they add to.
    variable: str
    #: What a unit of a projection's weight is there.
    factor: float
    #: A factor of the sum (a number or one for each neuron), if there is one.
    kick: object = None
    #: A variable that is 0 where spikes are lost, if there is one.
    gate: str = None


@dataclass
class Model:
    """A cell with its parameters, for `brian2.NeuronGroup`."""

    #: Differential equations by variable, per ms; other variables with their types.
    derivatives: dict
    #: Abstract code of a step.
    step: str
    threshold: str
    reset: str
    #: Names and values (numbers, or an array where neurons differ).
    constants: dict
    #: Where variables start.
    start: dict
    #: {"excitatory" or "inhibitory": Receptor}
    receptors: dict
    #: More variables: {name: "1" or "integer"}.
    variables: dict = field(default_factory=dict)
    #: Variables that follow from others: {name: expression}.
    derived: dict = field(default_factory=dict)
    #: What can be given away and what can be set while it runs, by PyNN's names: Output and Input.
    outputs: dict = field(default_factory=dict)
    inputs: dict = field(default_factory=dict)


def refractory_steps(tau_refrac, step_ns):
    """A refractory period in steps, rounded up; in whole microseconds, as NEST has it, unless the step asks for finer."""
    per_ms, tics = (1000, step_ns // 1000) if step_ns % 1000 == 0 else (1000000, step_ns)

    def steps(tau):
        return -(-math.floor(tau * per_ms + 0.5) // tics)

    return steps(tau_refrac) if numpy.ndim(tau_refrac) == 0 else numpy.array([steps(tau) for tau in tau_refrac])


def _leaky(p, h, step_ns):
    """What the leaky cells with linear membranes share; the potential is counted from v_rest."""
    return {
        "v_rest": p["v_rest"], "tau_m": p["tau_m"], "c_m": 1000.0 * p["cm"],
        "v_thresh": p["v_thresh"] - p["v_rest"], "v_reset": p["v_reset"] - p["v_rest"],
        "refractory": refractory_steps(p["tau_refrac"], step_ns),
    }  # fmt: skip

_HELD = """
_free = int(wait == 0)
u = _free * _moved + (1 - _free) * u
wait = wait - (1 - _free)
"""
_LEAKY = {
    "threshold": "u >= v_thresh",
    "reset": "u = v_reset; wait = refractory",
    "variables": {"wait": "integer"},
    "derived": {"v": "u + v_rest"},
}
_V = {"v": Output("v")}
_CURRENT = {"i_offset": Input("current", 1000.0), "current": Input("current", 1000.0, adds=True)}


def _linear_signals(p, currents):
    """Of the cells whose potential is counted from v_rest."""
    outputs = {"v": Output("u", offset=p["v_rest"])}
    if currents:
        outputs |= {"isyn_exc": Output("exc", 1000.0), "isyn_inh": Output("inh", 1000.0)}
    threshold = Input("v_thresh", offset=-p["v_rest"], above=("v_reset", p["v_reset"] - p["v_rest"]))
    return {"outputs": outputs, "inputs": _CURRENT | {"v_thresh": threshold}}



def if_curr_exp(p, initial, h, step_ns):
    """`iaf_psc_exp`."""
    c = _leaky(p, h, step_ns)
    tau_exc, tau_inh, tau_m, c_m = p["tau_syn_E"], p["tau_syn_I"], c["tau_m"], c["c_m"]
    p_v = exp(-h / tau_m)
    p_0 = tau_m / c_m * (1.0 - p_v)
    c |= {
        "tau_exc": tau_exc, "tau_inh": tau_inh, "p_v": p_v,
        "p_exc": exponential_propagator(tau_exc, tau_m, c_m, h), "decay_exc": exp(-h / tau_exc),
        "p_inh": exponential_propagator(tau_inh, tau_m, c_m, h), "decay_inh": exp(-h / tau_inh),
        "current": 1000.0 * p["i_offset"], "p_0": p_0,
    }  # fmt: skip
    return Model(
        derivatives={"u": "-u/tau_m + (exc + inh + current)/c_m", "exc": "-exc/tau_exc", "inh": "-inh/tau_inh"},
        step="_moved = u*p_v + exc*p_exc + inh*p_inh + current*p_0"
        + _HELD
        + "exc = exc*decay_exc\ninh = inh*decay_inh",
        constants=c,
        start={"u": initial["v"] - p["v_rest"], "exc": 1000.0 * initial["isyn_exc"], "inh": 1000.0 * initial["isyn_inh"]},
        receptors={"excitatory": Receptor("exc", 1000.0), "inhibitory": Receptor("inh", 1000.0)},
        **_linear_signals(p, currents=True),
        **_LEAKY,
    )


def if_curr_alpha(p, initial, h, step_ns):
    """`iaf_psc_alpha`."""
    c = _leaky(p, h, step_ns)
    tau_m, c_m = c["tau_m"], c["c_m"]
    p_v = expm1(-h / tau_m)
    c |= {"p_v": p_v, "p_0": -tau_m / c_m * p_v, "current": 1000.0 * p["i_offset"]}
    for x, tau in (("exc", p["tau_syn_E"]), ("inh", p["tau_syn_I"])):
        decay = exp(-h / tau)
        from_derivative, from_current = alpha_propagators(tau, tau_m, c_m, h)
        c |= {f"tau_{x}": tau, f"decay_{x}": decay, f"rise_{x}": h * decay}
        c |= {f"p_d_{x}": from_derivative, f"p_{x}": from_current}
    return Model(
        derivatives={
            "u": "-u/tau_m + (exc + inh + current)/c_m", "exc": "d_exc - exc/tau_exc", "d_exc": "-d_exc/tau_exc",
            "inh": "d_inh - inh/tau_inh", "d_inh": "-d_inh/tau_inh",
        },
        step="_moved = p_0*current + p_d_exc*d_exc + p_exc*exc + p_d_inh*d_inh + p_inh*inh + p_v*u + u"
        + _HELD
        + "exc = rise_exc*d_exc + decay_exc*exc\nd_exc = d_exc*decay_exc\n"
        + "inh = rise_inh*d_inh + decay_inh*inh\nd_inh = d_inh*decay_inh",
        constants=c,
        start={"u": initial["v"] - p["v_rest"], "exc": 1000.0 * initial["isyn_exc"], "inh": 1000.0 * initial["isyn_inh"]},
        receptors={
            "excitatory": Receptor("d_exc", 1000.0, math.e / p["tau_syn_E"]),
            "inhibitory": Receptor("d_inh", 1000.0, math.e / p["tau_syn_I"]),
        },
        **_linear_signals(p, currents=True),
        **_LEAKY,
    )  # fmt: skip


def if_curr_delta(p, initial, h, step_ns):
    """`iaf_psc_delta`; what arrives while the neuron is refractory is lost."""
    c = _leaky(p, h, step_ns)
    p_v = exp(-h / c["tau_m"])
    c |= {"p_v": p_v, "p_0": 1.0 / c["c_m"] * (1.0 - p_v) * c["tau_m"], "current": 1000.0 * p["i_offset"]}
    return Model(
        derivatives={"u": "-u/tau_m + current/c_m"},
        step="_moved = p_0*current + p_v*u" + _HELD + "listens = _free",
        constants=c,
        start={"u": initial["v"] - p["v_rest"], "listens": 1},
        receptors=dict.fromkeys(RECEPTORS, Receptor("u", 1.0, gate="listens")),
        **_linear_signals(p, currents=False),
        **(_LEAKY | {"variables": {"wait": "integer", "listens": "integer"}}),
    )


def _conductances(p, h, initial, alpha, steps=1):
    """Two synaptic conductances: (constants, closed forms, derivatives, start, receptors)."""
    constants, closed, derivatives, start, receptors = {}, {}, {}, {}, {}
    h = h / steps
    for receptor, x, suffix in zip(RECEPTORS, ("exc", "inh"), "EI"):
        tau = p[f"tau_syn_{suffix}"]
        constants |= {f"e_{x}": p[f"e_rev_{suffix}"], f"tau_{x}": tau}
        constants |= {f"half_{x}": exp(-h / 2 / tau), f"whole_{x}": exp(-h / tau)}
        start[f"g_{x}"] = 1000.0 * initial[f"gsyn_{x}"]
        if alpha:
            closed[f"g_{x}"] = (f"(g_{x} + d_{x}*{h / 2!r})*half_{x}", f"(g_{x} + d_{x}*{h!r})*whole_{x}")
            closed[f"d_{x}"] = (f"d_{x}*half_{x}", f"d_{x}*whole_{x}")
            derivatives |= {f"g_{x}": f"d_{x} - g_{x}/tau_{x}", f"d_{x}": f"-d_{x}/tau_{x}"}
            receptors[receptor] = Receptor(f"d_{x}", 1000.0, math.e / tau)
        else:
            closed[f"g_{x}"] = (f"g_{x}*half_{x}", f"g_{x}*whole_{x}")
            derivatives[f"g_{x}"] = f"-g_{x}/tau_{x}"
            receptors[receptor] = Receptor(f"g_{x}", 1000.0)
    return constants, closed, derivatives, start, receptors


_CONDUCTANCES = {"gsyn_exc": Output("g_exc", 1000.0), "gsyn_inh": Output("g_inh", 1000.0)}


def _conductance_cell(p, initial, h, step_ns, alpha=False, more=()):
    """Leaky cells with conductances; `more`: (name, reversal potential, time constant, rise at a spike), in nS."""
    c, closed, derivatives, start, receptors = _conductances(p, h, initial, alpha)
    c |= {
        "v_rest": p["v_rest"], "v_reset": p["v_reset"], "v_thresh": p["v_thresh"], "c_m": 1000.0 * p["cm"],
        "g_l": p["g_l"], "current": 1000.0 * p["i_offset"], "refractory": refractory_steps(p["tau_refrac"], step_ns),
    }  # fmt: skip
    membrane = "-g_l*(v - v_rest) + current - g_exc*(v - e_exc) - g_inh*(v - e_inh)"
    reset, outputs = "v = v_reset; wait = refractory", _V | _CONDUCTANCES
    for x, e_rev, tau, rise in more:
        c |= {f"e_{x}": e_rev, f"tau_{x}": tau, f"rise_{x}": rise}
        c |= {f"half_{x}": exp(-h / 2 / tau), f"whole_{x}": exp(-h / tau)}
        closed[x] = (f"{x}*half_{x}", f"{x}*whole_{x}")
        derivatives[x] = f"-{x}/tau_{x}"
        start[x] = initial[x]
        membrane += f" - {x}*(v - e_{x})"
        reset += f"; {x} = {x} + rise_{x}"
        outputs = outputs | {x: Output(x)}
    membrane = f"({membrane})/c_m"
    after = "_free = int(wait == 0)\nv = _free*_moved + (1 - _free)*v\nwait = wait - (1 - _free)"
    step = "_before = v\n" + runge_kutta({"v": membrane}, closed, h) + "\n_moved = v\nv = _before\n" + after
    return Model(
        derivatives={"v": membrane, **derivatives},
        step=step,
        threshold="v >= v_thresh",
        reset=reset,
        constants=c,
        start={"v": initial["v"], **start},
        receptors=receptors,
        variables={"wait": "integer"},
        outputs=outputs,
        inputs=_CURRENT | {"v_thresh": Input("v_thresh", above=("v_reset", p["v_reset"]))},
    )


def if_cond_exp(p, initial, h, step_ns):
    """`iaf_cond_exp`."""
    return _conductance_cell(p | {"g_l": p["cm"] / p["tau_m"] * 1000.0}, initial, h, step_ns)


def if_cond_alpha(p, initial, h, step_ns):
    """`iaf_cond_alpha`."""
    return _conductance_cell(p | {"g_l": p["cm"] / p["tau_m"] * 1000.0}, initial, h, step_ns, alpha=True)


def if_facets_hardware1(p, initial, h, step_ns):
    """`iaf_cond_exp` with what the FACETS "stage 1" chip has fixed."""
    fixed = {"cm": 0.2, "tau_refrac": 1.0, "e_rev_E": 0.0, "i_offset": 0.0, "g_l": p["g_leak"]}
    return _conductance_cell(p | fixed, initial, h, step_ns)


def if_cond_exp_gsfa_grr(p, initial, h, step_ns):
    """`iaf_cond_exp_sfa_rr`."""
    more = [
        ("g_s", p["e_rev_sfa"], p["tau_sfa"], p["q_sfa"]),
        ("g_r", p["e_rev_rr"], p["tau_rr"], p["q_rr"]),
    ]
    return _conductance_cell(p | {"g_l": p["cm"] / p["tau_m"] * 1000.0}, initial, h, step_ns, more=more)


def _adex(p, initial, h, step_ns, alpha):
    """`aeif_cond_exp` and `aeif_cond_alpha`: the threshold is looked at after each step of the integration."""
    steps = ADEX_STEPS
    c, closed, derivatives, start, receptors = _conductances(p, h, initial, alpha, steps)
    no_upswing = numpy.all(p["delta_T"] == 0.0)
    refractory = refractory_steps(p["tau_refrac"], step_ns)
    c |= {
        "v_rest": p["v_rest"], "v_reset": p["v_reset"], "v_thresh": p["v_thresh"], "v_spike": p["v_spike"],
        "v_peak": p["v_thresh"] if no_upswing else p["v_spike"], "c_m": 1000.0 * p["cm"], "tau_w": p["tau_w"],
        "delta_T": p["delta_T"], "g_l": p["cm"] / p["tau_m"] * 1000.0, "a": p["a"], "b": 1000.0 * p["b"],
        "current": 1000.0 * p["i_offset"],
        # The step of the spike does not count.
        "refractory": refractory + (refractory > 0),
    }  # fmt: skip
    upswing = "" if no_upswing else " + g_l*delta_T*exp((V - v_thresh)/delta_T)"
    membrane = f"(-g_l*(V - v_rest){upswing} - g_exc*(V - e_exc) - g_inh*(V - e_inh) - w + current)/c_m"
    adaptation = "(a*(V - v_rest) - w)/tau_w"
    # No higher than the peak, where the exponential would overflow.
    limited = {"v": f"_free*({membrane})", "w": adaptation}
    limited = {x: d.replace("V", "clip(v, -1e6, v_spike)") for x, d in limited.items()}
    after = """
_hit = _free*int(v >= v_peak)
v = _hit*v_reset + (1 - _hit)*v
_w_after = w + _hit*b
w = _w_after
wait = wait + _hit*refractory
fired = int(fired + _hit > 0)
"""
    one = "_free = int(wait == 0)\nv = _free*v + (1 - _free)*v_reset\n" + runge_kutta(limited, closed, h / steps, after)
    return Model(
        derivatives={"v": membrane.replace("V", "v"), "w": adaptation.replace("V", "v"), **derivatives},
        step=_unrolled(one, steps) + "\nwait = wait - int(wait > 0)",
        threshold="fired > 0",
        reset="fired = 0",
        constants=c,
        start={"v": initial["v"], "w": 1000.0 * initial["w"], **start},
        receptors=receptors,
        variables={"wait": "integer", "fired": "integer"},
        outputs=_V | _CONDUCTANCES | {"w": Output("w", 1000.0)},
        inputs=_CURRENT | {"v_thresh": _adex_threshold(p, no_upswing)},
    )


def _adex_threshold(p, no_upswing):
    """The threshold is where the upswing begins, or, without one, where the cell spikes."""
    return Input("v_peak", above=("v_reset", p["v_reset"])) if no_upswing else Input("v_thresh")


def _unrolled(code, times):
    return "\n".join([code] * times)


def eif_cond_exp(p, initial, h, step_ns):
    """`aeif_cond_exp`."""
    return _adex(p, initial, h, step_ns, alpha=False)


def eif_cond_alpha(p, initial, h, step_ns):
    """`aeif_cond_alpha`."""
    return _adex(p, initial, h, step_ns, alpha=True)


def hh_cond_exp(p, initial, h, step_ns):
    """`hh_cond_exp_traub`: spikes in the first step in which v falls at v_offset + 30 mV or above."""
    steps = HH_STEPS
    c, closed, derivatives, start, receptors = _conductances(p, h, initial, False, steps)
    c |= {
        "g_na": 1000.0 * p["gbar_Na"], "g_k": 1000.0 * p["gbar_K"], "g_l": 1000.0 * p["g_leak"], "c_m": 1000.0 * p["cm"],
        "e_na": p["e_rev_Na"], "e_k": p["e_rev_K"], "e_l": p["e_rev_leak"], "v_offset": p["v_offset"],
        "current": 1000.0 * p["i_offset"], "pause": refractory_steps(2.0, step_ns),
    }  # fmt: skip
    u = "(v - v_offset)"

    def rise(of, over):
        # x/(exp(x/over) - 1), where 0/0 means its limit.
        x = f"(({of}) + 1e-9*int(({of}) == 0.0))"
        return f"{x}/(exp({x}/{over}) - 1.0)"

    gates = {
        "m": (f"0.32*{rise(f'13.0 - {u}', 4.0)}", f"0.28*{rise(f'{u} - 40.0', 5.0)}"),
        "h": (f"0.128*exp((17.0 - {u})/18.0)", f"4.0/(1.0 + exp((40.0 - {u})/5.0))"),
        "n": (f"0.032*{rise(f'15.0 - {u}', 5.0)}", f"0.5*exp((10.0 - {u})/40.0)"),
    }
    membrane = (
        "(-g_na*m*m*m*h*(v - e_na) - g_k*n*n*n*n*(v - e_k) - g_l*(v - e_l)"
        " - g_exc*(v - e_exc) - g_inh*(v - e_inh) + current)/c_m"
    )
    moving = {"v": membrane, **{x: f"{a}*(1.0 - {x}) - {b}*{x}" for x, (a, b) in gates.items()}}
    after = "fired = int(v >= v_offset + 30.0)*int(_before > v)*int(wait == 0)\nwait = wait - int(wait > 0)"
    step = "_before = v\n" + _unrolled(runge_kutta(moving, closed, h / steps), steps) + "\n" + after
    return Model(
        derivatives={**moving, **derivatives},
        step=step,
        threshold="fired > 0",
        reset="wait = pause",
        constants=c,
        start={"v": initial["v"], "m": initial["m"], "h": initial["h"], "n": initial["n"], **start},
        receptors=receptors,
        variables={"wait": "integer", "fired": "integer"},
        outputs=_V | _CONDUCTANCES | {x: Output(x) for x in "mhn"},
        inputs=_CURRENT,
    )


def izhikevich(p, initial, h, step_ns):
    """`izhikevich`."""
    c = {name: p[name] for name in "abcd"} | {"current": 1000.0 * p["i_offset"]}
    return Model(
        derivatives={"v": "0.04*v*v + 5.0*v + 140.0 - u + current", "u": "a*(b*v - u)"},
        step=f"_v_new = v + {h!r}*(0.04*v*v + 5.0*v + 140.0 - u + current)\n"
        f"_u_new = u + {h!r}*a*(b*v - u)\nv = _v_new\nu = _u_new",
        threshold="v >= 30.0",
        reset="v = c; u = u + d",
        constants=c,
        start={"v": initial["v"], "u": initial["u"]},
        receptors=dict.fromkeys(RECEPTORS, Receptor("v", 1.0)),
        outputs=_V | {"u": Output("u")},
        inputs=_CURRENT,
    )


CELLS = {
    "IF_curr_exp": if_curr_exp,
    "IF_curr_alpha": if_curr_alpha,
    "IF_curr_delta": if_curr_delta,
    "IF_cond_exp": if_cond_exp,
    "IF_cond_alpha": if_cond_alpha,
    "IF_facets_hardware1": if_facets_hardware1,
    "IF_cond_exp_gsfa_grr": if_cond_exp_gsfa_grr,
    "EIF_cond_exp_isfa_ista": eif_cond_exp,
    "EIF_cond_alpha_isfa_ista": eif_cond_alpha,
    "HH_cond_exp": hh_cond_exp,
    "Izhikevich": izhikevich,
}
