"""Arbor as a component of a run: its spikes go out; nothing goes in.

A component with ``simulator = "arbor"`` has a `script` that says which of a recipe's cells are which population::

    import arbor
    import couple.arbor as ca

    class Recipe(arbor.recipe):
        ...                                        # cells, connections and input, as ever

    ca.port("P", gids=range(100))                  # the cells behind population P of the configuration
    ca.run(Recipe())                               # instead of arbor.simulation(recipe).run(...)

Arbor's Python interface (0.12) takes no spikes while a simulation runs, so a population here can be the source of
projections, connections and recordings, and never their target.

Time. Arbor simulates [t, t + h) where couple has (t, t + h]. A spike at `x` has the stamp of the first whole nanosecond
after `x`: one that falls on the border of two windows belongs to the later one in both.
"""

from ..session import CoupleError

_component = None


def _active():
    if _component is None:
        raise CoupleError(
            "couple.arbor is used by a script that `couple run` starts: name it as `script` of a component with "
            'simulator = "arbor", and run the configuration'
        )
    return _component


def port(name, gids):
    """Names the cells behind a population: neuron ``i`` of it is cell ``gids[i]``, with all its sources."""
    _active().name_port(name, gids)


def run(recipe, context=None, domains=None):
    """Simulates a recipe (or a simulation that has not run) for the duration of the run, in step with the other components.

    Arbor's time step and number of threads are those of the component. `context` and `domains` are those of
    ``arbor.simulation``.
    """
    _active().run(recipe, context, domains)


def description():
    """What the run's configuration says of this component: step, window, duration, populations, projections."""
    return _active().description
