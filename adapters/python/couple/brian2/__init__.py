"""Brian2 as a component of a run.

A component with ``simulator = "brian2"`` whose populations have cells needs no Python. A user's own Brian2 model takes
part with a few calls::

    from brian2 import *
    import couple.brian2 as cb

    cb.setup()                                                  # sets the step: defaultclock.dt
    group = NeuronGroup(100, "dv/dt = (I - v)/(10*ms) : volt ...", threshold="v > 15*mV", reset="v = 0*mV")
    ...                                                         # the model, as ever
    cb.port("P", group, receptors={"excitatory": "I"})          # the neurons behind population P of the configuration
    cb.output("P", "v", group, "v")                             # its analog variable v
    cb.run(Network(collect()))                                  # instead of run(...)

Time. A spike of the step from t to t + dt has the stamp t + dt, as everywhere in couple (Brian2's monitors say t). A spike
that arrives at t + dt is added after the state has got there and before the threshold is tested.
"""

import sys

from ..session import CoupleError

_component = None


def _active(call):
    if _component is None:
        raise CoupleError(
            "couple.brian2 is used by a script that `couple run` starts: name it as `script` of a component with "
            'simulator = "brian2", and run the configuration'
        )
    if call != "setup" and _component.brian2 is None:
        raise CoupleError(f"call couple.brian2.setup() before {call}(): it sets the step")
    return _component


def setup():
    """Prepares Brian2: the step of its default clock is that of the component. Call it before groups are made.

    Populations of the component that have a cell are created here; see :func:`group`.
    """
    component = _active("setup")
    component.begin(own_model=True)
    component.build()


def port(name, group, receptors=None):
    """Names the neurons behind a population of the configuration: a group, or a part of one, as large as the population.

    `receptors` names the variables that spikes of projections add their weights to, as in ``{"excitatory": "ge",
    "inhibitory": "gi"}``. Weights are those of PyNN: nA where the variable is a current, uS for a conductance, mV for a
    potential, plain numbers for one without a dimension. Spikes of the group are those of its threshold.
    """
    _active("port").name_port(name, group, receptors)


def output(name, variable, group, source):
    """Gives away `source`, a variable of `group`, as the analog `variable` of the population `name`.

    The variable is declared in the configuration with its unit, which must fit. A sample is the value at the end of a step.
    """
    _active("output").name_signal("output", name, variable, group, source)


def input(name, variable, group, target):
    """Sets `target`, a variable of `group`, to the analog `variable` of the population `name`, before each step."""
    _active("input").name_signal("input", name, variable, group, target)


def group(name):
    """The NeuronGroup of a population of this component that has a cell. It belongs into the network, and is put there."""
    ports = _active("group").ports
    if name not in ports or ports[name].group is None:
        known = ", ".join(sorted(n for n, p in ports.items() if p.group is not None)) or "none"
        raise CoupleError(f"couple.brian2.group: no group for `{name}`; there are: {known}")
    return ports[name].group


def run(network):
    """Simulates `network`, a ``brian2.Network``, for the duration of the run, in step with the other components."""
    component, caller = _active("run"), sys._getframe(1)
    # Names in equations that are the script's.
    component.run(network, {**caller.f_globals, **caller.f_locals})


def description():
    """What the run's configuration says of this component: step, window, duration, populations, projections."""
    return _active("description").description
