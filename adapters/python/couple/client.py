"""A component in Python: :func:`connect`, then ports by name, then window by window.

Times are whole nanoseconds since the start of the run (names end with ``_ns``); ``…_ms`` and ``times`` are the same in
milliseconds, for computing and plotting. Spike times and message times are given and taken in nanoseconds, since no time
is ever rounded between components.
"""

from __future__ import annotations

import faulthandler
import os
import sys
import traceback
from collections.abc import Iterator
from types import TracebackType
from typing import Any, TypeVar, overload

import numpy
from numpy.typing import NDArray

from . import ports
from .native import Native
from .session import CoupleError, RunEnded
from .session import Session as LowLevel

_FAILED = 3
_PACKAGE = os.path.dirname(os.path.abspath(__file__))

P = TypeVar("P", bound=ports.Port)


def connect() -> Session:
    """This process's part in the run that ``couple run`` started it for.

    Use it as a context manager: an error inside then ends the run with its text as the reason and its traceback in the
    log. Raises :class:`CoupleError` when the process was not started by ``couple run``.
    """
    # A crash in compiled code says in the log where the program was.
    faulthandler.enable()
    return Session(LowLevel())


class Window:
    """The interval ``(start, end]`` to simulate: open on the left, closed on the right."""

    __slots__ = ("_step_ns", "end_ns", "start_ns")

    def __init__(self, start_ns: int, end_ns: int, step_ns: int) -> None:
        #: Everything up to here has been simulated (nanoseconds).
        self.start_ns = start_ns
        #: Simulate up to here, inclusively (nanoseconds).
        self.end_ns = end_ns
        self._step_ns = step_ns

    @property
    def steps(self) -> int:
        """The component's steps in the window, at least one. The last window of a run may have fewer than the others."""
        return (self.end_ns - self.start_ns) // self._step_ns

    @property
    def times_ns(self) -> NDArray[numpy.int64]:
        """The ends of the steps, in nanoseconds: shape ``(steps,)``."""
        return numpy.arange(self.start_ns + self._step_ns, self.end_ns + 1, self._step_ns, dtype=numpy.int64)

    @property
    def times(self) -> NDArray[numpy.float64]:
        """The ends of the steps, in ms: shape ``(steps,)``."""
        return self.times_ns / 1e6

    @property
    def start_ms(self) -> float:
        """The start in ms."""
        return self.start_ns / 1e6

    @property
    def end_ms(self) -> float:
        """The end in ms."""
        return self.end_ns / 1e6

    def __repr__(self) -> str:
        return f"Window({self.start_ms:g} ms, {self.end_ms:g} ms]"


