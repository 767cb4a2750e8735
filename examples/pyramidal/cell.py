"""A layer 5 pyramidal cell: soma, axon, basal dendrites, and an apical trunk with obliques and a tuft.

The morphology is constructed, not traced: lengths, diameters and branching orders are typical of thick-tufted cells of the
rat's cortex (A. Larkman & A. Mason, J. Neurosci. 10:1407, 1990). All of it has Hodgkin and Huxley's channels (J. Physiol.
117:500, 1952).
"""

import math

from neuron import h

DEGREE = math.pi / 180


class Pyramidal:
    """Lengths and diameters in µm; the apical trunk points along y."""

    def __init__(self):
        self.sections = []
        self.soma = self._section("soma", None, (0, -10, 0), (0, 10, 0), 20, 20)
        self.axon = self._section("axon", self.soma, (0, -10, 0), (0, -60, 0), 2, 1, at=0)
        self.basal = []
        for i in range(6):
            self._tree("basal", self.basal, self.soma, 0, (0, -8, 0), 60 * i, -35, [(30, 2.0), (60, 1.4), (110, 0.9)])
        self.trunk, self.oblique, self.tuft = [], [], []
        parent, y = self.soma, 10
        for i, diameter in enumerate([3.6, 3.2, 2.8, 2.4, 2.0]):
            parent = self._section("trunk", parent, (0, y, 0), (0, y + 110, 0), diameter, diameter - 0.4)
            self.trunk.append(parent)
            y += 110
            if i < 4:
                self._tree("oblique", self.oblique, parent, 1, (0, y, 0), 137 * i, 15, [(50, 1.2), (90, 0.8)])
        for i in range(2):
            self._tree("tuft", self.tuft, parent, 1, (0, y, 0), 180 * i, 55, [(60, 1.6), (80, 1.1), (110, 0.8)])
        self._channels()

    def _section(self, name, parent, start, end, thick, thin, at=1):
        section = h.Section(name=f"{name}[{len(self.sections)}]", cell=self)
        for point, diameter in ((start, thick), (end, thin)):
            section.pt3dadd(*point, diameter)
        if parent is not None:
            section.connect(parent(at))
        self.sections.append(section)
        return section

    def _tree(self, name, group, parent, at, start, azimuth, elevation, orders):
        """A dendrite that forks at the end of each piece; (length, diameter) of its pieces."""
        (length, diameter), rest = orders[0], orders[1:]
        flat = length * math.cos(elevation * DEGREE)
        end = (
            start[0] + flat * math.cos(azimuth * DEGREE), start[1] + length * math.sin(elevation * DEGREE),
            start[2] + flat * math.sin(azimuth * DEGREE),
        )  # fmt: skip
        section = self._section(name, parent, start, end, diameter, 0.8 * diameter, at)
        group.append(section)
        if rest:
            for turn in (-25, 25):
                self._tree(name, group, section, 1, end, azimuth + turn, elevation + turn / 2, rest)

    def _channels(self):
        """Hodgkin and Huxley's channels at 6.3 °C: dense where spikes begin, sparse where they travel back; S/cm² and mV."""
        for section in self.sections:
            section.Ra, section.cm = 100, 1
            section.nseg = 1 + 2 * int(section.L / 40)
            section.insert("hh")
            dense = section in (self.soma, self.axon)
            for segment in section:
                segment.hh.gnabar, segment.hh.gkbar = (0.6, 0.15) if dense else (0.004, 0.0012)
                segment.hh.gl, segment.hh.el = (3e-4, -54.3) if dense else (3e-5, -65)

    def sites(self, sections, n):
        """`n` places, spread evenly over the length of `sections`."""
        total = sum(s.L for s in sections)
        places, step = [], total / n
        for k in range(n):
            along = (k + 0.5) * step
            for section in sections:
                if along < section.L:
                    places.append(section(along / section.L))
                    break
                along -= section.L
        return places
