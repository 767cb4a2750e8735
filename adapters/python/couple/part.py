"""A rank's part of the network, for simulators in Python: synapses, values, and synaptic input as exact sums.

The synapses of this rank are kept here and not in the simulator. Spikes, from links, from spike sources and from the
rank's own neurons alike, go into an :class:`InputTable`; out of it comes what each *place* (a receptor of a neuron, or
whatever else the simulator adds input to) gets at each time of arrival. Weights lie on a grid for each receptor, so that
the sums are exact: whether a spike came over a link or not cannot be told from them, and a network gives the same
results whole and split.

How a component uses it::

    part = Part(session)
    first = part.reserve(population["count"])               # places, as many as needed
    part.connect(place_of)                                  # draws the synapses; tells which spikes are needed
    session.start()
    for start, end in session.windows():
        part.fill(start, end)                               # spikes from elsewhere
        for until in part.slices(start, end):               # no longer than the shortest delay inside
            for time_ns, place, weight in part.take(until): # numpy arrays; time_ns <= until
                ...
            part.spiked(population, indices, times_ns)      # own spikes of the slice
    session.finish()
"""

import contextlib
import ctypes
from dataclasses import dataclass

import numpy

from .session import CoupleError, _Spike, _Synapses

_SPIKE = numpy.dtype([("time_ns", numpy.int64), ("index", numpy.uint32), ("count", numpy.uint32)])


class _Arrivals(ctypes.Structure):
    _fields_ = [
        ("times", ctypes.c_size_t),
        ("time_ns", ctypes.POINTER(ctypes.c_int64)),
        ("first", ctypes.POINTER(ctypes.c_size_t)),
        ("place", ctypes.POINTER(ctypes.c_uint32)),
        ("sum", ctypes.POINTER(ctypes.c_double)),
    ]


class _Plasticity(ctypes.Structure):
    _fields_ = [("kind", ctypes.c_int32)] + [
        (name, ctypes.c_double)
        for name in (
            "unit", "u", "tau_rec", "tau_facil", "tau_plus", "tau_minus", "a_plus", "a_minus", "w_min", "w_max", "mu_plus",
            "mu_minus",
        )
    ]


def _plasticity(projection):
    """The rule of a projection as the table takes it, or None for static synapses."""
    synapse = projection.get("synapse") or {}
    kinds = {"TsodyksMarkramSynapse": 0, "STDPMechanism": 1}
    if synapse.get("type") not in kinds:
        return None
    known = {name.lower(): value for name, value in synapse.items() if name != "type"}
    rule = _Plasticity(kind=kinds[synapse["type"]], unit=projection["grid"], tau_plus=1.0, tau_minus=1.0)
    for name, _ in _Plasticity._fields_[2:]:
        if name in known:
            setattr(rule, name, known[name])
    return rule


def _declare(library):
    pointer, u32, size, i64 = ctypes.c_void_p, ctypes.c_uint32, ctypes.c_size_t, ctypes.c_int64
    for name, result, arguments in [
        ("couple_table_new", pointer, [u32, i64]),
        ("couple_table_source", i64, [pointer, u32, ctypes.POINTER(_Synapses)]),
        ("couple_table_spikes", ctypes.c_int, [pointer, u32, pointer, size]),
        ("couple_table_plastic", i64, [pointer, u32, ctypes.POINTER(_Synapses), pointer, ctypes.POINTER(_Plasticity)]),
        ("couple_table_posts", ctypes.c_int, [pointer, pointer, size]),
        ("couple_table_take", ctypes.c_int, [pointer, i64, ctypes.POINTER(_Arrivals)]),
    ]:
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


def _spikes(indices, times_ns):
    spikes = numpy.empty(len(indices), _SPIKE)
    spikes["time_ns"], spikes["index"], spikes["count"] = times_ns, indices, 1
    return spikes


@contextlib.contextmanager
def _columns(pre, place, weight, delay_ns):
    """Synapses as the library takes them; what they point to lives as long as the context."""
    kinds = [(pre, numpy.uint32), (place, numpy.uint32), (weight, numpy.float64), (delay_ns, numpy.int64)]
    columns = [numpy.ascontiguousarray(values, dtype) for values, dtype in kinds]
    table = _Synapses()
    for (name, kind), values in zip(_Synapses._fields_, columns):
        setattr(table, name, values.ctypes.data_as(kind))
    table.n = len(columns[0])
    yield table


