"""Sends spikes, a signal and messages, and looks whether they come back as they should, 8 ms later."""

import couple
import numpy

MS = 1_000_000
LAG = 8


def signal(step):
    """The values sent at the end of a step, by its time in ms."""
    return numpy.sin(step + numpy.arange(3) / 3)


def expected_angle(step):
    """What comes back: twice the signal; before it arrives, what the connections say."""
    if step <= LAG // 2:
        return numpy.full(3, 7.0)
    return 2 * (signal(step - LAG) if step > LAG else numpy.full(3, 0.25))


with couple.connect() as session:
    source = session.output("source", couple.SpikeOutput)
    pull = session.output("source.pull", couple.SignalOutput)
    order = session.output("source.order", couple.MessageOutput)
    back = session.input("back", couple.SpikeInput)
    angle = session.input("back.angle", couple.SignalInput)
    answer = session.input("back.answer", couple.MessageInput)
    assert (pull.unit, angle.unit, angle.width, angle.count) == ("nA", "rad", 3, 3)
    for window in session:
        steps = [t // MS for t in window.times_ns.tolist()]
        source.emit(numpy.array(steps) % 3, window.times_ns)
        source.emit([0, 1, 2], window.end_ns)
        pull.write([signal(step) for step in steps])
        for step in steps:
            order.send(b"step %d" % step, step * MS)

        sent = [(step * MS, step % 3) for step in range(1, window.end_ns // MS + 1)]
        times, neurons = back.read()
        assert not times.flags.writeable
        got = list(zip(times.tolist(), neurons.tolist()))
        due = [(t + LAG * MS, n) for t, n in sent if window.start_ns < t + LAG * MS <= window.end_ns]
        assert set(due) <= set(got) and got == sorted(got), (window, got, due)

        block, ends, starts = angle.block(), angle.read(), angle.at_starts()
        assert ends.shape == starts.shape == (window.steps, 3) and not block.flags.writeable
        for row, step in zip(block, [window.start_ns // MS, *steps]):
            assert (row == expected_angle(step)).all(), (step, row, expected_angle(step))
        assert (block[1:] == ends).all() and (block[:-1] == starts).all()

        for step, message in zip([s for s in steps if s > LAG], answer.read(), strict=True):
            assert message == (step * MS, (b"step %d" % (step - LAG))[::-1]), message
