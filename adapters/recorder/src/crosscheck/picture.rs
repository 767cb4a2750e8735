//! A cross-check as a picture: the same neurons on each simulator below each other, then how far paired spikes are
//! apart and how many have no partner, against time.
//!
//! ```text
//!   E   ─ neuron 3   | |   |  |      a row for each neuron drawn, in it a lane for each simulator
//!                    | |   |   |
//!   I   ─ …
//!   dt  +1 ms ················ .     time of each paired spike less that of the reference
//!   alone 100 % ─────────────────    share of spikes without a partner
//!   v     1e-3 ──────────────────    the largest difference of each recorded variable
//! ```

use std::collections::BTreeSet;
use std::fmt::Write;

use couple_ports::time::{Span, Time};

use super::{Recordings, decades};
use crate::Spike;
use crate::error::{Error, Result};
use crate::pairing::{self, Match};
use crate::svg::{Axis, COLOURS, WIDTH, escape, frame, short, shorten};

/// What to draw.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Start of the time axis; the start of the run unless given.
    pub from: Option<Time>,
    /// End of the time axis; the end of the recordings unless given.
    pub to: Option<Time>,
    /// Spikes of a neuron that are at most so far apart are paired.
    pub tolerance: Span,
}

/// The colour of the reference.
const REFERENCE: &str = "#222222";
const LEFT: f64 = 118.0;
const RIGHT: f64 = 24.0;
/// Below the legend.
const TOP: f64 = 40.0;
const BOTTOM: f64 = 50.0;
pub(super) const GAP: f64 = 8.0;
/// Neurons drawn of all populations together, and of each at least and at most.
const ROWS: usize = 60;
const FEWEST: usize = 3;
const MOST: usize = 12;
/// Height of the lane of one simulator in the row of a neuron.
const LANE: f64 = 4.5;
/// Height of a panel of differences.
pub(super) const PANEL: f64 = 90.0;
/// Edge of the squares in which dots that fall together are drawn once, in pixels.
const GRID: f64 = 2.0;
/// Parts of the time axis in which spikes without a partner are counted.
const BINS: usize = 60;

/// The colour of the run at `position`.
pub(super) fn colour(position: usize) -> &'static str {
    if position == 0 { REFERENCE } else { COLOURS[(position - 1) % COLOURS.len()] }
}

/// Draws the recordings.
pub fn draw(recordings: &Recordings, options: Options) -> Result<String> {
    let populations = read(recordings)?;
    let axis = axis(recordings, &populations, options)?;
    let rows = (ROWS / populations.len().max(1)).clamp(FEWEST, MOST);
    let mut body = String::new();
    let mut top = TOP;
    for (name, trains) in &populations {
        let height = band(&mut body, &axis, top, (name, trains), rows);
        top += height + GAP;
    }
    let differences: Vec<Differences> =
        (1..recordings.runs.len()).map(|run| Differences::of(&populations, run, options.tolerance)).collect();
    if !differences.is_empty() {
        top += GAP;
        shifts(&mut body, &axis, top, &differences, options.tolerance);
        top += PANEL + 2.0 * GAP;
        alone(&mut body, &axis, top, &differences);
        top += PANEL + 2.0 * GAP;
        top = decades::draw(&mut body, recordings, &axis, top)?;
    }
    let bottom = top - GAP;
    let mut svg = String::new();
    frame(&mut svg, bottom + BOTTOM);
    legend(&mut svg, recordings);
    axis.draw(&mut svg, TOP, bottom);
    svg.push_str(&body);
    for (number, run) in differences.iter().enumerate() {
        run.mark_first(&mut svg, &axis, bottom, colour(number + 1));
    }
    svg.push_str("</svg>\n");
    Ok(svg)
}

/// The trains of each population, one for each run, sorted by neuron.
fn read(recordings: &Recordings) -> Result<Vec<(String, Vec<Vec<Spike>>)>> {
    let names = recordings.populations();
    let train = |name: &str, run: &crate::Spikes| {
        let mut train = run.read(name)?;
        pairing::by_neuron(&mut train);
        Ok(train)
    };
    let trains = |name: &str| recordings.runs.iter().map(|(_, run)| train(name, run)).collect::<Result<Vec<_>>>();
    names.into_iter().map(|name| Ok((name.to_string(), trains(name)?))).collect()
}

fn axis(recordings: &Recordings, populations: &[(String, Vec<Vec<Spike>>)], options: Options) -> Result<Axis> {
    let last = populations.iter().flat_map(|(_, trains)| trains).flatten().map(|s| s.time).max();
    let end = recordings.runs.iter().filter_map(|(_, run)| run.complete()).chain(last).max().unwrap_or(Time::ZERO);
    let from = options.from.unwrap_or(Time::ZERO);
    let to = options.to.unwrap_or(if end <= from { from + Span::from_ns(1_000_000) } else { end });
    if to <= from {
        return Err(Error::Request(format!("nothing to draw between {from} and {to}")));
    }
    Ok(Axis { from, to, sides: (LEFT, WIDTH - RIGHT) })
}

