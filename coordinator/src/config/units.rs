//! Physical units: a number without one is in PyNN's unit of its dimension, a string carries its own.

/// What kind of quantity a number is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Dimension {
    Time,
    Voltage,
    Current,
    Capacitance,
    /// In µS.
    Conductance,
    /// A conductance that PyNN gives in nS.
    SmallConductance,
    Rate,
    /// A bare number.
    None,
}

/// (name, dimension, power of ten that leads to PyNN's unit of the dimension)
const UNITS: [(&str, Dimension, i32); 24] = [
    ("s", Dimension::Time, 3),
    ("ms", Dimension::Time, 0),
    ("us", Dimension::Time, -3),
    ("ns", Dimension::Time, -6),
    ("V", Dimension::Voltage, 3),
    ("mV", Dimension::Voltage, 0),
    ("uV", Dimension::Voltage, -3),
    ("A", Dimension::Current, 9),
    ("mA", Dimension::Current, 6),
    ("uA", Dimension::Current, 3),
    ("nA", Dimension::Current, 0),
    ("pA", Dimension::Current, -3),
    ("F", Dimension::Capacitance, 9),
    ("uF", Dimension::Capacitance, 3),
    ("nF", Dimension::Capacitance, 0),
    ("pF", Dimension::Capacitance, -3),
    ("S", Dimension::Conductance, 6),
    ("mS", Dimension::Conductance, 3),
    ("uS", Dimension::Conductance, 0),
    ("nS", Dimension::Conductance, -3),
    ("pS", Dimension::Conductance, -6),
    ("Hz", Dimension::Rate, 0),
    ("kHz", Dimension::Rate, 3),
    ("1/s", Dimension::Rate, 0),
];

impl Dimension {
    /// The dimension of a unit as the catalogue of cells writes it.
    pub fn of_unit(unit: &str) -> Dimension {
        match find(unit) {
            Some(("nS", ..)) => Dimension::SmallConductance,
            found => found.map_or(Dimension::None, |u| u.1),
        }
    }
    /// The power of ten from a unit's own to this dimension's, for units of the dimension `found`.
    fn shift_from(self, found: Dimension) -> Option<i32> {
        match (self, found) {
            (Dimension::SmallConductance, Dimension::Conductance) => Some(3),
            _ => (self == found).then_some(0),
        }
    }
    /// "a time", for messages.
    pub fn describe(self) -> &'static str {
        match self {
            Dimension::Time => "a time",
            Dimension::Voltage => "a voltage",
            Dimension::Current => "a current",
            Dimension::Capacitance => "a capacitance",
            Dimension::Conductance | Dimension::SmallConductance => "a conductance",
            Dimension::Rate => "a rate",
            Dimension::None => "a plain number",
        }
    }
    /// How such a quantity is written, for messages.
    pub fn example(self) -> &'static str {
        match self {
            Dimension::Time => "a number of ms, or for example \"0.1 ms\"",
            Dimension::Voltage => "a number of mV, or for example \"-65 mV\"",
            Dimension::Current => "a number of nA, or for example \"87.8 pA\"",
            Dimension::Capacitance => "a number of nF, or for example \"250 pF\"",
            Dimension::Conductance => "a number of µS, or for example \"2 nS\"",
            Dimension::SmallConductance => "a number of nS, or for example \"0.002 uS\"",
            Dimension::Rate => "a number of Hz, or for example \"8 Hz\"",
            Dimension::None => "a plain number, for example 0.1, or an expression, for example \"= 2 * x\"",
        }
    }
}

fn find(unit: &str) -> Option<&'static (&'static str, Dimension, i32)> {
    // Both characters that look like a Greek mu.
    let unit = unit.replace(['µ', 'μ'], "u");
    UNITS.iter().find(|u| u.0 == unit)
}

/// Why a text is no quantity of a dimension.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum UnitError {
    /// It does not begin with a number.
    NotANumber,
    /// It has a unit that nothing here is measured in.
    UnknownUnit(String),
    /// It is something else.
    Wrong(Dimension),
}

