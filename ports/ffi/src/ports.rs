//! Ports by the names of the configuration, for programs that have no description at hand.

use std::collections::HashMap;
use std::ffi::{CString, c_char};

use couple_client::directory::{self, Kind};
use couple_ports::time::Time;

use crate::Spike;
use crate::border::Fault;
use crate::session::Session;
use crate::shown::Shown;

/// A port, as `couple_find` tells it.
#[repr(C)]
#[derive(Debug)]
pub struct Port {
    /// For the functions of its kind.
    pub number: u32,
    /// Neurons of the population, or columns of the signal.
    pub width: u32,
    /// This rank has those from here on,
    pub first: u32,
    /// so many.
    pub count: u32,
    /// Unit of a signal; empty for others.
    pub unit: *const c_char,
}

/// Set in the number of a port that nobody listens to or sends to; the other bits are the population.
const NOBODY: u32 = 1 << 31;

/// The population of a port that nobody is connected to.
pub(crate) fn of_nobody(number: u32) -> Option<usize> {
    (number & NOBODY != 0).then_some((number & !NOBODY) as usize)
}

/// What looking up ports leaves behind.
#[derive(Default)]
pub(crate) struct Ports {
    units: HashMap<String, CString>,
    /// Spikes of ports that several connections lead to, for the window at hand.
    merged: HashMap<u32, Shown<Spike>>,
    /// Those of which `merged` has been made for this window.
    made: Vec<u32>,
}

impl Ports {
    /// The next window begins.
    pub(crate) fn clear(&mut self) {
        self.made.clear();
    }
}

fn kind(number: i32) -> Result<Kind, Fault> {
    use Kind::{MessagesIn, MessagesOut, SignalIn, SignalOut, SpikesIn, SpikesOut};
    let all = [SpikesIn, SpikesOut, SignalIn, SignalOut, MessagesIn, MessagesOut];
    let found = usize::try_from(number).ok().and_then(|n| all.get(n));
    found.copied().ok_or_else(|| Fault(format!("there is no kind {number} of ports; see couple_kind")))
}

impl Session {
    pub(crate) fn find(&mut self, number: i32, name: &str) -> Result<Port, Fault> {
        let kind = kind(number)?;
        let found = directory::find(&self.network, &self.welcome, kind, name);
        let component = || &self.network.components[self.welcome.component as usize].name;
        let wrong = |message| Fault(format!("component `{}`, port `{name}`: {message}", component()));
        let port = found.map_err(wrong)?;
        let number = match (kind, &port.links[..]) {
            (Kind::SpikesIn, _) => port.population,
            (_, []) => NOBODY as usize | port.population,
            (_, [link]) => *link,
            (_, several) => {
                return Err(wrong(format!("{} connections lead there; a program reads one", several.len())));
            }
        };
        let unit = self.ports.units.entry(port.unit).or_insert_with_key(|unit| {
            // A unit without zeroes inside: it came from a configuration.
            CString::new(unit.as_str()).unwrap_or_default()
        });
        let (width, first, count) = (port.width, port.first, port.count);
        Ok(Port { number: number as u32, width, first, count, unit: unit.as_ptr() })
    }

    pub(crate) fn arrivals(&mut self, population: u32) -> Result<&[Spike], Fault> {
        let id = self.population(population)?;
        let name = &self.network.populations[id].name;
        let inputs = self.welcome.inputs.iter().enumerate();
        let links: Vec<u32> =
            inputs.filter(|(_, i)| i.target.as_ref() == Some(name)).map(|(link, _)| link as u32).collect();
        match links[..] {
            [link] => self.input_events(link),
            _ => {
                self.check_window("couple_port_spikes")?;
                if !self.ports.made.contains(&population) {
                    let mut all = self.ports.merged.remove(&population).unwrap_or_default();
                    all.clear();
                    let merged: Result<(), Fault> = links.into_iter().try_for_each(|link| {
                        all.extend_from_slice(self.input_events(link)?);
                        Ok(())
                    });
                    all.sort_unstable();
                    self.ports.merged.insert(population, all);
                    merged?;
                    self.ports.made.push(population);
                }
                Ok(self.ports.merged.get(&population).map_or(&[], |spikes| spikes))
            }
        }
    }

    /// A spike that nobody wants; what would be wrong otherwise is wrong here, too.
    #[cold]
    pub(crate) fn emit_to_nobody(&mut self, population: usize, index: u32, time_ns: i64) -> Result<(), Fault> {
        let window = self.check_window("couple_emit")?;
        let Some(population) = self.network.populations.get(population) else {
            return Err(Fault(format!("there is no output {}", population as u32 | NOBODY)));
        };
        let name = &population.name;
        if index >= population.size {
            let text =
                format!("a spike of neuron {index} of {name} was emitted, which has {} neurons", population.size);
            return Err(Fault(text));
        }
        let (start, end) = (window.start, window.end);
        if time_ns <= start.ns() || time_ns > end.ns() {
            let time = Time::from_ns(time_ns);
            let text = format!(
                "a spike of neuron {index} of {name} was emitted at {time}, outside of the window ({start}, {end}]; \
                 a stamp is the end of the step in which the threshold was crossed"
            );
            return Err(Fault(text));
        }
        Ok(())
    }
}
