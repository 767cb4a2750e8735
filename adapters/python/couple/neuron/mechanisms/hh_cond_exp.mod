COMMENT
PyNN's HH_cond_exp: the channels of R. Traub and R. Miles (Neuronal Networks of the Hippocampus, 1991). A spike is an
upward crossing of v_offset + 30 mV. See cells.py for what all cells here have in common.
ENDCOMMENT

NEURON {
    THREADSAFE
    POINT_PROCESS CoupleHHCondExp
    NONSPECIFIC_CURRENT i
    RANGE id, cm, gbar_Na, gbar_K, g_leak, v_offset, e_rev_Na, e_rev_K, e_rev_leak, tau_syn_E, tau_syn_I, e_rev_E
    RANGE e_rev_I, i_offset, current, exc, inh, m, h, n, exc_start, inh_start, m_start, h_start, n_start
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
    cm = 0.2 (nF)
    gbar_Na = 20 (uS)
    gbar_K = 6 (uS)
    g_leak = 0.01 (uS)
    v_offset = -63 (mV)
    e_rev_Na = 50 (mV)
    e_rev_K = -90 (mV)
    e_rev_leak = -65 (mV)
    tau_syn_E = 5 (ms)
    tau_syn_I = 5 (ms)
    e_rev_E = 0 (mV)
    e_rev_I = -70 (mV)
    i_offset = 0 (nA)
    current = 0 (nA)
    exc_start = 0 (uS)
    inh_start = 0 (uS)
    m_start = 0
    h_start = 0
    n_start = 0
}

ASSIGNED {
    v (mV)
    i (nA)
}

STATE {
    exc (uS)
    inh (uS)
    m
    h
    n
}

INITIAL {
    exc = exc_start
    inh = inh_start
    m = m_start
    h = h_start
    n = n_start
    net_send(0, 3)
}

BREAKPOINT {
    SOLVE states METHOD cnexp
    i = g_leak * (v - e_rev_leak) + gbar_Na * m * m * m * h * (v - e_rev_Na) + gbar_K * n * n * n * n * (v - e_rev_K)
        + exc * (v - e_rev_E) + inh * (v - e_rev_I) - i_offset - current
}

DERIVATIVE states {
    LOCAL u
    u = v - v_offset
    exc' = -exc / tau_syn_E
    inh' = -inh / tau_syn_I
    m' = m_opens(u) * (1 - m) - m_shuts(u) * m
    h' = 0.128 * exp((17 - u) / 18) * (1 - h) - 4 / (1 + exp((40 - u) / 5)) * h
    n' = n_opens(u) * (1 - n) - 0.5 * exp((10 - u) / 40) * n
}

FUNCTION m_opens(u (mV)) (/ms) {
    m_opens = 1.28 * ratio((13 - u) / 4)
}

FUNCTION m_shuts(u (mV)) (/ms) {
    m_shuts = 1.4 * ratio((u - 40) / 5)
}

FUNCTION n_opens(u (mV)) (/ms) {
    n_opens = 0.16 * ratio((15 - u) / 5)
}

: x / (exp(x) - 1), also where x is almost 0.
FUNCTION ratio(x) {
    if (fabs(x) < 1e-6) {
        ratio = 1 - x / 2
    } else {
        ratio = x / (exp(x) - 1)
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
    } else if (flag == 3) {
        WATCH (v > v_offset + 30) 1
    } else if (flag == 10) {
        exc = exc + weight
    } else if (flag == 11) {
        inh = inh + weight
    } else if (flag == 20) {
        current = weight
    } else if (flag == 21) {
        i_offset = weight
    }
}
