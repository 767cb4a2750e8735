//! A cross-check as text for a terminal.

use super::{Crosscheck, Pair, Participant, PopulationCheck, Status};
use crate::columns::{align, known};
use crate::compare::signals::number;
use crate::compare::{Difference, Side};
use crate::statistics::rate_text;

/// The whole report.
pub fn text(check: &Crosscheck) -> String {
    let mut lines = vec![format!("{} on {}", check.file, ran(check).join(", "))];
    lines.push(String::new());
    lines.extend(align(&trains(check), 2));
    if check.populations.iter().any(|p| !p.pairs.is_empty()) {
        lines.push(String::new());
        lines.push(format!("spikes beside those of {}, paired within {} ms", check.reference, check.tolerance_ms));
        lines.extend(align(&differences(check), 2));
    }
    if !check.variables.is_empty() {
        lines.push(String::new());
        let title = "before the first spike that differs, and overall";
        lines.push(format!("variables beside those of {}, {title}", check.reference));
        lines.extend(align(&variables(check), 3));
    }
    let all = |status| check.participants.iter().filter(move |p| p.status == status);
    for p in all(Status::LeftOut) {
        lines.push(String::new());
        lines.push(format!("{} does not take part: {}", p.simulator, reason(p)));
    }
    for p in all(Status::Failed) {
        lines.push(String::new());
        lines.push(format!("the run on {} failed: {}", p.simulator, reason(p)));
    }
    // Where all agree nobody asks why they do not.
    let differ = |p: &&Participant| p.simulator == check.reference || differs(check, &p.simulator);
    if !check.equal {
        lines.push(String::new());
        lines.push("how they compute these cells".to_string());
        for p in all(Status::Done).filter(differ) {
            lines.extend(p.assumptions.iter().map(|assumption| format!("  {}: {assumption}", p.simulator)));
        }
    }
    lines.push(String::new());
    lines.push(verdict(check));
    lines.join("\n")
}

fn reason(participant: &Participant) -> &str {
    participant.reason.as_deref().unwrap_or("no reason was given").trim_end()
}

/// The simulators that ran.
fn ran(check: &Crosscheck) -> Vec<&str> {
    check.participants.iter().filter(|p| p.status == Status::Done).map(|p| p.simulator.as_str()).collect()
}

fn differs(check: &Crosscheck, simulator: &str) -> bool {
    let spikes = check.populations.iter().flat_map(|p| &p.pairs).any(|pair| pair.simulator == simulator && !pair.equal);
    spikes || check.variables.iter().any(|v| v.simulator == simulator && !v.equal)
}

/// What each simulator made of each population.
fn trains(check: &Crosscheck) -> Vec<Vec<String>> {
    let header = ["population", "simulator", "spikes", "rate (Hz)", "CV of ISI"].map(String::from).to_vec();
    let row = |name: &str, train: &super::Train| {
        let cv = known(train.cv_isi.map(|cv| format!("{cv:.3}")));
        vec![
            name.to_string(),
            train.simulator.clone(),
            train.spikes.to_string(),
            known(train.rate_hz.map(rate_text)),
            cv,
        ]
    };
    let rows = |p: &PopulationCheck| -> Vec<_> {
        p.trains.iter().enumerate().map(|(i, t)| row(if i == 0 { &p.population } else { "" }, t)).collect()
    };
    std::iter::once(header).chain(check.populations.iter().flat_map(rows)).collect()
}

/// How each simulator differs from the reference.
fn differences(check: &Crosscheck) -> Vec<Vec<String>> {
    let header = [
        "population",
        "simulator",
        "identical",
        "paired",
        "unpaired",
        "median dt (ms)",
        "median |dt|",
        "max |dt|",
        "first difference",
        "first unpaired",
    ];
    let rows = |p: &PopulationCheck| -> Vec<_> {
        let all = p.trains.first().map_or(0, |t| t.spikes);
        p.pairs.iter().enumerate().map(|(i, pair)| row(if i == 0 { &p.population } else { "" }, pair, all)).collect()
    };
    let header = header.map(String::from).to_vec();
    std::iter::once(header).chain(check.populations.iter().flat_map(rows)).collect()
}

