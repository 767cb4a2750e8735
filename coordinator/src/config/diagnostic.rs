//! What is wrong with a configuration: place, reason, remedy.
//!
//! One [`Diagnostic`] per cause. It knows the text it points into, so that it can be rendered long after the file was
//! read, and so that a value given with `--set` is shown where it was typed.

use std::fmt::{self, Write as _};
use std::ops::Range;
use std::sync::Arc;

use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, SourceCode};
use serde_json::json;

/// A text that values come from: the configuration file, or one `--set`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Source {
    /// How it is called in messages: the path as given, or `--set`.
    pub name: String,
    /// Its whole text.
    pub text: String,
}

/// A stretch of a [`Source`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// Where it is.
    pub source: Arc<Source>,
    /// Byte range in the source's text.
    pub range: Range<usize>,
}

impl Place {
    /// Line and column of the first character, both counted from 1.
    pub fn line_column(&self) -> (usize, usize) {
        let start = self.source.text.floor_char_boundary(self.range.start);
        let before = &self.source.text[..start];
        let column = before[line_start(before, start)..].chars().count() + 1;
        (before.matches('\n').count() + 1, column)
    }

    /// The part that is underlined: (start, length).
    fn shown(&self) -> (usize, usize) {
        let text = &self.source.text;
        let start = text.floor_char_boundary(self.range.start);
        let end = text.floor_char_boundary(self.range.end.min(start + UNDERLINED));
        (start, end.saturating_sub(start))
    }
}

/// Longest stretch that is underlined, and that is shown on either side of it, in bytes: lists can be very long lines.
const UNDERLINED: usize = 120;
const AROUND: usize = 120;

/// Where the line that holds byte `at` starts.
fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |i| i + 1)
}

/// Where the line that holds byte `at` ends, before its newline.
fn line_end(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |i| at + i)
}

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Severity {
    /// The run would work, but probably not as meant.
    Warning,
    /// The run is refused.
    Error,
}

/// One thing that is wrong with the input.
#[derive(Clone, PartialEq, Debug)]
pub struct Diagnostic {
    /// Error or warning.
    pub severity: Severity,
    /// Short name of the kind of mistake, stable, for tools.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// Where; `None` when there is no text to show (the file cannot be read).
    pub place: Option<Place>,
    /// What to write beside the place.
    pub label: String,
    /// A second place that explains the first, with its own label.
    pub related: Option<(Place, String)>,
    /// What to do about it.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error at `place`.
    pub fn error(code: &'static str, place: &Place, message: impl Into<String>) -> Self {
        Diagnostic {
            severity: Severity::Error,
            code,
            message: message.into(),
            place: Some(place.clone()),
            label: "here".to_string(),
            related: None,
            help: None,
        }
    }
    /// A warning at `place`.
    pub fn warning(code: &'static str, place: &Place, message: impl Into<String>) -> Self {
        Diagnostic { severity: Severity::Warning, ..Self::error(code, place, message) }
    }
    /// An error about a file as a whole.
    pub fn without_place(code: &'static str, message: impl Into<String>) -> Self {
        Diagnostic {
            severity: Severity::Error,
            code,
            message: message.into(),
            place: None,
            label: String::new(),
            related: None,
            help: None,
        }
    }
    /// With `label` beside the place.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }
    /// With a second place.
    pub fn related(mut self, place: &Place, label: impl Into<String>) -> Self {
        self.related = Some((place.clone(), label.into()));
        self
    }
    /// With a remedy.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The message as a text with the lines in question, coloured for a terminal or plain.
    pub fn render(&self, colour: bool) -> String {
        let theme = if colour { GraphicalTheme::unicode() } else { plain_theme() };
        let handler = GraphicalReportHandler::new_themed(theme).with_width(120).with_links(false).with_context_lines(1);
        let mut text = String::new();
        // Rendering fails only when the place does not lie in its source; then the bare message has to do.
        if handler.render_report(&mut text, self).is_err() {
            text = self.to_string();
        }
        text.lines().map(|line| format!("{}\n", line.trim_end())).collect()
    }

    /// The message as an object for tools.
    pub fn to_json(&self) -> serde_json::Value {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let mut object = json!({
            "severity": severity, "code": self.code, "message": self.message, "help": self.help,
        });
        if let Some(place) = &self.place {
            let (line, column) = place.line_column();
            object["file"] = json!(place.source.name);
            object["line"] = json!(line);
            object["column"] = json!(column);
            object["start"] = json!(place.range.start);
            object["end"] = json!(place.range.end);
            object["label"] = json!(self.label);
        }
        if let Some((place, label)) = &self.related {
            let (line, column) = place.line_column();
            object["related"] = json!({ "file": place.source.name, "line": line, "column": column, "label": label });
        }
        object
    }
}

/// Characters that any terminal, log and editor shows, and no colour.
fn plain_theme() -> GraphicalTheme {
    let mut theme = GraphicalTheme::none();
    theme.characters.error = "error:".to_string();
    theme.characters.warning = "warning:".to_string();
    theme
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Diagnostic {}

impl miette::Diagnostic for Diagnostic {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.code))
    }
    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        })
    }
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }
    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.place.as_ref().map(|place| place as &dyn SourceCode)
    }
    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let place = self.place.as_ref()?;
        let span = |place: &Place, label: &str| LabeledSpan::new_with_span(Some(label.to_string()), place.shown());
        let mut labels = vec![LabeledSpan::new_primary_with_span(Some(self.label.clone()), place.shown())];
        // Only one text can be shown at a time.
        labels.extend(self.related.iter().filter(|r| r.0.source == place.source).map(|(at, label)| span(at, label)));
        Some(Box::new(labels.into_iter()))
    }
}

impl SourceCode for Place {
    fn read_span<'a>(
        &'a self,
        span: &miette::SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn miette::SpanContents<'a> + 'a>, miette::MietteError> {
        // Without context the renderer asks for the exact place, with it for what to show: whole lines, no more.
        let text = &self.source.text;
        let lines = before + after > 0;
        let start = text.floor_char_boundary(span.offset());
        let end = text.ceil_char_boundary(span.offset() + span.len());
        let (start, end) = match lines {
            false => (start, end),
            true => (
                line_start(text, start).max(text.floor_char_boundary(start.saturating_sub(AROUND))),
                line_end(text, end).min(text.ceil_char_boundary(end + AROUND)),
            ),
        };
        let inner = text.read_span(&(start, end - start).into(), 0, 0)?;
        Ok(Box::new(miette::MietteSpanContents::new_named(
            self.source.name.clone(),
            inner.data(),
            *inner.span(),
            inner.line(),
            inner.column(),
            inner.line_count(),
        )))
    }
}

/// All messages, errors first as they stand in the text, with a closing count.
pub fn render_all(diagnostics: &[Diagnostic], colour: bool) -> String {
    let mut text = String::new();
    for diagnostic in diagnostics {
        text.push_str(&diagnostic.render(colour));
        text.push('\n');
    }
    let count = |severity| diagnostics.iter().filter(|d| d.severity == severity).count();
    let plural = |n: usize, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    let parts: Vec<String> = [(errors, "error"), (warnings, "warning")]
        .into_iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, word)| plural(n, word))
        .collect();
    if !parts.is_empty() {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}", parts.join(", "));
    }
    text
}
