"""Ports of a component: spikes, analog signals and messages, in and out.

Arrays that a port gives are read-only views of the session's memory, without a copy: they hold what they should until the
next window begins. Copy (``array.copy()``) what is kept for longer.
"""

from __future__ import annotations

import ctypes
import operator
from typing import Any, Union

import numpy
from numpy.typing import ArrayLike, NDArray

from . import native
from .native import Native

Integers = Union[int, NDArray[Any], "list[int]"]

_FLOATS = numpy.dtype("<f8")
#: The greatest time there is.
_LATEST = 2**63 - 1


class Port:
    """One end of a link, by its name in the configuration."""

    _kind = -1

    def __init__(self, session: Native, name: str) -> None:
        self._session = session
        found = session.find(self._kind, name)
        self._number = found.number
        #: ``population``, or ``population.variable``.
        self.name = name
        #: Neurons of the population; columns of a signal, over all ranks.
        self.width: int = found.width
        #: This rank has the neurons or columns from here on,
        self.first: int = found.first
        #: so many.
        self.count: int = found.count
        #: A signal's unit; empty for spikes and messages.
        self.unit: str = found.unit.decode()

    def _in_window(self, call: str) -> None:
        if self._session.phase != "window":
            self._session.in_window(self.name, call)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r} of {self.width}>"


class SpikeInput(Port):
    """Spikes that ``[[connection]]`` s bring to a population of this component."""

    _kind = native.SPIKES_IN

    def __init__(self, session: Native, name: str) -> None:
        super().__init__(session, name)
        self._records = ctypes.c_void_p()
        self._reference = ctypes.byref(self._records)
        empty = numpy.empty(0, native.SPIKE)
        empty.setflags(write=False)
        self._seen: tuple[int, NDArray[Any]] = (0, empty)

    def read(self) -> tuple[NDArray[numpy.int64], NDArray[numpy.uint32]]:
        """The spikes that arrive in the window: ``times_ns`` (int64) and ``neurons`` (uint32), each of shape ``(spikes,)``.

        In order of time, then of neuron. A time is the spike's stamp and the connection's delay, so it lies in
        ``(window.start_ns, window.end_ns]``. No copy: valid during the window.
        """
        self._in_window("read")
        session = self._session
        n = session.library.couple_port_spikes(session.pointer, self._number, self._reference)
        if n < 0:
            raise session.failed(self.name)
        address, known = self._seen
        # The same memory as the last time is the rule: then there is a view of it.
        if n > len(known) or (n and address != self._records.value):
            address = self._records.value or 0
            known = session.view(address, (n,), native.SPIKE)
            self._seen = (address, known)
        records = known[:n]
        return records["time_ns"], records["index"]


