"""The C functions that the client needs beside those of the low level, and the phase that the session is in."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy
from numpy.typing import NDArray

from .session import CoupleError, failure
from .session import Session as LowLevel

#: A spike as C has it.
SPIKE = numpy.dtype([("time_ns", "<i8"), ("index", "<u4"), ("count", "<u4")])

SPIKES_IN, SPIKES_OUT, SIGNAL_IN, SIGNAL_OUT, MESSAGES_IN, MESSAGES_OUT = range(6)


class CPort(ctypes.Structure):
    """``couple_port``."""

    number: int
    width: int
    first: int
    count: int
    unit: bytes
    _fields_ = [
        ("number", ctypes.c_uint32),
        ("width", ctypes.c_uint32),
        ("first", ctypes.c_uint32),
        ("count", ctypes.c_uint32),
        ("unit", ctypes.c_char_p),
    ]


class CMessage(ctypes.Structure):
    """``couple_message``."""

    time_ns: int
    bytes: int
    n: int
    _fields_ = [("time_ns", ctypes.c_int64), ("bytes", ctypes.c_void_p), ("n", ctypes.c_size_t)]


def _declare(library: Any) -> None:
    pointer, text, u32, size = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_uint32, ctypes.c_size_t
    i64, i = ctypes.c_int64, ctypes.c_int
    for name, result, arguments in [
        ("couple_find", i, [pointer, i, text, pointer]),
        ("couple_port_spikes", i64, [pointer, u32, pointer]),
        ("couple_emit_many", i, [pointer, u32, pointer, pointer, size]),
        ("couple_samples", i, [pointer, u32, pointer, pointer, pointer]),
        ("couple_write_samples", i, [pointer, u32, pointer, size, size]),
        ("couple_messages", i64, [pointer, u32, pointer]),
        ("couple_send_message", i, [pointer, u32, i64, text, size]),
    ]:
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments


class Memory:
    """Numbers that belong to the session, for ``numpy.asarray``: read-only, without a copy.

    It keeps the session, so that its memory lives as long as an array over it.
    """

    def __init__(self, owner: object, address: int, shape: tuple[int, ...], dtype: numpy.dtype[Any]) -> None:
        self._owner = owner
        self.__array_interface__: dict[str, Any] = {
            "version": 3,
            "shape": shape,
            "typestr": dtype.str,
            "descr": dtype.descr,
            "data": (address, True),
        }


class Native:
    """The session's C functions and its phase: ``setup``, ``window`` (between two exchanges), ``over``."""

    def __init__(self, low: LowLevel) -> None:
        self._low = low
        self.library: Any = low.library
        self.pointer: int = low.pointer
        _declare(self.library)
        self.component: str = low.description["component"]
        self.step_ns: int = low.description["step_ns"]
        self.phase = "setup"
        self.start_ns = self.end_ns = 0
        self._start, self._end = ctypes.c_int64(), ctypes.c_int64()
        self._window = (ctypes.byref(self._start), ctypes.byref(self._end))

    def error(self, message: str, port: str | None = None) -> CoupleError:
        """What a user did wrong, with component and port."""
        where = f"component `{self.component}`" + (f", port `{port}`" if port else "")
        return CoupleError(f"{where}: {message}")

    def failed(self, port: str | None = None) -> CoupleError:
        """The error of the last C call."""
        error = failure(self._low.last_error())
        return self.error(str(error), port) if type(error) is CoupleError else error

    def find(self, kind: int, name: str) -> CPort:
        """The port of this name."""
        port = CPort()
        if self.library.couple_find(self.pointer, kind, name.encode(), ctypes.byref(port)) < 0:
            raise failure(self._low.last_error())
        return port

    def start(self) -> None:
        """Ends the setup."""
        if self.library.couple_start(self.pointer) < 0:
            raise self.failed()

    def next_window(self) -> tuple[int, int] | None:
        """The next window, or None at the end."""
        more = self.library.couple_next_window(self.pointer, *self._window)
        if more < 0:
            raise self.failed()
        if more == 0:
            return None
        self.phase = "window"
        self.start_ns, self.end_ns = self._start.value, self._end.value
        return self.start_ns, self.end_ns

    def finish(self) -> None:
        """After the last window."""
        self.phase = "over"
        if self.library.couple_finish(self.pointer) < 0:
            raise self.failed()

    def fail(self, message: str) -> None:
        """Ends the run."""
        self.phase = "over"
        self._low.fail(message)

    def in_window(self, port: str, call: str) -> None:
        """Refuses a call that belongs into a window."""
        if self.phase == "setup":
            raise self.error(f"{call} was called before the first window; call it within `for window in session:`", port)
        if self.phase == "over":
            raise self.error(f"{call} was called after the last window; call it within `for window in session:`", port)

    def view(self, address: int, shape: tuple[int, ...], dtype: numpy.dtype[Any]) -> NDArray[Any]:
        """An array over the session's memory."""
        return numpy.asarray(Memory(self, address, shape, dtype))
