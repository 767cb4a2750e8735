"""Integration over a step, as Brian2's abstract code.

Brian2 lets a model bring its own method of integration: code for one step, which Brian2 then compiles for the target
that is in use (NumPy or C++). Here are what the cells of :mod:`couple.brian2.cells` are integrated with:

* propagators of exact integration (Rotter & Diesmann 1999, Biol Cybern 81:381), for linear cells;
* the classical fourth-order method of Runge and Kutta, with conductances by their closed forms, for the others.
"""

import math
import re

import numpy


def exp(x):
    """e to the x, by the C library's function, which the native simulator calls too. (NumPy's own is another one.)"""
    return _each(math.exp, x)


def expm1(x):
    """exp(x) - 1 without cancellation: the power series up to ln 2, the difference beyond."""

    def one(x):
        if x == 0.0:
            return 0.0
        if abs(x) > math.log(2.0):
            return math.exp(x) - 1.0
        total, term, n = x, x * x * 0.5, 2.0
        while abs(term) > abs(total) * 2.0**-52:
            total += term
            n += 1.0
            term *= x / n
        return total

    return _each(one, x)


def _each(function, x):
    return function(x) if numpy.ndim(x) == 0 else numpy.array([function(value) for value in x])


def exponential_propagator(tau_syn, tau_m, c_m, h):
    """What an exponential current of 1 pA at the beginning of a step adds to the potential (mV) at its end."""
    beta = tau_syn * tau_m / _not_zero(tau_m - tau_syn)
    growth = expm1(h * ((tau_m - tau_syn) / (tau_syn * tau_m)))
    regular = beta / c_m * exp(-h * (1.0 / tau_syn)) * growth
    limit = h * (1.0 / c_m) * exp(-h * (1.0 / tau_m))
    # Where the time constants are so close that the regular value has lost its meaning, its limit holds.
    return _choose((regular >= 2.0**-1022) & (tau_m != tau_syn), regular, limit)


def alpha_propagators(tau_syn, tau_m, c_m, h):
    """The same for an alpha current: what its derivative adds, and what it adds itself."""
    beta = tau_syn * tau_m / _not_zero(tau_m - tau_syn)
    growth = expm1(h * ((tau_m - tau_syn) / (tau_syn * tau_m)))
    regular = beta / c_m * exp(-h * (1.0 / tau_syn)) * (growth * beta - h)
    limit = 0.5 * h * h * (1.0 / c_m) * exp(-h * (1.0 / tau_m))
    shortest = 1e-7 * tau_m * tau_m / _not_zero(abs(tau_m - tau_syn))
    from_derivative = _choose((h > shortest) & (tau_m != tau_syn), regular, limit)
    return from_derivative, exponential_propagator(tau_syn, tau_m, c_m, h)


def _not_zero(x):
    return x + (x == 0.0)


def _choose(condition, one, other):
    chosen = numpy.where(condition, one, other)
    return chosen if chosen.ndim else float(chosen)


def runge_kutta(derivatives, closed, h, after=""):
    """Abstract code of one step of length `h` (ms).

    Nothing is written as `x = x + ...`: Brian2 rearranges that. `derivatives`: {variable: its derivative per ms}.
    `closed`: {variable: (value half a step on, value a step on)} of
    variables that do not depend on the others. `after`: code for the end.
    """
    lines = [f"_{x}_half = {half}\n_{x}_whole = {whole}" for x, (half, whole) in closed.items()]
    halfway = {x: f"_{x}_half" for x in closed}
    whole = {x: f"_{x}_whole" for x in closed}
    at = {}
    stages = [({}, 0.0), (halfway, h / 2), (halfway, h / 2), (whole, h)]
    for stage, (known, step) in enumerate(stages, 1):
        for x in derivatives:
            if stage > 1:
                at[x] = f"_{x}_{stage}"
                lines.append(f"{at[x]} = {x} + {step!r} * _k{stage - 1}_{x}")
        for x, derivative in derivatives.items():
            lines.append(f"_k{stage}_{x} = {_substitute(derivative, {**known, **at})}")
    for x in derivatives:
        lines.append(f"_{x}_new = {x} + {h / 6!r} * (_k1_{x} + 2.0 * (_k2_{x} + _k3_{x}) + _k4_{x})")
    lines += [f"{x} = _{x}_new" for x in derivatives]
    lines += [f"{x} = _{x}_whole" for x in closed]
    return "\n".join([*lines, after])


def _substitute(expression, names):
    return re.sub(r"[A-Za-z_]\w*", lambda match: names.get(match.group(), match.group()), expression)
