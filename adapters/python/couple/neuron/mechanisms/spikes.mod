COMMENT
Where the spikes of a user's own cells go: the weight of the NetCon is the number of the cell.
ENDCOMMENT

NEURON {
    THREADSAFE
    ARTIFICIAL_CELL CoupleSpikes
}

VERBATIM
extern void couple_neuron_spike(double, double);
ENDVERBATIM

NET_RECEIVE(id) {
VERBATIM
    couple_neuron_spike(_args[0], t);
ENDVERBATIM
}
