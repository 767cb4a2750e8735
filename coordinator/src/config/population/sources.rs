//! Spike sources whose spikes are drawn.

use couple_network::cells;
use couple_network::description::Model;
use couple_ports::time::Span;

use super::Settings;
use crate::config::diagnostic::Diagnostic;
use crate::config::reader::Reader;
use crate::config::tree::{Kind, Node};
use crate::config::units::Dimension;

/// A source of random spikes, called `entry` at `cell`.
pub(super) fn read(reader: &mut Reader, cell: &Node, entry: &cells::Entry, params: &Settings<'_>) -> Option<Model> {
    let default = |name: &str| entry.parameter(name).and_then(|p| p.default).unwrap_or(0.0);
    let mut rate = |key: &str| match params.get(key) {
        Some(node) => read_rate(reader, node),
        None => Some(default(key)),
    };
    let (mean, beta) = (rate("rate"), rate("beta"));
    let mut time = |key: &str| match params.get(key) {
        Some(node) => reader.positive_time(node, &format!("`{key}`"), true),
        None => Span::from_ms(default(key)).ok(),
    };
    let (start, duration, tau_refrac) = (time("start"), time("duration"), time("tau_refrac"));
    let alpha = match params.get("alpha") {
        Some(node) => read_shape(reader, node),
        None => Some(default("alpha")),
    };
    if entry.name == "SpikeSourceInhGamma" {
        let (a, b, tbins) = stretches(reader, cell, params)?;
        return Some(Model::SpikeSourceInhGamma { a, b, tbins, start: start?, duration: duration? });
    }
    let (rate, alpha, beta, tau_refrac) = (mean?, alpha?, beta?, tau_refrac?);
    let (start, duration) = (start?, duration?);
    Some(match entry.name {
        "SpikeSourceGamma" => Model::SpikeSourceGamma { alpha, beta, start, duration },
        "SpikeSourcePoissonRefractory" => Model::SpikeSourcePoissonRefractory { rate, tau_refrac, start, duration },
        _ => Model::SpikeSourcePoisson { rate, start, duration },
    })
}

fn read_shape(reader: &mut Reader, node: &Node) -> Option<f64> {
    let alpha = reader.number(node, Dimension::None)?;
    if alpha > 0.0 {
        return Some(alpha);
    }
    reader.note(
        Diagnostic::error("out-of-range", &node.place, format!("alpha is {alpha}, but must be above zero"))
            .label("out of range")
            .help(
                "alpha is the shape of the distribution of intervals: 1 for a Poisson process, more for regular spikes",
            ),
    );
    None
}

fn read_rate(reader: &mut Reader, node: &Node) -> Option<f64> {
    let rate = reader.number(node, Dimension::Rate)?;
    if rate >= 0.0 {
        return Some(rate);
    }
    reader.note(
        Diagnostic::error("out-of-range", &node.place, format!("a rate cannot be negative ({rate} Hz)"))
            .label("negative")
            .help("0 or more is expected; all neurons of the source have this rate"),
    );
    None
}

/// Shapes, scales in s, and the times from which on they hold. What is not given is PyNN's default: one stretch from 0 on
/// with shape 1 and scale 1 s.
fn stretches(reader: &mut Reader, cell: &Node, params: &Settings<'_>) -> Option<(Vec<f64>, Vec<f64>, Vec<Span>)> {
    let a = match params.get("a") {
        Some(node) => numbers(reader, node, |reader, item| reader.number(item, Dimension::None)),
        None => Some(vec![1.0]),
    };
    let b = match params.get("b") {
        Some(node) => numbers(reader, node, read_seconds),
        None => Some(vec![1.0]),
    };
    let tbins = match params.get("tbins") {
        Some(node) => reader
            .list(node, "a list of times")
            .and_then(|items| items.iter().map(|item| reader.positive_time(item, "a time", true)).collect()),
        None => Some(vec![Span::ZERO]),
    };
    let (a, b, tbins): (Vec<f64>, Vec<f64>, Vec<Span>) = (a?, b?, tbins?);
    if a.len() == b.len() && a.len() == tbins.len() && !a.is_empty() {
        return Some((a, b, tbins));
    }
    let place = ["tbins", "a", "b"].into_iter().find_map(|name| params.get(name)).map_or(&cell.place, |n| &n.place);
    let message = format!("a, b and tbins have {}, {} and {} values", a.len(), b.len(), tbins.len());
    reader.note(
        Diagnostic::error("wrong-length", place, message)
            .label("not as many as the others")
            .help("give each a value for each stretch of time, which begins at its value of tbins"),
    );
    None
}

fn numbers(reader: &mut Reader, node: &Node, read: impl Fn(&mut Reader, &Node) -> Option<f64>) -> Option<Vec<f64>> {
    let items = reader.list(node, "a list of numbers")?;
    let values: Vec<f64> = items.iter().map(|item| read(reader, item)).collect::<Option<_>>()?;
    if let Some((value, item)) = values.iter().zip(items).find(|(value, _)| **value <= 0.0) {
        reader.note(
            Diagnostic::error("out-of-range", &item.place, format!("{value} is not above zero"))
                .label("out of range")
                .help("shapes and scales of intervals are above zero; `start` and `duration` make a source silent"),
        );
        return None;
    }
    Some(values)
}

/// A scale: a bare number is in seconds, as in PyNN.
fn read_seconds(reader: &mut Reader, node: &Node) -> Option<f64> {
    match node.kind {
        Kind::Integer(_) | Kind::Float(_) => reader.number(node, Dimension::None),
        _ => reader.time(node).map(|span| span.ns() as f64 / 1e9),
    }
}
