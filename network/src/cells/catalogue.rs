//! The table of standard cells and spike sources.

use super::{Allowed, Entry, Parameter, Start, StateVariable};
use crate::description::Cell;

const fn parameter(name: &'static str, default: f64, unit: &'static str, allowed: Allowed) -> Parameter {
    Parameter { name, default: Some(default), unit, allowed }
}
const fn starts_at_zero(name: &'static str, unit: &'static str) -> StateVariable {
    StateVariable { name, start: Start::Number(0.0), unit }
}

const V_REST: Parameter = parameter("v_rest", -65.0, "mV", Allowed::Any);
const CM: Parameter = parameter("cm", 1.0, "nF", Allowed::Positive);
const TAU_M: Parameter = parameter("tau_m", 20.0, "ms", Allowed::Positive);
const TAU_REFRAC: Parameter = parameter("tau_refrac", 0.1, "ms", Allowed::NotNegative);
const I_OFFSET: Parameter = parameter("i_offset", 0.0, "nA", Allowed::Any);
const V_RESET: Parameter = parameter("v_reset", -65.0, "mV", Allowed::Any);
const V_THRESH: Parameter = parameter("v_thresh", -50.0, "mV", Allowed::Any);
const E_REV_E: Parameter = parameter("e_rev_E", 0.0, "mV", Allowed::Any);
const E_REV_I: Parameter = parameter("e_rev_I", -70.0, "mV", Allowed::Any);
const fn tau_syn_e(default: f64) -> Parameter {
    parameter("tau_syn_E", default, "ms", Allowed::Positive)
}
const fn tau_syn_i(default: f64) -> Parameter {
    parameter("tau_syn_I", default, "ms", Allowed::Positive)
}

const V: StateVariable = StateVariable { name: "v", start: Start::Parameter("v_rest"), unit: "mV" };
const CURRENTS: &[StateVariable] = &[V, starts_at_zero("isyn_exc", "nA"), starts_at_zero("isyn_inh", "nA")];
const CONDUCTANCES: &[StateVariable] = &[V, starts_at_zero("gsyn_exc", "uS"), starts_at_zero("gsyn_inh", "uS")];

const EIF_PARAMETERS: &[Parameter] = &[
    parameter("cm", 0.281, "nF", Allowed::Positive),
    TAU_REFRAC,
    parameter("v_spike", -40.0, "mV", Allowed::Any),
    parameter("v_reset", -70.6, "mV", Allowed::Any),
    parameter("v_rest", -70.6, "mV", Allowed::Any),
    parameter("tau_m", 9.3667, "ms", Allowed::Positive),
    I_OFFSET,
    parameter("a", 4.0, "nS", Allowed::Any),
    parameter("b", 0.0805, "nA", Allowed::Any),
    parameter("delta_T", 2.0, "mV", Allowed::NotNegative),
    parameter("tau_w", 144.0, "ms", Allowed::Positive),
    parameter("v_thresh", -50.4, "mV", Allowed::Any),
    E_REV_E,
    tau_syn_e(5.0),
    parameter("e_rev_I", -80.0, "mV", Allowed::Any),
    tau_syn_i(5.0),
];
const EIF_STATE: &[StateVariable] =
    &[V, starts_at_zero("w", "nA"), starts_at_zero("gsyn_exc", "uS"), starts_at_zero("gsyn_inh", "uS")];

