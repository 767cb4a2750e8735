"""Emits more and more spikes; the other side merges two connections, keeps all arrays, and talks to nobody."""

import couple
import numpy

MS = 1_000_000


def many(session):
    left, right = session.output("left"), session.output("right")
    for window in session:
        for time in window.times_ns.tolist():
            left.emit(numpy.arange(time // MS), time)
            right.emit(list(range(time // MS, 2 * (time // MS))), time)


def one(session):
    ears = session.input("both.ears", couple.SpikeInput)
    nobody = session.output("both.ears", couple.SpikeOutput)
    alone = session.output("both.ears.alone", couple.SignalOutput)
    silent = session.output("both.ears.silent", couple.MessageOutput)
    unheard = session.input("both.ears.silent", couple.MessageInput)
    kept = []
    for window in session:
        times, neurons = ears.read()
        again, _ = ears.read()
        assert (times == again).all()
        due = [(t + 2 * MS, n) for t in range(MS, 100 * MS, MS) for n in range(t // MS)]
        due += [(t + 3 * MS, n) for t in range(MS, 100 * MS, MS) for n in range(t // MS, 2 * (t // MS))]
        due = sorted(spike for spike in due if window.start_ns < spike[0] <= window.end_ns)
        assert due == list(zip(times.tolist(), neurons.tolist())), window
        # Nobody listens, and nobody sends.
        nobody.emit([0, 199], window.end_ns)
        alone.write(numpy.zeros((window.steps, 200)))
        silent.send(b"hello?", window.end_ns)
        assert unheard.read() == []
        for wrong in (lambda: nobody.emit(200, window.end_ns), lambda: nobody.emit(0, window.start_ns)):
            try:
                wrong()
            except couple.CoupleError as error:
                assert "component `one`, port `both.ears`" in str(error), error
            else:
                raise AssertionError("a wrong spike for nobody is not refused")
        kept.append((times, neurons))
    # What is in these arrays is no longer of their window, but it can be read.
    assert sum(int(times.sum()) + int(neurons.sum()) for times, neurons in kept) > 0
    try:
        session.input("left")
    except couple.CoupleError as error:
        assert "after the end of the run" in str(error)


with couple.connect() as session:
    {"many": many, "one": one}[session.component](session)
