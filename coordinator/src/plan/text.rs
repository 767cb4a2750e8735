//! The plan as text, for `couple plan`.

use std::fmt::Write;

use couple_network::description::Simulator;

use super::channels::Memory;
use super::edges::Carries;
use super::{Loop, Plan};

impl Plan {
    /// The plan in tables.
    ///
    /// The same as JSON is `serde_json::to_string_pretty(&plan)`; lengths of time there are whole nanoseconds, in
    /// fields whose names end in `_ns`.
    pub fn text(&self) -> String {
        let mut text = self.headline();
        let samples = self.links.iter().any(|l| matches!(l.carries, Carries::Signal { .. }));
        section(&mut text, "Components", &self.components_table());
        section(&mut text, "Links", &self.links_table());
        section(&mut text, "Loops", &self.loops_text());
        section(&mut text, "Buffers", &self.memory.text(self.channels.len(), samples));
        text
    }

    fn headline(&self) -> String {
        let waiting = if self.spin { "ranks that wait spin" } else { "ranks that wait sleep" };
        format!(
            "{}: {} of simulated time, {}, {}, {} on {}: {waiting}\n",
            self.run,
            self.duration,
            count(self.components.len() as u64, "component"),
            count(self.ranks.len() as u64, "rank"),
            count(self.busy_threads.into(), "busy thread"),
            count(self.cores.into(), "core"),
        )
    }

    fn components_table(&self) -> String {
        let head = ["component", "simulator", "step", "window", "ranks", "threads", "neurons", "loop"];
        let row = |c: &super::PlannedComponent| {
            vec![
                c.name.clone(),
                simulator(c.simulator).to_string(),
                c.step.to_string(),
                c.window.to_string(),
                c.ranks.to_string(),
                c.threads.to_string(),
                c.neurons.to_string(),
                c.in_loop.map_or("-".into(), |l| (l + 1).to_string()),
            ]
        };
        table(&head, self.components.iter().map(row).collect())
    }

    fn links_table(&self) -> String {
        if self.links.is_empty() {
            return "none: no spike leaves its rank\n".into();
        }
        let mut head = vec!["link", "from", "to", "width", "min-delay", "sender may lead by", "feeds"];
        // Where there are only spikes, nobody asks.
        let kinds = self.links.iter().any(|l| l.carries != Carries::Spikes);
        if kinds {
            head.insert(3, "carries");
        }
        let row = |l: &super::Link| {
            let channel = self.channels.iter().find(|c| c.links.contains(&l.id));
            let lead = channel.map_or("-".into(), |c| match c.credit {
                Some(credit) => format!("{credit} (credit)"),
                None => format!("{} (loop)", c.lead),
            });
            let target = l.target.as_ref().map_or(String::new(), |port| format!(":{port}"));
            let more = if l.feeds.len() > 1 { format!(" and {} more", l.feeds.len() - 1) } else { String::new() };
            let mut row = vec![
                l.id.to_string(),
                format!("{}:{}", self.components[l.from].name, l.source_name),
                format!("{}{target}", self.components[l.to].name),
                if matches!(l.carries, Carries::Messages { .. }) { "-".into() } else { l.width.to_string() },
                l.min_delay.to_string(),
                lead,
                format!("{}{more}", l.feeds[0]),
            ];
            if kinds {
                row.insert(3, l.carries.to_string());
            }
            row
        };
        table(&head, self.links.iter().map(row).collect())
    }

    fn loops_text(&self) -> String {
        if self.loops.is_empty() {
            return "none: every component runs ahead as far as its credit allows\n".into();
        }
        self.loops.iter().enumerate().map(|(number, l)| l.text(number + 1)).collect()
    }
}

impl Loop {
    fn text(&self, number: usize) -> String {
        let members = self.names.join(", ");
        let manner = match (self.turns, self.names.len()) {
            (true, _) => "members take turns",
            (false, 1) => "alone",
            (false, _) => "members run at the same time",
        };
        let mut text = format!("{number}. {members}: window {}, {manner}\n", self.window);
        let longest = self.longest_window();
        let limited =
            if self.window == longest { "is limited by".into() } else { format!("may be up to {longest}, by") };
        _ = writeln!(text, "   the window {limited} {}", self.limit);
        for edge in &self.short {
            _ = writeln!(text, "   in each window the receiver waits for the sender: {edge}, shorter than the window");
        }
        if self.turns {
            _ = writeln!(text, "   with no delay below {} the members would run at the same time", self.base);
        }
        text
    }
}

impl Memory {
    fn text(&self, rings: usize, samples: bool) -> String {
        let what = if samples { "events and samples" } else { "events" };
        format!(
            "{}, {}; {what} held for later windows: at most {} at {} spikes/s of each neuron\n",
            count(rings as u64, "ring"),
            bytes(self.rings),
            bytes(self.held),
            self.rate
        )
    }
}

pub(super) fn simulator(simulator: Simulator) -> &'static str {
    match simulator {
        Simulator::Native => "native",
        Simulator::Nest => "nest",
        Simulator::Neuron => "neuron",
        Simulator::Brian2 => "brian2",
        Simulator::Arbor => "arbor",
        Simulator::Script => "script",
        Simulator::Converter => "converter",
    }
}

fn count(n: u64, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

pub(super) fn bytes(n: u64) -> String {
    match n {
        0..1024 => format!("{n} B"),
        1024..1_048_576 => format!("{:.1} KiB", n as f64 / 1024.0),
        1_048_576..1_073_741_824 => format!("{:.1} MiB", n as f64 / 1_048_576.0),
        _ => format!("{:.1} GiB", n as f64 / 1_073_741_824.0),
    }
}

fn section(text: &mut String, title: &str, body: &str) {
    _ = write!(text, "\n{title}\n");
    body.lines().for_each(|line| _ = writeln!(text, "  {line}"));
}

/// Columns as wide as their widest cell; cells that are numbers or times end at the right.
fn table(head: &[&str], rows: Vec<Vec<String>>) -> String {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([head[column].chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let right =
        |column: usize| rows.iter().all(|row| row[column].starts_with(|c: char| c.is_ascii_digit() || c == '-'));
    let line = |cells: Vec<&str>| {
        let pad = |(column, cell): (usize, &&str)| {
            let width = widths[column];
            if right(column) { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
        };
        let line = cells.iter().enumerate().map(pad).collect::<Vec<_>>().join("  ");
        format!("{}\n", line.trim_end())
    };
    let body: String = rows.iter().map(|row| line(row.iter().map(String::as_str).collect())).collect();
    format!("{}{body}", line(head.to_vec()))
}
