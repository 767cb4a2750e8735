"""A muscle: spikes of motor neurons pull it together, and its stretch receptors fire while it is long."""

import couple
import numpy

with couple.connect() as session:
    endplates = session.input("endplates")  # populations of the configuration, by name
    stretch = session.output("stretch")
    pull = 0
    for window in session:  # windows are the planner's choice; what is computed goes by the component's own steps
        times, _ = endplates.read()
        # A step is open on the left: a spike at its very end belongs to it.
        until = numpy.searchsorted(times, window.times_ns, side="right")
        for now, spikes in zip(window.times_ns.tolist(), numpy.diff(until, prepend=0).tolist()):
            pull += spikes - pull // 16
            receptor = now // session.step_ns % stretch.width
            if pull < 8 * (receptor + 1):
                stretch.emit(receptor, now)
