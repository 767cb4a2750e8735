//! What the pictures share: colours, the time axis, numbers and names as SVG wants them.

use std::fmt::Write;

use couple_ports::time::{Span, Time};

/// Colours that are told apart also by colour-blind readers, dark enough for small dots on white.
pub const COLOURS: [&str; 7] = ["#0072b2", "#c44e00", "#00795a", "#a6438a", "#8a6d00", "#4b5fc1", "#4d4d4d"];
/// Width of every picture.
pub const WIDTH: f64 = 1000.0;

/// The head of a picture of this height, on white.
pub fn frame(svg: &mut String, height: f64) {
    let _ = write!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {h}\" width=\"{WIDTH}\" height=\"{h}\" \
         font-family=\"Inter,'Helvetica Neue',Arial,sans-serif\" font-size=\"12\" fill=\"#222\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n",
        h = short(height),
    );
}

/// The time axis.
pub struct Axis {
    /// Its start.
    pub from: Time,
    /// Its end.
    pub to: Time,
    /// Where it begins and ends in the picture.
    pub sides: (f64, f64),
}

impl Axis {
    /// Where a time lies.
    pub fn x(&self, time: Time) -> f64 {
        let share = (time - self.from).ns() as f64 / (self.to - self.from).ns() as f64;
        self.sides.0 + share * (self.sides.1 - self.sides.0)
    }

    /// Draws the grid from `top` to `bottom`, and below it the times.
    pub fn draw(&self, svg: &mut String, top: f64, bottom: f64) {
        let (left, right) = self.sides;
        let tick = tick(self.to - self.from);
        let mut time = Time::from_ns(self.from.ns().div_euclid(tick.ns()) * tick.ns());
        let mut grid = String::new();
        let mut labels = String::new();
        while time <= self.to {
            if time >= self.from {
                let x = short(self.x(time));
                let _ = write!(grid, "M{x} {top}V{}", short(bottom + 5.0));
                let text = (time - Time::ZERO).to_string();
                let _ = writeln!(
                    labels,
                    "<text x=\"{x}\" y=\"{}\" text-anchor=\"middle\" fill=\"#555\">{}</text>",
                    short(bottom + 19.0),
                    text.trim_end_matches(" ms"),
                );
            }
            time += tick;
        }
        let _ = writeln!(svg, "<path d=\"{grid}\" stroke=\"#e4e4e4\"/>");
        let _ = writeln!(svg, "<path d=\"M{left} {b}H{right}\" stroke=\"#555\"/>", b = short(bottom));
        svg.push_str(&labels);
        let middle = short((left + right) / 2.0);
        let _ = writeln!(
            svg,
            "<text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">time (ms)</text>",
            short(bottom + 40.0)
        );
    }
}

/// A distance of ticks that is 1, 2 or 5 times a power of ten and gives five to ten of them.
pub fn tick(length: Span) -> Span {
    let target = (length.ns() / 8).max(1);
    let mut power = 1i64;
    while power.saturating_mul(10) <= target {
        power *= 10;
    }
    let factor = [1, 2, 5, 10].into_iter().find(|f| power.saturating_mul(*f) >= target).unwrap_or(10);
    Span::from_ns(power.saturating_mul(factor))
}

/// The nearest half pixel, in tenths.
pub fn half_pixel(value: f64) -> i64 {
    (value * 2.0).round() as i64 * 5
}

/// A coordinate with one decimal at most.
pub fn short(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_string)
}

/// A name that fits into the margin.
pub fn shorten(name: &str) -> String {
    const LONGEST: usize = 15;
    if name.chars().count() <= LONGEST {
        return name.to_string();
    }
    name.chars().take(LONGEST - 1).chain(['…']).collect()
}

pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round() {
        for (ms, expected) in [(1, 200_000), (10, 2_000_000), (100, 20_000_000), (1000, 200_000_000), (7, 1_000_000)] {
            assert_eq!(tick(Span::from_ns(ms * 1_000_000)), Span::from_ns(expected), "{ms} ms");
        }
        assert_eq!(tick(Span::from_ns(1)), Span::from_ns(1));
        assert!(tick(Span::MAX) > Span::ZERO);
    }
}
