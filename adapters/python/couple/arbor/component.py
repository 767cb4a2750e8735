"""The one rank of an Arbor component: runs a user's recipe in step with the others, and sends its spikes."""

import sys
import time

import numpy

from ..session import CoupleError

VERSION = "0.12"


def _log(message):
    print(f"couple: {message}", file=sys.stderr, flush=True)


def load():
    """Imports Arbor."""
    import arbor

    if not arbor.__version__.startswith(VERSION + "."):
        raise CoupleError(
            f"Arbor {arbor.__version__} is installed in {sys.prefix}, but couple needs {VERSION}. "
            "Help: pip install arbor==0.12.2, or leave out `python` to use the managed environment"
        )
    return arbor


def stamps(times_ms):
    """Arbor's times as nanoseconds: the first whole one after each."""
    return numpy.floor(times_ms * 1e6).astype(numpy.int64) + 1


class Component:
    """This process's part: populations whose cells are those of a user's recipe."""

    def __init__(self, session):
        self.session = session
        self.description = session.description
        self.own = {p["name"]: p for p in self.description["populations"] if p["local"]}
        #: Gids of each population.
        self.ports = {}
        self.finished = False

    def name_port(self, name, gids):
        """Names the cells behind a population."""
        if name not in self.own:
            raise CoupleError(
                f"couple.arbor.port: `{name}` is no population of component `{self.description['component']}`; those are: "
                f"{', '.join(sorted(self.own)) or 'none'}"
            )
        if name in self.ports:
            raise CoupleError(f"couple.arbor.port: `{name}` has been named already")
        gids = numpy.asarray(list(gids), dtype=numpy.int64)
        if len(gids) != self.own[name]["size"]:
            raise CoupleError(
                f"couple.arbor.port: `{name}` has size {self.own[name]['size']} in the configuration, but is given "
                f"{len(gids)} cells"
            )
        if len(numpy.unique(gids)) != len(gids):
            raise CoupleError(f"couple.arbor.port: `{name}` has a cell twice")
        self.ports[name] = gids

    def run(self, model, context, domains):
        """Simulates for the duration of the run."""
        arbor = load()
        if self.finished:
            raise CoupleError("couple.arbor.run() was called twice")
        missing = sorted(self.own.keys() - self.ports.keys())
        if missing:
            raise CoupleError(
                f"no cells for population `{missing[0]}`. Help: call couple.arbor.port(\"{missing[0]}\", gids) before run()"
            )
        began = time.monotonic()
        simulation = self._simulation(arbor, model, context, domains)
        simulation.record(arbor.spike_recording.all)
        _log(f"Arbor {arbor.__version__}: built in {time.monotonic() - began:.2f} s")
        self.session.start()
        began, seen = time.monotonic(), 0
        step = self.description["step_ns"] / 1e6 * arbor.units.ms
        for start_ns, end_ns in self.session.windows():
            simulation.run(end_ns / 1e6 * arbor.units.ms, step)
            spikes = simulation.spikes()
            self._emit(spikes[seen:], start_ns, end_ns)
            seen = len(spikes)
        self.session.finish()
        self.finished = True
        _log(f"simulated {self.description['duration_ns'] / 1e6} ms in {time.monotonic() - began:.2f} s: {seen} spikes")

    def _simulation(self, arbor, model, context, domains):
        if isinstance(model, arbor.simulation):
            if context is not None or domains is not None:
                raise CoupleError("couple.arbor.run(): a simulation has its context and domains already")
            return model
        cells = model.num_cells()
        for name, gids in self.ports.items():
            if len(gids) and (gids.min() < 0 or gids.max() >= cells):
                raise CoupleError(f"couple.arbor.port: `{name}` has a cell that the recipe's {cells} do not include")
        if not any(model.connections_on(gid) for gid in range(cells)):
            raise CoupleError(
                "the recipe has no connections, and Arbor 0.12 records no spikes then. Help: give it one, of weight 0 if it "
                "is to do nothing"
            )
        if context is None:
            context = arbor.context(threads=self.description["threads"])
        return arbor.simulation(model, context, domains) if domains is not None else arbor.simulation(model, context)

    def _emit(self, spikes, start_ns, end_ns):
        """Sends new spikes; stamps lie in the window, for Arbor's do in [start, end)."""
        times = stamps(spikes["time"])
        if len(times) and (times.min() <= start_ns or times.max() > end_ns):
            raise CoupleError(f"Arbor recorded a spike outside of the window from {start_ns / 1e6} to {end_ns / 1e6} ms")
        gid = spikes["source"]["gid"]
        for name, gids in self.ports.items():
            output = self.own[name].get("output")
            if output is None:
                continue
            order = numpy.argsort(gids)
            place = numpy.searchsorted(gids, gid, sorter=order)
            place = order[numpy.minimum(place, len(gids) - 1)]
            for neuron, time_ns in zip(place[gids[place] == gid].tolist(), times[gids[place] == gid].tolist()):
                self.session.emit(output, neuron, time_ns)
