//! A raster of a recording as an SVG picture: time to the right, a band of neurons for each population, and its mean
//! rate as a bar on the side; below it the traces of analog variables. The same recording gives the same bytes.

mod traces;

use std::collections::BTreeSet;
use std::fmt::Write;

use couple_ports::time::{Span, Time};

use crate::error::{Error, Result};
use crate::spikes::Spikes;
use crate::statistics::{Statistics, of_train};
use crate::svg::{Axis, COLOURS, WIDTH, escape, frame, half_pixel, short, shorten};
use crate::{Population, Spike};

/// What part of the recording to draw.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Start of the time axis; the start of the run unless given.
    pub from: Option<Time>,
    /// End of the time axis; the end of the recording unless given.
    pub to: Option<Time>,
    /// At most so many neurons are drawn, taken evenly from the populations.
    pub max_neurons: u64,
    /// At most so many neurons of each analog variable are drawn, taken evenly.
    pub max_traces: u64,
}

impl Default for Options {
    fn default() -> Self {
        Options { from: None, to: None, max_neurons: 2000, max_traces: 5 }
    }
}

const LEFT: f64 = 118.0;
const RIGHT: f64 = 172.0;
const TOP: f64 = 22.0;
const BOTTOM: f64 = 50.0;
/// Space between the bands of two populations.
const GAP: f64 = 6.0;
/// Height of all bands together, unless some are at their least.
const HEIGHT: f64 = 480.0;
/// Least height of a band: its name must fit beside it.
const LEAST: f64 = 26.0;
const LONGEST_BAR: f64 = 78.0;

/// The band of one population.
struct Band {
    population: Population,
    statistics: Statistics,
    /// Each `stride`-th neuron is drawn, `rows` in all.
    stride: u64,
    rows: u64,
    top: f64,
    height: f64,
    spikes: Vec<Spike>,
}

/// Draws the recording.
pub fn raster(recording: &Spikes, options: Options) -> Result<String> {
    let mut bands = bands(recording, options.max_neurons)?;
    let (from, to) = span(recording, &bands, options)?;
    let bottom = arrange(&mut bands) - BOTTOM;
    let height = bottom + traces::height(recording.signals()) + BOTTOM;
    let axis = Axis { from, to, sides: (LEFT, WIDTH - RIGHT) };
    let mut svg = String::new();
    frame(&mut svg, height);
    axis.draw(&mut svg, TOP, height - BOTTOM);
    let fastest = bands.iter().filter_map(|b| b.statistics.rate_hz).fold(0.0, f64::max);
    for (number, band) in bands.iter().enumerate() {
        let colour = COLOURS[number % COLOURS.len()];
        band.label(&mut svg);
        band.dots(&mut svg, &axis, colour);
        band.bar(&mut svg, colour, fastest);
    }
    traces::draw(&mut svg, recording.signals(), &axis, bottom, options.max_traces)?;
    svg.push_str("</svg>\n");
    Ok(svg)
}

/// Reads the populations and deals the rows out among them.
fn bands(recording: &Spikes, max_neurons: u64) -> Result<Vec<Band>> {
    let mut bands = Vec::with_capacity(recording.populations().len());
    for population in recording.populations() {
        let spikes = recording.read(&population.name)?;
        let statistics = of_train(&population.name, population.size, population.complete, &spikes);
        // A file that does not say how many neurons there are shows at least the ones that spiked.
        let seen = spikes.iter().map(|s| s.index + 1).max().unwrap_or(1);
        let rows = population.size.unwrap_or(seen).max(1);
        let population = population.clone();
        bands.push(Band { population, statistics, stride: 1, rows, top: 0.0, height: 0.0, spikes });
    }
    let total: u64 = bands.iter().map(|b| b.rows).sum();
    let least = (max_neurons / (4 * bands.len().max(1) as u64)).max(1);
    for band in &mut bands {
        let neurons = band.rows;
        let share = (u128::from(neurons) * u128::from(max_neurons) / u128::from(total.max(1))) as u64;
        band.stride = neurons.div_ceil(share.max(least)).max(1);
        band.rows = neurons.div_ceil(band.stride);
    }
    Ok(bands)
}

