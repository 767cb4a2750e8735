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
    pub shape: Shape,
    /// What it means, in a sentence.
    pub doc: &'static str,
}

/// What can be written for a key.
#[derive(Clone, Copy)]
pub(super) enum Shape {
    Text,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A string or a list of strings.
    Texts,
    /// A list of strings.
    List,
    Flag,
    Whole,
    Number,
    Time,
    /// A number, a distribution or a list.
    Value,
    /// Names with any of the kinds of values.
    Settings,
    /// Names with units.
    Units,
    /// Names with numbers.
    Numbers,
    /// Names with lists of numbers.
    Lists,
    /// Names with lists of lists of numbers.
    Matrices,
    /// A list of lists of numbers.
    Matrix,
    /// Pairs of indices.
    Pairs,
    /// A table.
    One(&'static Section),
    /// Tables by name.
    Named(&'static Section),
    /// A list of tables.
    Many(&'static Section),
    /// One of these tables, told apart by the word under this key.
    Kinds(&'static str, &'static [Section]),
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

const fn must(name: &'static str, shape: Shape, example: &'static str, doc: &'static str) -> Key {
    Key { name, required: true, example, shape, doc }
}

const fn may(name: &'static str, shape: Shape, example: &'static str, doc: &'static str) -> Key {
    Key { name, required: false, example, shape, doc }
}

const fn section(title: &'static str, keys: &'static [Key]) -> Section {
    Section { what: "", title, keys }
}

/// The whole file.
pub(super) static ROOT: Section = section(
    "the configuration",
    &[
        must("run", Shape::One(&RUN), "[run]", "The run as a whole."),
        may("parameters", Shape::Numbers, "[parameters]", "Named numbers for use in expressions."),
        must("component", Shape::Named(&COMPONENT), "[component.NAME]", "The simulators taking part."),
        may("cell", Shape::Named(&CELL), "[cell.NAME]", "Sets of cell parameters that populations share."),
        must("population", Shape::Named(&POPULATION), "[population.NAME]", "Neurons, and ports of programs."),
        may("projection", Shape::Many(&PROJECTION), "[[projection]]", "Synapses between populations."),
        may(
            "connection",
            Shape::Many(&CONNECTION),
            "[[connection]]",
            "Spikes, signals or messages handed over as they are.",
        ),
        may("record", Shape::Many(&RECORD), "[[record]]", "What is recorded."),
    ],
);

pub(super) static RUN: Section = section(
    "[run]",
    &[
        may("name", Shape::Text, "\"my-run\"", "Name of the run; default: the name of the file."),
        must("duration", Shape::Time, "\"1 s\"", "Simulated time."),
        may("seed", Shape::Whole, "1234", "Seed of all random numbers; default 1."),
        may("stall_limit", Shape::Time, "\"10 s\"", "Wall time without progress after which the run is ended."),
        may("connect_timeout", Shape::Time, "\"60 s\"", "Wall time that components have to start."),
        may("window", Shape::Time, "\"1 ms\"", "Time between exchanges; default: the planner's choice."),
        may("directory", Shape::Text, "\".\"", "Where relative paths start; default: the folder of the file."),
    ],
);

pub(super) static COMPONENT: Section = section(
    "this component",
    &[
        must("simulator", Shape::Word(&SIMULATORS), "\"native\"", "Which simulator."),
        may("step", Shape::Time, "\"0.1 ms\"", "Integration step; default 0.1 ms."),
        may("ranks", Shape::Whole, "1", "Processes; default 1."),
        may("threads", Shape::Whole, "1", "Threads of each process; default 1."),
        may(
            "script",
            Shape::Text,
            "\"model.py\"",
            "A model of your own: a script for nest, neuron, brian2 or arbor; with script: a program in Python.",
        ),
        may(
            "command",
            Shape::List,
            "[\"python3\", \"robot.py\"]",
            "With script: a program in any language, and its arguments.",
        ),
        may(
            "python",
            Shape::Text,
            "\"/usr/bin/python3\"",
            "This interpreter instead of the managed one; with script, instead of python3.",
        ),
        may("cvode", Shape::One(&CVODE), "{ atol = 1e-6 }", "With neuron: integration with a variable step."),
    ],
);

pub(super) static CVODE: Section = section(
    "`cvode`",
    &[
        may("atol", Shape::Number, "1e-6", "Absolute tolerance of each state variable; default 1e-6."),
        may(
            "condition_order",
            Shape::Whole,
            "2",
            "1: thresholds at the end of an integrator's step; default 2: within.",
        ),
    ],
);

pub(super) static CELL: Section = section(
    "this cell",
    &[
        must("type", Shape::Text, "\"IF_curr_exp\"", "One of PyNN's standard cells or spike sources."),
        may("params", Shape::Settings, "{ tau_m = 10.0 }", "Parameters, by PyNN's names; PyNN's defaults for others."),
        may("initial", Shape::Settings, "{ v = -65.0 }", "Initial values of state variables."),
    ],
);

pub(super) static POPULATION: Section = section(
    "this population",
    &[
        must("component", Shape::Text, "\"NAME\"", "Where it lives."),
        must("size", Shape::Whole, "100", "Number of neurons."),
        may("cell", Shape::Text, "\"IF_curr_exp\"", "A standard cell or a [cell.NAME]; without one this is a port."),
        may("params", Shape::Settings, "{ tau_m = 10.0 }", "Parameters; they go before those of a [cell.NAME]."),
        may("initial", Shape::Settings, "{ v = -65.0 }", "Initial values of state variables."),
        may(
            "variables",
            Shape::Units,
            "{ dend = \"mV\" }",
            "Without a cell: the signals that the port gives and takes, with their units, or \"message\".",
        ),
        may(
            "converter",
            Shape::Kinds("type", &CONVERTERS),
            "{ type = \"rate_to_poisson\" }",
            "With a component of simulator converter: what makes signals or spikes of others.",
        ),
    ],
);

const fn converter(title: &'static str, keys: &'static [Key]) -> Section {
    Section { what: "the converter ", title, keys }
}

/// Converters by name.
pub(super) static CONVERTERS: [Section; 5] = [
    converter("rate_to_poisson", &[CONVERTER]),
    converter(
        "spikes_to_rate",
        &[
            CONVERTER,
            must("kernel", Shape::Word(&KERNELS), "\"exponential\"", "How past spikes make a rate."),
            may("tau", Shape::Time, "\"50 ms\"", "With exponential: its time constant."),
            may("width", Shape::Time, "\"100 ms\"", "With window: its length, a multiple of the step."),
        ],
    ),
    converter(
        "threshold",
        &[
            CONVERTER,
            must("threshold", Shape::Number, "-50.0", "A spike when `x` reaches it from below."),
            must("unit", Shape::Text, "\"mV\"", "Unit of `x` and of the threshold."),
        ],
    ),
    converter(
        "linear",
        &[
            CONVERTER,
            may(
                "matrix",
                Shape::Matrix,
                "[[1.0, 0.0], [0.0, 1.0]]",
                "A row for each neuron, a column for each of `x`.",
            ),
            may("file", Shape::Text, "\"matrix.csv\"", "The matrix, in a file with a line for each row."),
            UNIT_IN,
            UNIT_OUT,
        ],
    ),
    converter(
        "gain",
        &[
            CONVERTER,
            must("gain", Shape::Number, "2.0", "Factor: `y = gain * x + offset`."),
            may("offset", Shape::Number, "0.0", "Added, in the unit of `y`; default 0."),
            UNIT_IN,
            UNIT_OUT,
        ],
    ),
];
const CONVERTER: Key = must("type", Shape::Text, "\"gain\"", "Which converter.");
const UNIT_IN: Key = must("unit_in", Shape::Text, "\"mV\"", "Unit of `x`.");
const UNIT_OUT: Key = must("unit_out", Shape::Text, "\"nA\"", "Unit of `y`.");
/// How past spikes make a rate.
pub(super) static KERNELS: [&str; 2] = ["exponential", "window"];

pub(super) static PROJECTION: Section = section(
    "this projection",
    &[
        may(
            "name",
            Shape::Text,
            "\"E to I\"",
            "Its name, by which random numbers are drawn; default: made of the populations.",
        ),
        must("from", Shape::Texts, "\"NAME\"", "Presynaptic population, or several."),
        must("to", Shape::Texts, "\"NAME\"", "Postsynaptic population, or several."),
        may(
            "pair",
            Shape::Word(&PAIRINGS),
            "\"matching\"",
            "Each of `from` with each of `to`, or first with first and so on.",
        ),
        may("per_source", Shape::Lists, "{ w = [1, 2] }", "Numbers for expressions, one for each of `from`."),
        may("per_target", Shape::Lists, "{ n = [1, 2] }", "Numbers for expressions, one for each of `to`."),
        may(
            "per_pair",
            Shape::Matrices,
            "{ p = [[0.1, 0.2], [0.3, 0.4]] }",
            "Numbers for expressions: a row for each of `to`, a column for each of `from`.",
        ),
        must(
            "connector",
            Shape::Kinds("type", &CONNECTORS),
            "{ type = \"FixedProbability\", p = 0.1 }",
            "Which pairs of neurons are connected.",
        ),
        must(
            "synapse",
            Shape::Kinds("type", &SYNAPSES),
            "{ weight = 0.1, delay = \"1.5 ms\" }",
            "What the synapses are; without a type, static ones.",
        ),
        may("receptor", Shape::Word(&RECEPTORS), "\"excitatory\"", "Where they act; default excitatory."),
    ],
);

/// A synapse without a `type`.
pub(super) static SYNAPSE: Section = section("`synapse`", STATIC);
const STATIC: &[Key] =
    &[may("type", Shape::Text, "\"StaticSynapse\"", "Which synapse; default static."), WEIGHT, DELAY];
const SYNAPSE_TYPE: Key = must("type", Shape::Text, "\"STDPMechanism\"", "Which synapse.");
const WEIGHT: Key =
    must("weight", Shape::Value, "0.1", "In nA, mV (IF_curr_delta, Izhikevich) or µS (cells with conductances).");
const DELAY: Key =
    must("delay", Shape::Value, "\"1.5 ms\"", "A multiple of the target's step; drawn delays are rounded to it.");

const fn synapse(title: &'static str, keys: &'static [Key]) -> Section {
    Section { what: "", title, keys }
}

/// Synapses by name.
pub(super) static SYNAPSES: [Section; 3] = [
    synapse("StaticSynapse", STATIC),
    synapse(
        "TsodyksMarkramSynapse",
        &[
            SYNAPSE_TYPE,
            WEIGHT,
            DELAY,
            may("U", Shape::Number, "0.5", "Part of the resources that the first spike uses; default 0.5."),
            may("tau_rec", Shape::Number, "100.0", "Time constant of recovery; default 100 ms."),
            may("tau_facil", Shape::Number, "0.0", "Time constant of facilitation; default 0, none."),
        ],
    ),
    synapse(
        "STDPMechanism",
        &[
            SYNAPSE_TYPE,
            WEIGHT,
            DELAY,
            must("timing", Shape::One(&TIMING), "{ tau_plus = 20.0, tau_minus = 20.0 }", "The SpikePairRule."),
            must(
                "weight_dependence",
                Shape::Kinds("type", &WEIGHT_DEPENDENCES),
                "{ type = \"Additive\", w_max = 0.2 }",
                "How changes depend on the weight.",
            ),
            may("dendritic_delay_fraction", Shape::Number, "1", "Only 1: delays are dendritic."),
        ],
    ),
];

/// PyNN's SpikePairRule.
pub(super) static TIMING: Section = section(
    "`timing`",
    &[
        may("type", Shape::Word(&["SpikePairRule"]), "\"SpikePairRule\"", "All pairs of spikes."),
        may("tau_plus", Shape::Number, "20.0", "Time constant of potentiation; default 20 ms."),
        may("tau_minus", Shape::Number, "20.0", "Time constant of depression; default 20 ms."),
        may("A_plus", Shape::Number, "0.01", "Largest potentiation by a pair, as a part of w_max; default 0.01."),
        may("A_minus", Shape::Number, "0.01", "Largest depression by a pair, as a part of w_max; default 0.01."),
    ],
);

/// Weight dependences by name.
pub(super) static WEIGHT_DEPENDENCES: [Section; 4] = [
    synapse("Additive", &[DEPENDENCE, W_MIN, W_MAX]),
    synapse("Multiplicative", &[DEPENDENCE, W_MIN, W_MAX]),
    synapse("AdditivePotentiationMultiplicativeDepression", &[DEPENDENCE, W_MIN, W_MAX]),
    synapse(
        "Gutig",
        &[
            DEPENDENCE,
            W_MIN,
            W_MAX,
            may("mu_plus", Shape::Number, "0.5", "Exponent of potentiation; default 0.5."),
            may("mu_minus", Shape::Number, "0.5", "Exponent of depression; default 0.5."),
        ],
    ),
];
const DEPENDENCE: Key = must("type", Shape::Text, "\"Additive\"", "Which weight dependence.");
const W_MIN: Key = may("w_min", Shape::Number, "0.0", "The weight nearest to zero; default 0.");
const W_MAX: Key = must("w_max", Shape::Number, "0.2", "The weight farthest from zero, negative where weights are.");

pub(super) static CONNECTION: Section = section(
    "this connection",
    &[
        must("from", Shape::Text, "\"NAME\"", "The sending population, or NAME.VARIABLE."),
        must("to", Shape::Text, "\"NAME\"", "A population of a program, or NAME.VARIABLE; as wide as the sender."),
        must("delay", Shape::Time, "\"1 ms\"", "Added to the time of each spike, sample or message."),
        may("interpolation", Shape::Word(&INTERPOLATIONS), "\"linear\"", "Of signals, between samples; default hold."),
        may(
            "initial",
            Shape::Value,
            "-65.0",
            "Of signals: the sample at time 0 and before; default: where the cell starts, else 0.",
        ),
    ],
);

pub(super) static RECORD: Section = section(
    "this record",
    &[
        must("population", Shape::Texts, "\"NAME\"", "The population, or several."),
        may("variables", Shape::Texts, "[\"spikes\"]", "What of it: spikes, or names of variables; default spikes."),
        may("interval", Shape::Time, "\"1 ms\"", "Time between samples; default one step."),
    ],
);

const fn connector(title: &'static str, keys: &'static [Key]) -> Section {
    Section { what: "the connector ", title, keys }
}

/// Connectors by name.
pub(super) static CONNECTORS: [Section; 7] = [
    connector("AllToAll", &[TYPE, SELF]),
    connector("OneToOne", &[TYPE]),
    connector("FixedProbability", &[TYPE, P, SELF]),
    connector("FixedTotalNumber", &[TYPE, N, REPLACE, SELF]),
    connector("FixedNumberPre", &[TYPE, N, REPLACE, SELF]),
    connector("FixedNumberPost", &[TYPE, N, REPLACE, SELF]),
    connector("FromList", &[TYPE, PAIRS]),
];
const TYPE: Key = must("type", Shape::Text, "\"FixedProbability\"", "Which connector.");
const SELF: Key = may("allow_self_connections", Shape::Flag, "false", "From a neuron to itself too; default true.");
const REPLACE: Key = may(
    "with_replacement",
    Shape::Flag,
    "false",
    "A pair may be chosen again; default true for FixedTotalNumber, false for the others.",
);
const P: Key = must("p", Shape::Number, "0.1", "Probability that a pair is connected.");
const N: Key =
    must("n", Shape::Whole, "100", "Number of synapses: in all, for each target (Pre) or for each source (Post).");
const PAIRS: Key =
    must("pairs", Shape::Pairs, "[[0, 0], [0, 1]]", "Index of the source and of the target of each synapse.");

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

const fn distribution(title: &'static str, keys: &'static [Key]) -> Section {
    Section { what: "the distribution ", title, keys }
}

/// Distributions by name.
pub(super) static DISTRIBUTIONS: [Section; 7] = [
    distribution(
        "uniform",
        &[DISTRIBUTION, must("low", QUANTITY, "0.0", "Lower bound."), must("high", QUANTITY, "1.0", "Upper bound.")],
    ),
    distribution("normal", &[DISTRIBUTION, MU, SIGMA]),
    distribution("normal_clipped", &[DISTRIBUTION, MU, SIGMA, LOW, HIGH]),
    distribution("normal_clipped_to_boundary", &[DISTRIBUTION, MU, SIGMA, LOW, HIGH]),
    distribution("lognormal", &[DISTRIBUTION, MU, SIGMA]),
    distribution("exponential", &[DISTRIBUTION, must("beta", QUANTITY, "1.0", "Mean.")]),
    distribution(
        "gamma",
        &[DISTRIBUTION, must("k", QUANTITY, "2.0", "Shape."), must("theta", QUANTITY, "1.0", "Scale.")],
    ),
];
/// A number; its unit depends on where the distribution stands.
const QUANTITY: Shape = Shape::Number;
const DISTRIBUTION: Key = must("distribution", Shape::Text, "\"normal\"", "Which distribution.");
const MU: Key = must("mu", QUANTITY, "1.0", "Mean (of the logarithm, for lognormal).");
const SIGMA: Key = must("sigma", QUANTITY, "0.1", "Standard deviation (of the logarithm, for lognormal).");
const LOW: Key = may("low", QUANTITY, "0.0", "Lower bound, if any.");
const HIGH: Key = may("high", QUANTITY, "1.0", "Upper bound, if any.");

/// Simulators that components will be able to be.
pub(super) const FUTURE_SIMULATORS: [&str; 2] = ["hardware", "music"];
/// Simulators that components can be.
pub(super) static SIMULATORS: [&str; 7] = ["native", "nest", "neuron", "brian2", "arbor", "converter", "script"];
/// What a signal is between two samples.
pub(super) static INTERPOLATIONS: [&str; 2] = ["hold", "linear"];
/// Receptors of a cell.
pub(super) static RECEPTORS: [&str; 2] = ["excitatory", "inhibitory"];
/// Which of `from` goes with which of `to`.
pub(super) static PAIRINGS: [&str; 2] = ["all", "matching"];

#[cfg(test)]
mod tests {
    use super::*;

    /// Calls `check` for each key of each table.
    fn each(section: &'static Section, check: &mut dyn FnMut(&Key)) {
        for key in section.keys {
            check(key);
            match key.shape {
                Shape::One(inner) | Shape::Named(inner) | Shape::Many(inner) => each(inner, check),
                Shape::Kinds(_, inner) => inner.iter().for_each(|i| each(i, check)),
                _ => {}
            }
        }
    }

    #[test]
    fn the_default_configuration_shows_every_key() {
        let text = crate::config::DEFAULT;
        let written = |name: &str| {
            let mut rest = text;
            while let Some(at) = rest.find(name) {
                let before = rest[..at].chars().next_back();
                rest = &rest[at + name.len()..];
                let starts = before.is_none_or(|c| matches!(c, ' ' | '\n' | '{' | '[' | '.'));
                let head_or_dotted = rest.starts_with([']', '.']);
                if starts && (head_or_dotted || rest.trim_start_matches(' ').starts_with('=')) {
                    return true;
                }
            }
            false
        };
        each(&ROOT, &mut |key| assert!(written(key.name), "configs/default.toml does not show `{}`", key.name));
        for section in &DISTRIBUTIONS {
            assert!(text.contains(&format!("\"{}\"", section.title)), "{}", section.title);
            section.keys.iter().for_each(|key| assert!(written(key.name), "{}: {}", section.title, key.name));
        }
        for section in CONNECTORS.iter().chain(&SYNAPSES).chain(&WEIGHT_DEPENDENCES).chain(&CONVERTERS) {
            assert!(text.contains(&format!("\"{}\"", section.title)), "{}", section.title);
        }
    }
}
