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


def _declare(library):
    pointer, u32, size, i64 = ctypes.c_void_p, ctypes.c_uint32, ctypes.c_size_t, ctypes.c_int64
    for name, result, arguments in [
        ("couple_table_new", pointer, [u32, i64]),
        ("couple_table_source", i64, [pointer, u32, ctypes.POINTER(_Synapses)]),
        ("couple_table_spikes", ctypes.c_int, [pointer, u32, pointer, size]),
        ("couple_table_take", ctypes.c_int, [pointer, i64, ctypes.POINTER(_Arrivals)]),
    ]:
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


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
        columns = [
            numpy.ascontiguousarray(values, dtype)
            for values, dtype in [
                (pre, numpy.uint32), (place, numpy.uint32), (weight, numpy.float64), (delay_ns, numpy.int64)
            ]
        ]
        table = _Synapses()
        for (name, kind), values in zip(_Synapses._fields_, columns):
            setattr(table, name, values.ctypes.data_as(kind))
        table.n = len(columns[0])
        add = self._library.couple_table_source
        return self._session._check(add(self.pointer, width, ctypes.byref(table)))

    def add_spikes(self, source, indices, times_ns):
        """Spikes of a source, as arrays."""
        spikes = numpy.empty(len(indices), _SPIKE)
        spikes["time_ns"], spikes["index"], spikes["count"] = times_ns, indices, 1
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
        #: Number in the table of each population whose neurons have synapses here, by id.
        self.sources = {}
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
            columns.setdefault(source["id"], []).append(
                (projection["min_delay_ns"], synapses.pre, place, weight, synapses.delay_ns)
            )
        for population, parts in columns.items():
            self._connect_source(self._by_id[population], parts)

    def _connect_source(self, source, parts):
        min_delay_ns = min(part[0] for part in parts)
        pre, place, weight, delay_ns = (numpy.concatenate([part[i] for part in parts]) for i in range(1, 5))
        number = self.sources[source["id"]] = self.table.add_source(source["size"], pre, place, weight, delay_ns)
        if source["stimulus"]:
            self.feeds.append(Feed(True, source["id"], number, min_delay_ns))
            return
        if source["count"] > 0:
            self.slice_ns = min(self.slice_ns, min_delay_ns)
        for link in self.description["inputs"]:
            if link["source_id"] == source["id"] and not link.get("target"):
                self.feeds.append(Feed(False, link["index"], number, link["min_delay_ns"]))
                own = (pre >= source["first"]) & (pre < source["first"] + source["count"])
                self.session.need(link["index"], numpy.unique(pre[~own]))

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
        source = self.sources.get(population["id"])
        if source is not None and len(indices):
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