class InputTable:
    """Synaptic input by place and time of arrival; see `couple.h`.

    Arrivals between two multiples of `grid_ns` count as of the later one; 1 leaves all times as they are.
    """

    def __init__(self, session, places, grid_ns):
        self._session = session
        self._library = _declare(session._library)
        self.pointer = self._library.couple_table_new(places, grid_ns)
        if not self.pointer:
            session._check(-1)

    def add_source(self, width, pre, place, weight, delay_ns):
        """Adds the synapses of a source of `width` neurons; returns its number."""
        with _columns(pre, place, weight, delay_ns) as table:
            return self._session._check(self._library.couple_table_source(self.pointer, width, ctypes.byref(table)))

    def add_plastic(self, width, pre, place, weight, delay_ns, neuron, rule):
        """Adds the plastic synapses of a projection as a source of their own; `neuron` numbers the postsynaptic ones."""
        neuron = numpy.ascontiguousarray(neuron, numpy.uint32)
        with _columns(pre, place, weight, delay_ns) as table:
            add = self._library.couple_table_plastic
            number = add(self.pointer, width, ctypes.byref(table), neuron.ctypes.data, ctypes.byref(rule))
            return self._session._check(number)

    def add_posts(self, neurons, times_ns):
        """Spikes of postsynaptic neurons, by number."""
        spikes = _spikes(neurons, times_ns)
        self._session._check(self._library.couple_table_posts(self.pointer, spikes.ctypes.data, len(spikes)))

    def add_spikes(self, source, indices, times_ns):
        """Spikes of a source, as arrays."""
        spikes = _spikes(indices, times_ns)
        self.add_events(source, spikes.ctypes.data, len(spikes))

    def add_events(self, source, events, n):
        """`n` spikes of a source at the address `events`, in the session's format."""
        self._session._check(self._library.couple_table_spikes(self.pointer, source, events, n))

    def take(self, until_ns):
        """What arrives up to `until_ns`, as a list of (time in ns, places, sums of weights).

        The arrays are views, valid until the next call; places ascend.
        """
        arrivals = _Arrivals()
        self._session._check(self._library.couple_table_take(self.pointer, until_ns, ctypes.byref(arrivals)))
        n = arrivals.times
        if n == 0:
            return []
        first = arrivals.first[: n + 1]
        place = numpy.ctypeslib.as_array(arrivals.place, shape=(first[n],))
        weight = numpy.ctypeslib.as_array(arrivals.sum, shape=(first[n],))
        return [
            (arrivals.time_ns[i], place[first[i] : first[i + 1]], weight[first[i] : first[i + 1]]) for i in range(n)
        ]


@dataclass(frozen=True)
class Feed:
    """A source of spikes from elsewhere."""

    #: True for a spike source, which is made here; False for an input of the session.
    stimulus: bool
    #: The id of the population, or the number of the input.
    number: int
    #: Its number in the table.
    source: int
    #: No spike acts earlier than this after its stamp.
    min_delay_ns: int


