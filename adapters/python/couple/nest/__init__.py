"""NEST as a component of a run.

A component with ``simulator = "nest"`` whose populations have cells needs no Python. A user's own PyNEST model
takes part with three calls::

    import nest
    import couple.nest as cn

    nest.rng_seed = 7              # the script's own kernel settings
    cn.setup()                     # before the first node is created
    neurons = nest.Create("iaf_psc_exp", 100)
    ...                            # the model, as ever
    cn.port("P", neurons)          # the nodes behind population P of the configuration
    cn.run()                       # instead of nest.Simulate
"""

_component = None


def _active():
    if _component is None:
        from ..session import CoupleError

        raise CoupleError(
            "couple.nest is used by a script that `couple run` starts: name it as `script` of a component with "
            'simulator = "nest", and run the configuration'
        )
    return _component


def _set_up():
    from ..session import CoupleError

    component = _active()
    if component.extension is None:
        raise CoupleError("call couple.nest.setup() first, before nodes are created")
    return component


def setup():
    """Prepares NEST for the exchange. Call it after the kernel settings and before nodes are created.

    Populations of the component that have a cell are created here; see :func:`nodes`.
    """
    component = _active()
    component.begin(own_model=True)
    component.build()


def port(name, nodes, receptors=None, weight_factor=1000.0):
    """Names the nodes behind a population of the configuration.

    `nodes` is a NodeCollection as large as the population; neuron ``i`` of the population is its ``i``-th node.
    Projections onto the population have weights in nA or µS, which are multiplied by `weight_factor` to give NEST's
    pA or nS (use 1 for a model whose weights are in mV). NEST models tell excitation from inhibition by the sign of
    the weight, so the signs must fit the projections' receptors; for models with numbered receptors, give the
    numbers: ``receptors={"excitatory": 1, "inhibitory": 2}``.
    """
    _set_up().name_port(name, nodes, receptors, weight_factor)


def output(name, variable, recordable, scale=1.0):
    """Names the recordable of a port's nodes behind a variable that goes out, such as ``output("P", "v", "V_m")``.

    Its value at the end of each step is the sample. `scale` says how many of NEST's units (mV, pA, nS) are one of the
    configuration's: 1000 for a conductance in µS.
    """
    _set_up().name_reading(name, variable, recordable, scale)


def input(name, variable, parameter="", scale=1.0):
    """Names what of a port's nodes a variable that comes in drives.

    Without `parameter` it is an injected current; else a parameter of the nodes, such as
    ``input("P", "threshold", "V_th")``, which is set before each step. `scale` says how many of NEST's units are one of
    the configuration's: 1000 for a current in nA.
    """
    _set_up().name_drive(name, variable, parameter, scale)


def nodes(name):
    """The NodeCollection of a population of this component."""
    from ..session import CoupleError

    ports = _set_up().ports
    if name not in ports:
        raise CoupleError(f"couple.nest.nodes: no nodes for `{name}`; there are: {', '.join(sorted(ports)) or 'none'}")
    return ports[name].nodes


def run():
    """Simulates for the duration of the run, in step with the other components."""
    _set_up().run()


def description():
    """What the run's configuration says of this component: step, window, duration, populations, projections."""
    return _active().description
