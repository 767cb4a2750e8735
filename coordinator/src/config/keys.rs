//! Every table of a configuration and every key in it: what may be written, and what the JSON schema says.

/// A kind of table.
pub(super) struct Section {
    /// How messages call it: this word and the title.
    pub what: &'static str,
    pub title: &'static str,
    /// Its keys.
    pub keys: &'static [Key],
}

/// A key of a table.
pub(super) struct Key {
    pub name: &'static str,
    pub required: bool,
    /// A value as it may be written.
    pub example: &'static str,
}

impl Section {
    pub fn key(&self, name: &str) -> Option<&Key> {
        self.keys.iter().find(|k| k.name == name)
    }
    /// The whole name.
    pub fn name(&self) -> String {
        format!("{}{}", self.what, self.title)
    }
    pub fn required(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.keys.iter().filter(|k| k.required).map(|k| k.name)
    }
}

const fn must(name: &'static str, example: &'static str) -> Key {
    Key { name, required: true, example }
}

const fn may(name: &'static str, example: &'static str) -> Key {
    Key { name, required: false, example }
}

macro_rules! section {
    ($(#[$doc:meta])* $name:ident, $title:expr, [$($key:expr),* $(,)?]) => {
        $(#[$doc])*
        pub(super) const $name: Section = Section { what: "", title: $title, keys: &[$($key),*] };
    };
}

section!(
    /// The whole file.
    ROOT,
    "the configuration",
    [
        must("run", "[run]"),
        may("parameters", "[parameters]"),
        must("component", "[component.NAME]"),
        may("cell", "[cell.NAME]"),
        must("population", "[population.NAME]"),
        may("projection", "[[projection]]"),
        may("connection", "[[connection]]"),
        may("record", "[[record]]"),
    ]
);
section!(
    RUN,
    "[run]",
    [
        may("name", "\"my-run\""),
        must("duration", "\"1 s\""),
        may("seed", "1234"),
        may("stall_limit", "\"10 s\""),
        may("connect_timeout", "\"30 s\""),
        may("window", "\"1 ms\""),
        may("directory", "\"/path/to/scripts\""),
    ]
);
section!(
    COMPONENT,
    "this component",
    [
        must("simulator", "\"native\""),
        may("step", "\"0.1 ms\""),
        may("ranks", "1"),
        may("threads", "1"),
        may("script", "\"model.py\""),
        may("command", "[\"python3\", \"robot.py\"]"),
        may("python", "\"/usr/bin/python3\""),
    ]
);
section!(
    CELL,
    "this cell",
    [must("type", "\"IF_curr_exp\""), may("params", "{ tau_m = 10.0 }"), may("initial", "{ v = -65.0 }")]
);
section!(
    POPULATION,
    "this population",
    [
        must("component", "\"NAME\""),
        must("size", "100"),
        may("cell", "\"IF_curr_exp\""),
        may("params", "{ tau_m = 10.0 }"),
        may("initial", "{ v = -65.0 }"),
    ]
);
section!(
    PROJECTION,
    "this projection",
    [
        may("name", "\"E to I\""),
        must("from", "\"NAME\""),
        must("to", "\"NAME\""),
        may("pair", "\"matching\""),
        may("per_source", "{ w = [1, 2] }"),
        may("per_target", "{ n = [1, 2] }"),
        may("per_pair", "{ p = [[0.1, 0.2], [0.3, 0.4]] }"),
        must("connector", "{ type = \"FixedProbability\", p = 0.1 }"),
        must("synapse", "{ weight = 0.1, delay = \"1.5 ms\" }"),
        may("receptor", "\"excitatory\""),
    ]
);
section!(SYNAPSE, "`synapse`", [must("weight", "0.1"), must("delay", "\"1.5 ms\"")]);
section!(CONNECTION, "this connection", [must("from", "\"NAME\""), must("to", "\"NAME\""), must("delay", "\"1 ms\"")]);
section!(RECORD, "this record", [must("population", "\"NAME\""), may("variables", "[\"spikes\"]")]);

/// Connectors by name, with the keys beside `type`.
pub(super) const CONNECTORS: [Section; 7] = [
    Section { what: "the connector ", title: "AllToAll", keys: &[TYPE, SELF] },
    Section { what: "the connector ", title: "OneToOne", keys: &[TYPE] },
    Section { what: "the connector ", title: "FixedProbability", keys: &[TYPE, must("p", "0.1"), SELF] },
    Section { what: "the connector ", title: "FixedTotalNumber", keys: &[TYPE, must("n", "1000"), REPLACE, SELF] },
    Section { what: "the connector ", title: "FixedNumberPre", keys: &[TYPE, must("n", "100"), REPLACE, SELF] },
    Section { what: "the connector ", title: "FixedNumberPost", keys: &[TYPE, must("n", "100"), REPLACE, SELF] },
    Section { what: "the connector ", title: "FromList", keys: &[TYPE, must("pairs", "[[0, 0], [0, 1]]")] },
];
const TYPE: Key = must("type", "\"FixedProbability\"");
const SELF: Key = may("allow_self_connections", "false");
const REPLACE: Key = may("with_replacement", "false");

/// PyNN's other connectors: known, not offered.
pub(super) const OTHER_CONNECTORS: [&str; 9] = [
    "DistanceDependentProbability",
    "IndexBasedProbability",
    "DisplacementDependentProbability",
    "FromFile",
    "SmallWorld",
    "CSA",
    "Clone",
    "Array",
    "Map",
];

/// Distributions by name, with the keys beside `distribution`.
pub(super) const DISTRIBUTIONS: [Section; 7] = [
    Section {
        what: "the distribution ",
        title: "uniform",
        keys: &[DISTRIBUTION, must("low", "0.0"), must("high", "1.0")],
    },
    Section { what: "the distribution ", title: "normal", keys: &[DISTRIBUTION, MU, SIGMA] },
    Section { what: "the distribution ", title: "normal_clipped", keys: &[DISTRIBUTION, MU, SIGMA, LOW, HIGH] },
    Section {
        what: "the distribution ",
        title: "normal_clipped_to_boundary",
        keys: &[DISTRIBUTION, MU, SIGMA, LOW, HIGH],
    },
    Section { what: "the distribution ", title: "lognormal", keys: &[DISTRIBUTION, MU, SIGMA] },
    Section { what: "the distribution ", title: "exponential", keys: &[DISTRIBUTION, must("beta", "1.0")] },
    Section {
        what: "the distribution ",
        title: "gamma",
        keys: &[DISTRIBUTION, must("k", "2.0"), must("theta", "1.0")],
    },
];
const DISTRIBUTION: Key = must("distribution", "\"normal\"");
const MU: Key = must("mu", "1.0");
const SIGMA: Key = must("sigma", "0.1");
const LOW: Key = may("low", "0.0");
const HIGH: Key = may("high", "1.0");

/// Simulators that components will be able to be.
pub(super) const FUTURE_SIMULATORS: [&str; 5] = ["neuron", "brian2", "arbor", "hardware", "music"];
/// Simulators that components can be.
pub(super) const SIMULATORS: [&str; 3] = ["native", "nest", "script"];