pub(super) static CATALOGUE: [Entry; 16] = [
    Entry {
        name: "IF_curr_exp",
        cell: Some(Cell::IfCurrExp),
        parameters: &[V_REST, CM, TAU_M, TAU_REFRAC, tau_syn_e(5.0), tau_syn_i(5.0), I_OFFSET, V_RESET, V_THRESH],
        state: CURRENTS,
        conductance_based: false,
        weight_unit: "nA",
    },
    Entry {
        name: "IF_curr_alpha",
        cell: Some(Cell::IfCurrAlpha),
        parameters: &[V_REST, CM, TAU_M, TAU_REFRAC, tau_syn_e(0.5), tau_syn_i(0.5), I_OFFSET, V_RESET, V_THRESH],
        state: CURRENTS,
        conductance_based: false,
        weight_unit: "nA",
    },
    Entry {
        name: "IF_curr_delta",
        cell: Some(Cell::IfCurrDelta),
        parameters: &[V_REST, CM, TAU_M, TAU_REFRAC, I_OFFSET, V_RESET, V_THRESH],
        state: &[V],
        conductance_based: false,
        weight_unit: "mV",
    },
    Entry {
        name: "IF_cond_exp",
        cell: Some(Cell::IfCondExp),
        parameters: &[
            V_REST,
            CM,
            TAU_M,
            TAU_REFRAC,
            tau_syn_e(5.0),
            tau_syn_i(5.0),
            E_REV_E,
            E_REV_I,
            V_THRESH,
            V_RESET,
            I_OFFSET,
        ],
        state: CONDUCTANCES,
        conductance_based: true,
        weight_unit: "uS",
    },
    Entry {
        name: "IF_cond_alpha",
        cell: Some(Cell::IfCondAlpha),
        parameters: &[
            V_REST,
            CM,
            TAU_M,
            TAU_REFRAC,
            tau_syn_e(0.3),
            tau_syn_i(0.5),
            E_REV_E,
            E_REV_I,
            V_THRESH,
            V_RESET,
            I_OFFSET,
        ],
        state: CONDUCTANCES,
        conductance_based: true,
        weight_unit: "uS",
    },
    Entry {
        name: "IF_cond_exp_gsfa_grr",
        cell: Some(Cell::IfCondExpGsfaGrr),
        parameters: &[
            V_REST,
            CM,
            TAU_M,
            TAU_REFRAC,
            tau_syn_e(5.0),
            tau_syn_i(5.0),
            E_REV_E,
            E_REV_I,
            V_THRESH,
            V_RESET,
            I_OFFSET,
            parameter("tau_sfa", 100.0, "ms", Allowed::Positive),
            parameter("e_rev_sfa", -75.0, "mV", Allowed::Any),
            parameter("q_sfa", 15.0, "nS", Allowed::Any),
            parameter("tau_rr", 2.0, "ms", Allowed::Positive),
            parameter("e_rev_rr", -75.0, "mV", Allowed::Any),
            parameter("q_rr", 3000.0, "nS", Allowed::Any),
        ],
        state: &[
            V,
            starts_at_zero("g_r", "nS"),
            starts_at_zero("g_s", "nS"),
            starts_at_zero("gsyn_exc", "uS"),
            starts_at_zero("gsyn_inh", "uS"),
        ],
        conductance_based: true,
        weight_unit: "uS",
    },
    Entry {
        name: "IF_facets_hardware1",
        cell: Some(Cell::IfFacetsHardware1),
        parameters: &[
            parameter("g_leak", 40.0, "nS", Allowed::Positive),
            tau_syn_e(30.0),
            tau_syn_i(30.0),
            parameter("v_reset", -80.0, "mV", Allowed::Any),
            parameter("e_rev_I", -80.0, "mV", Allowed::Any),
            V_REST,
            parameter("v_thresh", -55.0, "mV", Allowed::Any),
        ],
        state: CONDUCTANCES,
        conductance_based: true,
        weight_unit: "uS",
    },
    Entry {
        name: "EIF_cond_exp_isfa_ista",
        cell: Some(Cell::EifCondExpIsfaIsta),
        parameters: EIF_PARAMETERS,
        state: EIF_STATE,
        conductance_based: true,
        weight_unit: "uS",
    },
    Entry {
        name: "EIF_cond_alpha_isfa_ista",
        cell: Some(Cell::EifCondAlphaIsfaIsta),
        parameters: EIF_PARAMETERS,
        state: EIF_STATE,
        conductance_based: true,
        weight_unit: "uS",
    },
    Entry {
        name: "HH_cond_exp",
        cell: Some(Cell::HhCondExp),
        parameters: &[
            parameter("gbar_Na", 20.0, "uS", Allowed::NotNegative),
            parameter("gbar_K", 6.0, "uS", Allowed::NotNegative),
            parameter("g_leak", 0.01, "uS", Allowed::NotNegative),
            parameter("cm", 0.2, "nF", Allowed::Positive),
            parameter("v_offset", -63.0, "mV", Allowed::Any),
            parameter("e_rev_Na", 50.0, "mV", Allowed::Any),
            parameter("e_rev_K", -90.0, "mV", Allowed::Any),
            parameter("e_rev_leak", -65.0, "mV", Allowed::Any),
            E_REV_E,
            parameter("e_rev_I", -80.0, "mV", Allowed::Any),
            tau_syn_e(0.2),
            tau_syn_i(2.0),
            I_OFFSET,
        ],
        state: &[
            StateVariable { name: "v", start: Start::Parameter("e_rev_leak"), unit: "mV" },
            starts_at_zero("gsyn_exc", "uS"),
            starts_at_zero("gsyn_inh", "uS"),
            StateVariable { name: "h", start: Start::Number(1.0), unit: "" },
            starts_at_zero("m", ""),
            starts_at_zero("n", ""),
        ],
        conductance_based: true,
        weight_unit: "uS",
    },
    Entry {
        name: "Izhikevich",
        cell: Some(Cell::Izhikevich),
        parameters: &[
            parameter("a", 0.02, "/ms", Allowed::Any),
            parameter("b", 0.2, "/ms", Allowed::Any),
            parameter("c", -65.0, "mV", Allowed::Below(30.0)),
            parameter("d", 2.0, "mV/ms", Allowed::Any),
            I_OFFSET,
        ],
        state: &[
            StateVariable { name: "v", start: Start::Number(-70.0), unit: "mV" },
            StateVariable { name: "u", start: Start::Number(-14.0), unit: "mV/ms" },
        ],
        conductance_based: false,
        weight_unit: "mV",
    },
    Entry {
        name: "SpikeSourceArray",
        cell: None,
        parameters: &[Parameter { name: "spike_times", default: None, unit: "ms", allowed: Allowed::Times }],
        state: &[],
        conductance_based: false,
        weight_unit: "",
    },
    Entry {
        name: "SpikeSourcePoisson",
        cell: None,
        parameters: &[
            parameter("rate", 1.0, "Hz", Allowed::NotNegative),
            parameter("start", 0.0, "ms", Allowed::NotNegative),
            parameter("duration", 1e10, "ms", Allowed::NotNegative),
        ],
        state: &[],
        conductance_based: false,
        weight_unit: "",
    },
    Entry {
        name: "SpikeSourcePoissonRefractory",
        cell: None,
        parameters: &[
            parameter("rate", 1.0, "Hz", Allowed::NotNegative),
            parameter("tau_refrac", 0.0, "ms", Allowed::NotNegative),
            parameter("start", 0.0, "ms", Allowed::NotNegative),
            parameter("duration", 1e10, "ms", Allowed::NotNegative),
        ],
        state: &[],
        conductance_based: false,
        weight_unit: "",
    },
    Entry {
        name: "SpikeSourceGamma",
        cell: None,
        parameters: &[
            parameter("alpha", 2.0, "", Allowed::Positive),
            parameter("beta", 1.0, "Hz", Allowed::NotNegative),
            parameter("start", 0.0, "ms", Allowed::NotNegative),
            parameter("duration", 1e10, "ms", Allowed::NotNegative),
        ],
        state: &[],
        conductance_based: false,
        weight_unit: "",
    },
    Entry {
        name: "SpikeSourceInhGamma",
        cell: None,
        parameters: &[
            Parameter { name: "a", default: None, unit: "", allowed: Allowed::Positive },
            Parameter { name: "b", default: None, unit: "s", allowed: Allowed::Positive },
            Parameter { name: "tbins", default: None, unit: "ms", allowed: Allowed::NotNegative },
            parameter("start", 0.0, "ms", Allowed::NotNegative),
            parameter("duration", 1e10, "ms", Allowed::NotNegative),
        ],
        state: &[],
        conductance_based: false,
        weight_unit: "",
    },
];
