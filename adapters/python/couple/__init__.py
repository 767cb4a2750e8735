"""couple: one neural simulation on several simulators at once.

This package is the Python side. A program of your own takes part in a run like this::

    import couple

    with couple.connect() as session:
        spikes = session.input("endplates")      # a population of the configuration
        stretch = session.output("stretch")
        length = session.output("muscle.length") # a variable of a population
        for window in session:                   # (window.start_ns, window.end_ns]
            times, neurons = spikes.read()       # NumPy arrays, in order of time
            stretch.emit(neurons, times)
            length.write(block)                  # steps × columns

and is started by ``couple run``, as ``script`` or ``command`` of a component with ``simulator = "script"``.

``couple.client`` has :func:`connect`, :class:`Session` and :class:`Window`, ``couple.ports`` the ports. ``couple.session`` is the
low level below, which needs no NumPy. Simulators that are components: ``couple.nest`` and its neighbours.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from .session import CoupleError, RunEnded

if TYPE_CHECKING:
    from .client import Session, Window, connect
    from .ports import MessageInput, MessageOutput, SignalInput, SignalOutput, SpikeInput, SpikeOutput

__all__ = [
    "CoupleError",
    "MessageInput",
    "MessageOutput",
    "RunEnded",
    "Session",
    "SignalInput",
    "SignalOutput",
    "SpikeInput",
    "SpikeOutput",
    "Window",
    "connect",
]


def __getattr__(name: str) -> Any:
    # Not before they are used: they need NumPy, and the low level does not.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        from . import client, ports
    except ModuleNotFoundError as missing:
        if missing.name != "numpy":
            raise
        raise CoupleError(
            f"couple needs NumPy, which {sys.executable} does not have; install it there (pip install numpy), or give the "
            "component another interpreter (python = ...)"
        ) from None
    return getattr(client if hasattr(client, name) else ports, name)
