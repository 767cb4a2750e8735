"""A rank of a NEURON component: builds its part of the network, and runs it in step with the others."""

import math
import sys
import time

import numpy

from ..part import Part, receptor_places
from ..session import CoupleError
from . import cells, kernel

#: A cylinder of 10⁻³ cm², in µm.
LENGTH, DIAMETER = 100.0, 1000.0 / math.pi


def _log(message):
    print(f"couple: {message}", file=sys.stderr, flush=True)


class Component:
    """This process's part of the network.

    The order of calls is: `begin`, `build` (populations with a cell), `run`.
    """

    def __init__(self, session):
        self.session = session
        self.part = Part(session)
        self.description = session.description
        self.h = self.exchange = None
        self.finished = False
        #: Sections and point processes, by population's name: they live as long as Python holds them.
        self.sections = {}
        self.points = {}
        #: Place of the first neuron, by (population's name, receptor).
        self.first_place = {}
        #: Number of the first neuron of a population as an emitter of spikes.
        self.first_emitter = {}
        self.emitters = 0
        self.start_v = {}

    def begin(self):
        """Starts NEURON."""
        self.h, self.exchange = kernel.load()
        cvode = self.description["cvode"]
        self.exchange.open(self.session.pointer, self.part.step_ns, cvode is not None)
        self.h.dt = self.part.step_ns / 1e6

    def _use_cvode(self, settings):
        cvode = self.h.CVode()
        cvode.active(True)
        cvode.atol(settings["atol"])
        cvode.condition_order(settings["condition_order"])
        # Each cell by itself: its steps must not depend on who else lives in this process. NEURON forgets this call
        # where there are no sections.
        if self.sections and not cvode.use_local_dt(1):
            raise CoupleError("NEURON refuses local variable steps for these cells")

    # -- populations ------------------------------------------------------------------------------------------------

    def build(self):
        """Creates the populations that have a cell."""
        for population in self.part.cells():
            self._build_population(population)

    def _build_population(self, population):
        name, kind, n = population["name"], population["cell"], population["count"]
        cell = cells.CELLS.get(kind)
        if cell is None:
            known = ", ".join(sorted(cells.CELLS))
            raise CoupleError(f"population `{name}`: no NEURON mechanism for {kind}; known are {known}")
        initial = self.part.values(population, "initial")
        step_ms = None if self.description["cvode"] else self.part.step_ns / 1e6
        parameters = cells.parameters(cell, self.part.values(population, "params"), initial, step_ms)
        make = getattr(self.h, cell.mechanism)
        sections, points = [], []
        self.first_emitter[name], self.emitters = self.emitters, self.emitters + n
        columns = {key: numpy.broadcast_to(value, n).tolist() for key, value in parameters.items()}
        # Without a capacitance of its own: that of the Izhikevich cell is 1 nF.
        cm = columns.get("cm", [1.0] * n)
        for i in range(n):
            section = self.h.Section(name=f"{name}_{i}")
            section.L, section.diam, section.cm = LENGTH, DIAMETER, cm[i]
            point = make(section(0.5))
            for key, values in columns.items():
                setattr(point, key, values[i])
            point.id = self.first_emitter[name] + i
            sections.append(section)
            points.append(point)
        self.sections[name], self.points[name] = sections, points
        self.start_v[name] = numpy.broadcast_to(initial["v"], n).tolist()
        places = {flag: self._add_places(flag, points) for flag in sorted(set(cell.receptors.values()))}
        for receptor, flag in cell.receptors.items():
            self.first_place[name, receptor] = places[flag]

    def _add_places(self, flag, points):
        first = self.part.reserve(len(points))
        add = self.h.couple_add_target
        for point in points:
            add(point)
        self.exchange.flag(first, len(points), flag)
        return first

    # -- run --------------------------------------------------------------------------------------------------------

    def run(self):
        """Simulates for the duration of the run."""
        began = time.monotonic()
        self.part.connect(receptor_places(self.first_place), 1 if self.description["cvode"] else None)
        for name, first in self.first_emitter.items():
            population = self.part.populations[name]
            output, source = population.get("output"), self.part.sources.get(population["id"])
            number = lambda value: -1 if value is None else value
            self.exchange.emitters(number(output), number(source), population["first"], population["count"])
        for feed in self.part.feeds:
            self.exchange.feed(feed.stimulus, feed.number, feed.source, feed.min_delay_ns)
        self._initialize()
        slice_ns = self.part.slice_ns
        _log(f"NEURON: {sum(map(len, self.sections.values()))} cells, {self.part.places} places for input, slices of "
             f"{slice_ns / 1e6} ms; built in {time.monotonic() - began:.2f} s")
        self.session.start()
        began = time.monotonic()
        self.exchange.run(self.part.table.pointer, len(self.part.sources), slice_ns)
        self.finished = True
        _log(f"simulated {self.part.duration_ns / 1e6} ms in {time.monotonic() - began:.2f} s: "
             f"{self.exchange.spikes()} spikes, {self.exchange.events()} inputs")

    def _initialize(self):
        for name, sections in self.sections.items():
            for section, v in zip(sections, self.start_v[name]):
                section.v = v
        cvode = self.description["cvode"]
        if cvode is not None:
            self._use_cvode(cvode)
        self.h.finitialize()