class SpikeOutput(Port):
    """Spikes of a population of this component."""

    _kind = native.SPIKES_OUT

    def emit(self, neurons: Integers, times_ns: Integers) -> None:
        """Emits spikes: of `neurons` (indices of the population, integers) at `times_ns` (nanoseconds, integers).

        Arrays of one shape, or a number for one of them. A time is the end of the step in which the threshold was crossed: it
        lies in ``(window.start_ns, window.end_ns]``. The order does not matter.
        """
        self._in_window("emit")
        session = self._session
        if type(neurons) is int and type(times_ns) is int and 0 <= neurons < self.width and abs(times_ns) <= _LATEST:
            # One spike at a time, as a loop over steps has them.
            if session.library.couple_emit(session.pointer, self._number, neurons, times_ns) < 0:
                raise session.failed(self.name)
            return
        index = self._integers(neurons, "neurons", numpy.uint32)
        time = self._integers(times_ns, "times_ns", numpy.int64)
        if index.shape != time.shape:
            index, time = self._together(index, time)
        index, time = numpy.ascontiguousarray(index), numpy.ascontiguousarray(time)
        data = index.__array_interface__["data"][0], time.__array_interface__["data"][0]
        if session.library.couple_emit_many(session.pointer, self._number, *data, index.size) < 0:
            raise session.failed(self.name)

    def _together(self, index: NDArray[Any], time: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        if index.ndim and time.ndim:
            shapes = f"neurons have the shape {index.shape}, times_ns {time.shape}"
            raise self._session.error(f"emit takes one time for each neuron, or one for all: {shapes}", self.name)
        if index.ndim:
            return index, numpy.full(index.shape, time)
        return numpy.full(time.shape, index), time

    def _integers(self, given: Integers, what: str, dtype: Any) -> NDArray[Any]:
        array = numpy.asarray(given)
        if array.dtype == dtype:
            return array
        if array.size == 0:
            return array.astype(dtype)
        # An int beyond 64 bits is an object to NumPy, and told as out of range below.
        if array.dtype.kind not in "iu" and not (array.dtype.kind == "O" and type(given) is int):
            unit = "; they are whole nanoseconds: window.times_ns has the steps" if what == "times_ns" else ""
            raise self._session.error(f"emit takes integers as {what}, not {array.dtype}{unit}", self.name)
        limits = numpy.iinfo(dtype)
        least, most = int(array.min()), int(array.max())
        if least < limits.min or most > limits.max:
            wrong = least if least < limits.min else most
            if what == "neurons":
                message = f"there is no neuron {wrong}; the population has {self.width}"
            else:
                message = f"there is no time {wrong} ns"
            raise self._session.error(message, self.name)
        return array.astype(dtype)


class SignalInput(Port):
    """An analog signal that arrives at a variable of this component."""

    _kind = native.SIGNAL_IN

    def __init__(self, session: Native, name: str) -> None:
        super().__init__(session, name)
        self._values, self._rows, self._columns = ctypes.c_void_p(), ctypes.c_size_t(), ctypes.c_size_t()
        self._references = tuple(map(ctypes.byref, (self._values, self._rows, self._columns)))

    def block(self) -> NDArray[numpy.float64]:
        """All rows of the window, on this component's grid: shape ``(steps + 1, columns)``, in the variable's `unit`.

        Row ``n`` is the value ``n`` steps after the window's start. There is a column for each neuron of this rank
        (``first``, ``count``). No copy: valid during the window.
        """
        self._in_window("read")
        session = self._session
        if session.library.couple_samples(session.pointer, self._number, *self._references) < 0:
            raise session.failed(self.name)
        shape = (self._rows.value, self._columns.value)
        return session.view(self._values.value or 0, shape, _FLOATS)

    def read(self) -> NDArray[numpy.float64]:
        """The values at the ends of the steps (``window.times``): shape ``(steps, columns)``."""
        return self.block()[1:]

    def at_starts(self) -> NDArray[numpy.float64]:
        """The values that drive each step, those at its beginning: shape ``(steps, columns)``."""
        return self.block()[:-1]


class SignalOutput(Port):
    """An analog signal that a variable of this component gives."""

    _kind = native.SIGNAL_OUT

    def __init__(self, session: Native, name: str) -> None:
        super().__init__(session, name)
        #: The start of the window that was written last.
        self._written = -1

    def write(self, block: ArrayLike) -> None:
        """Writes the window's values: shape ``(steps, columns)``, in the variable's `unit`, all finite.

        A row holds at the end of a step (``window.times``); there is a column for each neuron of this rank (``first``,
        ``count``). Once in each window.
        """
        self._in_window("write")
        session = self._session
        if session.start_ns == self._written:
            window = f"({session.start_ns / 1e6:g} ms, {session.end_ns / 1e6:g} ms]"
            raise session.error(f"write was called a second time in the window {window}", self.name)
        try:
            values = numpy.ascontiguousarray(block, dtype=_FLOATS) if not numpy.iscomplexobj(block) else None
        except (TypeError, ValueError) as problem:
            raise session.error(f"write takes numbers: {problem}", self.name) from None
        if values is None:
            raise session.error("write takes real numbers, not complex ones", self.name)
        shape = ((session.end_ns - session.start_ns) // session.step_ns, self.count)
        if values.shape != shape:
            have = numpy.shape(block)
            raise session.error(
                f"write was given the shape {have}; it takes {shape}: {shape[0]} steps in this window, {shape[1]} columns",
                self.name,
            )
        if not numpy.isfinite(values).all():
            row, column = (int(i) for i in numpy.argwhere(~numpy.isfinite(values))[0])
            time = (session.start_ns + (row + 1) * session.step_ns) / 1e6
            raise session.error(
                f"write was given {values[row, column]} for neuron {self.first + column} at {time:g} ms; "
                "a signal has finite values",
                self.name,
            )
        address = values.__array_interface__["data"][0]
        if session.library.couple_write_samples(session.pointer, self._number, address, *shape) < 0:
            raise session.failed(self.name)
        self._written = session.start_ns


class MessageInput(Port):
    """Messages that arrive at a variable of this component."""

    _kind = native.MESSAGES_IN

    def __init__(self, session: Native, name: str) -> None:
        super().__init__(session, name)
        self._messages = ctypes.POINTER(native.CMessage)()

    def read(self) -> list[tuple[int, bytes]]:
        """The messages that arrive in the window, as ``(time_ns, bytes)``, in order of time.

        A time is the message's stamp and the connection's delay.
        """
        self._in_window("read")
        session = self._session
        n = session.library.couple_messages(session.pointer, self._number, ctypes.byref(self._messages))
        if n < 0:
            raise session.failed(self.name)
        return [(one.time_ns, ctypes.string_at(one.bytes or 0, one.n)) for one in self._messages[:n]]


class MessageOutput(Port):
    """Messages of a variable of this component."""

    _kind = native.MESSAGES_OUT

    def send(self, message: bytes, time_ns: int) -> None:
        """Sends bytes, stamped with a time in ``(window.start_ns, window.end_ns]``."""
        self._in_window("send")
        session = self._session
        if not isinstance(message, (bytes, bytearray, memoryview)):
            raise session.error(f"send takes bytes, not {type(message).__name__}", self.name)
        try:
            time = operator.index(time_ns)
        except TypeError:
            kind = type(time_ns).__name__
            raise session.error(f"send takes whole nanoseconds as time_ns, not {kind}", self.name) from None
        if not session.start_ns < time <= session.end_ns:
            window = f"({session.start_ns / 1e6:g} ms, {session.end_ns / 1e6:g} ms]"
            raise session.error(f"a message was sent at {time / 1e6:g} ms, outside of the window {window}", self.name)
        text = bytes(message)
        if session.library.couple_send_message(session.pointer, self._number, time, text, len(text)) < 0:
            raise session.failed(self.name)