fn row(name: &str, pair: &Pair, all: u64) -> Vec<String> {
    let first = |difference: &Option<Difference>| known(difference.as_ref().map(place));
    let [a, b] = pair.unpaired;
    vec![
        name.to_string(),
        pair.simulator.clone(),
        share(pair.identical, all),
        share(pair.paired, all),
        if a + b == 0 { "0".to_string() } else { format!("-{a} +{b}") },
        known(pair.median_shift_ms.map(|ms| format!("{}{}", if ms > 0.0 { "+" } else { "" }, short(ms)))),
        known(pair.median_distance_ms.map(short)),
        known(pair.max_distance_ms.map(short)),
        first(&pair.first_difference),
        first(&pair.first_unpaired),
    ]
}

/// How far each variable differs.
fn variables(check: &Crosscheck) -> Vec<Vec<String>> {
    let header =
        ["variable", "unit", "simulator", "before: max |d|", "rms", "overall: max |d|", "rms", "first difference"];
    let mut rows = vec![header.map(String::from).to_vec()];
    let mut last = String::new();
    for v in &check.variables {
        let name = format!("{}.{}", v.population, v.variable);
        let first = known(v.first.as_ref().map(|d| format!("{} ms, neuron {}", d.time_ms, d.neuron)));
        let before = |value: f64| if v.before.samples == 0 { "-".to_string() } else { number(value) };
        rows.push(vec![
            if name == last { String::new() } else { name.clone() },
            v.unit.clone(),
            v.simulator.clone(),
            before(v.before.max),
            before(v.before.rms),
            number(v.overall.max),
            number(v.overall.rms),
            first,
        ]);
        last = name;
    }
    rows
}

/// Milliseconds, to a tenth of a microsecond.
fn short(ms: f64) -> String {
    let text = format!("{ms:.4}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_string() } else { text.to_string() }
}

/// A part of the reference's spikes; only all of them are 100 %.
fn share(part: u64, all: u64) -> String {
    match all {
        0 => "-".to_string(),
        _ if part == all => "all".to_string(),
        _ => format!("{:.1} %", (part as f64 / all as f64 * 1e3).floor() / 10.0),
    }
}

fn place(difference: &Difference) -> String {
    format!("{} ms, neuron {}", difference.time_ms, difference.neuron)
}

fn verdict(check: &Crosscheck) -> String {
    let others = &ran(check)[1..];
    if others.is_empty() {
        return format!("nothing to compare: only {} ran", check.reference);
    }
    if check.equal {
        return format!("equal in every bit: {}", ran(check).join(", "));
    }
    let (differ, same): (Vec<&str>, Vec<&str>) = others.iter().partition(|name| differs(check, name));
    let mut text = format!("different from {}: {}", check.reference, differ.join(", "));
    if !same.is_empty() {
        text += &format!("; equal to it in every bit: {}", same.join(", "));
    }
    differ.iter().for_each(|name| text += &divergence(check, name));
    text
}

/// Where a simulator's spikes first part from the reference's; nothing where only variables differ.
fn divergence(check: &Crosscheck, simulator: &str) -> String {
    let pairs = check.populations.iter().flat_map(|p| &p.pairs).filter(|pair| pair.simulator == simulator);
    let first = pairs.filter_map(|pair| pair.first_difference.as_ref());
    let Some(first) = first.min_by(|x, y| x.time_ms.total_cmp(&y.time_ms)) else { return String::new() };
    let (population, neuron, ms) = (&first.population, first.neuron, first.time_ms);
    let names = [check.reference.as_str(), simulator];
    let [only, other] = if first.only_in == Side::A { names } else { [names[1], names[0]] };
    let nearest = match first.nearest_ms {
        Some(nearest) => format!("its nearest spike on {other} is at {nearest} ms"),
        None => format!("on {other} it never spikes"),
    };
    format!(
        "\n  {simulator} first parts where neuron {neuron} of {population} spikes at {ms} ms only on {only}; {nearest}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_all_is_all() {
        assert_eq!(share(9999, 10_000), "99.9 %");
        assert_eq!((share(3, 3), share(0, 3), share(0, 0)), ("all".into(), "0.0 %".into(), "-".into()));
    }
}
