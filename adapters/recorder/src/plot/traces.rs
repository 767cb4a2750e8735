//! Analog variables below the raster: a panel for each, with a line for some of its neurons.

use std::fmt::Write;

use couple_ports::time::Time;

use crate::error::Result;
use crate::svg::{Axis, COLOURS, escape, short, shorten};
use crate::{Signal, Signals};

/// Height of a panel.
const PANEL: f64 = 84.0;
/// Space above each panel.
const GAP: f64 = 12.0;

/// Height of the panels of so many variables.
pub fn height(signals: &Signals) -> f64 {
    signals.all().len() as f64 * (PANEL + GAP)
}

/// The last time of any variable.
pub fn last(signals: &Signals) -> Option<Time> {
    signals.all().iter().filter_map(Signal::last).max()
}

/// Draws the panels from `top` on, each with at most so many neurons, taken evenly.
pub fn draw(svg: &mut String, signals: &Signals, axis: &Axis, top: f64, most: u64) -> Result<()> {
    for position in 0..signals.all().len() {
        panel(svg, signals, position, axis, top + GAP + position as f64 * (PANEL + GAP), most)?;
    }
    Ok(())
}

fn panel(svg: &mut String, signals: &Signals, position: usize, axis: &Axis, top: f64, most: u64) -> Result<()> {
    let signal = &signals.all()[position];
    let columns = chosen(signal.neurons.len(), most);
    let mut lines = vec![Line::default(); columns.len()];
    let mut range: Option<(f64, f64)> = None;
    signals.scan(position, signal.rows_until(axis.to), |row, values| {
        for (line, values) in values.chunks_exact(signal.neurons.len()).enumerate() {
            let time = signal.stamp(row + line as u64);
            if time < axis.from {
                continue;
            }
            for (column, line) in columns.iter().zip(&mut lines) {
                let value = values[*column];
                let (low, high) = range.unwrap_or((value, value));
                range = Some((low.min(value), high.max(value)));
                line.push(axis.x(time), value);
            }
        }
        Ok(())
    })?;
    let (low, high) = range.unwrap_or((0.0, 0.0));
    frame(svg, signal, axis, top, (columns.len(), low, high));
    let scale = if high > low { (PANEL - 4.0) / (high - low) } else { 0.0 };
    for (number, line) in lines.into_iter().enumerate() {
        let path = line.path(|value| if scale > 0.0 { top + 2.0 + (high - value) * scale } else { top + PANEL / 2.0 });
        if !path.is_empty() {
            let colour = COLOURS[number % COLOURS.len()];
            let _ = writeln!(svg, "<path d=\"{path}\" stroke=\"{colour}\" stroke-width=\".8\" fill=\"none\"/>");
        }
    }
    Ok(())
}

/// Columns to draw, taken evenly.
fn chosen(columns: usize, most: u64) -> Vec<usize> {
    let count = columns.min(usize::try_from(most).unwrap_or(usize::MAX));
    (0..count).map(|number| number * columns / count).collect()
}

fn frame(svg: &mut String, signal: &Signal, axis: &Axis, top: f64, (drawn, low, high): (usize, f64, f64)) {
    let (left, right) = axis.sides;
    let name = shorten(&signal.name());
    let all = signal.neurons.len();
    let neurons = if drawn < all { format!("{drawn} of {all}") } else { all.to_string() };
    let below = if signal.unit == "1" { neurons } else { format!("{}, {neurons}", signal.unit) };
    let middle = top + PANEL / 2.0;
    for (y, weight, size, text) in [(middle, 600, 12, name), (middle + 12.0, 400, 10, below)] {
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\" font-weight=\"{weight}\" font-size=\"{size}\">{}</text>",
            left - 12.0,
            short(y),
            escape(&text),
        );
    }
    let _ = writeln!(
        svg,
        "<rect x=\"{left}\" y=\"{}\" width=\"{}\" height=\"{PANEL}\" fill=\"#000\" fill-opacity=\".03\"/>",
        short(top),
        short(right - left),
    );
    for (y, value) in [(top + 9.0, high), (top + PANEL, low)] {
        let (x, y, text) = (short(right + 6.0), short(y), tidy(value));
        let _ = writeln!(svg, "<text x=\"{x}\" y=\"{y}\" font-size=\"10\" fill=\"#777\">{text}</text>");
    }
}

/// A value at the edge of a panel.
fn tidy(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_string(),
        x if (1e-2..1e5).contains(&x) => format!("{value:.2}"),
        _ => format!("{value:.2e}"),
    }
}

/// The values of a neuron, as many as a picture can show: where several fall on a pixel, the first, the extremes and the
/// last.
#[derive(Clone, Default)]
struct Line {
    points: Vec<(f64, f64)>,
    pixel: Option<i64>,
    /// Where the points of the pixel begin.
    begun: usize,
}

impl Line {
    fn push(&mut self, x: f64, value: f64) {
        let pixel = x.floor() as i64;
        if self.pixel != Some(pixel) {
            self.thin();
            self.pixel = Some(pixel);
        }
        self.points.push((x, value));
    }

    /// Leaves at most four points of the pixel.
    fn thin(&mut self) {
        let own = &self.points[self.begun..];
        if own.len() > 4 {
            let by_value = |a: &&(f64, f64), b: &&(f64, f64)| a.1.total_cmp(&b.1);
            let extremes = [own.iter().min_by(by_value), own.iter().max_by(by_value)];
            let mut kept: Vec<_> = extremes.into_iter().flatten().copied().collect();
            kept.sort_by(|a, b| a.0.total_cmp(&b.0));
            let (first, last) = (own[0], own[own.len() - 1]);
            self.points.truncate(self.begun);
            self.points.push(first);
            self.points.extend(kept);
            self.points.push(last);
        }
        self.begun = self.points.len();
    }

    fn path(mut self, y: impl Fn(f64) -> f64) -> String {
        self.thin();
        let mut path = String::new();
        for (number, (x, value)) in self.points.iter().enumerate() {
            let _ = write!(path, "{}{} {}", if number == 0 { 'M' } else { 'L' }, short(*x), short(y(*value)));
        }
        path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spike_survives_thinning() {
        let mut line = Line::default();
        (0..1000).for_each(|i| line.push(f64::from(i) / 100.0, if i == 555 { 40.0 } else { -65.0 }));
        let path = line.path(|value| value);
        assert!(path.contains(" 40") && path.matches('L').count() < 45, "{path}");
        assert_eq!(chosen(100, 4), [0, 25, 50, 75]);
        assert_eq!((chosen(2, 5), chosen(3, 0)), (vec![0, 1], vec![]));
    }
}
