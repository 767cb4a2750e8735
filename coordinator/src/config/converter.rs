//! `converter = { type = … }` of a population.

use std::path::Path;

use couple_network::description::{Converter, RateKernel};
use couple_ports::time::Span;

use super::diagnostic::Diagnostic;
use super::keys::{CONVERTERS, KERNELS};
use super::nearest::{nearest, nearest_key};
use super::population::off_grid_help;
use super::reader::{Fields, Reader};
use super::tree::{Kind, Node};
use super::units::{self, Dimension};

/// What a converter is read against.
#[derive(Clone, Copy)]
pub(super) struct Setting<'a> {
    /// Step of its component.
    pub step: Option<Span>,
    /// Number of its neurons.
    pub size: Option<u32>,
    /// Where relative paths start.
    pub directory: &'a Path,
}

/// Reads a converter.
pub(super) fn read_converter(reader: &mut Reader, node: &Node, around: Setting<'_>) -> Option<Converter> {
    const EXAMPLE: &str = "{ type = \"rate_to_poisson\" }";
    let Kind::Table(table) = &node.kind else {
        let of_name = |text: &str| nearest(text, CONVERTERS.iter().map(|c| c.title)).and_then(example);
        let wanted = node.text().and_then(of_name).unwrap_or(EXAMPLE.to_string());
        reader.wrong_type(node, "a table", &format!("write  converter = {wanted}"));
        return None;
    };
    let Some(kind) = table.get("type") else {
        let other = nearest_key(table, "type").map(|key| format!("write `type` instead of `{key}`"));
        reader.note(
            Diagnostic::error("missing-key", &node.place, "this converter has no `type`")
                .label("`type` is missing")
                .help(other.unwrap_or(format!("write for example {EXAMPLE}"))),
        );
        return None;
    };
    let name = reader.text(kind)?;
    let Some(section) = CONVERTERS.iter().find(|c| c.title == name) else {
        let known = CONVERTERS.iter().map(|c| c.title);
        reader.unknown("unknown-converter", &kind.place, ("converter", "converters"), name, known);
        return None;
    };
    let fields = reader.open(node, &node.place, section)?;
    match name {
        "rate_to_poisson" => Some(Converter::RateToPoisson),
        "spikes_to_rate" => read_kernel(reader, &fields, around.step).map(|kernel| Converter::SpikesToRate { kernel }),
        "threshold" => {
            let unit = read_unit(reader, fields.get("unit"));
            let threshold = fields.get("threshold").and_then(|n| reader.number_in(n, unit.as_deref()?));
            Some(Converter::Threshold { threshold: threshold?, unit: unit? })
        }
        "linear" => {
            let (unit_in, unit_out) = read_units(reader, &fields);
            let matrix = read_matrix(reader, &fields, around);
            Some(Converter::Linear { matrix: matrix?, unit_in: unit_in?, unit_out: unit_out? })
        }
        _ => {
            let (unit_in, unit_out) = read_units(reader, &fields);
            let gain = fields.get("gain").and_then(|n| reader.number(n, Dimension::None));
            let offset = match fields.get("offset") {
                Some(node) => reader.number_in(node, unit_out.as_deref()?),
                None => Some(0.0),
            };
            Some(Converter::Gain { gain: gain?, offset: offset?, unit_in: unit_in?, unit_out: unit_out? })
        }
    }
}

/// A converter as it may be written, with the keys that it must have.
fn example(name: &str) -> Option<String> {
    let section = CONVERTERS.iter().find(|c| c.title == name)?;
    let others = section.keys.iter().filter(|k| k.required && k.name != "type");
    let others: String = others.map(|k| format!(", {} = {}", k.name, k.example)).collect();
    Some(format!("{{ type = \"{name}\"{others} }}"))
}

fn read_units(reader: &mut Reader, fields: &Fields<'_>) -> (Option<String>, Option<String>) {
    (read_unit(reader, fields.get("unit_in")), read_unit(reader, fields.get("unit_out")))
}

/// The name of a unit, in canonical spelling.
pub(super) fn read_unit(reader: &mut Reader, node: Option<&Node>) -> Option<String> {
    let node = node?;
    let text = reader.text(node)?;
    let unit = units::canonical(text);
    if unit.is_none() {
        let message = if text.trim().is_empty() {
            "this unit is empty".to_string()
        } else {
            format!("`{}` is no unit", text.escape_debug())
        };
        reader.note(
            Diagnostic::error("unknown-unit", &node.place, message)
                .label("not a unit")
                .help("write for example \"mV\", \"nA\" or \"Hz\"; a number without a unit has the unit \"1\""),
        );
    }
    unit
}

