COMMENT
PyNN's IF_curr_alpha. See cells.py for what all cells here have in common. What a spike adds rises and falls as an
alpha function: exc follows exc_rise. With the fixed step the scales make cnexp exact: x / (1 - exp(-x)) with x = step
/ tau_syn; with the variable one they are 1.
ENDCOMMENT

NEURON {
    THREADSAFE
    POINT_PROCESS CoupleIFCurrAlpha
    NONSPECIFIC_CURRENT i
    RANGE id, cm, tau_m, v_rest, v_reset, v_thresh, refractory, soon, tau_syn_E, tau_syn_I, i_offset, current
    RANGE exc_scale, inh_scale, exc_rise, inh_rise, exc, inh, exc_start, inh_start, active
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
    tau_syn_E = 5 (ms)
    tau_syn_I = 5 (ms)
    i_offset = 0 (nA)
    current = 0 (nA)
    exc_scale = 1
    inh_scale = 1
    exc_start = 0 (nA)
    inh_start = 0 (nA)
}

ASSIGNED {
    v (mV)
    i (nA)
    active
}

STATE {
    exc_rise (nA)
    inh_rise (nA)
    exc (nA)
    inh (nA)
}

INITIAL {
    active = 1
    exc_rise = 0
    inh_rise = 0
    exc = exc_start
    inh = inh_start
    net_send(0, 3)
}

BREAKPOINT {
    SOLVE states METHOD cnexp
    i = active * (cm / tau_m * (v - v_rest) - exc - inh - i_offset - current)
}

DERIVATIVE states {
    exc_rise' = -exc_rise / tau_syn_E
    inh_rise' = -inh_rise / tau_syn_I
    exc' = (exc_scale * exc_rise - exc) / tau_syn_E
    inh' = (inh_scale * inh_rise - inh) / tau_syn_I
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
    } else if (flag == 10) {
        exc_rise = exc_rise + weight * exp(1)
    } else if (flag == 11) {
        inh_rise = inh_rise + weight * exp(1)
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
