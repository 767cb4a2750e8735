"""Sends back what it gets, or does something wrong, as its argument says."""

import sys

import couple

does = sys.argv[1]
with couple.connect() as session:
    ear, mouth = session.input("ear"), session.output("mouth" if does != "name" else "mouht")
    pull, angle = session.input("ear.pull"), session.output("mouth.angle")
    order, answer = session.input("ear.order"), session.output("mouth.answer")
    if does == "before":
        mouth.emit(0, 1)
    if does == "before-write":
        angle.write([[0.0]])
    for window in session:
        times, neurons = ear.read()
        block = 2 * pull.read()
        if window.end_ns > 20_000_000:
            if does == "index":
                mouth.emit([0, 3], window.end_ns)
            elif does == "past":
                mouth.emit(1, window.start_ns)
            elif does == "width":
                block = block[:, :2]
            elif does == "finite":
                block[0, 1] = float("nan")
            elif does == "message-past":
                answer.send(b"late", window.start_ns)
            elif does == "exception":
                raise ValueError("the arm is broken")
            elif does == "early":
                break
            elif does == "twice":
                angle.write(block)
            elif does == "complex":
                block = block * 1j
            elif does == "message-float":
                answer.send(b"?", window.end_ns + 0.5)
            elif does == "beyond":
                mouth.emit(0, window.end_ns + 2**64)
            elif does == "strange":
                raise ValueError("not \ud800 text" + "!" * 100_000)
            elif does == "exit":
                sys.exit(0)
        # The neurons and columns of this rank; there may be others.
        mine = (neurons >= mouth.first) & (neurons < mouth.first + mouth.count)
        mouth.emit(neurons[mine], times[mine])
        if does != "forgotten" or window.end_ns <= 20_000_000:
            angle.write(block)
        for time, message in order.read():
            if session.rank == 0:
                answer.send(message[::-1], time)
    if does == "after":
        ear.read()
    if does == "again":
        next(iter(session))