class Session:
    """This process's part in a run; made by :func:`connect`.

    It begins with the setup: look up ports, build the model. ``for window in session:`` waits until all components are
    ready and goes through the run; after it, the run is over for this component.
    """

    def __init__(self, low: LowLevel) -> None:
        self._native = Native(low)
        #: What the run and this component's part of it are; see ``couple_description`` in ``couple.h``.
        self.description: dict[str, Any] = low.description
        #: The component's name in the configuration.
        self.component: str = self.description["component"]
        #: This process among the component's ``ranks``, from 0.
        self.rank: int = self.description["rank"]
        #: The component's processes.
        self.ranks: int = self.description["ranks"]
        #: The component's step in nanoseconds.
        self.step_ns: int = self.description["step_ns"]
        #: The component's step in ms.
        self.step_ms: float = self.description["step_ms"]
        #: Simulated time of the run in nanoseconds.
        self.duration_ns: int = self.description["duration_ns"]
        #: Simulated time of the run in ms.
        self.duration_ms: float = self.description["duration_ms"]
        #: The run's seed, for the program's own random numbers.
        self.seed: int = self.description["seed"]

    @overload
    def input(self, name: str) -> Any: ...
    @overload
    def input(self, name: str, kind: type[P]) -> P: ...
    def input(self, name: str, kind: type[ports.Port] = ports.Port) -> Any:
        """What arrives at a port.

        ``"population"`` gives a :class:`SpikeInput` (the spikes that ``[[connection]]`` s bring there),
        ``"population.variable"`` a :class:`SignalInput` or a :class:`MessageInput`. With `kind`, one of these classes,
        type checkers know what it is, and another kind is an error.
        """
        return self._port(name, kind, (ports.SpikeInput, ports.SignalInput, ports.MessageInput))

    @overload
    def output(self, name: str) -> Any: ...
    @overload
    def output(self, name: str, kind: type[P]) -> P: ...
    def output(self, name: str, kind: type[ports.Port] = ports.Port) -> Any:
        """Where something leaves: a :class:`SpikeOutput`, :class:`SignalOutput` or :class:`MessageOutput`, as for :meth:`input`.

        Where nobody listens, what is sent goes nowhere.
        """
        return self._port(name, kind, (ports.SpikeOutput, ports.SignalOutput, ports.MessageOutput))

    def _port(self, name: str, kind: type[ports.Port], kinds: tuple[type[ports.Port], ...]) -> ports.Port:
        native = self._native
        if native.phase == "over":
            raise native.error(f"the port `{name}` was looked up after the end of the run; do it before the first window")
        fitting = kinds[0] if self._is_population(name) else kinds[2] if self._is_message(name) else kinds[1]
        made = fitting(native, name)
        if not isinstance(made, kind):
            raise native.error(f"it is a {type(made).__name__}, not a {kind.__name__}", name)
        return made

    def _is_population(self, name: str) -> bool:
        # A name of neither kind is told with the populations there are.
        return "." not in name or any(one["name"] == name for one in self.description["populations"])

    def _is_message(self, name: str) -> bool:
        population, _, variable = name.rpartition(".")
        known = [one["variables"] for one in self.description["populations"] if one["name"] == population]
        return any(one["name"] == variable and one["message"] for variables in known for one in variables)

    def __iter__(self) -> Iterator[Window]:
        """The windows of the run, one after the other.

        What a window's body sends leaves when the next window is asked for. After the last one this waits until all
        components are done.
        """
        native = self._native
        if native.phase != "setup":
            raise native.error("the run can be gone through once: `for window in session:` was begun a second time")
        native.start()
        while (window := native.next_window()) is not None:
            yield Window(*window, self.step_ns)
        native.finish()

    def fail(self, message: str) -> None:
        """Tells the coordinator that this component cannot go on; it ends the run. An exception does the same."""
        self._native.fail(message)

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        native = self._native
        if error is None and native.phase == "over":
            return
        if isinstance(error, RunEnded):
            # Nothing went wrong here, and the coordinator knows what did.
            print(f"couple: {error}: the run has ended elsewhere", file=sys.stderr, flush=True)
            raise SystemExit(_FAILED) from None
        if error is None or isinstance(error, SystemExit):
            message = self._left_early(error)
            print(f"couple: {message}", file=sys.stderr, flush=True)
        else:
            # Before the coordinator hears of it: it shows the end of the log.
            traceback.print_exception(kind, error, trace)
            message = _reason(error)
        sys.stdout.flush()
        sys.stderr.flush()
        native.fail(message)
        raise SystemExit(_FAILED) from None

    def _left_early(self, error: SystemExit | None) -> str:
        how = "left `with couple.connect()`" if error is None else f"called exit({error.code!r})"
        if self._native.phase == "setup":
            return f"the program {how} without going through the windows; write `for window in session:`"
        end = self.duration_ms
        return f"the program {how} in the window that ends at {self._native.end_ns / 1e6:g} ms; the run ends at {end:g} ms"


def _reason(error: BaseException) -> str:
    """One line for the coordinator, with the place in the user's program."""
    text = str(error) if isinstance(error, CoupleError) else f"{type(error).__name__}: {error}"
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not f.filename.startswith(_PACKAGE)]
    return f"{frames[-1].filename}:{frames[-1].lineno}: {text}" if frames else text