fn legend(svg: &mut String, recordings: &Recordings) {
    let mut x = LEFT;
    for (position, (simulator, _)) in recordings.runs.iter().enumerate() {
        let text = if position == 0 { format!("{simulator} (reference)") } else { simulator.clone() };
        let _ = writeln!(
            svg,
            "<rect x=\"{}\" y=\"12\" width=\"12\" height=\"12\" rx=\"2\" fill=\"{}\"/>\
             <text x=\"{}\" y=\"22\">{}</text>",
            short(x),
            colour(position),
            short(x + 18.0),
            escape(&text),
        );
        x += 42.0 + 7.0 * text.chars().count() as f64;
    }
}

/// Draws some neurons of a population, a lane for each run; the height of the band.
fn band(svg: &mut String, axis: &Axis, top: f64, (name, trains): (&str, &[Vec<Spike>]), rows: usize) -> f64 {
    let neurons = choose(trains, axis, rows);
    let row_height = LANE * trains.len() as f64 + 3.0;
    let height = (neurons.len() as f64 * row_height).max(26.0);
    title(svg, top + height / 2.0, name, &format!("{} neurons", neurons.len()));
    let mut stripes = String::new();
    for row in (0..neurons.len()).step_by(2) {
        let (y, width) = (short(top + row as f64 * row_height), short(WIDTH - LEFT - RIGHT));
        let _ = write!(stripes, "M{LEFT} {y}h{width}v{row_height}h-{width}z");
    }
    let _ = writeln!(svg, "<path d=\"{stripes}\" fill=\"#000\" fill-opacity=\".05\"/>");
    for (run, train) in trains.iter().enumerate() {
        let mut path = String::new();
        for (row, neuron) in neurons.iter().enumerate() {
            let y = top + row as f64 * row_height + run as f64 * LANE + 1.5;
            let first = train.partition_point(|s| s.index < *neuron);
            let own = train[first..].iter().take_while(|s| s.index == *neuron);
            let mut last = String::new();
            for spike in own.filter(|s| s.time >= axis.from && s.time <= axis.to) {
                let tick = format!("M{} {}v{LANE}", short(axis.x(spike.time)), short(y));
                if tick != last {
                    path.push_str(&tick);
                }
                last = tick;
            }
        }
        if !path.is_empty() {
            let _ = writeln!(svg, "<path d=\"{path}\" stroke=\"{}\" stroke-width=\"1.2\" fill=\"none\"/>", colour(run));
        }
    }
    height
}

/// Neurons to draw, taken evenly from those that spike within the picture in any run.
fn choose(trains: &[Vec<Spike>], axis: &Axis, rows: usize) -> Vec<u64> {
    let seen = trains.iter().flatten().filter(|s| s.time >= axis.from && s.time <= axis.to);
    let active: BTreeSet<u64> = seen.map(|s| s.index).collect();
    let active: Vec<u64> = active.into_iter().collect();
    let count = rows.min(active.len());
    (0..count).map(|row| active[row * active.len() / count]).collect()
}

fn title(svg: &mut String, middle: f64, name: &str, below: &str) {
    let x = LEFT - 12.0;
    let _ = writeln!(
        svg,
        "<text x=\"{x}\" y=\"{}\" text-anchor=\"end\" font-weight=\"600\">{}</text>\
         <text x=\"{x}\" y=\"{}\" text-anchor=\"end\" font-size=\"10\" fill=\"#777\">{}</text>",
        short(middle),
        escape(&shorten(name)),
        short(middle + 12.0),
        escape(below),
    );
}

/// How the spikes of one run differ from the reference's, over all populations.
struct Differences {
    /// Time of the reference's spike, and the run's less that in ns.
    pairs: Vec<(Time, i64)>,
    /// Spikes without a partner, of either.
    alone: Vec<Time>,
    /// The first that is not the same.
    first: Option<Time>,
}

impl Differences {
    fn of(populations: &[(String, Vec<Vec<Spike>>)], run: usize, tolerance: Span) -> Self {
        let mut differences = Differences { pairs: Vec::new(), alone: Vec::new(), first: None };
        for (_, trains) in populations {
            pairing::pair(&trains[0], &trains[run], tolerance, |found| match found {
                Match::Pair(a, b) => differences.pairs.push((a.time, (b.time - a.time).ns())),
                Match::Alone(spike, _) => differences.alone.push(spike.time),
            });
        }
        let shifted = differences.pairs.iter().filter(|(_, shift)| *shift != 0).map(|(t, shift)| {
            // Whichever of the two is earlier.
            *t + Span::from_ns((*shift).min(0))
        });
        differences.first = shifted.chain(differences.alone.iter().copied()).min();
        differences
    }

