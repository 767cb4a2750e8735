//! `synapse = { type = …, weight, delay, … }`: whether and how weights change.

use couple_network::description::{Plasticity, Simulator, Stdp, TsodyksMarkram};

use super::component::ComponentDraft;
use super::diagnostic::Diagnostic;
use super::keys::{SYNAPSE, SYNAPSES, Section, TIMING, WEIGHT_DEPENDENCES};
use super::reader::{Fields, Reader};
use super::tree::Node;
use super::units::Dimension;

/// Opens the table of a synapse as what its `type` says; `StaticSynapse` without one.
pub(super) fn open<'a>(reader: &mut Reader, node: &'a Node) -> Option<(Fields<'a>, &'static Section)> {
    let kind = node.table().and_then(|table| table.get("type"));
    let section = match kind {
        Some(kind) => named(reader, kind, &SYNAPSES, ("synapse type", "synapse types"))?,
        None => &SYNAPSE,
    };
    Some((reader.open(node, &node.place, section)?, section))
}

/// The one of `sections` whose title is the text of `kind`.
fn named(
    reader: &mut Reader,
    kind: &Node,
    sections: &'static [Section],
    what: (&str, &str),
) -> Option<&'static Section> {
    let name = reader.text(kind)?;
    let plain = name.strip_suffix("WeightDependence").unwrap_or(name);
    let plain = match plain {
        "Guetig" | "Gütig" => "Gutig",
        "TsodyksMarkram" | "TsodyksMarkramMechanism" => "TsodyksMarkramSynapse",
        "Static" => "StaticSynapse",
        other => other,
    };
    let found = sections.iter().find(|section| section.title == plain);
    if found.is_none() {
        reader.unknown("unknown-synapse", &kind.place, what, name, sections.iter().map(|s| s.title));
    }
    found
}

