COMMENT
PyNN's IF_curr_delta: input, of both receptors together, is added to the potential; what arrives in the refractory
period has no effect. See cells.py for what all cells here have in common.
ENDCOMMENT

NEURON {
    THREADSAFE
    POINT_PROCESS CoupleIFCurrDelta
    NONSPECIFIC_CURRENT i
    RANGE id, cm, tau_m, v_rest, v_reset, v_thresh, refractory, soon, i_offset, current, active
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
    cm = 1 (nF)
    tau_m = 20 (ms)
    v_rest = -65 (mV)
    v_reset = -65 (mV)
    v_thresh = -50 (mV)
    refractory = 0.1 (ms)
    soon = 0.1 (ms)
    i_offset = 0 (nA)
    current = 0 (nA)
}

ASSIGNED {
    v (mV)
    i (nA)
    active
}

INITIAL {
    active = 1
    net_send(0, 3)
}

BREAKPOINT {
    i = active * (cm / tau_m * (v - v_rest) - i_offset - current)
}

VERBATIM
extern void couple_neuron_spike(double, double);
extern void couple_neuron_threshold(double, double, double);
ENDVERBATIM

NET_RECEIVE(weight) {
    if (flag == 1) {
VERBATIM
        couple_neuron_spike(id, t);
ENDVERBATIM
        v = v_reset
        net_send(0, 3)
        if (refractory > 0) {
            active = 0
            net_send(refractory, 2)
        }
    } else if (flag == 2) {
        active = 1
        if (v >= v_thresh) {
            net_send(soon, 4)
        }
    } else if (flag == 3) {
        WATCH (v > v_thresh) 1
        if (v >= v_thresh) {
            net_send(soon, 4)
        }
    } else if (flag == 4 && active) {
        if (v >= v_thresh) {
VERBATIM
            couple_neuron_spike(id, t);
ENDVERBATIM
            v = v_reset
            net_send(0, 3)
            if (refractory > 0) {
                active = 0
                net_send(refractory, 2)
            }
        }
    } else if (flag == 10 && active) {
        v = v + weight
        if (v >= v_thresh) {
VERBATIM
            couple_neuron_spike(id, t);
ENDVERBATIM
            v = v_reset
            net_send(0, 3)
            if (refractory > 0) {
                active = 0
                net_send(refractory, 2)
            }
        }
    } else if (flag == 20) {
        current = weight
    } else if (flag == 21) {
        i_offset = weight
    } else if (flag == 22) {
VERBATIM
        couple_neuron_threshold(_args[0], v_reset, t);
ENDVERBATIM
        v_thresh = weight
        WATCH (v > v_thresh) 1
        if (v >= v_thresh && active) {
            net_send(soon, 4)
        }
    }
}
