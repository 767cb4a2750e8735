//! Values that are the same for all, drawn, or listed.

use serde::{Deserialize, Serialize};

/// A parameter: the same for all neurons, or drawn for each.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Value {
    /// The same for all.
    Constant(f64),
    /// Drawn from a distribution, by (seed, owner's name, parameter's name, index).
    Random(Distribution),
    /// One for each neuron.
    List(Vec<f64>),
}

/// PyNN's random distributions, with PyNN's parameter names.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Distribution {
    /// Uniform in `[low, high)`.
    Uniform {
        /// Lower bound.
        low: f64,
        /// Upper bound.
        high: f64,
    },
    /// Normal.
    Normal {
        /// Mean.
        mu: f64,
        /// Standard deviation.
        sigma: f64,
    },
    /// Normal, drawn again until the value lies within `[low, high]`.
    NormalClipped {
        /// Mean.
        mu: f64,
        /// Standard deviation.
        sigma: f64,
        /// Lower bound.
        low: f64,
        /// Upper bound.
        high: f64,
    },
    /// Normal, values outside `[low, high]` set to the bound.
    NormalClippedToBoundary {
        /// Mean.
        mu: f64,
        /// Standard deviation.
        sigma: f64,
        /// Lower bound.
        low: f64,
        /// Upper bound.
        high: f64,
    },
    /// Log-normal: exp of a normal with `mu` and `sigma`.
    Lognormal {
        /// Mean of the logarithm.
        mu: f64,
        /// Standard deviation of the logarithm.
        sigma: f64,
    },
    /// Exponential with mean `beta`.
    Exponential {
        /// Mean.
        beta: f64,
    },
    /// Gamma with shape `k` and scale `theta`.
    Gamma {
        /// Shape.
        k: f64,
        /// Scale.
        theta: f64,
    },
}

impl Distribution {
    /// The values between which every draw lies. Distributions without bounds are cut where a draw beyond would
    /// occur less than once in 10^20: ten standard deviations of a normal, fifty means of an exponential. Draws are
    /// held to these bounds.
    pub fn bounds(&self) -> (f64, f64) {
        match *self {
            Distribution::Uniform { low, high } => (low, high),
            Distribution::Normal { mu, sigma } => (mu - 10.0 * sigma, mu + 10.0 * sigma),
            Distribution::NormalClipped { mu, sigma, low, high } => {
                (low.max(mu - 10.0 * sigma), high.min(mu + 10.0 * sigma))
            }
            Distribution::NormalClippedToBoundary { mu, sigma, low, high } => {
                let hold = |value: f64| value.max(low).min(high);
                (hold(mu - 10.0 * sigma), hold(mu + 10.0 * sigma))
            }
            Distribution::Lognormal { mu, sigma } => ((mu - 10.0 * sigma).exp(), (mu + 10.0 * sigma).exp()),
            Distribution::Exponential { beta } => (0.0, 50.0 * beta),
            Distribution::Gamma { k, theta } => (0.0, theta * (k + 50.0 + 10.0 * k.sqrt())),
        }
    }
}
