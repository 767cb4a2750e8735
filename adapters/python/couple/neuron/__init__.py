"""NEURON as a component of a run.

A component with ``simulator = "neuron"`` whose populations have cells needs no Python. A user's own model takes part with
a few calls::

    from neuron import h
    import couple.neuron as cn

    cn.setup()                                         # before the first section is made
    cell = Pyramid()                                   # the model, as ever
    synapse = h.ExpSyn(cell.dend(0.5))
    cn.port("P", synapses={"excitatory": [synapse]}, spikes=[(cell.soma(0.5), -10.0)])
    cn.output("P", "dend", [cell.dend(0.9)._ref_v])    # an analog signal
    cn.run()                                           # instead of h.run()
"""

_component = None


def _active():
    if _component is None:
        from ..session import CoupleError

        raise CoupleError(
            "couple.neuron is used by a script that `couple run` starts: name it as `script` of a component with "
            'simulator = "neuron", and run the configuration'
        )
    return _component


def _set_up():
    from ..session import CoupleError

    component = _active()
    if component.h is None:
        raise CoupleError("call couple.neuron.setup() first, before sections are made")
    return component


def setup():
    """Prepares NEURON for the exchange, with the component's step. Call it before sections are made.

    Populations of the component that have a cell are created here; see :func:`points`.
    """
    from ..session import CoupleError

    component = _active()
    if component.h is not None:
        raise CoupleError("couple.neuron.setup() was called twice")
    component.begin()
    component.build()


def port(name, cells=None, synapses=None, spikes=None):
    """Names what is behind a population of the configuration; may be called once for synapses and once for spikes.

    Each list has as many entries as the population has neurons. ``synapses={"excitatory": [...], "inhibitory": [...]}``
    are point processes with a NET_RECEIVE, the receptors that projections name. All that arrives there at one time comes
    as one event with the sum of the weights (in µS or nA as the mechanism wants it; negative ones stay negative).
    ``spikes=[(segment, threshold), ...]`` says where a cell spikes: when the potential there, in mV, rises above the
    threshold. An artificial cell stands for itself. `cells` are only kept.
    """
    _set_up().name_port(name, cells, synapses, spikes)


def output(name, variable, pointers):
    """Names the variables that an analog signal is read from at the end of each step, for example ``[soma(0.5)._ref_v]``.

    One for each neuron of the population, in the unit that the configuration declares for the variable.
    """
    _set_up().name_output(name, variable, pointers)


def input(name, variable, pointers):
    """Names the variables that an analog signal sets at the beginning of each step, for example ``[clamp._ref_amp]``."""
    _set_up().name_input(name, variable, pointers)


def points(name):
    """The point processes of a population of this component that has a cell; ``.get_segment().sec`` is the section."""
    from ..session import CoupleError

    component = _set_up()
    known = {p["name"] for p in component.part.cells()}
    if name not in known:
        raise CoupleError(f"couple.neuron.points: no cells of `{name}`; there are: {', '.join(sorted(known)) or 'none'}")
    return component.ports[name].held


def run(v_init=None):
    """Simulates for the duration of the run, in step with the other components.

    All sections start at `v_init` mV (without it at ``h.v_init``, or -65), those of populations with a cell at their own
    initial values; ``h.finitialize`` is called.
    """
    _set_up().run(v_init)


def description():
    """What the run's configuration says of this component: step, window, duration, populations, projections."""
    return _active().description
