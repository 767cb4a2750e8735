"""Analog signals of a Brian2 component.

A sample is the value at the end of a step, after spikes have arrived and neurons have been reset. What drives a step is the
signal at the step's beginning.
"""

import ctypes
from dataclasses import dataclass

import numpy

from .. import native
from ..session import CoupleError


@dataclass(frozen=True)
class Output:
    """How a variable of a group is given away: ``(variable + offset) / divisor``."""

    variable: str
    divisor: float = 1.0
    #: A number, or one for each neuron.
    offset: object = None
    #: Where it is not the population's.
    group: object = None
    #: Notes the variable after each step, where it has no values of its own but follows from others.
    monitor: object = None


@dataclass(frozen=True)
class Input:
    """How a variable of a group is set: ``signal * factor + offset``; with `adds`, on top of what it is otherwise."""

    variable: str
    factor: float = 1.0
    offset: object = None
    adds: bool = False
    #: What it must stay above (a name, and a number or one for each neuron, in the variable's terms), if anything.
    above: tuple = None
    group: object = None


class Sampler:
    """A signal that leaves: notes a row after each step, and writes the window's block."""

    def __init__(self, session, number, port, output, rows):
        self.session, self.number, self.output = session, number, output
        self.read = port.of(output).reader(output)
        self.block = numpy.empty((rows, port.population["count"]))
        self.rows = 0
        self.write = session.library.couple_write_samples
        size = ctypes.c_size_t
        self.write.argtypes = [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_void_p, size, size]

    def note(self):
        """Notes the values at the end of a step."""
        row, output = self.block[self.rows], self.output
        self.rows += 1
        row[:] = self.read()
        if output.offset is not None:
            row += output.offset
        if output.divisor != 1.0:
            row /= output.divisor

    def hand_over(self):
        """Ends the window."""
        address = self.block.__array_interface__["data"][0]
        count = self.block.shape[1]
        self.session._check(self.write(self.session.pointer, self.number, address, self.rows, count))
        self.rows = 0


class Driver:
    """What drives a variable of a group."""

    def __init__(self, session, port, variable, links):
        """`links`: (number of the incoming signal, Input), in the order of the configuration."""
        self.session, self.port = session, port
        self.values = port.of(links[0][1]).array(variable)
        self.start = self.values.copy()
        self.links = links
        self.block, self.row = None, 0
        self._found = ctypes.c_void_p(), ctypes.c_size_t(), ctypes.c_size_t()
        self._references = [ctypes.byref(one) for one in self._found]
        self.samples = session.library.couple_samples
        self.samples.argtypes = [ctypes.c_void_p, ctypes.c_uint32, *[ctypes.c_void_p] * 3]

    def take(self):
        """Takes the signals of the window."""
        base, added, factor = self.start, None, 1.0
        for number, link in self.links:
            block = self._block(number)[:-1]
            if link.adds:
                added, factor = (block if added is None else added + block), link.factor
            else:
                base = block * link.factor if link.offset is None else block * link.factor + link.offset
                self._check(base, link)
        if added is not None:
            base = base + added * factor
        self.block, self.row = base, 0

    def _check(self, block, link):
        if link.above is None:
            return
        name, bound = link.above
        wrong = numpy.argwhere(block <= bound)
        if len(wrong):
            row, neuron = wrong[0]
            value = block[row, neuron]
            value = (value if link.offset is None else value - numpy.broadcast_to(link.offset, block.shape[1:])[neuron])
            port = self.port
            raise CoupleError(
                f"neuron {port.population['first'] + neuron} of `{port.name}`: `v_thresh` is {value / link.factor:g}, "
                f"but must be above `{name}`"
            )

    def _block(self, number):
        session = self.session
        session._check(self.samples(session.pointer, number, *self._references))
        address, rows, columns = (one.value for one in self._found)
        return numpy.asarray(native.Memory(self, address or 0, (rows, columns), numpy.dtype(numpy.float64)))

    def drive(self):
        """Sets the variable for the coming step."""
        if self.row < len(self.block):
            self.values[:] = self.block[self.row]
            self.row += 1


def samplers(session, ports, rows):
    """Those of this rank; `rows`: steps of the longest window."""
    return [
        Sampler(session, signal["index"], ports.get(signal["population"]), _named(ports, signal, "outputs"), rows)
        for signal in session.description["signals_out"]
        if signal["count"] > 0
    ]


def drivers(session, ports):
    """Those of this rank."""
    links = {}
    for signal in session.description["signals_in"]:
        population, _, variable = signal["target"].partition(".")
        if signal["count"] > 0:
            entry = _named(ports, {"population": population, "variable": variable}, "inputs")
            links.setdefault((population, id(entry.group), entry.variable), []).append((signal["index"], entry))
    return [Driver(session, ports[population], variable, own) for (population, _, variable), own in links.items()]


def _named(ports, signal, way):
    population, name = signal["population"], signal["variable"]
    port = ports.get(population)
    found = getattr(port, way).get(name) if port else None
    if found is None:
        call = f'couple.brian2.{way[:-1]}("{population}", "{name}", group, "variable")'
        if port and port.population.get("cell"):
            raise CoupleError(f"`{population}.{name}`: the Brian2 model of {port.population['cell']} does not have it")
        raise CoupleError(f"nothing was named for `{population}.{name}`. Help: call {call} before run()")
    return found
