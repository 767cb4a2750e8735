//! Exact time: signed 64-bit counts of nanoseconds.
//!
//! [`Time`] is a point on the simulated time axis, [`Span`] a length of it. Neither is ever a float inside
//! `couple`; floats are converted at the border by their shortest decimal text, so that `0.1` ms is exactly
//! 100,000 ns and `0.30000000000000004` is refused instead of rounded.
//!
//! ```
//! use couple_ports::time::{Span, Time};
//! let step: Span = "0.1 ms".parse().unwrap();
//! assert_eq!(step, Span::from_ns(100_000));
//! assert_eq!(Time::ZERO + step * 3, Time::from_ns(300_000));
//! assert_eq!(Span::from_ms(1.5).unwrap().to_string(), "1.5 ms");
//! ```

use std::fmt;
use std::ops::{Add, AddAssign, Mul, Neg, Sub, SubAssign};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A point in simulated time, in nanoseconds since the start of the run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Time(i64);

/// A length of simulated time, in nanoseconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Span(i64);

/// Why a text or a number is no exact time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// The text has no number at its start, or the number is not a plain decimal.
    #[error("`{0}` is not a time; write a number and a unit, for example \"0.1 ms\"")]
    NotATime(String),
    /// The unit is not one of s, ms, us, µs, ns.
    #[error("unknown unit `{0}` of time; the units are s, ms, us and ns")]
    UnknownUnit(String),
    /// The value is not a whole number of nanoseconds.
    #[error("{0} is no whole number of nanoseconds, the finest time there is")]
    TooFine(String),
    /// The value does not fit in 64 bits of nanoseconds (some 292 years).
    #[error("{0} is longer than the longest time, 292 years")]
    TooLong(String),
}

impl Time {
    /// The start of the run.
    pub const ZERO: Time = Time(0);
    /// Later than every time of a run: the watermark of a sender that has finished.
    pub const MAX: Time = Time(i64::MAX);
    /// Earlier than every time of a run.
    pub const MIN: Time = Time(i64::MIN);

    /// The time `ns` nanoseconds after the start.
    pub const fn from_ns(ns: i64) -> Self {
        Time(ns)
    }
    /// Nanoseconds since the start.
    pub const fn ns(self) -> i64 {
        self.0
    }
    /// Milliseconds since the start, for display and for formats that hold floats.
    pub fn ms(self) -> f64 {
        self.0 as f64 / 1e6
    }
    /// This time plus `span`, held at the ends of the axis instead of wrapping.
    pub const fn saturating_add(self, span: Span) -> Time {
        Time(self.0.saturating_add(span.0))
    }
}

impl Span {
    /// No time at all.
    pub const ZERO: Span = Span(0);
    /// The longest span.
    pub const MAX: Span = Span(i64::MAX);

    /// A span of `ns` nanoseconds.
    pub const fn from_ns(ns: i64) -> Self {
        Span(ns)
    }
    /// Its nanoseconds.
    pub const fn ns(self) -> i64 {
        self.0
    }
    /// Its milliseconds, for display and for simulators that want floats.
    pub fn ms(self) -> f64 {
        self.0 as f64 / 1e6
    }
    /// The exact span of `ms` milliseconds, taken by the float's shortest decimal text.
    pub fn from_ms(ms: f64) -> Result<Self, TimeError> {
        if !ms.is_finite() {
            return Err(TimeError::NotATime(ms.to_string()));
        }
        parse_decimal(&format!("{ms}"), 6, &format!("{ms} ms")).map(Span)
    }
    /// True when this span is a whole multiple of `step` (which must be positive).
    pub const fn is_multiple_of(self, step: Span) -> bool {
        step.0 > 0 && self.0 % step.0 == 0
    }
    /// How many whole `step`s fit into this span.
    pub const fn steps(self, step: Span) -> i64 {
        self.0.div_euclid(step.0)
    }
    /// The least common multiple of two positive spans; `None` when it does not fit.
    pub fn lcm(self, other: Span) -> Option<Span> {
        let (mut a, mut b) = (self.0, other.0);
        while b != 0 {
            (a, b) = (b, a % b);
        }
        if a == 0 { None } else { (self.0 / a).checked_mul(other.0).map(Span) }
    }
}

