"""Ten integrate-and-fire cells on regular input; every third one is nobody's."""

import arbor
import couple.arbor as ca
from arbor import units as U


class Recipe(arbor.recipe):
    def __init__(self):
        arbor.recipe.__init__(self)

    def num_cells(self):
        return 10

    def cell_kind(self, gid):
        return arbor.cell_kind.lif

    def cell_description(self, gid):
        cell = arbor.lif_cell("source", "target")
        cell.t_ref = 2 * U.ms
        return cell

    def connections_on(self, gid):
        return [arbor.connection(((gid + 1) % 10, "source"), "target", 50.0, 1.5 * U.ms)]

    def event_generators(self, gid):
        return [arbor.event_generator("target", 150.0, arbor.regular_schedule(0 * U.ms, (1 + 0.1 * gid) * U.ms))]


# What leaves is compared with the same recipe by itself.
session, sent = ca._component.session, []
emit = session.emit
session.emit = lambda output, neuron, time_ns: (sent.append((time_ns, neuron)), emit(output, neuron, time_ns))
gids = [gid for gid in reversed(range(10)) if gid % 3]
ca.port("A", gids)
ca.run(Recipe())

alone = arbor.simulation(Recipe())
alone.record(arbor.spike_recording.all)
alone.run(50 * U.ms, 0.025 * U.ms)
spikes = [(int(time * 1e6 // 1) + 1, gids.index(source[0])) for source, time in alone.spikes() if source[0] in gids]
assert len(spikes) > 50 and sorted(spikes) == sorted(sent), (len(spikes), len(sent))
