//! Draws from the distributions of a description.

use super::normal::normal_quantiles;
use super::{Stream, normal_cdf};
use crate::description::Distribution;

/// What is wrong with a distribution.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum DistributionError {
    /// A parameter is infinite or not a number.
    #[error("{parameter} is {value}, but must be a finite number")]
    NotFinite {
        /// The parameter's name.
        parameter: &'static str,
        /// Its value.
        value: f64,
    },
    /// A spread, mean, shape or scale that must not be negative is negative (or zero, for shape and scale).
    #[error("{parameter} is {value}, but must be {must_be}")]
    OutOfRange {
        /// The parameter's name.
        parameter: &'static str,
        /// Its value.
        value: f64,
        /// What is allowed.
        must_be: &'static str,
    },
    /// `low` lies above `high`.
    #[error("low is {low} and high is {high}, but low must not lie above high")]
    EmptyInterval {
        /// Lower bound.
        low: f64,
        /// Upper bound.
        high: f64,
    },
    /// The interval lies where the normal distribution has no mass.
    #[error(
        "the interval from {low} to {high} lies more than ten standard deviations ({sigma}) from the mean {mu}; \
         no draw would ever fall into it"
    )]
    NoMass {
        /// Mean.
        mu: f64,
        /// Standard deviation.
        sigma: f64,
        /// Lower bound.
        low: f64,
        /// Upper bound.
        high: f64,
    },
}

fn finite(parameter: &'static str, value: f64) -> Result<(), DistributionError> {
    if value.is_finite() { Ok(()) } else { Err(DistributionError::NotFinite { parameter, value }) }
}

fn not_negative(parameter: &'static str, value: f64) -> Result<(), DistributionError> {
    finite(parameter, value)?;
    if value >= 0.0 { Ok(()) } else { Err(DistributionError::OutOfRange { parameter, value, must_be: "zero or more" }) }
}

fn positive(parameter: &'static str, value: f64) -> Result<(), DistributionError> {
    finite(parameter, value)?;
    if value > 0.0 { Ok(()) } else { Err(DistributionError::OutOfRange { parameter, value, must_be: "above zero" }) }
}

impl Distribution {
    /// Whether the parameters make a distribution that can be drawn from.
    pub fn validate(&self) -> Result<(), DistributionError> {
        match *self {
            Distribution::Uniform { low, high } => {
                finite("low", low)?;
                finite("high", high)?;
                if low > high { Err(DistributionError::EmptyInterval { low, high }) } else { Ok(()) }
            }
            Distribution::Normal { mu, sigma } => finite("mu", mu).and(not_negative("sigma", sigma)),
            Distribution::NormalClipped { mu, sigma, low, high } => {
                validate_interval(mu, sigma, low, high)?;
                let (from, to) = (mu - 10.0 * sigma, mu + 10.0 * sigma);
                let reached = low <= to && high >= from;
                if reached { Ok(()) } else { Err(DistributionError::NoMass { mu, sigma, low, high }) }
            }
            Distribution::NormalClippedToBoundary { mu, sigma, low, high } => validate_interval(mu, sigma, low, high),
            Distribution::Lognormal { mu, sigma } => {
                finite("mu", mu).and(not_negative("sigma", sigma))?;
                finite("exp(mu + 10 sigma)", self.bounds().1)
            }
            Distribution::Exponential { beta } => not_negative("beta", beta),
            Distribution::Gamma { k, theta } => positive("k", k).and(positive("theta", theta)),
        }
    }

    /// One draw, within [`Distribution::bounds`]. The distribution must be valid.
    pub fn sample(&self, stream: &mut Stream) -> f64 {
        let mut value = [0.0];
        self.fill(stream, &mut value);
        value[0]
    }

    /// Fills `values` with draws; the same as [`Distribution::sample`] for each of them in turn.
    pub fn fill(&self, stream: &mut Stream, values: &mut [f64]) {
        let (low, high) = self.bounds();
        match *self {
            Distribution::Uniform { low, high } => {
                let last = if high > low { high.next_down() } else { high };
                let width = high - low;
                values.iter_mut().for_each(|v| *v = (low + width * stream.uniform()).min(last));
            }
            Distribution::Normal { mu, sigma } | Distribution::NormalClippedToBoundary { mu, sigma, .. } => {
                fill_normal(stream, values);
                values.iter_mut().for_each(|v| *v = hold(mu + sigma * *v, low, high));
            }
            Distribution::NormalClipped { mu, sigma, .. } => Clipped::new(mu, sigma, low, high).fill(stream, values),
            Distribution::Lognormal { mu, sigma } => {
                fill_normal(stream, values);
                values.iter_mut().for_each(|v| *v = hold(libm::exp(mu + sigma * *v), low, high));
            }
            Distribution::Exponential { beta } => {
                values.iter_mut().for_each(|v| *v = hold(beta * stream.exponential(), low, high));
            }
            Distribution::Gamma { k, theta } => {
                values.iter_mut().for_each(|v| *v = hold(theta * stream.gamma(k), low, high));
            }
        }
    }
}

fn validate_interval(mu: f64, sigma: f64, low: f64, high: f64) -> Result<(), DistributionError> {
    finite("mu", mu).and(not_negative("sigma", sigma))?;
    // Infinite bounds are fine: they mean that this side is not clipped.
    for (parameter, value) in [("low", low), ("high", high)] {
        if value.is_nan() {
            return Err(DistributionError::NotFinite { parameter, value });
        }
    }
    if low > high { Err(DistributionError::EmptyInterval { low, high }) } else { Ok(()) }
}

fn fill_normal(stream: &mut Stream, values: &mut [f64]) {
    stream.fill_open(values);
    normal_quantiles(values);
}

/// `value`, held to `low..=high`. (`f64::clamp` panics where `low > high`, which no draw shall.)
#[inline]
fn hold(value: f64, low: f64, high: f64) -> f64 {
    value.max(low).min(high)
}

/// A normal distribution cut at its bounds: what drawing again until the value lies within them yields, but by the
/// inverse of the distribution function, so that each value takes one uniform draw, however narrow the interval.
struct Clipped {
    mu: f64,
    sigma: f64,
    low: f64,
    high: f64,
    /// -1 when the interval lies above the mean; it is then mirrored, as the distribution function is exact near zero.
    sign: f64,
    from: f64,
    mass: f64,
}

impl Clipped {
    fn new(mu: f64, sigma: f64, low: f64, high: f64) -> Self {
        let (a, b) = if sigma > 0.0 { ((low - mu) / sigma, (high - mu) / sigma) } else { (-1.0, 1.0) };
        let (sign, a, b) = if a > 0.0 { (-1.0, -b, -a) } else { (1.0, a, b) };
        let from = normal_cdf(a);
        Clipped { mu, sigma, low, high, sign, from, mass: normal_cdf(b) - from }
    }

    fn fill(&self, stream: &mut Stream, values: &mut [f64]) {
        // The largest number below one, and the smallest of all: the quantile of 0 or 1 would be infinite.
        let (least, most) = (f64::MIN_POSITIVE, 1.0 - f64::EPSILON / 2.0);
        let (scale, from, mass) = (self.sign * self.sigma, self.from, self.mass);
        stream.fill_open(values);
        values.iter_mut().for_each(|u| *u = (from + mass * *u).max(least).min(most));
        normal_quantiles(values);
        values.iter_mut().for_each(|v| *v = hold(self.mu + scale * *v, self.low, self.high));
    }
}
