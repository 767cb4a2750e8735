"""NEURON itself: the interpreter's module, the mechanisms of the standard cells, and the exchange in compiled code."""

import ctypes
import os
import sys

import numpy

from ..session import CoupleError, failure

ENV_MODULE = "COUPLE_NEURON_MODULE"
VERSION = "9."


def load():
    """Imports NEURON with the mechanisms and the exchange; returns ``neuron.h`` and the :class:`Exchange`."""
    path = os.environ.get(ENV_MODULE)
    if not path:
        raise CoupleError(f"this program is started by `couple run`: {ENV_MODULE} is not set")
    import neuron

    if not neuron.__version__.startswith(VERSION):
        raise CoupleError(
            f"NEURON {neuron.__version__} is installed in {sys.prefix}, but couple needs {VERSION}x. "
            "Help: pip install neuron==9.0.2, or leave out `python` to use the managed environment"
        )
    if not neuron.h.nrn_load_dll(path):
        raise CoupleError(f"NEURON cannot load {path}; its words are in the log")
    return neuron.h, Exchange(path)


class Exchange:
    """The functions of ``mechanisms/exchange.cpp``."""

    def __init__(self, path):
        self._library, self.path = ctypes.CDLL(path), path
        pointer, u32, i64, size = ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int64, ctypes.c_size_t
        for name, result, arguments in [
            ("error", ctypes.c_char_p, []),
            ("open", None, [pointer, i64, ctypes.c_int]),
            ("flag", None, [size, size, ctypes.c_double]),
            ("states", None, [size, ctypes.c_double]),
            ("emitters", None, [i64, i64, u32, u32, ctypes.POINTER(u32), size]),
            ("feed", None, [ctypes.c_int, u32, u32, i64]),
            ("output", None, [u32]),
            ("drive", None, [ctypes.POINTER(u32), size, ctypes.c_double, size, size]),
            ("run", i64, [pointer, u32, i64]),
            ("spikes", ctypes.c_uint64, []),
            ("events", ctypes.c_uint64, []),
        ]:
            function = getattr(self._library, "couple_neuron_" + name)
            function.restype, function.argtypes = result, arguments
            setattr(self, name if name not in ("error", "drive", "emitters", "run") else "_" + name, function)

    def emitters(self, output, post, population, sources):
        """The next emitters of spikes are the neurons of a population; see `couple_neuron_emitters`."""
        count, numbers = population["count"], (ctypes.c_uint32 * len(sources))(*sources)
        self._emitters(
            -1 if output is None else output, -1 if post is None else post, population["first"], count, numbers, len(sources)
        )

    def drive(self, signals, flag=0.0, first_place=0, count=0):
        """The sum of some signals sets a parameter of cells, or the variables that have been collected."""
        self._drive((ctypes.c_uint32 * len(signals))(*signals), len(signals), flag, first_place, count)

    def run(self, table, sources, slice_ns):
        """Runs all windows."""
        if self._run(table, sources, slice_ns) < 0:
            raise failure(self._error().decode(errors="replace"))
