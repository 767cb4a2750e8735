//! The known name that was probably meant.

use super::synonyms;
use super::tree::Table;

/// The name among `known` that is nearest to `name`, if any is near enough to be what was meant.
pub(super) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let known: Vec<&str> = known.into_iter().collect();
    if let Some(meant) = synonyms::meant(name, &known) {
        return Some(meant);
    }
    let plain = |s: &str| s.to_lowercase().replace(['-', ' '], "_");
    let wanted = synonyms::plain(name);
    let distance = |candidate: &str| {
        let candidate = plain(candidate);
        // One name that continues the other (`p_connect` for `p`, `AllToAllConnector` for `AllToAll`) is nearer than
        // its letters say.
        let continues = !candidate.is_empty() && !wanted.is_empty();
        if continues && (wanted.starts_with(&candidate) || candidate.starts_with(&wanted)) {
            return usize::from(candidate != wanted);
        }
        strsim::damerau_levenshtein(&wanted, &candidate)
    };
    let limit = (name.chars().count() / 3).max(1);
    known.into_iter().map(|k| (distance(k), k)).filter(|(d, _)| *d <= limit).min_by_key(|(d, _)| *d).map(|(_, k)| k)
}

/// The key of `table` that was probably meant to be `wanted`.
pub(super) fn nearest_key<'a>(table: &'a Table, wanted: &str) -> Option<&'a str> {
    table.entries.iter().map(|e| e.key.as_str()).find(|key| nearest(key, [wanted]).is_some())
}

/// A help line: the nearest of `known`, or all of them (up to a dozen).
pub(super) fn suggest<'a>(name: &str, what: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    if let Some(remark) = synonyms::remark(name, &known) {
        return remark;
    }
    if let Some(near) = nearest(name, known.iter().copied()) {
        return format!("did you mean `{near}`?");
    }
    let more = if known.len() > 12 { ", …" } else { "" };
    match known.len() {
        0 => format!("there are no {what} yet"),
        _ => format!("the {what} are {}{more}", known[..known.len().min(12)].join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn finds_what_was_meant() {
        for (typed, known, meant) in [
            ("durration", &["name", "duration"][..], Some("duration")),
            ("tau-m", &["tau_m", "tau_refrac"], Some("tau_m")),
            ("AllToAllConnector", &["OneToOne", "AllToAll"], Some("AllToAll")),
            ("p_connect", &["p", "n"], Some("p")),
            ("colour", &["name", "duration"], None),
            ("EXCITATORY", &["excitatory"], Some("excitatory")),
            ("x", &["size", "cell"], None),
        ] {
            assert_eq!(nearest(typed, known.iter().copied()), meant, "{typed}");
        }
    }
}