/// Reads `text` (a plain decimal, scientific notation allowed) times 10^`scale` as an exact integer.
fn parse_decimal(text: &str, scale: i32, shown: &str) -> Result<i64, TimeError> {
    let not_a_time = || TimeError::NotATime(shown.to_string());
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
        Some((m, e)) => (m, e.parse::<i32>().map_err(|_| not_a_time())?),
        None => (digits, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !all_digits(whole) || !all_digits(fraction) {
        return Err(not_a_time());
    }
    let significant = format!("{whole}{fraction}");
    let trimmed = significant.trim_end_matches('0');
    let dropped = (significant.len() - trimmed.len()) as i32;
    let power = scale
        .checked_add(exponent)
        .and_then(|p| p.checked_sub(fraction.len() as i32))
        .and_then(|p| p.checked_add(dropped))
        .ok_or_else(not_a_time)?;
    let trimmed = trimmed.trim_start_matches('0');
    if trimmed.is_empty() {
        return Ok(0);
    }
    if power < 0 {
        return Err(TimeError::TooFine(shown.to_string()));
    }
    let too_long = || TimeError::TooLong(shown.to_string());
    let value = trimmed.parse::<i64>().map_err(|_| too_long())?;
    let factor = 10i64.checked_pow(power as u32).ok_or_else(too_long)?;
    let value = value.checked_mul(factor).ok_or_else(too_long)?;
    Ok(if negative { -value } else { value })
}

impl FromStr for Span {
    type Err = TimeError;

    /// Reads `"0.1 ms"`, `"1 s"`, `"25us"`; a number without a unit is in milliseconds.
    fn from_str(text: &str) -> Result<Self, TimeError> {
        let text = text.trim();
        let split = text
            .char_indices()
            .find(|&(i, c)| {
                let exponent = (c == 'e' || c == 'E')
                    && text[i + 1..].starts_with(|d: char| d.is_ascii_digit() || d == '-' || d == '+');
                !(c.is_ascii_digit() || c == '.' || c == '-' || c == '+' || exponent)
            })
            .map_or(text.len(), |(i, _)| i);
        let (number, unit) = (&text[..split], text[split..].trim());
        if number.is_empty() {
            return Err(TimeError::NotATime(text.to_string()));
        }
        let scale = match unit {
            "s" => 9,
            "ms" | "" => 6,
            "us" | "µs" | "μs" => 3,
            "ns" => 0,
            other => return Err(TimeError::UnknownUnit(other.to_string())),
        };
        parse_decimal(number, scale, text).map(Span)
    }
}

impl fmt::Display for Span {
    /// Milliseconds, without a rounding: `0.1 ms`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, fraction) = (self.0.unsigned_abs() / 1_000_000, self.0.unsigned_abs() % 1_000_000);
        if fraction == 0 {
            write!(f, "{sign}{whole} ms")
        } else {
            let digits = format!("{fraction:06}");
            write!(f, "{sign}{whole}.{} ms", digits.trim_end_matches('0'))
        }
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Span(self.0).fmt(f)
    }
}

impl Add<Span> for Time {
    type Output = Time;
    fn add(self, span: Span) -> Time {
        Time(self.0 + span.0)
    }
}
impl AddAssign<Span> for Time {
    fn add_assign(&mut self, span: Span) {
        self.0 += span.0;
    }
}
impl Sub<Span> for Time {
    type Output = Time;
    fn sub(self, span: Span) -> Time {
        Time(self.0 - span.0)
    }
}
impl Sub for Time {
    type Output = Span;
    fn sub(self, other: Time) -> Span {
        Span(self.0 - other.0)
    }
}
impl Add for Span {
    type Output = Span;
    fn add(self, other: Span) -> Span {
        Span(self.0 + other.0)
    }
}
impl Sub for Span {
    type Output = Span;
    fn sub(self, other: Span) -> Span {
        Span(self.0 - other.0)
    }
}
impl SubAssign for Span {
    fn sub_assign(&mut self, other: Span) {
        self.0 -= other.0;
    }
}
impl AddAssign for Span {
    fn add_assign(&mut self, other: Span) {
        self.0 += other.0;
    }
}
impl Mul<i64> for Span {
    type Output = Span;
    fn mul(self, n: i64) -> Span {
        Span(self.0 * n)
    }
}
impl Neg for Span {
    type Output = Span;
    fn neg(self) -> Span {
        Span(-self.0)
    }
}
impl std::iter::Sum for Span {
    fn sum<I: Iterator<Item = Span>>(spans: I) -> Span {
        spans.fold(Span::ZERO, Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_units() {
        for (text, ns) in [
            ("1 s", 1_000_000_000),
            ("0.1ms", 100_000),
            ("25 us", 25_000),
            ("7 ns", 7),
            ("1e-3 ms", 1_000),
            ("2", 2_000_000),
        ] {
            assert_eq!(text.parse::<Span>(), Ok(Span(ns)), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_not_exact() {
        assert!(matches!("0.1 ns".parse::<Span>(), Err(TimeError::TooFine(_))));
        assert!(matches!(Span::from_ms(0.1 + 0.2), Err(TimeError::TooFine(_))));
        assert!(matches!("1 min".parse::<Span>(), Err(TimeError::UnknownUnit(_))));
        assert!(matches!("soon".parse::<Span>(), Err(TimeError::NotATime(_))));
        assert!(matches!("1e40 s".parse::<Span>(), Err(TimeError::TooLong(_))));
    }

    #[test]
    fn displays_what_it_reads() {
        for ns in [0, 1, 100_000, 1_500_000, -25_000, 123_456_789_012] {
            assert_eq!(Span(ns).to_string().parse::<Span>(), Ok(Span(ns)));
        }
    }
}
