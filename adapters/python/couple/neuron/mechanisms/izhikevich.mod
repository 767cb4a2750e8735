COMMENT
PyNN's Izhikevich: input, of both receptors together, is added to the potential. E. Izhikevich, IEEE Trans. Neural
Netw. 14:1569 (2003). The slope of v is that at the beginning of the step with the fixed step (`explicit`), Euler's
method. See cells.py for what all cells here have in common.
ENDCOMMENT

NEURON {
    THREADSAFE
    POINT_PROCESS CoupleIzhikevich
    NONSPECIFIC_CURRENT i
    RANGE id, a, b, c, d, soon, i_offset, current, explicit, u, u_start, slope
}

UNITS {
    (nA) = (nanoamp)
    (mV) = (millivolt)
    (nF) = (nanofarad)
    (uS) = (microsiemens)
    (nS) = (nanosiemens)
}

PARAMETER {
    id = -1
    a = 0.02 (/ms)
    b = 0.2 (/ms)
    c = -65 (mV)
    d = 2
    soon = 0.1 (ms)
    i_offset = 0 (nA)
    current = 0 (nA)
    explicit = 0
    u_start = 0
}

ASSIGNED {
    v (mV)
    i (nA)
    slope
}

STATE {
    u
}

INITIAL {
    u = u_start
    slope = slope_at(v, u)
    net_send(0, 3)
}

BREAKPOINT {
    SOLVE states METHOD cnexp
    if (!explicit) {
        slope = slope_at(v, u)
    }
    : 1 nA is 1000 mV/ms in PyNN's units of this cell; the section has 1 nF.
    i = -slope - 1000 * (i_offset + current)
}

DERIVATIVE states {
    u' = a * (b * v - u)
    slope = slope_at(v, u)
}

FUNCTION slope_at(v (mV), u) {
    slope_at = 0.04 * v * v + 5 * v + 140 - u
}

VERBATIM
extern void couple_neuron_spike(double, double);
ENDVERBATIM

NET_RECEIVE(weight) {
    if (flag == 1) {
VERBATIM
        couple_neuron_spike(id, t);
ENDVERBATIM
        v = c
        u = u + d
        slope = slope_at(v, u)
        net_send(0, 3)
    } else if (flag == 3) {
        WATCH (v > 30) 1
        if (v >= 30) {
            net_send(soon, 4)
        }
    } else if (flag == 4) {
        if (v >= 30) {
VERBATIM
            couple_neuron_spike(id, t);
ENDVERBATIM
            v = c
            u = u + d
            slope = slope_at(v, u)
            net_send(0, 3)
        }
    } else if (flag == 10) {
        v = v + weight
        if (v >= 30) {
VERBATIM
            couple_neuron_spike(id, t);
ENDVERBATIM
            v = c
            u = u + d
            net_send(0, 3)
        }
        slope = slope_at(v, u)
    } else if (flag == 20) {
        current = weight
    } else if (flag == 21) {
        i_offset = weight
    }
}