fn read_kernel(reader: &mut Reader, fields: &Fields<'_>, step: Option<Span>) -> Option<RateKernel> {
    let node = fields.get("kernel")?;
    let name = reader.text(node)?;
    let (key, other) = match name {
        "exponential" => ("tau", "width"),
        "window" => ("width", "tau"),
        _ => {
            reader.unknown("unknown-kernel", &node.place, ("kernel", "kernels"), name, KERNELS);
            return None;
        }
    };
    if let Some(entry) = fields.entry(other) {
        reader.note(
            Diagnostic::error("not-used", &entry.key_place, format!("the kernel \"{name}\" has no `{other}`"))
                .label("not for this kernel")
                .help(format!("its length is `{key}`")),
        );
        return None;
    }
    let Some(node) = fields.get(key) else {
        reader.note(
            Diagnostic::error("missing-key", fields.place, format!("the kernel \"{name}\" needs `{key}`"))
                .label(format!("`{key}` is missing"))
                .help(format!("add  {key} = \"50 ms\"")),
        );
        return None;
    };
    let length = reader.positive_time(node, &format!("`{key}`"), false)?;
    if key == "tau" {
        return Some(RateKernel::Exponential { tau: length.ms() });
    }
    let step = step?;
    if !length.is_multiple_of(step) {
        let message = format!("the width {length} is no multiple of the component's step, {step}");
        reader
            .note(Diagnostic::error("off-grid", &node.place, message).label("here").help(off_grid_help(length, step)));
        return None;
    }
    Some(RateKernel::Window { width: length })
}

/// The rows of a matrix, not yet held against the population.
type Rows = Vec<Vec<f64>>;

fn read_matrix(reader: &mut Reader, fields: &Fields<'_>, around: Setting<'_>) -> Option<Rows> {
    let (node, rows) = match (fields.get("matrix"), fields.get("file")) {
        (Some(matrix), None) => (matrix, written_matrix(reader, matrix)?),
        (None, Some(file)) => (file, matrix_in_file(reader, file, around.directory)?),
        (Some(matrix), Some(file)) => {
            reader.note(
                Diagnostic::error("not-used", &file.place, "a linear map has a `matrix` or a `file`, not both")
                    .label("one too many")
                    .related(&matrix.place, "the matrix")
                    .help("remove one of the two"),
            );
            return None;
        }
        (None, None) => {
            reader.note(
                Diagnostic::error("missing-key", fields.place, "a linear map has neither `matrix` nor `file`")
                    .label("`matrix` is missing")
                    .help("add  matrix = [[1.0, 0.0], [0.0, 1.0]], a row for each neuron, or  file = \"matrix.csv\""),
            );
            return None;
        }
    };
    let mut wrong = |message: String, label: String, help: String| {
        reader.note(Diagnostic::error("wrong-length", &node.place, message).label(label).help(help));
    };
    let columns = rows.first().map_or(0, Vec::len);
    if columns == 0 {
        wrong("the matrix is empty".into(), "no numbers".into(), "a column for each of `x` is needed".into());
        return None;
    }
    if let Some((at, row)) = rows.iter().enumerate().find(|(_, row)| row.len() != columns) {
        wrong(
            format!("row {} has {}, but the first has {columns}", at + 1, count(row.len(), "number")),
            format!("row {}", at + 1),
            "all rows have as many numbers as `x` has columns".into(),
        );
        return None;
    }
    let size = around.size?;
    if rows.len() != size as usize {
        wrong(
            format!(
                "the matrix has {}, but the population has {}",
                count(rows.len(), "row"),
                count(size as usize, "neuron")
            ),
            count(rows.len(), "row"),
            format!("give a row for each neuron, or make size = {}", rows.len()),
        );
        return None;
    }
    Some(rows)
}

fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

fn written_matrix(reader: &mut Reader, node: &Node) -> Option<Rows> {
    const WANTED: &str = "a list of rows, for example [[1.0, 0.0], [0.0, 1.0]]";
    let rows = reader.list(node, WANTED)?;
    let mut read = |row: &Node| -> Option<Vec<f64>> {
        let items = reader.list(row, WANTED)?;
        items.iter().map(|n| reader.number(n, Dimension::None)).collect()
    };
    rows.iter().map(&mut read).collect()
}

/// A text with a line for each row, numbers parted by commas, blanks or tabs; `#` begins a remark.
fn matrix_in_file(reader: &mut Reader, node: &Node, directory: &Path) -> Option<Rows> {
    let name = reader.text(node)?;
    let text = match std::fs::read_to_string(directory.join(name)) {
        Ok(text) => text,
        Err(error) => {
            let reason = match error.kind() {
                std::io::ErrorKind::NotFound => format!("there is no file `{name}`"),
                std::io::ErrorKind::InvalidData => format!("`{name}` is not a text"),
                _ => format!("cannot read `{name}`: {error}"),
            };
            reader.note(Diagnostic::error("missing-file", &node.place, reason).label("not readable").help(
                "a text with a line for each row is expected; relative paths start at the folder of the \
                 configuration file",
            ));
            return None;
        }
    };
    let mut rows = vec![];
    for (number, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        let row: Result<Vec<f64>, &str> = words(line).map(number_in_file).collect();
        match row {
            Ok(row) => rows.push(row),
            Err(word) => {
                let message =
                    format!("`{}` in line {} of `{name}` is no finite number", word.escape_debug(), number + 1);
                reader.note(
                    Diagnostic::error("wrong-type", &node.place, message)
                        .label("in this file")
                        .help("numbers are parted by commas, blanks or tabs, for example  0.5, 1e-3"),
                );
                return None;
            }
        }
    }
    Some(rows)
}

/// The words of a line. Between two commas there is one, also an empty one.
fn words(line: &str) -> Box<dyn Iterator<Item = &str> + '_> {
    if line.contains(',') { Box::new(line.split(',').map(str::trim)) } else { Box::new(line.split_whitespace()) }
}

fn number_in_file(word: &str) -> Result<f64, &str> {
    word.parse().ok().filter(|x: &f64| x.is_finite()).ok_or(word)
}