/// Splits `"0.1 ms"` into number and unit.
pub(super) fn split(text: &str) -> (&str, &str) {
    let exponent = |i: usize| {
        let mut after = text[i + 1..].chars();
        matches!(after.next(), Some('0'..='9')) || (text[i + 1..].starts_with(['+', '-']))
    };
    let end = text
        .char_indices()
        .find(|&(i, c)| {
            let of_number =
                c.is_ascii_digit() || matches!(c, '.' | '+' | '-') || (matches!(c, 'e' | 'E') && exponent(i));
            !of_number
        })
        .map_or(text.len(), |(i, _)| i);
    (&text[..end], text[end..].trim())
}

/// A unit as it is compared with others: one way to write each. `None` for what cannot be the name of a unit.
pub(super) fn canonical(unit: &str) -> Option<String> {
    let unit = unit.trim().replace(['µ', 'μ'], "u");
    let fine = !unit.is_empty() && unit.len() <= 32 && !unit.chars().any(|c| c.is_control() || c.is_whitespace());
    let unit = if unit == "1/s" { "Hz".to_string() } else { unit };
    fine.then_some(unit)
}

/// The dimension of a unit in which PyNN's numbers are; `None` for other units, which have no other names here.
pub(super) fn own_dimension(unit: &str) -> Option<Dimension> {
    match find(unit) {
        Some(("nS", ..)) => Some(Dimension::SmallConductance),
        Some((_, dimension, 0)) => Some(*dimension),
        _ => None,
    }
}

/// Two units of the same kind of quantity.
pub(super) fn same_kind(one: &str, other: &str) -> bool {
    find(one).zip(find(other)).is_some_and(|(one, other)| one.1 == other.1)
}

/// Reads `"250 pF"` as a number in PyNN's unit of `dimension`, correctly rounded.
pub(super) fn parse(text: &str, dimension: Dimension) -> Result<f64, UnitError> {
    let (number, unit) = split(text.trim());
    let plain: f64 = number.parse().map_err(|_| UnitError::NotANumber)?;
    if unit.is_empty() {
        return Ok(plain);
    }
    let &(_, found, power) = find(unit).ok_or_else(|| UnitError::UnknownUnit(unit.to_string()))?;
    let power = power + dimension.shift_from(found).ok_or(UnitError::Wrong(found))?;
    // Shift the decimal exponent in the text: a multiplication would round a second time.
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let exponent: i32 = exponent.parse().map_err(|_| UnitError::NotANumber)?;
    format!("{mantissa}e{}", exponent.saturating_add(power)).parse().map_err(|_| UnitError::NotANumber)
}

/// The dimension of the unit of a text such as `"250 pF"`.
pub(super) fn dimension_of(text: &str) -> Option<Dimension> {
    let (number, unit) = split(text.trim());
    number.parse::<f64>().ok().and(find(unit)).map(|u| u.1)
}

/// What units are called when they are written out, or in another notation.
const SPELLINGS: [(&str, &str); 22] = [
    ("sec", "s"),
    ("second", "s"),
    ("seconds", "s"),
    ("msec", "ms"),
    ("millisecond", "ms"),
    ("milliseconds", "ms"),
    ("usec", "us"),
    ("microsecond", "us"),
    ("microseconds", "us"),
    ("nanoseconds", "ns"),
    ("volt", "V"),
    ("millivolt", "mV"),
    ("nanoampere", "nA"),
    ("picoampere", "pA"),
    ("picofarad", "pF"),
    ("nanofarad", "nF"),
    ("nanosiemens", "nS"),
    ("siemens", "S"),
    ("hertz", "Hz"),
    ("/s", "Hz"),
    ("s^-1", "Hz"),
    ("spikes/s", "Hz"),
];

