//! A window: what arrived for it, and what is sent in it.

use std::sync::Arc;

use couple_ports::control::Welcome;
use couple_ports::time::Time;

use crate::Error;
use crate::session::{Session, SpikeInput, SpikeOutput};

/// A spike that arrived.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Spike {
    /// When it arrives: its stamp and the connection's delay.
    pub time: Time,
    /// The neuron, as an index of the port.
    pub index: u32,
}

/// A message that arrived.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Message {
    /// When it arrives: its stamp and the connection's delay.
    pub time: Time,
    /// What it says.
    pub bytes: Vec<u8>,
}

/// What has been taken out of the session for the window at hand. Ports that several connections lead to get all of
/// them, in order of time.
pub(crate) struct Arrived {
    /// For each input of the welcome, the position in `spikes` of its port's spikes.
    slots: Vec<usize>,
    spikes: Vec<Arc<Vec<Spike>>>,
    has_spikes: bool,
    pub(crate) message_slots: Vec<usize>,
    pub(crate) messages: Vec<Arc<Vec<Message>>>,
    pub(crate) has_messages: bool,
}

/// One number for each distinct port, in order of appearance; `None` is a port of its own.
fn slots<'a>(ports: impl Iterator<Item = Option<&'a str>>) -> (Vec<usize>, usize) {
    let mut seen: Vec<Option<&str>> = Vec::new();
    let mut slots = Vec::new();
    for port in ports {
        let known = seen.iter().position(|one| port.is_some() && *one == port);
        slots.push(known.unwrap_or(seen.len()));
        if known.is_none() {
            seen.push(port);
        }
    }
    (slots, seen.len())
}

/// The list of the window before, emptied; another one if somebody still has it.
pub(crate) fn again<T>(list: &mut Arc<Vec<T>>) -> Vec<T> {
    let mut list = Arc::try_unwrap(std::mem::take(list)).unwrap_or_default();
    list.clear();
    list
}

impl Arrived {
    pub(crate) fn new(welcome: &Welcome) -> Arrived {
        let (slots_of_inputs, n) = slots(welcome.inputs.iter().map(|input| input.target.as_deref()));
        let (message_slots, m) = slots(welcome.messages_in.iter().map(|input| Some(input.target.as_str())));
        Arrived {
            slots: slots_of_inputs,
            spikes: vec![Arc::default(); n],
            has_spikes: false,
            message_slots,
            messages: vec![Arc::default(); m],
            has_messages: false,
        }
    }

    /// The next window begins.
    pub(crate) fn clear(&mut self) {
        (self.has_spikes, self.has_messages) = (false, false);
    }
}

/// The interval `(start, end]` that the component simulates now.
pub struct Window<'a> {
    pub(crate) session: &'a mut Session,
    pub(crate) start: Time,
    pub(crate) end: Time,
}

impl Window<'_> {
    /// Everything up to here has been simulated.
    pub fn start(&self) -> Time {
        self.start
    }
    /// Simulate up to here, inclusively.
    pub fn end(&self) -> Time {
        self.end
    }
    /// The component's steps in the window.
    pub fn steps(&self) -> usize {
        (self.end - self.start).steps(self.session.step()) as usize
    }
    /// The ends of the steps.
    pub fn times(&self) -> impl ExactSizeIterator<Item = Time> + use<> {
        let (start, step) = (self.start, self.session.step());
        (0..self.steps()).map(move |n| start + step * (n as i64 + 1))
    }

    /// The spikes that arrive in `(start, end]`, in order of time, then of index. Shared, so that the window can be used
    /// while one goes through them.
    pub fn spikes(&mut self, input: SpikeInput) -> Result<Arc<Vec<Spike>>, Error> {
        if !self.session.arrived.has_spikes {
            self.take_spikes()?;
        }
        let arrived = &self.session.arrived;
        let link = self.session.ports[input.0].links.first();
        Ok(link.map_or_else(Arc::default, |link| arrived.spikes[arrived.slots[*link]].clone()))
    }

    fn take_spikes(&mut self) -> Result<(), Error> {
        let (run, arrived) = self.session.run_and_arrived()?;
        let Arrived { slots, spikes, .. } = arrived;
        let mut lists: Vec<Vec<Spike>> = spikes.iter_mut().map(again).collect();
        let taken = run.for_each_input(|input, index, time| lists[slots[input]].push(Spike { time, index }));
        lists.iter_mut().for_each(|list| list.sort_unstable());
        *spikes = lists.into_iter().map(Arc::new).collect();
        arrived.has_spikes = true;
        taken.map_err(|source| self.session.session_error(source))
    }

    /// Emits a spike of neuron `index` at `time`, the end of the step in which the threshold was crossed: after the
    /// window's start and up to its end.
    pub fn emit(&mut self, output: SpikeOutput, index: u32, time: Time) -> Result<(), Error> {
        let (start, end) = (self.start, self.end);
        let port = &self.session.ports[output.0];
        let wrong = if index >= port.width {
            format!("there is no neuron {index}; the population has {}", port.width)
        } else if time <= start || time > end {
            format!(
                "a spike at {time} is outside of the window ({start}, {end}]; a stamp is the end of the step in which \
                 the threshold was crossed"
            )
        } else {
            if let Some(&link) = port.links.first() {
                self.session.running()?.emit(link, index, time);
            }
            return Ok(());
        };
        Err(self.session.port_error(&port.name, wrong))
    }
}
