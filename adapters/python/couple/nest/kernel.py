"""NEST itself: set-up of its kernel and of the extension module that exchanges spikes.

Slices. NEST exchanges spikes among its own neurons once in each *slice*, which is as long as the shortest delay of
any connection in it. Slices must divide the windows in which the run's components exchange, so the slice is made
the longest divisor of the window that is no longer than any delay in NEST; the connections onto the sync node get
just this delay.
"""

import ctypes
import math
import os
import sys

import numpy

from ..session import CoupleError

ENV_MODULE = "COUPLE_NEST_MODULE"
VERSION = "3.10"
# Where nothing inside NEST limits the slice, it is no longer than this many steps: ring buffers grow with it.
LONGEST_SLICE = 1000


def load():
    """Imports NEST, without its banner and without letting it read our arguments."""
    os.environ.setdefault("PYNEST_QUIET", "1")
    # NEST has its own setting, and complains about this one.
    os.environ.pop("OMP_NUM_THREADS", None)
    arguments, sys.argv = sys.argv, sys.argv[:1]
    try:
        import nest
    finally:
        sys.argv = arguments
    if nest.__version__ != VERSION and not nest.__version__.startswith(VERSION + "."):
        raise CoupleError(
            f"NEST {nest.__version__} is installed in {sys.prefix}, but couple needs {VERSION}. "
            "Help: pip install nest-simulator==3.10.0, or leave out `python` to use the managed environment"
        )
    return nest


def divisor(window, longest):
    """The largest divisor of `window` that is not greater than `longest`."""
    return next(d for d in range(min(window, longest), 0, -1) if window % d == 0)


def slice_steps(window, duration, longest, whole=False):
    """Steps of a slice: a divisor of the window; of the run as well where that costs little, or where it must (`whole`)."""
    any_end = divisor(window, longest)
    whole_end = divisor(math.gcd(window, duration), longest)
    return whole_end if whole or 4 * whole_end >= any_end else any_end


class Extension:
    """The functions of the extension module."""

    def __init__(self, nest, path):
        # NEST looks for the module by its path without the ending, and calls into the same loaded copy.
        nest.Install(os.path.splitext(path)[0])
        self._library = ctypes.CDLL(path)
        pointer, u32, i64, size = ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int64, ctypes.c_size_t
        for name, arguments in [
            ("open", [pointer, i64, i64]),
            ("output", [u32, size, pointer]),
            ("input", [u32, u32, i64]),
            ("stimulus", [u32, u32, i64]),
            ("record_stimulus", [u32, u32, u32, u32]),
            ("synapses", [u32, size, pointer, pointer, pointer, pointer, i64]),
            ("plastic_synapses", [u32, size, pointer, pointer, pointer, pointer, i64, u32, pointer, size, i64]),
            ("readings", [size, pointer, pointer, pointer, size, pointer]),
            ("drive", [u32, ctypes.c_char_p, ctypes.c_double, size, pointer]),
            ("seal", [i64]),
            ("finish", [u32]),
        ]:
            function = getattr(self._library, "couple_nest_" + name)
            function.restype, function.argtypes = i64, arguments
        self._library.couple_nest_error.restype = ctypes.c_char_p
        self._library.couple_nest_error.argtypes = []

    def error(self):
        """The first error inside the module, or an empty text."""
        return self._library.couple_nest_error().decode(errors="replace")

    def _call(self, name, *arguments):
        converted = [a.ctypes.data_as(ctypes.c_void_p) if isinstance(a, numpy.ndarray) else a for a in arguments]
        result = getattr(self._library, "couple_nest_" + name)(*converted)
        if result < 0:
            raise CoupleError(self.error())
        return result

    def open(self, session, step_ns, sync):
        self._call("open", session, step_ns, sync)

    def output(self, output, indices):
        """Registers neurons of a port; returns the receptor type of each, for its connection onto `couple_out`."""
        indices = numpy.ascontiguousarray(indices, dtype=numpy.uint32)
        first = self._call("output", output, len(indices), indices)
        return numpy.arange(first, first + len(indices))

    def input(self, link, width, min_delay_ns):
        return self._call("input", link, width, min_delay_ns)

    def stimulus(self, population, width, min_delay_ns):
        return self._call("stimulus", population, width, min_delay_ns)

    def record_stimulus(self, population, output, first, count):
        self._call("record_stimulus", population, output, first, count)

    def synapses(self, channel, source, target, weight, delay_ns, receptor):
        source = numpy.ascontiguousarray(source, dtype=numpy.uint32)
        target = numpy.ascontiguousarray(target, dtype=numpy.int64)
        weight = numpy.ascontiguousarray(weight, dtype=numpy.float64)
        delay_ns = numpy.ascontiguousarray(delay_ns, dtype=numpy.int64)
        self._call("synapses", channel, len(source), source, target, weight, delay_ns, receptor)

    def plastic_synapses(self, channel, source, target, weight, delay_ns, receptor, model, anchor):
        """Like `synapses`, of a plastic model; `anchor` is any node that sends spikes."""
        source = numpy.ascontiguousarray(source, dtype=numpy.uint32)
        target = numpy.ascontiguousarray(target, dtype=numpy.int64)
        weight = numpy.ascontiguousarray(weight, dtype=numpy.float64)
        delay_ns = numpy.ascontiguousarray(delay_ns, dtype=numpy.int64)
        parameters = model.ordered()
        self._call(
            "plastic_synapses", channel, len(source), source, target, weight, delay_ns, receptor, model.kind, parameters,
            len(parameters), anchor,
        )

    def readings(self, signals, recordables, nodes):
        """State variables of neurons as output signals; `recordables`: (NEST's name, scale) of each."""
        names = (ctypes.c_char_p * len(signals))(*(name.encode() for name, _ in recordables))
        signals = numpy.array(signals, dtype=numpy.uint32)
        scales = numpy.array([scale for _, scale in recordables], dtype=numpy.float64)
        nodes = numpy.ascontiguousarray(nodes, dtype=numpy.int64)
        pointer = ctypes.cast(names, ctypes.c_void_p)
        self._call("readings", len(signals), signals, pointer, scales, len(nodes), nodes)

    def drive(self, signal, parameter, scale, nodes):
        """An input signal onto a parameter of neurons (NEST's name), or as a current injected into them (empty)."""
        nodes = numpy.ascontiguousarray(nodes, dtype=numpy.int64)
        self._call("drive", signal, parameter.encode(), scale, len(nodes), nodes)

    def seal(self, slice_steps):
        self._call("seal", slice_steps)

    def finish(self, undelivered):
        """Ends the run; `undelivered` where the last slice's spikes have not reached `couple_out`."""
        self._call("finish", int(undelivered))
