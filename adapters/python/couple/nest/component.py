"""A rank of a NEST component: builds its part of the network, and runs it in step with the others."""

import os
import sys
import time

import numpy

from ..session import CoupleError, failure
from . import cells, kernel, plasticity, signals


def _log(message):
    print(f"couple: {message}", file=sys.stderr, flush=True)


class Port:
    """The nodes behind a population."""

    def __init__(self, population, nodes, cell, receptors):
        self.population = population
        self.nodes = nodes
        self.cell = cell
        self.receptors = receptors
        self.ids = numpy.array(nodes.tolist() if nodes is not None else [], dtype=numpy.int64)

    def node_of(self, index):
        """Node ids of global indices (of this rank)."""
        return self.ids[index.astype(numpy.int64) - self.population["first"]]


class Component:
    """This process's part of the network.

    The order of calls is: `begin` (kernel, sync node), `build` (populations with a cell), `name_port` (for the
    nodes of a user's own model), `run`.
    """

    def __init__(self, session):
        self.session = session
        self.description = session.description
        self.step_ns = self.description["step_ns"]
        self.window_ns = self.description["window_ns"]
        self.duration_ns = self.description["duration_ns"]
        self.populations = {p["name"]: p for p in self.description["populations"]}
        self.ports = {}
        self.nest = None
        self.extension = None
        self.collectors = None
        self.own_model = False
        self.own_readings = signals.Table()
        self.own_drives = signals.Table()
        self.finished = False

    # -- kernel -----------------------------------------------------------------------------------------------------

    def begin(self, own_model):
        """Sets up NEST's kernel. With `own_model`, a user's script has chosen the settings and they must fit."""
        nest = self.nest = kernel.load()
        self.own_model = own_model
        path = os.environ.get(kernel.ENV_MODULE)
        if not path:
            raise CoupleError(f"this program is started by `couple run`: {kernel.ENV_MODULE} is not set")
        if own_model:
            self._check_kernel()
        else:
            nest.verbosity = nest.VerbosityLevel.ERROR
            self._set_resolution()
        if nest.local_num_threads != self.description["threads"]:
            nest.local_num_threads = self.description["threads"]
        self.extension = kernel.Extension(nest, path)
        # The first node, so that its update comes before the neurons'.
        self.sync = nest.Create("couple_sync")
        # Never spikes; its connections onto the sync node tell NEST the shortest and the longest delay.
        self.anchor = nest.Create("parrot_neuron")
        self.extension.open(self.session.pointer, self.step_ns, self.sync.global_id)
        # A receptor that no spike comes to.
        self.sync_receptor = int(self.extension.output(0, [0])[0])

    def _set_resolution(self):
        nest = self.nest
        step_ms = self.step_ns / 1e6
        if self.step_ns % 1000 == 0:
            nest.resolution = step_ms
        else:  # NEST counts in tics, 1000 in a millisecond unless told otherwise
            nest.set(tics_per_ms=1_000_000, resolution=step_ms)

    def _check_kernel(self):
        nest = self.nest
        if nest.network_size > 0:
            raise CoupleError(
                f"the script has created {nest.network_size} nodes before couple.nest.setup(). "
                "Help: call setup() right after the script's own kernel settings, before nest.Create"
            )
        if round(nest.resolution * 1e6) != self.step_ns:
            raise CoupleError(
                f"NEST's resolution is {nest.resolution} ms, but the component's step is {self.step_ns / 1e6} ms. "
                f"Help: set nest.resolution = {self.step_ns / 1e6} in the script, or step = \"{nest.resolution} ms\" "
                "in the configuration"
            )
        threads = self.description["threads"]
        if nest.local_num_threads not in (1, threads):
            raise CoupleError(
                f"the script sets local_num_threads = {nest.local_num_threads}, but the component has threads = "
                f"{threads}. Help: leave it out of the script; couple sets it"
            )

    # -- populations ------------------------------------------------------------------------------------------------

    def build(self):
        """Creates the populations that have a cell."""
        for population in self.populations.values():
            if population["local"] and population.get("cell"):
                self._build_population(population)

    def _build_population(self, population):
        kind = population["cell"]
        cell = cells.CELLS.get(kind)
        if cell is None:
            known = ", ".join(sorted(cells.CELLS))
            raise CoupleError(f"population `{population['name']}`: no NEST model for {kind}; known are {known}")
        count = population["count"]
        if count == 0:
            self.ports[population["name"]] = Port(population, None, cell, None)
            return
        given = {name: self._values(population, name, value) for name, value in population["params"].items()}
        values = cells.parameters(cell, given)
        values.update(self._initial(population, cell))
        shared = {name: value for name, value in values.items() if numpy.ndim(value) == 0}
        each = {name: value for name, value in values.items() if numpy.ndim(value) == 1}
        # A model of its own is much faster than setting each node.
        model = f"couple_{population['id']}"
        self.nest.CopyModel(cell.model, model, shared)
        nodes = self.nest.Create(model, count)
        if each:
            if each.keys() - {"V_m", "I_e"}:
                # NEST keeps potentials relative to E_L: set together, so that none is shifted by the others.
                each.update({name: numpy.full(count, value) for name, value in shared.items()})
            nodes.set({name: value.tolist() for name, value in each.items()})
        self.ports[population["name"]] = Port(population, nodes, cell, None)

    def _values(self, population, name, constant):
        """A number when all neurons have the same, else an array."""
        if constant is not None:
            return constant
        values = self.session.values(population["id"], name, population["count"])
        return float(values[0]) if (values == values[0]).all() else values

    def _initial(self, population, cell):
        state = {}
        for name, constant in population["initial"].items():
            if name not in cell.initial:
                raise CoupleError(f"population `{population['name']}`: {cell.model} has no state variable {name}")
            value = self._values(population, name, constant)
            target, factor = cells.state(cell, name)
            if target is not None:
                state[target] = value * factor
            elif numpy.any(value):
                raise CoupleError(
                    f"population `{population['name']}`: NEST's {cell.model} starts with {name} = 0; "
                    "it cannot be set. Help: leave out this initial value, or use the native simulator"
                )
        return state

    def name_port(self, name, nodes, receptors=None, weight_factor=1000.0):
        """Names the nodes of a user's model behind a population."""
        population = self.populations.get(name)
        own = sorted(p["name"] for p in self.populations.values() if p["local"] and self._is_port(p))
        if population is None or name not in own:
            raise CoupleError(
                f"couple.nest.port: `{name}` is no population of component `{self.description['component']}` that "
                f"a script provides; those are: {', '.join(own) or 'none'}"
            )
        if name in self.ports:
            raise CoupleError(f"couple.nest.port: `{name}` has been named already")
        if not isinstance(nodes, self.nest.NodeCollection):
            raise CoupleError(f"couple.nest.port: `{name}` takes nodes as nest.Create gives them, not {nodes!r}")
        if len(nodes) != population["size"]:
            raise CoupleError(
                f"couple.nest.port: `{name}` has size {population['size']} in the configuration, but is given "
                f"{len(nodes)} nodes"
            )
        cell = cells.Cell("the script's model", {}, {}, weight_factor=weight_factor, signed=receptors is None)
        self.ports[name] = Port(population, nodes, cell, receptors)

    def name_reading(self, name, variable, recordable, scale):
        """Names what of a port's nodes a variable is."""
        self._check_variable("couple.nest.output", name, variable)
        self.own_readings.name("couple.nest.output", name, variable, (recordable, scale))

    def name_drive(self, name, variable, parameter, scale):
        """Names what of a port's nodes a variable drives."""
        self._check_variable("couple.nest.input", name, variable)
        # NEST ignores in silence what it does not know.
        if parameter and parameter not in self.ports[name].nodes[0].get():
            model = self.ports[name].nodes[0].get("model")
            raise CoupleError(f"couple.nest.input: `{model}` has no parameter `{parameter}`")
        self.own_drives.name("couple.nest.input", name, variable, (parameter, scale))

    def _check_variable(self, call, name, variable):
        if name not in self.ports:
            raise CoupleError(f"{call}: no nodes for `{name}`. Help: call couple.nest.port(\"{name}\", nodes) first")
        known = [v["name"] for v in self.ports[name].population["variables"] if not v["message"]]
        if variable not in known:
            raise CoupleError(
                f"{call}: `{name}` has no analog variable `{variable}` in the configuration; it has "
                f"{', '.join(known) or 'none'}"
            )

    @staticmethod
    def _is_port(population):
        return not population.get("cell") and not population["stimulus"]

    # -- synapses ---------------------------------------------------------------------------------------------------

    def _connect(self):
        """Draws the synapses of this rank: those from its own neurons go into NEST, the others to the extension."""
        self.longest_delay_ns = self.step_ns
        # Of plastic synapses that are not NEST's connections.
        self.shortest_plastic_ns = None
        self.channels = {}
        self.needed = {link["index"]: [] for link in self.description["inputs"]}
        by_id = {p["id"]: p for p in self.description["populations"]}
        for projection in self.description["projections"]:
            source, target = by_id[projection["from"]], by_id[projection["to"]]
            if not target["local"]:
                continue
            synapses = self.session.synapses(projection["id"])
            if len(synapses) > 0:
                self._connect_projection(projection, source, target, synapses)
        for index, parts in self.needed.items():
            indices = numpy.unique(numpy.concatenate(parts)) if parts else numpy.empty(0, dtype=numpy.uint32)
            self.session.need(index, indices)

    def _connect_projection(self, projection, source, target, synapses):
        self.longest_delay_ns = max(self.longest_delay_ns, int(synapses.delay_ns.max()))
        port = self.ports[target["name"]]
        weight = cells.weights(port.cell, projection["receptor"], synapses.weight, projection["name"])
        receptor = self._receptor(port, projection)
        model = self._plasticity(projection, port)
        if model is not None:
            weight = plasticity.bounded(model[0], weight)
        if source["stimulus"]:
            self._to_extension(self._stimulus(source), port, synapses, weight, receptor, model)
            return
        if source["local"]:
            own = (synapses.pre >= source["first"]) & (synapses.pre < source["first"] + source["count"])
            if own.all():  # the common case, without a copy
                self._into_nest(self.ports[source["name"]], port, synapses, weight, receptor, model)
                return
            self._into_nest(self.ports[source["name"]], port, synapses.select(own), weight[own], receptor, model)
            synapses, weight = synapses.select(~own), weight[~own]
        link = next(i for i in self.description["inputs"] if i["source"] == source["name"] and not i.get("target"))
        if source["id"] not in self.channels:
            self.channels[source["id"]] = self.extension.input(link["index"], link["width"], link["min_delay_ns"])
        self._to_extension(self.channels[source["id"]], port, synapses, weight, receptor, model)
        self.needed[link["index"]].append(numpy.unique(synapses.pre))

    def _plasticity(self, projection, port):
        """NEST's model for the projection's synapses when they are plastic; a copy with its parameters exists then."""
        synapse, cell = projection.get("synapse"), port.cell
        negative = cell.signed and cell.negate_inhibitory and projection["receptor"] == "inhibitory"
        model = plasticity.model(synapse, -cell.weight_factor if negative else cell.weight_factor)
        if model is None:
            return None
        copy = f"couple_synapse_{projection['id']}"
        self.nest.CopyModel(model.name, copy, plasticity.defaults(model))
        tau_minus = plasticity.tau_minus(synapse)
        if tau_minus is not None and port.nodes is not None:
            try:
                port.nodes.set(tau_minus=tau_minus)
            except self.nest.NESTErrors.NESTError as error:
                raise CoupleError(
                    f"projection `{projection['name']}`: the neurons of `{port.population['name']}` cannot have "
                    f"STDP in NEST ({error}). Help: use a model with `tau_minus`, or a static synapse"
                ) from error
        return model, copy

    def _stimulus(self, source):
        """The extension's channel of a spike source."""
        if source["id"] not in self.channels:
            ids = {p["id"] for p in self.populations.values() if p["local"]}
            onto_us = (p for p in self.description["projections"] if p["from"] == source["id"] and p["to"] in ids)
            delay = min(p["min_delay_ns"] for p in onto_us)
            self.channels[source["id"]] = self.extension.stimulus(source["id"], source["size"], delay)
        return self.channels[source["id"]]

    @staticmethod
    def _receptor(port, projection):
        if port.receptors is None:
            return 0
        try:
            return port.receptors[projection["receptor"]]
        except KeyError:
            raise CoupleError(
                f"projection `{projection['name']}` goes to the {projection['receptor']} receptor of "
                f"`{port.population['name']}`, but couple.nest.port names only {', '.join(port.receptors)}"
            ) from None

    def _to_extension(self, channel, port, synapses, weight, receptor, plastic):
        target = port.node_of(synapses.post)
        if plastic is None:
            self.extension.synapses(channel, synapses.pre, target, weight, synapses.delay_ns, receptor)
        elif len(synapses) > 0:
            shortest = int(synapses.delay_ns.min())
            self.shortest_plastic_ns = min(shortest, self.shortest_plastic_ns or shortest)
            self.extension.plastic_synapses(
                channel, synapses.pre, target, weight, synapses.delay_ns, receptor, plastic[0], self.anchor.global_id
            )

    def _into_nest(self, source, target, synapses, weight, receptor, plastic):
        if len(synapses) == 0:
            return
        name = plastic[1] if plastic else "static_synapse"
        spec = {"synapse_model": name, "weight": weight, "delay": synapses.delay_ns / 1e6}
        if receptor:
            spec["receptor_type"] = numpy.full(len(weight), receptor)
        self.nest.Connect(source.node_of(synapses.pre), target.node_of(synapses.post), "one_to_one", spec)

    # -- slices and outputs -----------------------------------------------------------------------------------------

    def _connect_sync(self):
        """Connects the ports, and settles the slice."""
        nest = self.nest
        window = self.window_ns // self.step_ns
        shortest = kernel.LONGEST_SLICE
        if nest.num_connections > 0:
            shortest = round(nest.min_delay * 1e6) // self.step_ns
        if self.shortest_plastic_ns is not None:
            # A spike meets the postsynaptic ones up to a delay before it: they must be known when it is handed over.
            shortest = min(shortest, self.shortest_plastic_ns // self.step_ns)
        if signals.sets_parameters(self):
            shortest = 1
        duration = self.duration_ns // self.step_ns
        # What a neuron has logged can be had when the slice is over.
        whole = bool(self.description.get("signals_out"))
        self.slice = kernel.slice_steps(window, duration, shortest, whole)
        if self.slice < min(window, 100):
            _log(
                f"the window of {self.window_ns / 1e6} ms is run in slices of {self.slice * self.step_ns / 1e6} ms, "
                "because of the shortest delay inside NEST"
            )
        slice_ms = self.slice * self.step_ns / 1e6
        longest_ms = max(self.longest_delay_ns, self.slice * self.step_ns) / 1e6
        self._to_sync(self.anchor, slice_ms, self.sync_receptor)
        self._to_sync(self.anchor, longest_ms, self.sync_receptor)
        signals.connect(self)
        self._make_collectors(whole_slices=duration % self.slice == 0)
        for port in self.ports.values():
            output = port.population.get("output")
            if output is None or port.nodes is None:
                continue
            first = port.population["first"]
            receptors = self.extension.output(output, numpy.arange(first, first + port.population["count"]))
            self._collect(port, slice_ms, receptors)
        for population in self.populations.values():
            if population["local"] and population["stimulus"] and population.get("output") is not None:
                self.extension.record_stimulus(
                    population["id"], population["output"], population["first"], population["count"]
                )

    def _collect(self, port, delay, receptors):
        """Lets the exchange have the spikes of a port."""
        if self.collectors is not None:
            targets = self.collectors[port.ids % len(self.collectors)]
        else:
            targets = numpy.full(len(port.ids), self.sync.global_id)
        spec = {
            "synapse_model": "static_synapse",
            "weight": numpy.ones(len(receptors)),
            "delay": numpy.full(len(receptors), delay),
            "receptor_type": receptors,
        }
        self.nest.Connect(port.ids, targets, "one_to_one", spec)

    def _make_collectors(self, whole_slices):
        """A `couple_out` for each thread, by node id modulo threads (None: use the sync node).

        They are the fast way to get spikes. But NEST delivers those of a slice only when the next one begins, so that
        the spikes of the last slice have to be delivered when the run is over, to all their targets. A slice that has
        not come to its end cannot be delivered. And the delivery can be seen in plastic synapses: where a script has
        such, its spikes go to the sync node at once, so that it finds what NEST alone would leave.
        """
        self.collectors = None
        if not whole_slices or (self.own_model and self._has_plastic_synapses()):
            return
        ids = numpy.array(self.nest.Create("couple_out", self.nest.local_num_threads).tolist())
        self.collectors = ids[numpy.argsort(ids % len(ids))]

    def _has_plastic_synapses(self):
        """Whether the script has connections whose state can be seen to change as they deliver a spike."""
        static = self.nest.GetDefaults("static_synapse").keys()  # a copied model has the parameters of its origin
        used = (d for d in map(self.nest.GetDefaults, self.nest.synapse_models) if d["num_connections"] > 0)
        return any(d.keys() != static or len(d["weight_recorder"]) > 0 for d in used)

    def _to_sync(self, nodes, delay, receptor):
        spec = {"synapse_model": "static_synapse", "delay": delay, "receptor_type": receptor}
        self.nest.Connect(nodes, self.sync, "all_to_all", spec)

    # -- run --------------------------------------------------------------------------------------------------------

    def run(self):
        """Simulates for the duration of the run."""
        nest = self.nest
        self._check_ready()
        began = time.monotonic()
        try:
            self._connect()
            self._connect_sync()
        except nest.NESTErrors.BadDelay as error:
            raise CoupleError(
                f"the script limits NEST's delays to {nest.min_delay} to {nest.max_delay} ms, but couple needs others. "
                f"Help: leave min_delay and max_delay out of the script ({error})"
            ) from error
        nest.Prepare()
        # Only now has NEST settled its shortest and longest delay.
        self.extension.seal(self.slice)
        _log(f"NEST {nest.__version__}: {nest.network_size} nodes, {nest.num_connections} connections, "
             f"{nest.local_num_threads} threads, slice {self.slice * self.step_ns / 1e6} ms; "
             f"built in {time.monotonic() - began:.2f} s")
        self.session.start()
        began, processor = time.monotonic(), time.process_time()
        try:
            _original(nest, "Run")(self.duration_ns / 1e6)
        except nest.NESTError as error:
            raise failure(self.extension.error() or str(error)) from error
        self.extension.finish(undelivered=self.collectors is not None)
        self.finished = True
        wall, processor = time.monotonic() - began, time.process_time() - processor
        _log(f"simulated {self.duration_ns / 1e6} ms in {wall:.3f} s, {processor:.3f} s of processor time")

    def _check_ready(self):
        nest = self.nest
        if self.finished:
            raise CoupleError("couple.nest.run() was called twice")
        if nest.network_size == 0 or nest.NodeCollection([1]).get("model") != "couple_sync":
            raise CoupleError(
                "the script has reset NEST after couple.nest.setup(). "
                "Help: call nest.ResetKernel() before setup(), if at all"
            )
        if nest.biological_time != 0:
            raise CoupleError("NEST has simulated already. Help: let couple.nest.run() do it")
        missing = [
            p["name"] for p in self.populations.values()
            if p["local"] and self._is_port(p) and p["name"] not in self.ports
        ]
        if missing:
            raise CoupleError(
                f"no nodes for population {', '.join('`%s`' % name for name in missing)}. Help: call "
                f"couple.nest.port(\"{missing[0]}\", nodes) before run()"
            )


def _original(nest, name):
    """A function of NEST, also while it is kept from the script."""
    function = getattr(nest, name)
    return getattr(function, "couple_original", function)


def keep_from_script(nest):
    """Makes NEST's own functions for simulating tell what to do instead."""

    def guard(name):
        def refuse(*_args, **_kwargs):
            raise CoupleError(
                f"the script calls nest.{name}, but couple keeps NEST in step with the other simulators. "
                "Help: call couple.nest.run(); the duration is that of the configuration"
            )

        refuse.couple_original = getattr(nest, name)
        return refuse

    for name in ("Simulate", "Run", "RunManager"):
        vars(nest)[name] = guard(name)
