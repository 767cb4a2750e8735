"""What is done in each step and each window while Brian2 runs.

One `Network.run` for the whole run. Operations in Brian2's schedule do the exchange. In step k, from (k - 1) h to k h:

* `after_groups`, between the update of the state and the threshold: what arrives at k h is added. So a spike with delay d
  acts d after its stamp, neither earlier nor a step later, and the threshold sees it.
* `end`: the step's spikes are noted, with its end as their stamp (Brian2 itself stamps them with its beginning). At the end
  of a window they are sent, and the next window's input is taken. Samples of signals are taken here, and what drives the
  coming step is set.

So nothing of Brian2's own time is used but the number of its steps.
"""

import ctypes
import time

import numpy

from .. import native
from . import signals

#: Numbers in the block of input that is laid out at a time.
_BLOCK = 1 << 17
_I64, _U64, _U32, _F64 = (numpy.dtype(kind) for kind in (numpy.int64, numpy.uint64, numpy.uint32, numpy.float64))


class _Arrivals(ctypes.Structure):
    """`couple_arrivals`, with addresses as numbers."""

    _fields_ = [("times", ctypes.c_size_t)] + [(name, ctypes.c_void_p) for name in ("time_ns", "first", "place", "sum")]


class Exchange:
    """The exchange of a rank."""

    def __init__(self, part, ports, first_place):
        """`first_place`: {(population's name, receptor): place of the first neuron}, of receptors that have synapses."""
        self.part, self.session, self.step_ns = part, part.session, part.step_ns
        #: The end of the last step that is over.
        self.now_ns = 0
        self.slice_end_ns = self.window_end_ns = 0
        self.windows = self.session.windows()
        self.over = False
        #: When the run began, by the clock of the machine and in processor time.
        self.began = None
        #: Input of the steps to come: a row for a step, a column for a place.
        steps = max(1, min(part.slice_ns // part.step_ns, _BLOCK // max(part.places, 1)))
        self.block = numpy.zeros((steps, part.places))
        self._flat = self.block.reshape(-1)
        #: What is not zero in it, and in which rows.
        self._set, self.filled = numpy.empty(0, numpy.int64), [False] * steps
        self.row, self.block_end_ns = 0, 0
        self.factor = self._factor(ports, first_place)
        self._struct = _Arrivals()
        self._reference = ctypes.byref(self._struct)
        # By its name in brackets a function of its own, with types of its own.
        self._take = self.session.library["couple_table_take"]
        self._take.argtypes = [ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p]
        self.outlets = [Outlet(part, port) for port in ports if port.group is not None and _spikes_wanted(part, port)]
        self.inlets = [i for port in ports if port.group is not None for i in self._inlets(port, first_place)]
        named = {port.name: port for port in ports}
        self.samplers = signals.samplers(self.session, named, part.window_ns // part.step_ns)
        self.drivers = signals.drivers(self.session, named)
        self.recorded_stimuli = [
            p for p in part.populations.values() if p["local"] and p["stimulus"] and p.get("output") is not None
        ]

    def _factor(self, ports, first_place):
        """What the sums are multiplied by: a number, or one for each place."""
        fed = [(port, first_place[port.name, name], one) for port in ports for name, one in _fed(port, first_place)]
        different = {receptor.factor for _, _, receptor in fed}
        if len(different) <= 1:
            return numpy.array(different.pop() if different else 1.0)
        factor = numpy.ones(self.part.places)
        for port, first, receptor in fed:
            factor[first : first + port.population["count"]] = receptor.factor
        return factor

    def _inlets(self, port, first_place):
        """One for each variable that receptors add to."""
        variables = {}
        for name, receptor in _fed(port, first_place):
            first = first_place[port.name, name]
            columns = self.block[:, first : first + port.population["count"]]
            variables.setdefault(receptor.variable, []).append((columns, receptor))
        return [Inlet(port, variable, parts) for variable, parts in variables.items()]

    # -- each step --------------------------------------------------------------------------------------------------

    def begin_step(self):
        """Before the first step: waits until all components are ready, and begins the first window."""
        if self.began is None:
            self.session.start()
            self.began = time.monotonic(), time.process_time()
            self.next_window()
            self._next_slice()
            for driver in self.drivers:
                driver.drive()

    def deliver(self):
        """Adds what arrives at the end of the step at hand."""
        row = self.row
        self.row = row + 1
        self.now_ns += self.step_ns
        if self.filled[row]:
            for inlet in self.inlets:
                inlet.add(row)

    def end_step(self):
        """Notes the spikes of the step that is over, and exchanges them at the end of a slice."""
        now = self.now_ns
        for outlet in self.outlets:
            outlet.note(now)
        for sampler in self.samplers:
            sampler.note()
        if now == self.slice_end_ns:
            self._end_slice()
        elif now == self.block_end_ns:
            self._next_block()
        for driver in self.drivers:
            driver.drive()

    # -- each slice -------------------------------------------------------------------------------------------------

    def _end_slice(self):
        for outlet in self.outlets:
            outlet.hand_over()
        if self.slice_end_ns == self.window_end_ns and not self.next_window():
            return
        self._next_slice()

    def _next_slice(self):
        self.slice_end_ns = min(self.slice_end_ns + self.part.slice_ns, self.window_end_ns)
        self._next_block()

    def _next_block(self):
        """Lays out the input of the next steps, as many as there is room for, and not beyond the slice."""
        self._flat[self._set] = 0.0
        self.row, rows = 0, len(self.block)
        self.block_end_ns = min(self.now_ns + rows * self.step_ns, self.slice_end_ns)
        table, found = self.part.table, self._struct
        self.session._check(self._take(table.pointer, self.block_end_ns, self._reference))
        n = found.times
        self.filled = [False] * rows
        if n == 0:
            self._set = self._set[:0]
            return
        first = _view(self, found.first, n + 1, _U64).astype(_I64)
        row = (_view(self, found.time_ns, n, _I64) - self.now_ns) // self.step_ns - 1
        place, sums = _view(self, found.place, int(first[n]), _U32), _view(self, found.sum, int(first[n]), _F64)
        self._set = numpy.repeat(row * self.part.places, first[1:] - first[:-1]) + place
        self._flat[self._set] = sums * (self.factor if self.factor.ndim == 0 else self.factor[place])
        for one in row.tolist():
            self.filled[one] = True

    # -- each window ------------------------------------------------------------------------------------------------

    def next_window(self):
        """Ends the window at hand, and takes the input of the next one; False at the end of the run."""
        if self.now_ns > 0:
            for sampler in self.samplers:
                sampler.hand_over()
        window = next(self.windows, None)
        if window is None:
            self.over = True
            return False
        start_ns, self.window_end_ns = window
        self.part.fill(start_ns, self.window_end_ns)
        for driver in self.drivers:
            driver.take()
        for population in self.recorded_stimuli:
            self._record_stimulus(population, start_ns, self.window_end_ns)
        return True

    def _record_stimulus(self, population, start_ns, end_ns):
        first, end = population["first"], population["first"] + population["count"]
        for time_ns, index, count in self.session.stimulus(population["id"], start_ns, end_ns):
            if first <= index < end:
                for _ in range(count):
                    self.session.emit(population["output"], index, time_ns)


def _spikes_wanted(part, port):
    """Whether anybody gets the spikes of a population: others, synapses of this rank, or synapses that learn from them."""
    population = port.population
    return population.get("output") is not None or population["id"] in part.sources or population["id"] in part.posts


def _fed(port, first_place):
    """The receptors of a port that have synapses."""
    return [(name, receptor) for name, receptor in port.receptors.items() if (port.name, name) in first_place]


class Inlet:
    """Input to a variable of a group."""

    def __init__(self, port, variable, parts):
        """`parts`: a receptor's columns of the block, and the receptor."""
        self.values = port.array(variable)
        self.parts = parts
        gate = parts[0][1].gate
        self.gate = port.array(gate) if gate else None
        plain = len(parts) == 1 and parts[0][1].kick is None and gate is None
        self.rows = list(parts[0][0]) if plain else None

    def add(self, row):
        """Adds the sums of a row."""
        if self.rows is not None:
            numpy.add(self.values, self.rows[row], out=self.values)
            return
        total = sum(columns[row] if one.kick is None else columns[row] * one.kick for columns, one in self.parts)
        if self.gate is not None:
            total = total * self.gate
        self.values += total


class Outlet:
    """Spikes of a group."""

    def __init__(self, part, port):
        group, population = port.group, port.population
        self.session, self.table = part.session, part.table
        self.output = population.get("output")
        self.sources = part.sources.get(population["id"], [])
        #: Leads from a neuron to its number in the table, where it has synapses that learn from its spikes.
        posts = part.posts.get(population["id"])
        self.to_post = None if posts is None else posts - population["first"]
        # Numbers of the neurons that fired in the step, and at the end how many.
        self.spikespace = group.variables["_spikespace"].get_value()
        self.start, self.stop = getattr(group, "start", 0), getattr(group, "stop", None)
        self.shift = population["first"] - self.start
        self.noted = []
        self._emit_many = self.session.library.couple_emit_many
        pointer, u32 = ctypes.c_void_p, ctypes.c_uint32
        self._emit_many.argtypes = [pointer, u32, pointer, pointer, ctypes.c_size_t]

    def note(self, now_ns):
        """Notes the spikes of the step that ends at `now_ns`."""
        n = self.spikespace[-1]
        if n:
            self.noted.append((now_ns, self.spikespace[:n].copy()))

    def hand_over(self):
        """Gives the noted spikes to the session and to the synapses of this rank."""
        if not self.noted:
            return
        if len(self.noted) == 1:
            ((now_ns, index),) = self.noted
            time_ns = numpy.full(len(index), now_ns)
        else:
            index = numpy.concatenate([index for _, index in self.noted])
            time_ns = numpy.repeat([t for t, _ in self.noted], [len(index) for _, index in self.noted])
        self.noted.clear()
        if self.stop is not None:
            within = (index >= self.start) & (index < self.stop)
            index, time_ns = index[within], time_ns[within]
        spikes = numpy.empty(len(index), native.SPIKE)
        spikes["time_ns"], spikes["index"], spikes["count"] = time_ns, index + self.shift, 1
        if self.output is not None:
            self._emit(numpy.ascontiguousarray(spikes["index"]), time_ns)
        if self.to_post is not None:
            self.table.add_posts(spikes["index"].astype(numpy.int64) + self.to_post, time_ns)
        for source in self.sources:
            self.table.add_events(source, spikes.__array_interface__["data"][0], len(spikes))

    def _emit(self, index, time_ns):
        addresses = (a.__array_interface__["data"][0] for a in (index, time_ns))
        session = self.session
        session._check(self._emit_many(session.pointer, self.output, *addresses, len(index)))


def _view(owner, address, n, dtype):
    return numpy.asarray(native.Memory(owner, address or 0, (n,), dtype))
