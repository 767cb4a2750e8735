"""A component's session: the C functions of ``libcouple_ffi`` by ctypes.

The library is loaded with its symbols visible to all (``RTLD_GLOBAL``), because simulator extensions call it
without linking against it.
"""

from __future__ import annotations

import ctypes
import json
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

ENV_LIBRARY = "COUPLE_FFI_LIB"


class CoupleError(Exception):
    """What went wrong, with place and remedy."""

    __module__ = "couple"


class _Spike(ctypes.Structure):
    _fields_ = [("time_ns", ctypes.c_int64), ("index", ctypes.c_uint32), ("count", ctypes.c_uint32)]


class RunEnded(CoupleError):
    """The run ends, and not because of this component."""

    __module__ = "couple"


#: How the session says so (`SessionError` of the Rust library).
_ENDED = ("asked to leave, at ", "the coordinator is gone, at ")


def failure(text: str) -> CoupleError:
    """The exception for what the session or the extension says."""
    for beginning in _ENDED:
        if beginning in text:
            return RunEnded(text[text.index(beginning) :])
    return CoupleError(text)


class _Synapses(ctypes.Structure):
    _fields_ = [
        ("pre", ctypes.POINTER(ctypes.c_uint32)),
        ("post", ctypes.POINTER(ctypes.c_uint32)),
        ("weight", ctypes.POINTER(ctypes.c_double)),
        ("delay_ns", ctypes.POINTER(ctypes.c_int64)),
        ("n", ctypes.c_size_t),
    ]


class Synapses:
    """The synapses of a projection onto the neurons of this rank, as columns.

    ``pre`` and ``post`` are global indices, ``weight`` is in PyNN's units, ``delay_ns`` in nanoseconds.
    """

    pre: NDArray[Any]
    post: NDArray[Any]
    weight: NDArray[Any]
    delay_ns: NDArray[Any]

    def __init__(self, table: _Synapses) -> None:
        import numpy

        def column(pointer: Any, dtype: Any) -> NDArray[Any]:
            if table.n == 0:
                return numpy.empty(0, dtype)
            return numpy.array(numpy.ctypeslib.as_array(pointer, shape=(table.n,)), dtype=dtype)

        self.pre = column(table.pre, numpy.uint32)
        self.post = column(table.post, numpy.uint32)
        self.weight = column(table.weight, numpy.float64)
        self.delay_ns = column(table.delay_ns, numpy.int64)

    def __len__(self) -> int:
        return len(self.pre)

    def select(self, which: ArrayLike) -> Synapses:
        """The synapses for which `which` is true."""
        import numpy

        some = object.__new__(Synapses)
        for name in ("pre", "post", "weight", "delay_ns"):
            setattr(some, name, numpy.ascontiguousarray(getattr(self, name)[which]))
        return some


def _load(path: str) -> Any:
    library = ctypes.CDLL(path, mode=ctypes.RTLD_GLOBAL)
    pointer, text, u32, size = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_uint32, ctypes.c_size_t
    i64, spikes = ctypes.c_int64, ctypes.POINTER(ctypes.POINTER(_Spike))
    for name, result, arguments in [
        ("couple_connect", pointer, []),
        ("couple_last_error", text, []),
        ("couple_description", text, [pointer]),
        ("couple_synapses", ctypes.c_int, [pointer, u32, ctypes.POINTER(_Synapses)]),
        ("couple_synapses_free", None, [ctypes.POINTER(_Synapses)]),
        ("couple_values", ctypes.c_int, [pointer, u32, text, pointer, size]),
        ("couple_need", ctypes.c_int, [pointer, u32, pointer, size]),
        ("couple_start", ctypes.c_int, [pointer]),
        ("couple_next_window", ctypes.c_int, [pointer, ctypes.POINTER(i64), ctypes.POINTER(i64)]),
        ("couple_input_events", i64, [pointer, u32, spikes]),
        ("couple_stimulus", i64, [pointer, u32, i64, i64, spikes]),
        ("couple_emit", ctypes.c_int, [pointer, u32, u32, i64]),
        ("couple_finish", ctypes.c_int, [pointer]),
        ("couple_fail", None, [pointer, text]),
        ("couple_close", None, [pointer]),
    ]:
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


