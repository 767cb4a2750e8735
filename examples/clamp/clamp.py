"""A dynamic clamp: gives each cell the current of an artificial conductance, g (E - v)."""

import couple

REVERSAL = -75.0  # mV

with couple.connect() as session:
    potential = session.input("electrodes.potential")  # variables of the configuration, by name
    conductance = session.input("electrodes.conductance")
    current = session.output("electrodes.current")
    g = 0.0  # uS
    for window in session:
        told = conductance.read()
        block = potential.read().copy()  # a row for the end of each step, a column for each electrode
        for now, row in zip(window.times_ns, block):
            while told and told[0][0] <= now:
                g = float(told.pop(0)[1])
            row[:] = g * (REVERSAL - row)  # nA
        current.write(block)