/// The text as it would be understood, where what was meant is beyond doubt.
pub(super) fn meant(text: &str, dimension: Dimension) -> Option<String> {
    let decimal = decimal_comma(text.trim());
    let (number, unit) = split(&decimal);
    // "0.1*ms", as in Brian's scripts.
    let unit = unit.trim_start_matches('*').trim().replace(['µ', 'μ'], "u");
    let value: f64 = number.parse().ok()?;
    match (unit.as_str(), dimension) {
        ("%", Dimension::None) => return Some((value / 100.0).to_string()),
        ("min", Dimension::Time) => return Some(format!("{} s", value * 60.0)),
        _ => {}
    }
    if unit.is_empty() {
        return Some(number.to_string());
    }
    let lower = unit.to_lowercase();
    let spelt = SPELLINGS.iter().find(|s| s.0 == lower).map(|s| s.1);
    // "MV" may be "mV", but only one unit of the dimension may fit.
    let mut same = units_of(dimension).filter(|u| u.to_lowercase() == lower);
    let unit = units_of(dimension).find(|u| Some(*u) == spelt).or_else(|| same.next())?;
    if same.next().is_some() {
        return None;
    }
    Some(format!("{number} {unit}"))
}

/// "0,1 ms" as "0.1 ms"; several commas are no decimal ones.
fn decimal_comma(text: &str) -> String {
    match text.matches(',').count() {
        1 => text.replace(',', "."),
        _ => text.to_string(),
    }
}

/// All units of `dimension`.
pub(super) fn units_of(dimension: Dimension) -> impl Iterator<Item = &'static str> {
    UNITS.iter().filter(move |u| dimension.shift_from(u.1).is_some()).map(|u| u.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn converts_without_a_second_rounding() {
        for (text, dimension, value) in [
            ("0.1 ms", Dimension::Time, 0.1),
            ("1 s", Dimension::Time, 1000.0),
            ("-65 mV", Dimension::Voltage, -65.0),
            ("250 pF", Dimension::Capacitance, 0.25),
            ("87.8 pA", Dimension::Current, 0.0878),
            ("351.2pA", Dimension::Current, 0.3512),
            ("2 nS", Dimension::Conductance, 0.002),
            ("0.03 µS", Dimension::Conductance, 0.03),
            ("4 nS", Dimension::of_unit("nS"), 4.0),
            ("0.004 uS", Dimension::of_unit("nS"), 4.0),
            ("4", Dimension::of_unit("nS"), 4.0),
            ("8 Hz", Dimension::Rate, 8.0),
            ("1.5e1 kHz", Dimension::Rate, 15000.0),
            ("7", Dimension::Rate, 7.0),
        ] {
            assert_eq!(parse(text, dimension), Ok(value), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_something_else() {
        assert_eq!(parse("0.1 ms", Dimension::Voltage), Err(UnitError::Wrong(Dimension::Time)));
        assert_eq!(parse("1 parsec", Dimension::Time), Err(UnitError::UnknownUnit("parsec".to_string())));
        for text in ["soon", "", "ms", "1..2 ms", "- ms", "e5", "1e"] {
            assert!(parse(text, Dimension::Time).is_err(), "{text}");
        }
    }

    #[test]
    fn knows_other_spellings() {
        for (text, dimension, understood) in [
            ("0.1 msec", Dimension::Time, Some("0.1 ms")),
            ("0,1 ms", Dimension::Time, Some("0.1 ms")),
            ("2*ms", Dimension::Time, Some("2 ms")),
            ("3 milliseconds", Dimension::Time, Some("3 ms")),
            ("-65 MV", Dimension::Voltage, Some("-65 mV")),
            ("8 spikes/s", Dimension::Rate, Some("8 Hz")),
            ("2 min", Dimension::Time, Some("120 s")),
            ("10 %", Dimension::None, Some("0.1")),
            ("8 /s", Dimension::Rate, Some("8 Hz")),
            ("1 parsec", Dimension::Time, None),
            ("1 msec", Dimension::Voltage, None),
        ] {
            assert_eq!(meant(text, dimension).as_deref(), understood, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn never_panics(text in "[-+0-9.,eEmsµΩV ]{0,12}") {
            let _ = parse(&text, Dimension::Time);
            let _ = meant(&text, Dimension::Time);
        }
    }
}