class Part:
    """What the description gives to this rank."""

    def __init__(self, session):
        self.session = session
        self.description = session.description
        self.step_ns = self.description["step_ns"]
        self.window_ns = self.description["window_ns"]
        self.duration_ns = self.description["duration_ns"]
        self.populations = {p["name"]: p for p in self.description["populations"]}
        self._by_id = {p["id"]: p for p in self.description["populations"]}
        self.places = 0
        self.table = None
        self.feeds = []
        #: Numbers in the table of each population whose neurons have synapses here, by id: one for all static synapses,
        #: and one for each projection with plastic ones.
        self.sources = {}
        #: For the neurons of this rank that have STDP: number of the population's first one in the table, by id.
        self.posts = {}
        self._neurons = 0
        #: No spike of a neuron of this rank arrives here sooner.
        self.slice_ns = self.window_ns

    def own(self):
        """The populations with neurons on this rank, spike sources aside."""
        return [p for p in self.populations.values() if p["local"] and not p["stimulus"]]

    def cells(self):
        """Those of them that are standard cells."""
        return [p for p in self.own() if p.get("cell")]

    def ports(self):
        """Those of them that a user's own model provides."""
        return [p for p in self.own() if not p.get("cell")]

    def values(self, population, kind):
        """All parameters (`kind` "params") or initial values ("initial") of a population of standard cells.

        A number when all neurons have the same, else an array of one for each neuron of this rank.
        """

        def of(name, constant):
            if constant is not None:
                return constant
            return self.session.values(population["id"], name, population["count"])

        return {name: of(name, constant) for name, constant in population[kind].items()}

    def reserve(self, n):
        """Numbers of `n` new places: the first one."""
        first, self.places = self.places, self.places + n
        return first

    def connect(self, place_of, grid_ns=None):
        """Draws the synapses of this rank and gives them to the table.

        ``place_of(projection, target, synapses)`` gives the place of each synapse, or the place and the weight. Arrivals
        are put on the grid of the component's step unless `grid_ns` says otherwise.
        """
        self.table = InputTable(self.session, self.places, grid_ns or self.step_ns)
        columns = {}
        for projection in self.description["projections"]:
            source, target = self._by_id[projection["from"]], self._by_id[projection["to"]]
            if not target["local"] or target["count"] == 0:
                continue
            synapses = self.session.synapses(projection["id"])
            found = place_of(projection, target, synapses)
            place, weight = found if isinstance(found, tuple) else (found, synapses.weight)
            rule = _plasticity(projection)
            columns.setdefault(source["id"], []).append(
                (projection["min_delay_ns"], rule, self._post(target, synapses, rule))
                + (synapses.pre, place, weight, synapses.delay_ns)
            )
        for population, parts in columns.items():
            self._connect_source(self._by_id[population], parts)

    def _connect_source(self, source, parts):
        min_delay_ns = min(part[0] for part in parts)
        numbers = self.sources[source["id"]] = []
        static = [part[3:] for part in parts if part[1] is None]
        if static:
            columns = (numpy.concatenate([part[i] for part in static]) for i in range(4))
            numbers.append(self.table.add_source(source["size"], *columns))
        for part in parts:
            if part[1] is not None:
                numbers.append(self.table.add_plastic(source["size"], *part[3:], part[2], part[1]))
                # The postsynaptic spikes that a presynaptic one meets must be known when it acts.
                self.slice_ns = min(self.slice_ns, part[0])
        if source["stimulus"]:
            self.feeds += [Feed(True, source["id"], number, min_delay_ns) for number in numbers]
            return
        if source["count"] > 0:
            self.slice_ns = min(self.slice_ns, min_delay_ns)
        pre = numpy.unique(numpy.concatenate([part[3] for part in parts]))
        for link in self.description["inputs"]:
            if link["source_id"] == source["id"] and not link.get("target"):
                self.feeds += [Feed(False, link["index"], number, link["min_delay_ns"]) for number in numbers]
                own = (pre >= source["first"]) & (pre < source["first"] + source["count"])
                self.session.need(link["index"], pre[~own])

    def _post(self, target, synapses, rule):
        """The numbers of postsynaptic neurons of plastic synapses."""
        if rule is None:
            return None
        if target["id"] not in self.posts:
            self.posts[target["id"]], self._neurons = self._neurons, self._neurons + target["count"]
        return synapses.post.astype(numpy.int64) - target["first"] + self.posts[target["id"]]

    # -- window by window; a component that does this in compiled code uses `feeds` and `table.pointer` -----------------

    def fill(self, start_ns, end_ns):
        """Takes in the spikes from elsewhere that belong to the window."""
        library, session = self.session._library, self.session._session
        events = ctypes.POINTER(_Spike)()
        for feed in self.feeds:
            if feed.stimulus:
                times = start_ns - feed.min_delay_ns, end_ns - feed.min_delay_ns
                n = library.couple_stimulus(session, feed.number, *times, ctypes.byref(events))
            else:
                n = library.couple_input_events(session, feed.number, ctypes.byref(events))
            if self.session._check(n):
                self.table.add_events(feed.source, ctypes.cast(events, ctypes.c_void_p), n)

    def slices(self, start_ns, end_ns):
        """The ends of the slices of a window: within a slice no neuron of this rank acts on another."""
        while start_ns < end_ns:
            start_ns = min(start_ns + self.slice_ns, end_ns)
            yield start_ns

    def take(self, until_ns):
        """What arrives up to `until_ns`; see :meth:`InputTable.take`."""
        return self.table.take(until_ns)

    def spiked(self, population, indices, times_ns):
        """Spikes of neurons of this rank (global indices, stamps in the window at hand)."""
        output = population.get("output")
        if output is not None:
            for index, time_ns in zip(indices.tolist(), times_ns.tolist()):
                self.session.emit(output, index, time_ns)
        if len(indices) == 0:
            return
        if population["id"] in self.posts:
            offset = self.posts[population["id"]] - population["first"]
            self.table.add_posts(numpy.asarray(indices, numpy.int64) + offset, times_ns)
        for source in self.sources.get(population["id"], []):
            self.table.add_spikes(source, indices, times_ns)


def receptor_places(first):
    """A `place_of` for :meth:`Part.connect`: `first` has, by (population's name, receptor), the place of a first neuron."""

    def place_of(projection, target, synapses):
        try:
            place = first[target["name"], projection["receptor"]]
        except KeyError:
            raise CoupleError(
                f"projection `{projection['name']}`: `{target['name']}` has no {projection['receptor']} receptor here"
            ) from None
        return synapses.post.astype(numpy.int64) - target["first"] + place

    return place_of
