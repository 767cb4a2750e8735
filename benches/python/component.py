"""A component that gets and sends spikes in each window; tells what a window takes, of wall and of processor time."""

import sys
import time

import couple
import numpy

SPIKES = int(sys.argv[1])
WARM_UP = 1000

with couple.connect() as session:
    incoming, outgoing = session.input("in"), session.output("out")
    neurons = numpy.arange(SPIKES, dtype=numpy.uint32)
    received = windows = 0
    for window in session:
        if windows == WARM_UP:
            wall, processor = time.perf_counter(), time.process_time()
        times, _ = incoming.read()
        received += len(times)
        outgoing.emit(neurons, window.end_ns)
        windows += 1
    timed = windows - WARM_UP
    print("us_per_window", 1e6 * (time.perf_counter() - wall) / timed)
    print("us_of_processor", 1e6 * (time.process_time() - processor) / timed)
    print("received", received)
