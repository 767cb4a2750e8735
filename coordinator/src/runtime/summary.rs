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

/// What is known of a run at its end.
pub struct End<'a> {
    /// Its record.
    pub record: &'a Record,
    /// Its folder.
    pub folder: &'a RunFolder,
    /// Its ranks.
    pub members: &'a [Member],
    /// The status page.
    pub watch: &'a Watch,
    /// How it ended.
    pub ending: &'a Ending,
    /// What is to be known of its recordings.
    pub notes: &'a [String],
}

impl End<'_> {
    /// Keeps the summary in the run's folder, as it would be printed.
    pub fn keep(&self) -> std::io::Result<()> {
        std::fs::write(self.folder.summary(), format!("{}{}", self.trouble(), self.text()))
    }

    /// Shows it: the summary on standard output, what went wrong on standard error.
    pub fn show(&self, style: Style, progress: &Progress) {
        if style == Style::Json {
            return self.event(progress);
        }
        let trouble = self.trouble();
        if !trouble.is_empty() {
            tell(trouble.trim_end());
        }
        if style == Style::Human {
            let _ = std::io::stdout().lock().write_all(self.text().as_bytes());
        }
    }

    fn event(&self, progress: &Progress) {
        let population =
            |(name, size, spikes, rate)| json!({ "name": name, "size": size, "spikes": spikes, "mean_rate": rate });
        let mut fields = json!({
            "folder": self.folder.path(), "label": self.folder.label(),
            "populations": self.record.rates().map(population).collect::<Vec<_>>(),
            "real_time_factor": self.record.real_time_factor(), "notes": self.notes,
        });
        match self.ending {
            Ending::Done => progress.event("done", fields),
            Ending::Interrupted => progress.event("interrupted", fields),
            Ending::Failed(failure) => {
                fields["failure"] = json!(failure);
                fields["message"] = json!(failure.to_string());
                progress.event("failed", fields);
            }
        }
    }

    /// What the user must know; nothing after a good run.
    fn trouble(&self) -> String {
        let mut text = match self.ending {
            Ending::Failed(failure) => format!("error: {failure}"),
            Ending::Interrupted => "interrupted\n".to_string(),
            Ending::Done => String::new(),
        };
        for note in self.notes {
            let _ = writeln!(text, "note: {note}");
        }
        text
    }

    fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}", self.record.headline());
        self.populations(&mut text);
        if self.members.iter().any(|m| m.processor_time().is_some()) {
            self.processes(&mut text);
        }
        let _ = writeln!(text, "  {}", shown(self.folder.path()));
        text
    }

    fn populations(&self, text: &mut String) {
        let rates: Vec<_> = self.record.rates().collect();
        if rates.is_empty() {
            return;
        }
        let width = rates.iter().map(|(name, ..)| name.chars().count()).max().unwrap_or(0).max(10);
        let _ = writeln!(text, "  {:width$}  {:>9}  {:>11}  {:>12}", "population", "size", "spikes", "mean rate");
        for (name, size, spikes, rate) in rates {
            let _ = writeln!(text, "  {name:width$}  {size:>9}  {spikes:>11}  {rate:>9.2} Hz");
        }
    }

    /// Who waits little keeps the others waiting.
    fn processes(&self, text: &mut String) {
        let width = self.members.iter().map(|m| m.name().chars().count()).max().unwrap_or(0).max(10);
        let (processor, received) = ("processor", "received");
        let _ = writeln!(text, "  {:width$}  {processor:>9}  {received:>11}  {:>12}", "process", "waits");
        for (line, member) in self.members.iter().enumerate() {
            let (name, progress) = (member.name(), self.watch.progress(line));
            let seconds = match member.processor_time() {
                Some(time) => format!("{:.2} s", time.as_secs_f64()),
                None => "-".to_string(),
            };
            let share = match self.record.simulation_s() {
                Some(wall) if wall > 0.0 => {
                    format!("{:.0} %", (progress.waited.as_secs_f64() / wall * 100.0).min(100.0))
                }
                _ => "-".to_string(),
            };
            let received = progress.received;
            let _ = writeln!(text, "  {name:width$}  {seconds:>9}  {received:>11}  {share:>12}");
        }
    }
}

/// A path as the user would write it: relative, where it lies below the current folder.
fn shown(path: &std::path::Path) -> String {
    let here = std::env::current_dir().and_then(|d| d.canonicalize());
    let relative = here.ok().and_then(|here| path.strip_prefix(here).ok().map(|p| p.to_path_buf()));
    relative.unwrap_or_else(|| path.to_path_buf()).display().to_string()
}
