COMMENT
PyNN's EIF_cond_alpha_isfa_ista. See cells.py for what all cells here have in common. The upstroke is taken at the end
of the step before with the fixed step (`explicit`): NEURON solves for the membrane with currents made linear, which
makes of an exponential a conductance below zero. What a spike adds rises and falls as an alpha function: exc follows
exc_rise. With the fixed step the scales make cnexp exact: x / (1 - exp(-x)) with x = step / tau_syn; with the
variable one they are 1.
ENDCOMMENT

NEURON {
    THREADSAFE
    POINT_PROCESS CoupleEIFCondAlpha
    NONSPECIFIC_CURRENT i
    RANGE id, cm, tau_m, v_rest, v_reset, v_thresh, refractory, soon, tau_syn_E, tau_syn_I, e_rev_E, e_rev_I
    RANGE i_offset, current, v_spike, a, b, delta_T, tau_w, explicit, exc_scale, inh_scale, exc_rise, inh_rise
    RANGE exc, inh, w, exc_start, inh_start, w_start, upstroke, active
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
    e_rev_E = 0 (mV)
    e_rev_I = -70 (mV)
    i_offset = 0 (nA)
    current = 0 (nA)
    v_spike = -40 (mV)
    a = 4 (nS)
    b = 0.0805 (nA)
    delta_T = 2 (mV)
    tau_w = 144 (ms)
    explicit = 0
    exc_scale = 1
    inh_scale = 1
    exc_start = 0 (uS)
    inh_start = 0 (uS)
    w_start = 0 (nA)
}

ASSIGNED {
    v (mV)
    i (nA)
    active
    upstroke (nA)
}

STATE {
    exc_rise (uS)
    inh_rise (uS)
    exc (uS)
    inh (uS)
    w (nA)
}

INITIAL {
    active = 1
    exc_rise = 0
    inh_rise = 0
    exc = exc_start
    inh = inh_start
    w = w_start
    upstroke = upstroke_at(v)
    net_send(0, 3)
}

BREAKPOINT {
    SOLVE states METHOD cnexp
    if (!explicit) {
        upstroke = upstroke_at(v)
    }
    i = active * (cm / tau_m * (v - v_rest) - upstroke + w + exc * (v - e_rev_E) + inh * (v - e_rev_I) - i_offset - current)
}

DERIVATIVE states {
    exc_rise' = -exc_rise / tau_syn_E
    inh_rise' = -inh_rise / tau_syn_I
    exc' = (exc_scale * exc_rise - exc) / tau_syn_E
    inh' = (inh_scale * inh_rise - inh) / tau_syn_I
    w' = (0.001 * a * (v - v_rest) - w) / tau_w
    upstroke = upstroke_at(v)
}

FUNCTION upstroke_at(v (mV)) (nA) {
    LOCAL potential
    potential = v
    if (potential > v_spike) {
        potential = v_spike
    }
    if (delta_T > 0) {
        upstroke_at = cm / tau_m * delta_T * exp((potential - v_thresh) / delta_T)
    } else {
        upstroke_at = 0
    }
}

VERBATIM
extern void couple_neuron_spike(double, double);
ENDVERBATIM

NET_RECEIVE(weight) {
    if (flag == 1) {
VERBATIM
        couple_neuron_spike(id, t);
ENDVERBATIM
        v = v_reset
        w = w + b
        upstroke = upstroke_at(v_reset)
        net_send(0, 3)
        if (refractory > 0) {
            active = 0
            net_send(refractory, 2)
        }
    } else if (flag == 2) {
        active = 1
        if (v >= v_spike) {
            net_send(soon, 4)
        }
    } else if (flag == 3) {
        WATCH (v > v_spike) 1
        if (v >= v_spike) {
            net_send(soon, 4)
        }
    } else if (flag == 4 && active) {
        if (v >= v_spike) {
VERBATIM
            couple_neuron_spike(id, t);
ENDVERBATIM
            v = v_reset
            w = w + b
            upstroke = upstroke_at(v_reset)
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
        v_thresh = weight
        upstroke = upstroke_at(v)
        if (delta_T <= 0) {
            v_spike = weight
            WATCH (v > v_spike) 1
            if (v >= v_spike && active) {
                net_send(soon, 4)
            }
        }
    }
}
