"""Integrate-and-fire cells in MOOSE: spikes of a [[connection]] come in, theirs go out.

MOOSE handles an event in the first step that ends at its time or later, and gives a spike the end of its step: as couple does. Its
times are sums of floating-point numbers, so events are put into the middle of the step that is to handle them.
"""

import couple
import moose
import numpy

STRONG = 1.5  # of the distance from rest to threshold: each spike fires its cell

with couple.connect() as session:
    spikes_in, spikes_out = session.input("M"), session.output("M")
    size, step = spikes_in.width, session.step_ns / 1e9  # MOOSE counts in seconds

    moose.Neutral("/model")
    cells, synapses, tables = [], [], []
    for i in range(size):
        cell = moose.IntFire(f"/model/cell{i}")
        cell.tau, cell.thresh, cell.refractoryPeriod, cell.Vm = 0.01, 1.0, 0.0, 0.0
        handler = moose.SimpleSynHandler(f"/model/cell{i}/synapses")
        handler.synapse.num = 1
        handler.synapse[0].weight = STRONG * step  # MOOSE divides by the step
        handler.synapse[0].delay = 0.0  # the connection has one
        moose.connect(handler, "activationOut", cell, "activation")
        table = moose.Table(f"/model/spikes{i}")
        moose.connect(cell, "spikeOut", table, "input")  # ("spike" would want a signal that falls below a threshold)
        cells.append(cell), synapses.append(handler.synapse[0]), tables.append(table)
    for tick in range(20):
        moose.setClock(tick, step)
    moose.reinit()

    sent = [0] * size
    for window in session:
        for time_ns, neuron in zip(*spikes_in.read()):
            steps = -(-time_ns // session.step_ns)  # rounded up
            synapses[neuron].addSpike((steps - 0.5) * step)
        moose.start((window.end_ns - window.start_ns) / 1e9)
        for i, table in enumerate(tables):
            new = table.vector[sent[i] :]
            if len(new):
                steps = numpy.round(numpy.asarray(new) / step).astype(numpy.int64)
                spikes_out.emit(numpy.full(len(new), i), steps * session.step_ns)
                sent[i] += len(new)
