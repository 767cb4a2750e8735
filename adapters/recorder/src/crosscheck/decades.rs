//! The largest difference of a variable against time, on a logarithmic axis.

use std::fmt::Write;

use super::Recordings;
use super::picture::{GAP, PANEL, colour, panel};
use crate::compare::signals::each_pair;
use crate::error::Result;
use crate::svg::{Axis, short};

/// Columns of the picture that a panel is drawn in.
const COLUMNS: usize = 429;
/// A panel shows at most so many powers of ten.
const DECADES: i32 = 16;

/// Draws a panel for each variable that was recorded, from `top` on; the lower edge of the last.
pub fn draw(svg: &mut String, recordings: &Recordings, axis: &Axis, mut top: f64) -> Result<f64> {
    let signals = recordings.runs[0].1.signals().all();
    let mut variables: Vec<(&str, &str)> = signals.iter().map(|s| (s.variable.as_str(), s.unit.as_str())).collect();
    variables.sort_unstable();
    variables.dedup();
    for (variable, unit) in variables {
        let runs: Vec<Vec<f64>> =
            (1..recordings.runs.len()).map(|run| largest(recordings, run, variable, axis)).collect::<Result<_>>()?;
        curves(svg, axis, top, (variable, unit), &runs);
        top += PANEL + 2.0 * GAP;
    }
    Ok(top)
}

/// The largest difference in each column of the picture, over all neurons that have the variable; negative where there
/// is no sample.
fn largest(recordings: &Recordings, run: usize, variable: &str, axis: &Axis) -> Result<Vec<f64>> {
    let (a, b) = (recordings.runs[0].1.signals(), recordings.runs[run].1.signals());
    let mut largest = vec![-1.0f64; COLUMNS];
    let length = (axis.to - axis.from).ns() as f64;
    for (in_a, signal) in a.all().iter().enumerate().filter(|(_, s)| s.variable == variable) {
        let Some(in_b) = b.find(&signal.population, variable) else { continue };
        let other = &b.all()[in_b];
        if (&signal.neurons, signal.start, signal.step) != (&other.neurons, other.start, other.step) {
            continue;
        }
        each_pair(a, in_a, b, in_b, Some(axis.to), &mut |time, _, values| {
            let share = (time - axis.from).ns() as f64 / length;
            if share >= 0.0 {
                let column = ((share * COLUMNS as f64) as usize).min(COLUMNS - 1);
                largest[column] = largest[column].max((values[1] - values[0]).abs());
            }
        })?;
    }
    Ok(largest)
}

fn curves(svg: &mut String, axis: &Axis, top: f64, (variable, unit): (&str, &str), runs: &[Vec<f64>]) {
    let positive = || runs.iter().flatten().copied().filter(|value| *value > 0.0);
    let (least, most) = (positive().fold(f64::INFINITY, f64::min), positive().fold(0.0, f64::max));
    // All zero: nothing differs, and the lines lie at the bottom.
    let high = if most > 0.0 { most.log10().ceil() as i32 } else { 0 };
    let low = if most > 0.0 { (least.log10().floor() as i32).max(high - DECADES).min(high - 1) } else { -1 };
    let edges = [format!("1e{high}"), if most > 0.0 { format!("1e{low}") } else { "0".to_string() }];
    panel(svg, top, (&format!("max |d{variable}|"), unit), [&edges[0], &edges[1]]);
    let height = |value: f64| {
        let share = if value > 0.0 { (value.log10() - f64::from(low)) / f64::from(high - low) } else { 0.0 };
        top + PANEL * (1.0 - share.clamp(0.0, 1.0))
    };
    let width = (axis.sides.1 - axis.sides.0) / COLUMNS as f64;
    for (number, run) in runs.iter().enumerate() {
        let mut path = String::new();
        for (column, value) in run.iter().enumerate().filter(|(_, value)| **value >= 0.0) {
            let command = if path.is_empty() { 'M' } else { 'L' };
            let x = axis.sides.0 + (column as f64 + 0.5) * width;
            let _ = write!(path, "{command}{} {}", short(x), short(height(*value)));
        }
        if !path.is_empty() {
            let colour = colour(number + 1);
            let _ = writeln!(svg, "<path d=\"{path}\" stroke=\"{colour}\" stroke-width=\"1\" fill=\"none\"/>");
        }
    }
}
