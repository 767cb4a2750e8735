//! What a run came to, for the user.

use std::fmt::Write as _;
use std::io::Write as _;

use serde_json::json;

use super::folder::RunFolder;
use super::member::Member;
use super::progress::{Progress, Style};
use super::record::Record;
use super::report::tell;
use super::supervise::Ending;
use super::watch::Watch;

/// Shows the end of a run: the summary on standard output, what went wrong on standard error.
pub fn show(
    record: &Record,
    folder: &RunFolder,
    members: &[Member],
    watch: &Watch,
    ending: &Ending,
    style: Style,
    progress: &Progress,
) {
    if style == Style::Json {
        let populations: Vec<_> = record
            .rates()
            .map(
                |(name, size, spikes, rate)| json!({ "name": name, "size": size, "spikes": spikes, "mean_rate": rate }),
            )
            .collect();
        let fields = json!({
            "folder": folder.path(), "label": folder.label(), "populations": populations,
            "real_time_factor": record.real_time_factor(),
        });
        match ending {
            Ending::Done => progress.event("done", fields),
            Ending::Interrupted => progress.event("interrupted", fields),
            Ending::Failed(failure) => {
                let mut fields = fields;
                fields["failure"] = json!(failure);
                fields["message"] = json!(failure.to_string());
                progress.event("failed", fields);
            }
        }
        return;
    }
    match ending {
        Ending::Failed(failure) => tell(format!("error: {failure}").trim_end()),
        Ending::Interrupted => tell("interrupted"),
        Ending::Done => {}
    }
    if style != Style::Quiet {
        let _ = std::io::stdout().lock().write_all(text(record, folder, members, watch).as_bytes());
    }
}

fn text(record: &Record, folder: &RunFolder, members: &[Member], watch: &Watch) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{}", record.headline());
    let rates: Vec<_> = record.rates().collect();
    if !rates.is_empty() {
        let width = rates.iter().map(|(name, ..)| name.chars().count()).max().unwrap_or(0).max(10);
        let _ = writeln!(text, "  {:width$}  {:>9}  {:>11}  {:>12}", "population", "size", "spikes", "mean rate");
        for (name, size, spikes, rate) in rates {
            let _ = writeln!(text, "  {name:width$}  {size:>9}  {spikes:>11}  {rate:>9.2} Hz");
        }
    }
    if members.iter().any(|m| m.processor_time().is_some()) {
        let width = members.iter().map(|m| m.name().chars().count()).max().unwrap_or(0).max(10);
        let (processor, received) = ("processor", "received");
        let _ = writeln!(text, "  {:width$}  {processor:>9}  {received:>11}  {:>12}", "process", "waits");
        for (line, member) in members.iter().enumerate() {
            let seconds = member.processor_time().unwrap_or_default().as_secs_f64();
            let (name, progress) = (member.name(), watch.progress(line));
            let (received, sleeps) = (progress.received, progress.sleeps);
            let _ = writeln!(text, "  {name:width$}  {seconds:>7.2} s  {received:>11}  {sleeps:>12}");
        }
    }
    let _ = writeln!(text, "  {}", shown(folder.path()));
    text
}

/// A path as the user would write it: relative, where it lies below the current folder.
fn shown(path: &std::path::Path) -> String {
    let here = std::env::current_dir().and_then(|d| d.canonicalize());
    let relative = here.ok().and_then(|here| path.strip_prefix(here).ok().map(|p| p.to_path_buf()));
    relative.unwrap_or_else(|| path.to_path_buf()).display().to_string()
}
