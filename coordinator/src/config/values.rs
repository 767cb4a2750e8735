//! Values that may differ between neurons or synapses: constants, distributions, lists.

use couple_network::description::{Delay, Distribution, Value};

use super::diagnostic::{Diagnostic, Place};
use super::keys::DISTRIBUTIONS;
use super::nearest::nearest_key;
use super::reader::{Fields, Reader};
use super::tree::{Kind, Node};
use super::units::{self, Dimension};

/// How long a list must be here, and what it has one value for.
#[derive(Clone, Copy)]
pub(super) enum Length {
    /// Exactly so many, one for each of these.
    Exactly(usize, &'static str),
    /// The number is not known because of another mistake.
    Unknown,
    /// No list is possible here, with the reason.
    No(&'static str),
}

impl Reader {
    /// A value for each neuron or synapse.
    pub fn value(&mut self, node: &Node, dimension: Dimension, length: Length) -> Option<Value> {
        match &node.kind {
            Kind::Table(_) => self.distribution(node, dimension).map(Value::Random),
            Kind::Array(items) => {
                self.check_length(node, items.len(), length)?;
                // The first wrong one is enough: the others are likely wrong for the same reason.
                items.iter().map(|n| self.number(n, dimension)).collect::<Option<_>>().map(Value::List)
            }
            _ => self.number(node, dimension).map(Value::Constant),
        }
    }

    /// A finite number in `unit`, as [`units::canonical`] writes it: plain, or a string with its unit.
    pub fn number_in(&mut self, node: &Node, unit: &str) -> Option<f64> {
        if let Some(dimension) = units::own_dimension(unit) {
            return self.number(node, dimension);
        }
        // Units that nothing is converted into: the number itself, with the same word behind it or none.
        if let Kind::String(text) = &node.kind {
            let (number, found) = units::split(text.trim());
            let value: Option<f64> = number.parse().ok().filter(|x: &f64| x.is_finite());
            if let Some(value) = value.filter(|_| units::canonical(found).as_deref() == Some(unit)) {
                return Some(value);
            }
        }
        self.number(node, Dimension::None)
    }

    /// A number in `unit` for each column of a signal, or one for all.
    pub fn sample(&mut self, node: &Node, unit: &str, width: u32) -> Option<Value> {
        match &node.kind {
            Kind::Table(_) => {
                self.wrong_type(node, "a number or a list of numbers", "write a number, or one for each neuron");
                None
            }
            Kind::Array(items) => {
                self.check_length(node, items.len(), Length::Exactly(width as usize, "neurons"))?;
                items.iter().map(|n| self.number_in(n, unit)).collect::<Option<_>>().map(Value::List)
            }
            _ => self.number_in(node, unit).map(Value::Constant),
        }
    }

    /// A delay, not yet held against any step.
    pub fn delay(&mut self, node: &Node, length: Length) -> Option<Delay> {
        match &node.kind {
            Kind::Table(_) => self.distribution(node, Dimension::Time).map(Delay::Random),
            Kind::Array(items) => {
                self.check_length(node, items.len(), length)?;
                items.iter().map(|n| self.time(n)).collect::<Option<_>>().map(Delay::List)
            }
            _ => self.time(node).map(Delay::Constant),
        }
    }

    /// Warns of a bare number that is likely in NEST's unit, which is a thousand times smaller than PyNN's.
    pub fn check_magnitude(&mut self, node: &Node, dimension: Dimension) {
        let number = match node.kind {
            Kind::Integer(number) => number as f64,
            Kind::Float(number) => number,
            _ => return,
        };
        let (likely, unit, nest) = match dimension {
            Dimension::Capacitance => (10.0, "nF", "pF"),
            Dimension::Current => (20.0, "nA", "pA"),
            Dimension::Conductance => (2.0, "µS", "nS"),
            _ => return,
        };
        if number.abs() > likely {
            self.note(
                Diagnostic::warning("unlikely", &node.place, format!("{number} {unit} is a lot for a neuron"))
                    .label(format!("in {unit}"))
                    .help(format!(
                        "if it is in {nest}, as NEST has it, write \"{number} {nest}\"; otherwise \"{number} {unit}\""
                    )),
            );
        }
    }

    fn check_length(&mut self, node: &Node, found: usize, length: Length) -> Option<()> {
        let diagnostic = match length {
            Length::Unknown => return None,
            Length::Exactly(n, _) if n == found => return Some(()),
            Length::Exactly(n, each) => Diagnostic::error(
                "wrong-length",
                &node.place,
                format!("this list has {found} values, but there are {n} {each}"),
            )
            .label(format!("{found} values"))
            .help(format!("give {n} values, one for each of the {each}, or a single number for all")),
            Length::No(reason) => Diagnostic::error(
                "wrong-type",
                &node.place,
                format!("no list is possible here: {reason}"),
            )
            .label("a list")
            .help("write a number or a distribution, for example { distribution = \"normal\", mu = 1.0, sigma = 0.1 }"),
        };
        self.note(diagnostic);
        None
    }

    fn distribution(&mut self, node: &Node, dimension: Dimension) -> Option<Distribution> {
        let table = node.table()?;
        let Some(kind) = table.get("distribution") else {
            let other =
                nearest_key(table, "distribution").map(|key| format!("write `distribution` instead of `{key}`"));
            let example = "a drawn value is for example { distribution = \"normal\", mu = 1.0, sigma = 0.1 }";
            self.note(
                Diagnostic::error("missing-key", &node.place, "this table has no `distribution`")
                    .label("`distribution` is missing")
                    .help(other.unwrap_or(example.to_string())),
            );
            return None;
        };
        let name = self.text(kind)?;
        let Some(section) = DISTRIBUTIONS.iter().find(|d| d.title == name) else {
            let known = DISTRIBUTIONS.iter().map(|d| d.title);
            self.unknown("unknown-distribution", &kind.place, ("distribution", "distributions"), name, known);
            return None;
        };
        let fields = self.open(node, &node.place, section)?;
        let distribution = self.distribution_parameters(name, &fields, dimension)?;
        self.check_distribution(&distribution, |key| fields.place_of(key)).then_some(distribution)
    }

    /// The distribution called `name`, not yet checked.
    fn distribution_parameters(
        &mut self,
        name: &str,
        fields: &Fields<'_>,
        dimension: Dimension,
    ) -> Option<Distribution> {
        let of = |key: &str| match (name, key) {
            // The parameters of a log-normal are those of the logarithm; the shape of a gamma has no unit.
            ("lognormal", _) | ("gamma", "k") => Dimension::None,
            _ => dimension,
        };
        let mut two = |first: &str, second: &str| {
            let mut number = |key: &str| self.number(fields.get(key)?, of(key));
            // Both are read before either is missed, so that mistakes in both are told.
            let (first, second) = (number(first), number(second));
            Some((first?, second?))
        };
        Some(match name {
            "uniform" => {
                let (low, high) = two("low", "high")?;
                Distribution::Uniform { low, high }
            }
            "exponential" => Distribution::Exponential { beta: self.number(fields.get("beta")?, dimension)? },
            "gamma" => {
                let (k, theta) = two("k", "theta")?;
                Distribution::Gamma { k, theta }
            }
            "normal" => {
                let (mu, sigma) = two("mu", "sigma")?;
                Distribution::Normal { mu, sigma }
            }
            "lognormal" => {
                let (mu, sigma) = two("mu", "sigma")?;
                Distribution::Lognormal { mu, sigma }
            }
            _ => {
                let both = two("mu", "sigma");
                let low = self.bound(fields.get("low"), dimension, f64::NEG_INFINITY);
                let high = self.bound(fields.get("high"), dimension, f64::INFINITY);
                let ((mu, sigma), low, high) = (both?, low?, high?);
                match name {
                    "normal_clipped" => Distribution::NormalClipped { mu, sigma, low, high },
                    _ => Distribution::NormalClippedToBoundary { mu, sigma, low, high },
                }
            }
        })
    }

    /// A bound of a clipped distribution: may be left out, or infinite.
    fn bound(&mut self, node: Option<&Node>, dimension: Dimension, default: f64) -> Option<f64> {
        let Some(node) = node else { return Some(default) };
        let value = self.number_or_infinite(node, dimension)?;
        if value.is_nan() {
            self.note(
                Diagnostic::error("out-of-range", &node.place, "a bound is a number")
                    .label("not a number")
                    .help("leave the bound out if there is none"),
            );
            return None;
        }
        Some(value)
    }

    fn check_distribution<'a>(&mut self, distribution: &Distribution, place: impl Fn(&str) -> &'a Place) -> bool {
        use couple_network::random::DistributionError as Wrong;
        let Err(error) = distribution.validate() else { return true };
        let (key, help) = match &error {
            Wrong::NotFinite { parameter, .. } => (*parameter, "choose smaller parameters".to_string()),
            Wrong::OutOfRange { parameter, must_be, .. } => (*parameter, format!("`{parameter}` must be {must_be}")),
            Wrong::EmptyInterval { .. } => ("high", "exchange `low` and `high`".to_string()),
            Wrong::NoMass { mu, low, .. } => (
                if low > mu { "low" } else { "high" },
                "move mu into the interval; normal_clipped_to_boundary sets values outside to the bound".to_string(),
            ),
        };
        self.note(
            Diagnostic::error(
                "out-of-range",
                place(key),
                format!("nothing can be drawn from this distribution: {error}"),
            )
            .label("impossible")
            .help(help),
        );
        false
    }
}
