"""A small cell with a dendrite, as one would write it without couple."""

from neuron import h


class Cell:
    """Soma with Hodgkin-Huxley channels, passive dendrite, one synapse on it."""

    def __init__(self):
        self.soma, self.dendrite = h.Section(name="soma"), h.Section(name="dendrite")
        self.soma.L = self.soma.diam = 20
        self.soma.insert("hh")
        self.dendrite.L, self.dendrite.diam, self.dendrite.nseg = 200, 2, 5
        self.dendrite.connect(self.soma)
        self.dendrite.insert("pas")
        self.synapse = h.Exp2Syn(self.dendrite(0.3))
        self.synapse.tau1, self.synapse.tau2 = 0.5, 3