class Session:
    """This process's part in a run."""

    def __init__(self) -> None:
        path = os.environ.get(ENV_LIBRARY)
        if not path:
            raise CoupleError(
                f"this program is started by `couple run`: the environment variable {ENV_LIBRARY} is not set"
            )
        self._library = _load(path)
        self._session = self._library.couple_connect()
        if not self._session:
            raise CoupleError(self.last_error())
        self.description: dict[str, Any] = json.loads(self._library.couple_description(self._session).decode())

    @property
    def pointer(self) -> int:
        """The session for other C code."""
        pointer: int = self._session
        return pointer

    @property
    def library(self) -> Any:
        """The loaded library, for other functions of it."""
        return self._library

    def last_error(self) -> str:
        """What the last call that failed says."""
        text = self._library.couple_last_error()
        return text.decode(errors="replace") if text else "no reason given"

    def _check(self, result: int) -> int:
        if result < 0:
            raise failure(self.last_error())
        return result

    def synapses(self, projection: int) -> Synapses:
        """The drawn synapses of a projection onto the neurons of this rank."""
        table = _Synapses()
        self._check(self._library.couple_synapses(self._session, projection, ctypes.byref(table)))
        try:
            return Synapses(table)
        finally:
            self._library.couple_synapses_free(ctypes.byref(table))

    def values(self, population: int, parameter: str, n: int) -> NDArray[Any]:
        """A parameter or initial value of each neuron of this rank."""
        import numpy

        values = numpy.empty(n, dtype=numpy.float64)
        out = values.ctypes.data_as(ctypes.c_void_p)
        self._check(self._library.couple_values(self._session, population, parameter.encode(), out, n))
        return values

    def need(self, link: int, indices: ArrayLike) -> None:
        """Says which source indices of an input have a target here."""
        import numpy

        indices = numpy.ascontiguousarray(indices, dtype=numpy.uint32)
        out = indices.ctypes.data_as(ctypes.c_void_p)
        self._check(self._library.couple_need(self._session, link, out, len(indices)))

    def start(self) -> None:
        """Says that the model is built, and waits until all are ready."""
        self._check(self._library.couple_start(self._session))

    def windows(self) -> Iterator[tuple[int, int]]:
        """The windows of the run, one after the other, as (start, end) in nanoseconds; ends with the run.

        What was emitted in a window is sent when the next one is asked for. After the last one, :meth:`finish`.
        """
        start, end = ctypes.c_int64(), ctypes.c_int64()
        while self._check(self._library.couple_next_window(self._session, ctypes.byref(start), ctypes.byref(end))):
            yield start.value, end.value

    def input_events(self, link: int) -> list[tuple[int, int]]:
        """The spikes of an input that belong to the window, as (time in nanoseconds, neuron), in this order."""
        events = ctypes.POINTER(_Spike)()
        count = self._check(self._library.couple_input_events(self._session, link, ctypes.byref(events)))
        return [(event.time_ns, event.index) for event in events[:count]]

    def stimulus(self, population: int, from_ns: int, to_ns: int) -> list[tuple[int, int, int]]:
        """The spikes of all neurons of a spike source in (from, to], as (time in nanoseconds, neuron, how many)."""
        events = ctypes.POINTER(_Spike)()
        call = self._library.couple_stimulus
        count = self._check(call(self._session, population, from_ns, to_ns, ctypes.byref(events)))
        return [(event.time_ns, event.index, event.count) for event in events[:count]]

    def emit(self, output: int, index: int, time_ns: int) -> None:
        """Emits a spike of a neuron, within the window."""
        self._check(self._library.couple_emit(self._session, output, index, time_ns))

    def finish(self) -> None:
        """After the last window: waits until all components are done."""
        self._check(self._library.couple_finish(self._session))

    def fail(self, message: str) -> None:
        """Tells the coordinator that the component cannot go on."""
        # Whatever an exception's text is, the reason must get through.
        text = message.replace("\0", "\\0").encode(errors="backslashreplace")
        self._library.couple_fail(self._session, text)
