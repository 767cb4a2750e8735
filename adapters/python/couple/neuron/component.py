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


def _is_pointer(given):
    """Whether it is a pointer of NEURON, such as `segment._ref_v`; `segment.v` is the number."""
    try:
        return type(given).__name__ == "HocObject" and isinstance(given[0], float)
    except (TypeError, IndexError, RuntimeError):
        return False


class Port:
    """What is behind a population."""

    def __init__(self, population):
        self.population = population
        #: Sections, point processes and connections: they live as long as Python holds them.
        self.held = []
        #: Place of the first neuron, by receptor.
        self.first_place = {}
        #: Number of the first neuron as an emitter of spikes, or None.
        self.first_emitter = None
        #: Pointers to variables, by name: those that go out and those that come in.
        self.outputs = {}
        self.inputs = {}


class Component:
    """This process's part of the network.

    The order of calls is: `begin`, `build` (populations with a cell), `name_port`, `name_output` and `name_input` (for a
    user's own model), `run`.
    """

    def __init__(self, session):
        self.session = session
        self.part = Part(session)
        self.description = session.description
        self.cvode_settings = self.description["cvode"]
        self.h = self.exchange = None
        self.finished = False
        self.ports = {}
        self.emitters = 0
        #: Sections of standard cells with their first potential.
        self.start_v = []

    def begin(self):
        """Starts NEURON."""
        if self.h is not None:
            raise CoupleError("couple.neuron.setup() was called twice")
        if self.description["threads"] > 1:
            raise CoupleError("a NEURON component has one thread in each process. Help: set threads = 1, and use ranks")
        self.h, self.exchange = kernel.load()
        self.exchange.open(self.session.pointer, self.part.step_ns, self.cvode_settings is not None)
        self.h.dt = self.part.step_ns / 1e6
        #: Takes the spikes of a user's own cells.
        self.spikes = self.h.CoupleSpikes()

    # -- populations with a cell ------------------------------------------------------------------------------------

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
        port = self.ports[name] = Port(population)
        initial = self.part.values(population, "initial")
        step_ms = None if self.cvode_settings else self.part.step_ns / 1e6
        parameters = cells.parameters(cell, self.part.values(population, "params"), initial, step_ms)
        columns = {key: numpy.broadcast_to(value, n).tolist() for key, value in parameters.items()}
        # Without a capacitance of its own: that of the Izhikevich cell is 1 nF.
        cm = columns.get("cm", [1.0] * n)
        v = numpy.broadcast_to(initial["v"], n).tolist()
        make, first = getattr(self.h, cell.mechanism), self._add_emitters(port)
        points = []
        for i in range(n):
            section = self.h.Section(name=f"{name}_{i}")
            section.L, section.diam, section.cm = LENGTH, DIAMETER, cm[i]
            point = make(section(0.5))
            for key, values in columns.items():
                setattr(point, key, values[i])
            point.id = first + i
            points.append(point)
            self.start_v.append((section, v[i]))
        places = {flag: self._add_places(points, flag) for flag in sorted(set(cell.receptors.values()))}
        port.first_place = {receptor: places[flag] for receptor, flag in cell.receptors.items()}
        if not self.cvode_settings:
            for receptor, (state, factor) in cell.added_to.items():
                self._collect([getattr(point, f"_ref_{state}") for point in points])
                self.exchange.states(port.first_place[receptor], factor)
        port.held = points
        sections = [section for section, _ in self.start_v[len(self.start_v) - n :]]
        port.outputs["v"] = lambda: [section(0.5)._ref_v for section in sections]
        for variable, state in cell.states.items():
            port.outputs[variable] = lambda state=state: [getattr(point, f"_ref_{state}") for point in points]

    def _add_emitters(self, port):
        port.first_emitter, self.emitters = self.emitters, self.emitters + port.population["count"]
        return port.first_emitter

    def _add_places(self, points, flag):
        first = self.part.reserve(len(points))
        add = self.h.couple_add_target
        for point in points:
            add(point)
        self.exchange.flag(first, len(points), flag)
        return first

    # -- a user's own model -----------------------------------------------------------------------------------------

    def _own_port(self, call, name):
        own = {p["name"]: p for p in self.part.ports()}
        if name not in own:
            raise CoupleError(
                f"couple.neuron.{call}: `{name}` is no population of component `{self.description['component']}` that a "
                f"script provides; those are: {', '.join(sorted(own)) or 'none'}"
            )
        return self.ports.setdefault(name, Port(own[name]))

    def _sized(self, call, port, what, given):
        given, size = list(given), port.population["count"]
        if len(given) != size:
            raise CoupleError(
                f"couple.neuron.{call}: `{port.population['name']}` has size {size} in the configuration, but is given "
                f"{len(given)} {what}"
            )
        return given

    def name_port(self, name, cells=None, synapses=None, spikes=None):
        """Names what is behind a population of a user's model."""
        port = self._own_port("port", name)
        port.held.append(cells)
        for receptor, points in (synapses or {}).items():
            points = self._sized("port", port, f"{receptor} synapses", points)
            if receptor in port.first_place:
                raise CoupleError(f"couple.neuron.port: the {receptor} synapses of `{name}` have been named already")
            for point in points:
                self._check_synapse(name, point)
            port.first_place[receptor] = self._add_places(points, 0.0)
            port.held.append(points)
        if spikes is not None:
            if port.first_emitter is not None:
                raise CoupleError(f"couple.neuron.port: the spikes of `{name}` have been named already")
            sources = self._sized("port", port, "sources of spikes", spikes)
            first = self._add_emitters(port)
            port.held.append([self._watch(name, first + i, source) for i, source in enumerate(sources)])

    def _check_synapse(self, name, point):
        arguments = self.h.couple_arguments(point) if hasattr(point, "get_segment") else 0
        if arguments < 1:
            raise CoupleError(
                f"couple.neuron.port: {point} cannot be a synapse of `{name}`: it is no point process with a NET_RECEIVE"
            )
        if arguments > 1 and self.cvode_settings:
            raise CoupleError(
                f"couple.neuron.port: {point} of `{name}` keeps a state in the arguments of its NET_RECEIVE, which works "
                "with the fixed step only. Help: leave out `cvode`"
            )

    def _watch(self, name, number, source):
        """A connection that tells of a cell's spikes."""
        try:
            if isinstance(source, (tuple, list)):
                segment, threshold = source
                connection = self.h.NetCon(segment._ref_v, self.spikes, sec=segment.sec)
                connection.threshold = threshold
            else:
                connection = self.h.NetCon(source, self.spikes)
        except (TypeError, ValueError, AttributeError, RuntimeError) as error:
            raise CoupleError(
                f"couple.neuron.port: spikes of `{name}` are (segment, threshold in mV), or artificial cells, not {source!r}"
            ) from error
        connection.delay, connection.weight[0] = 0, number
        return connection

    def name_output(self, name, variable, pointers):
        """Names the variables that an analog signal is read from."""
        port = self._own_port("output", name)
        self._check_variable("output", port, variable)
        pointers = self._pointers("output", port, variable, pointers)
        port.outputs[variable] = lambda: pointers

    def name_input(self, name, variable, pointers):
        """Names the variables that an analog signal sets."""
        port = self._own_port("input", name)
        self._check_variable("input", port, variable)
        port.inputs[variable] = self._pointers("input", port, variable, pointers)

    def _pointers(self, call, port, variable, given):
        given = self._sized(call, port, "variables", given)
        for pointer in given:
            if not _is_pointer(pointer):
                raise CoupleError(
                    f"couple.neuron.{call}: `{port.population['name']}.{variable}` takes pointers, as in segment._ref_v, "
                    f"not {pointer!r}"
                )
        return given

    def _check_variable(self, call, port, variable):
        known = [v["name"] for v in port.population["variables"] if not v["message"]]
        if variable not in known:
            raise CoupleError(
                f"couple.neuron.{call}: `{port.population['name']}` has no analog variable `{variable}` in the "
                f"configuration; it has {', '.join(known) or 'none'}"
            )

    # -- run --------------------------------------------------------------------------------------------------------

    def run(self, v_init=None):
        """Simulates for the duration of the run."""
        self._check_ready()
        began = time.monotonic()
        first_place = {
            (name, receptor): place for name, port in self.ports.items() for receptor, place in port.first_place.items()
        }
        self.part.connect(receptor_places(first_place), 1 if self.cvode_settings else None)
        self._hand_over()
        self._initialize(v_init)
        slice_ns = self.part.slice_ns
        _log(f"mechanisms: {self.exchange.path}")
        _log(f"NEURON: {len(self.start_v)} standard cells, {self.part.places} places for input, slices of "
             f"{slice_ns / 1e6} ms; built in {time.monotonic() - began:.2f} s")
        self.session.start()
        began, processor = time.monotonic(), time.process_time()
        self.exchange.run(self.part.table.pointer, sum(map(len, self.part.sources.values())), slice_ns)
        self.finished = True
        _log(f"{self.exchange.spikes()} spikes, {self.exchange.events()} inputs")
        _log(f"simulated {self.part.duration_ns / 1e6} ms in {time.monotonic() - began:.3f} s, "
             f"{time.process_time() - processor:.3f} s of processor time")

    def _hand_over(self):
        """Tells the exchange of spikes and signals."""
        emitting = [port for port in self.ports.values() if port.first_emitter is not None]
        for port in sorted(emitting, key=lambda port: port.first_emitter):
            population = port.population
            identity = population["id"]
            sources, post = self.part.sources.get(identity, []), self.part.posts.get(identity)
            self.exchange.emitters(population.get("output"), post, population, sources)
        for feed in self.part.feeds:
            self.exchange.feed(feed.stimulus, feed.number, feed.source, feed.min_delay_ns)
        for signal in self.description["signals_out"]:
            port = self.ports[signal["population"]]
            self._collect(port.outputs[signal["variable"]]())
            self.exchange.output(signal["index"])
        driven = {}
        for signal in self.description["signals_in"]:
            driven.setdefault(signal["target"], []).append(signal["index"])
        for target, signals in driven.items():
            name, variable = target.rsplit(".", 1)
            port = self.ports[name]
            if port.population.get("cell"):
                flag, place = cells.DRIVEN[variable], min(port.first_place.values())
                self.exchange.drive(signals, flag, place, port.population["count"])
            else:
                self._collect(port.inputs[variable])
                self.exchange.drive(signals)

    def _collect(self, pointers):
        add = self.h.couple_add_variable
        for pointer in pointers:
            add(pointer)

    def _initialize(self, v_init):
        if self.cvode_settings is not None:
            self._use_cvode(self.cvode_settings)
        potential = v_init if v_init is not None else getattr(self.h, "v_init", -65.0)
        if self.part.ports():
            for section in self.h.allsec():
                for segment in section:
                    segment.v = potential
        for section, v in self.start_v:
            section.v = v
        self.h.finitialize()

    def _use_cvode(self, settings):
        cvode = self.h.CVode()
        cvode.active(True)
        cvode.atol(settings["atol"])
        cvode.condition_order(settings["condition_order"])
        # Each cell by itself: its steps must not depend on who else lives in this process. NEURON forgets this call
        # where there are no sections; a user's own model chooses for itself.
        if self.start_v and not self.part.ports() and not cvode.use_local_dt(1):
            raise CoupleError("NEURON refuses local variable steps for these cells")

    def _check_ready(self):
        if self.finished:
            raise CoupleError("couple.neuron.run() was called twice")
        h, step_ms = self.h, self.part.step_ns / 1e6
        if h.t != 0:
            raise CoupleError("NEURON has simulated already. Help: let couple.neuron.run() do it")
        if self.cvode_settings is None and h.CVode().active():
            raise CoupleError(
                "the script has switched CVODE on. Help: leave that to the configuration, with "
                "cvode = { atol = 1e-3 } in the component"
            )
        if self.cvode_settings is None and abs(h.dt - step_ms) > 1e-9:
            raise CoupleError(
                f"the script sets h.dt = {h.dt} ms, but the component's step is {step_ms} ms. Help: leave it out of the "
                f"script, or set step = \"{h.dt:g} ms\" in the configuration"
            )
        if h.ParallelContext().nthread() > 1:
            raise CoupleError("NEURON has several threads. Help: leave out ParallelContext.nthread")
        for population in self.part.ports():
            self._check_port(population)

    def _check_port(self, population):
        name = population["name"]
        port = self.ports.get(name, Port(population))
        missing = []
        if population.get("output") is not None and port.first_emitter is None:
            missing.append(f'couple.neuron.port("{name}", spikes=[(segment, threshold), ...])')
        ids = {p["receptor"] for p in self.description["projections"] if p["to"] == population["id"]}
        for receptor in sorted(ids - port.first_place.keys()):
            missing.append(f'couple.neuron.port("{name}", synapses={{"{receptor}": [...]}})')
        for signal in self.description["signals_out"]:
            if signal["population"] == name and signal["variable"] not in port.outputs:
                missing.append(f'couple.neuron.output("{name}", "{signal["variable"]}", [...])')
        for signal in self.description["signals_in"]:
            target, variable = signal["target"].rsplit(".", 1)
            if target == name and variable not in port.inputs:
                missing.append(f'couple.neuron.input("{name}", "{variable}", [...])')
        if missing:
            raise CoupleError(f"the script has not said what is behind `{name}`. Help: call {missing[0]} before run()")