/// How the weights of the synapse in `fields` change. `weight` is the unit of the weight, `bounds` what weights are
/// possible at the start, and `component` where the target lives.
pub(super) fn read_plasticity(
    reader: &mut Reader,
    (fields, section): (&Fields<'_>, &Section),
    weight: Dimension,
    bounds: Option<(f64, f64)>,
    component: Option<&ComponentDraft>,
) -> Option<Plasticity> {
    match section.title {
        "TsodyksMarkramSynapse" => tsodyks_markram(reader, fields).map(Plasticity::TsodyksMarkram),
        "STDPMechanism" => stdp(reader, fields, weight, bounds, component).map(Plasticity::Stdp),
        _ => Some(Plasticity::Static),
    }
}

fn tsodyks_markram(reader: &mut Reader, fields: &Fields<'_>) -> Option<TsodyksMarkram> {
    let u = number(reader, fields, "U", 0.5, Dimension::None, "from 0 to 1", |u| (0.0..=1.0).contains(&u));
    let tau_rec = number(reader, fields, "tau_rec", 100.0, Dimension::Time, "positive", |tau| tau > 0.0);
    let tau_facil = number(reader, fields, "tau_facil", 0.0, Dimension::Time, "zero or more", |tau| tau >= 0.0);
    Some(TsodyksMarkram { u: u?, tau_rec: tau_rec?, tau_facil: tau_facil? })
}

/// The number under `key`, which must be as `fits` says.
fn number(
    reader: &mut Reader,
    fields: &Fields<'_>,
    key: &str,
    default: f64,
    dimension: Dimension,
    wanted: &str,
    fits: impl Fn(f64) -> bool,
) -> Option<f64> {
    let Some(node) = fields.get(key) else { return Some(default) };
    let value = reader.number(node, dimension)?;
    if fits(value) {
        return Some(value);
    }
    reader.note(
        Diagnostic::error("out-of-range", &node.place, format!("`{key}` is {value}, but must be {wanted}"))
            .label("out of range")
            .help(format!("PyNN's default is {default}")),
    );
    None
}

fn stdp(
    reader: &mut Reader,
    fields: &Fields<'_>,
    weight: Dimension,
    bounds: Option<(f64, f64)>,
    component: Option<&ComponentDraft>,
) -> Option<Stdp> {
    let delays_fit = dendritic(reader, fields);
    let timing = fields.get("timing").and_then(|node| reader.open(node, &node.place, &TIMING));
    let timing = timing.and_then(|timing| {
        rule(reader, &timing)?;
        let mut get = |key: &str, default: f64, dimension, wanted: &str, least: bool| {
            number(reader, &timing, key, default, dimension, wanted, |x| if least { x >= 0.0 } else { x > 0.0 })
        };
        let tau_plus = get("tau_plus", 20.0, Dimension::Time, "positive", false);
        let tau_minus = get("tau_minus", 20.0, Dimension::Time, "positive", false);
        let a_plus = get("A_plus", 0.01, Dimension::None, "zero or more", true);
        let a_minus = get("A_minus", 0.01, Dimension::None, "zero or more", true);
        Some((tau_plus?, tau_minus?, a_plus?, a_minus?))
    });
    let dependence = fields.get("weight_dependence").and_then(|node| dependence(reader, node, weight));
    let ((tau_plus, tau_minus, a_plus, a_minus), (w_min, w_max, mu_plus, mu_minus)) = (timing?, dependence?);
    let stdp = Stdp { tau_plus, tau_minus, a_plus, a_minus, w_min, w_max, mu_plus, mu_minus };
    let fine = within(reader, fields, &stdp, bounds?) && on_nest(reader, fields, &stdp, component);
    (fine && delays_fit).then_some(stdp)
}

/// The rule of timing is the one there is.
fn rule(reader: &mut Reader, timing: &Fields<'_>) -> Option<()> {
    let Some(node) = timing.get("type") else { return Some(()) };
    let name = reader.text(node)?;
    if name == "SpikePairRule" {
        return Some(());
    }
    reader.unknown("unknown-synapse", &node.place, ("rule of timing", "rules"), name, ["SpikePairRule"]);
    None
}

/// All of the delay is dendritic.
fn dendritic(reader: &mut Reader, fields: &Fields<'_>) -> bool {
    let Some(node) = fields.get("dendritic_delay_fraction") else { return true };
    match reader.number(node, Dimension::None) {
        Some(1.0) => true,
        Some(other) => {
            let message = format!("a dendritic_delay_fraction of {other} is not supported: delays are dendritic");
            reader.note(
                Diagnostic::error("not-yet", &node.place, message)
                    .label("not 1")
                    .help("write 1, or leave it out; NEST knows no other fraction either"),
            );
            false
        }
        None => false,
    }
}

/// `weight_dependence`: (w_min, w_max, mu_plus, mu_minus).
fn dependence(reader: &mut Reader, node: &Node, weight: Dimension) -> Option<(f64, f64, f64, f64)> {
    let Some(kind) = node.table().and_then(|table| table.get("type")) else {
        reader.note(
            Diagnostic::error("missing-key", &node.place, "this weight dependence has no `type`")
                .label("`type` is missing")
                .help("write for example { type = \"Additive\", w_max = 0.2 }"),
        );
        return None;
    };
    let section = named(reader, kind, &WEIGHT_DEPENDENCES, ("weight dependence", "weight dependences"))?;
    let fields = reader.open(node, &node.place, section)?;
    let w_min = number(reader, &fields, "w_min", 0.0, weight, "a number", |_| true);
    let w_max = fields.get("w_max").and_then(|node| reader.number(node, weight));
    let mut exponent = |key| number(reader, &fields, key, 0.5, Dimension::None, "zero or more", |mu| mu >= 0.0);
    let (mu_plus, mu_minus) = match section.title {
        "Additive" => (Some(0.0), Some(0.0)),
        "Multiplicative" => (Some(1.0), Some(1.0)),
        "Gutig" => (exponent("mu_plus"), exponent("mu_minus")),
        _ => (Some(0.0), Some(1.0)),
    };
    Some((w_min?, w_max?, mu_plus?, mu_minus?))
}

/// Weights begin between the bounds that hold them later, `w_max` farther from zero and on the same side of it.
fn within(reader: &mut Reader, fields: &Fields<'_>, stdp: &Stdp, (low, high): (f64, f64)) -> bool {
    let (w_min, w_max) = (stdp.w_min, stdp.w_max);
    let place = fields.place_of("weight_dependence");
    if w_min * w_max < 0.0 || w_max.abs() <= w_min.abs() {
        let message = format!("weights cannot lie between w_min = {w_min} and w_max = {w_max}");
        reader.note(Diagnostic::error("out-of-range", place, message).label("impossible").help(
            "w_max is farther from zero than w_min, on the same side; both are negative (or w_min 0) where weights are",
        ));
        return false;
    }
    let (least, most) = (w_min.min(w_max), w_min.max(w_max));
    if low >= least && high <= most {
        return true;
    }
    let found = if low == high { format!("is {low}") } else { format!("lies between {low} and {high}") };
    let message = format!("the weight {found} at the start, but is held between {least} and {most} later");
    reader.note(
        Diagnostic::error("out-of-range", fields.place_of("weight"), message)
            .label("beyond w_min or w_max")
            .related(place, "the bounds")
            .help("change w_max or the weight; use normal_clipped with low and high for a distribution"),
    );
    false
}

/// What NEST's model of the synapse cannot do.
fn on_nest(reader: &mut Reader, fields: &Fields<'_>, stdp: &Stdp, component: Option<&ComponentDraft>) -> bool {
    if component.is_none_or(|c| c.simulator != Some(Simulator::Nest)) {
        return true;
    }
    let (key, message, help) = if stdp.w_min != 0.0 {
        ("weight_dependence", format!("w_min is {}, but NEST's weights go down to 0", stdp.w_min), "leave out w_min")
    } else if stdp.a_plus == 0.0 && stdp.a_minus > 0.0 {
        ("timing", "A_plus is 0, which NEST multiplies A_minus with".to_string(), "give A_plus a tiny value")
    } else {
        return true;
    };
    reader.note(
        Diagnostic::error("limit", fields.place_of(key), message)
            .label("not in NEST")
            .help(format!("{help}, or place the target on a component with simulator = \"native\"")),
    );
    false
}