/// Start and end of the time axis.
fn span(recording: &Spikes, bands: &[Band], options: Options) -> Result<(Time, Time)> {
    let last = bands.iter().filter_map(|b| b.spikes.last()).map(|s| s.time).max();
    let from = options.from.unwrap_or(Time::ZERO);
    let sampled = traces::last(recording.signals());
    let end = recording.complete().into_iter().chain(last).chain(sampled).max().unwrap_or(from);
    // A recording that holds nothing yet has an axis all the same.
    let to = options.to.unwrap_or(if end == Time::ZERO { from + Span::from_ns(1_000_000) } else { end });
    if to <= from {
        return Err(Error::Request(format!("nothing to draw between {from} and {to}")));
    }
    Ok((from, to))
}

/// Gives each band its place; the height of the picture.
fn arrange(bands: &mut [Band]) -> f64 {
    let rows: u64 = bands.iter().map(|b| b.rows).sum();
    let row_height = (HEIGHT / rows.max(1) as f64).min(12.0);
    let mut top = TOP;
    for band in bands.iter_mut() {
        (band.top, band.height) = (top, (band.rows as f64 * row_height).max(LEAST));
        top += band.height + GAP;
    }
    top - GAP.min(top - TOP) + BOTTOM
}

impl Band {
    fn row_height(&self) -> f64 {
        self.height / self.rows as f64
    }

    fn label(&self, svg: &mut String) {
        let middle = self.top + self.height / 2.0;
        let neurons = self.population.size;
        let drawn = match neurons {
            Some(all) if self.stride > 1 => format!("{} of {all}", self.rows),
            Some(all) => all.to_string(),
            None => String::new(),
        };
        let x = LEFT - 12.0;
        let (name, drawn) = (escape(&shorten(&self.population.name)), escape(&drawn));
        let _ = writeln!(
            svg,
            "<text x=\"{x}\" y=\"{}\" text-anchor=\"end\" font-weight=\"600\">{name}</text>",
            short(middle)
        );
        let _ = writeln!(
            svg,
            "<text x=\"{x}\" y=\"{}\" text-anchor=\"end\" font-size=\"10\" fill=\"#777\">{drawn}</text>",
            short(middle + 12.0),
        );
    }

    /// One path of dots, in tenths of a pixel; dots that would fall on each other are drawn once, which also bounds
    /// the size of the picture.
    fn dots(&self, svg: &mut String, axis: &Axis, colour: &str) {
        let row_height = self.row_height();
        let first = self.spikes.partition_point(|s| s.time < axis.from);
        let last = self.spikes.partition_point(|s| s.time <= axis.to);
        let mut dots = BTreeSet::new();
        for spike in &self.spikes[first..last] {
            let (row, rest) = (spike.index / self.stride, spike.index % self.stride);
            if rest == 0 && row < self.rows {
                let y = self.top + (row as f64 + 0.5) * row_height;
                dots.insert((half_pixel(y), half_pixel(axis.x(spike.time))));
            }
        }
        let _ = writeln!(
            svg,
            "<rect x=\"{LEFT}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{colour}\" fill-opacity=\".05\"/>",
            short(self.top),
            WIDTH - LEFT - RIGHT,
            short(self.height),
        );
        let mut path = String::new();
        for (y, x) in &dots {
            let _ = write!(path, "M{x} {y}h0");
        }
        if !path.is_empty() {
            let size = (row_height * 9.0).clamp(13.0, 38.0).round();
            let _ = writeln!(
                svg,
                "<path transform=\"scale(.1)\" d=\"{path}\" stroke=\"{colour}\" stroke-width=\"{size}\" \
                 stroke-linecap=\"round\"/>"
            );
        }
    }

    fn bar(&self, svg: &mut String, colour: &str, fastest: f64) {
        let Some(rate) = self.statistics.rate_hz else { return };
        let x = WIDTH - RIGHT + 14.0;
        let width = if fastest > 0.0 { rate / fastest * LONGEST_BAR } else { 0.0 };
        let middle = self.top + self.height / 2.0;
        let _ = writeln!(
            svg,
            "<rect x=\"{x}\" y=\"{}\" width=\"{}\" height=\"12\" rx=\"2\" fill=\"{colour}\"/>",
            short(middle - 6.0),
            short(width.max(1.0)),
        );
        let text = if rate < 10.0 { format!("{rate:.2}") } else { format!("{rate:.1}") };
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{}\">{text} Hz</text>",
            short(x + width.max(1.0) + 6.0),
            short(middle + 4.0)
        );
    }
}
