"""The experimenter: switches the conductance on at 50 ms and off at 150 ms."""

import couple

PROTOCOL = {50_000_000: b"0.005", 150_000_000: b"0"}  # a message is any bytes; here it is a number in uS

with couple.connect() as session:
    conductance = session.output("protocol.conductance")
    for window in session:
        for now in window.times_ns.tolist():
            if now in PROTOCOL:
                conductance.send(PROTOCOL[now], now)
