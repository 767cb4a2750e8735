"""A rank of a Brian2 component: builds its part of the network, and runs it in step with the others."""

import logging
import os
import sys
import time

import numpy

from ..part import Part
from ..session import CoupleError
from . import groups, own
from .exchange import Exchange

VERSION = "2.9"


def _log(message):
    print(f"couple: {message}", file=sys.stderr, flush=True)


def load():
    """Imports Brian2."""
    import brian2

    if not brian2.__version__.startswith(VERSION + "."):
        raise CoupleError(
            f"Brian2 {brian2.__version__} is installed in {sys.prefix}, but couple needs {VERSION}. "
            "Help: pip install brian2==2.9.0 'numpy<2.4', or leave out `python` to use the managed environment"
        )
    _keep_no_files(brian2)
    return brian2


def _keep_no_files(brian2):
    """Brian2 has a log and a copy of the script in the folder for temporary files, which a killed process would leave there.

    What it prints is in the component's log.
    """
    brian2.prefs.logging.file_log = brian2.prefs.logging.save_script = brian2.prefs.logging.std_redirection = False
    logger = brian2.BrianLogger
    if logger.file_handler is not None:
        logging.getLogger("brian2").removeHandler(logger.file_handler)
        logger.file_handler.close()
    for path in (logger.tmp_log, logger.tmp_script):
        if path is not None and os.path.exists(path):
            os.remove(path)
    logger.file_handler = logger.tmp_log = logger.tmp_script = None


class Component:
    """This process's part of the network.

    The order of calls is: `begin`, `build` (populations with a cell), `name_port` (for groups of a user's own model),
    `run`.
    """

    def __init__(self, session):
        self.session = session
        self.part = Part(session)
        self.description = session.description
        self.ports = {}
        #: Place of the first neuron, by (population's name, receptor).
        self.first_place = {}
        #: Receptors that have synapses, likewise.
        self.fed = set()
        self.brian2 = None
        self.finished = False

    def begin(self, own_model):
        """Sets up Brian2. With `own_model`, a user's script has chosen the preferences."""
        brian2 = self.brian2 = load()
        step = self.part.step_ns * 1e-9 * brian2.second
        if not own_model:
            brian2.prefs.codegen.target = "numpy"
            # Floating-point operations stay as the models have them.
            brian2.prefs.codegen.loop_invariant_optimisations = False
            brian2.BrianLogger.suppress_hierarchy("brian2.groups.group.Group.resolve")
        brian2.defaultclock.dt = step

    # -- populations ------------------------------------------------------------------------------------------------

    def build(self):
        """Creates the groups of the populations that have a cell."""
        for population in self.part.cells():
            self._add_port(groups.create(self.brian2, self.part, population))

    def _add_port(self, port):
        self.ports[port.name] = port
        for receptor in port.receptors:
            self.first_place[port.name, receptor] = self.part.reserve(port.population["count"])

    def name_port(self, name, group, receptors):
        """Names a group of a user's model behind a population."""
        port = own.population(self.part, self.ports, "couple.brian2.port", name)
        own.name_port(self.brian2, port, group, receptors)
        self._add_port(port)

    def name_signal(self, way, name, variable, group, own_variable):
        """Names a variable of a user's model as one of a population."""
        port = own.population(self.part, self.ports, f"couple.brian2.{way}", name)
        own.name_signal(self.brian2, self.part, port, way, variable, group, own_variable)

    # -- synapses ---------------------------------------------------------------------------------------------------

    def _place_of(self, projection, target, synapses):
        """Place of a projection's synapses."""
        port, name = self.ports[target["name"]], projection["receptor"]
        if name not in port.receptors:
            raise CoupleError(
                f"projection `{projection['name']}` goes to the {name} receptor of `{port.name}`, but "
                f"couple.brian2.port names only {', '.join(port.receptors) or 'none'}"
            )
        if len(synapses) > 0:
            self.fed.add((port.name, name))
        return synapses.post.astype(numpy.int64) - target["first"] + self.first_place[port.name, name]

    # -- run --------------------------------------------------------------------------------------------------------

    def run(self, network=None, namespace=None):
        """Simulates for the duration of the run: a user's network, or the populations that have a cell."""
        if self.finished:
            raise CoupleError("couple.brian2.run() was called twice")
        brian2 = self.brian2
        began = time.monotonic()
        if type(brian2.get_device()).__name__ != "RuntimeDevice":
            raise CoupleError("Brian2's standalone mode cannot exchange spikes while it runs. Help: leave out set_device()")
        if network is None:
            network = brian2.Network()
        elif not isinstance(network, brian2.Network):
            raise CoupleError(
                f"couple.brian2.run() takes a Network, not {network!r}. Help: run(Network(collect())) takes all "
                "that was made"
            )
        network.add(*(port.group for port in self.ports.values() if port.population.get("cell") and port.group is not None))
        own.check(self.part, self.ports, network)
        network.add(*(o.monitor for port in self.ports.values() for o in port.outputs.values() if o.monitor is not None))
        self.part.connect(self._place_of)
        exchange = Exchange(self.part, self.ports.values(), {key: self.first_place[key] for key in self.fed})
        network.add(*_operations(brian2.defaultclock, exchange))
        neurons = sum(port.population["count"] for port in self.ports.values())
        _log(f"Brian2 {brian2.__version__}, NumPy {numpy.__version__}: {neurons} neurons, {self.part.places} places for "
             f"input, slices of {self.part.slice_ns / 1e6} ms; built in {time.monotonic() - began:.2f} s")
        # Brian2 makes its code first; with the first step the run begins.
        network.run(self.part.duration_ns * 1e-9 * brian2.second, namespace=namespace or {})
        if not exchange.over:
            raise CoupleError(f"Brian2 stopped at {exchange.now_ns / 1e6} ms")
        self.session.finish()
        self.finished = True
        wall, processor = (now - then for now, then in zip((time.monotonic(), time.process_time()), exchange.began))
        _log(f"simulated {self.part.duration_ns / 1e6} ms in {wall:.3f} s, {processor:.3f} s of processor time")


def _operations(clock, exchange):
    """The exchange in Brian2's schedule."""
    from brian2.core.base import BrianObject

    class Operation(BrianObject):
        def __init__(self, function, when, order):
            super().__init__(clock=clock, when=when, order=order, name=f"couple_{when}*")
            self.run = function

    # Before everything else in a step, and after it (own.py has a monitor between).
    first, last = -(1 << 30), 1 << 30
    return [
        Operation(exchange.begin_step, "start", first),
        Operation(exchange.deliver, "after_groups", 0),
        Operation(exchange.end_step, "end", last),
    ]