    /// A dashed line where the run first differs.
    fn mark_first(&self, svg: &mut String, axis: &Axis, bottom: f64, colour: &str) {
        let Some(first) = self.first.filter(|t| *t >= axis.from && *t <= axis.to) else { return };
        let x = short(axis.x(first));
        let _ = writeln!(
            svg,
            "<path d=\"M{x} {TOP}V{}\" stroke=\"{colour}\" stroke-dasharray=\"4 4\" stroke-opacity=\".7\"/>",
            short(bottom)
        );
    }
}

/// The frame of a panel, with what its upper and lower edge mean.
pub(super) fn panel(svg: &mut String, top: f64, (name, unit): (&str, &str), edges: [&str; 2]) {
    title(svg, top + PANEL / 2.0, name, unit);
    let (left, right) = (LEFT, WIDTH - RIGHT);
    let _ = writeln!(
        svg,
        "<path d=\"M{left} {t}H{right}M{left} {b}H{right}\" stroke=\"#bbb\"/>",
        t = short(top),
        b = short(top + PANEL),
    );
    for (text, y) in [(edges[0], top + 4.0), (edges[1], top + PANEL + 4.0)] {
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\" font-size=\"10\" fill=\"#777\">{text}</text>",
            LEFT - 4.0,
            short(y)
        );
    }
}

/// The differences of paired spikes against time.
fn shifts(svg: &mut String, axis: &Axis, top: f64, runs: &[Differences], tolerance: Span) {
    let edge = format!("{}", tolerance.ms());
    panel(svg, top, ("dt", "of pairs (ms)"), [&format!("+{edge}"), &format!("−{edge}")]);
    let middle = top + PANEL / 2.0;
    let _ = writeln!(svg, "<path d=\"M{LEFT} {m}H{}\" stroke=\"#ddd\"/>", WIDTH - RIGHT, m = short(middle));
    let scale = if tolerance > Span::ZERO { PANEL / 2.0 / tolerance.ns() as f64 } else { 0.0 };
    for (number, run) in runs.iter().enumerate() {
        let mut dots = BTreeSet::new();
        for (time, shift) in run.pairs.iter().filter(|(t, _)| *t >= axis.from && *t <= axis.to) {
            let y = middle - *shift as f64 * scale;
            dots.insert(((axis.x(*time) / GRID).round() as i64, (y / GRID).round() as i64));
        }
        let mut path = String::new();
        for (x, y) in &dots {
            let _ = write!(path, "M{x} {y}h0");
        }
        if !path.is_empty() {
            let _ = writeln!(
                svg,
                "<path transform=\"scale({GRID})\" d=\"{path}\" stroke=\"{}\" stroke-width=\"1\" stroke-opacity=\".7\" \
                 stroke-linecap=\"round\"/>",
                colour(number + 1),
            );
        }
    }
}

/// The share of spikes without a partner against time.
fn alone(svg: &mut String, axis: &Axis, top: f64, runs: &[Differences]) {
    panel(svg, top, ("unpaired", "share of spikes"), ["100 %", "0 %"]);
    let length = (axis.to - axis.from).ns() as f64;
    let bin = |time: Time| (((time - axis.from).ns() as f64 / length * BINS as f64) as usize).min(BINS - 1);
    let within = |time: &Time| *time >= axis.from && *time <= axis.to;
    for (number, run) in runs.iter().enumerate() {
        let (mut all, mut alone) = ([0u64; BINS], [0u64; BINS]);
        run.pairs.iter().filter(|(t, _)| within(t)).for_each(|(t, _)| all[bin(*t)] += 2);
        run.alone.iter().filter(|t| within(t)).for_each(|t| {
            all[bin(*t)] += 1;
            alone[bin(*t)] += 1;
        });
        let width = (axis.sides.1 - axis.sides.0) / BINS as f64;
        let mut path = String::new();
        let mut command = 'M';
        for (number, (all, alone)) in all.into_iter().zip(alone).enumerate() {
            // Where nobody spikes there is no share.
            if all == 0 {
                command = 'M';
                continue;
            }
            let y = top + PANEL * (1.0 - alone as f64 / all as f64);
            let x = axis.sides.0 + number as f64 * width;
            let _ = write!(path, "{command}{} {y}H{}", short(x), short(x + width), y = short(y));
            command = 'L';
        }
        if !path.is_empty() {
            let _ = writeln!(
                svg,
                "<path d=\"{path}\" stroke=\"{}\" stroke-width=\"1.5\" fill=\"none\"/>",
                colour(number + 1)
            );
        }
    }
}
