//! A session as C sees it: both phases behind one handle.

use std::collections::HashMap;
use std::ffi::{CStr, CString};

use couple_network::description::{Network, PopulationId};
use couple_network::stimulus::Stimulus;
use couple_network::{synapses, values};
use couple_ports::control::{Welcome, codec};
use couple_ports::index::IndexSet;
use couple_ports::session::{Runtime, SessionError, Setup, Window};
use couple_ports::time::Time;

use crate::border::Fault;
use crate::description::{describe, owned};
use crate::ports::{Ports, of_nobody};
use crate::shown::Shown;
use crate::signals::Mailbox;
use crate::{Spike, SynapseTable};

/// What `couple_session` points to.
pub struct Session {
    phase: Phase,
    pub(crate) network: Network,
    pub(crate) welcome: Welcome,
    description: CString,
    pub(crate) ports: Ports,
    /// The window at hand.
    window: Option<Window>,
    needed: Vec<Option<IndexSet>>,
    /// Spikes of each input in this window, and whether they have been taken out of the session.
    inputs: Vec<Shown<Spike>>,
    fetched: bool,
    pub(crate) mailbox: Mailbox,
    /// What was seen of each incoming signal.
    pub(crate) samples: HashMap<u32, Shown<f64>>,
    stimuli: HashMap<u32, (Stimulus, Vec<Spike>)>,
}

enum Phase {
    Setup(Box<Setup>),
    Running(Box<Runtime>),
    Over,
}

fn fault<T>(text: impl Into<String>) -> Result<T, Fault> {
    Err(Fault(text.into()))
}

impl Session {
    /// The session behind a handle.
    ///
    /// # Safety
    /// `session` is NULL or came from `couple_connect`, has not been closed, and nobody else uses it now.
    pub(crate) unsafe fn of<'a>(session: *mut Session) -> Result<&'a mut Session, Fault> {
        // SAFETY: as required of the caller.
        unsafe { session.as_mut() }.ok_or_else(|| Fault("the session is NULL: couple_connect failed?".to_owned()))
    }

    pub(crate) fn connect() -> Result<Session, Fault> {
        let setup = Setup::connect()?;
        let network: Network = match codec::from_bytes(setup.network_bytes()) {
            Ok(network) => network,
            Err(error) => {
                let text = format!("the network description cannot be read: {error}");
                setup.fail(&text);
                return fault(text);
            }
        };
        let welcome = setup.welcome().clone();
        if welcome.component as usize >= network.components.len() {
            return fault(format!("the description has no component {}", welcome.component));
        }
        let description = describe(&network, &welcome).to_string();
        let description = CString::new(description).map_err(|error| Fault(error.to_string()))?;
        let inputs = welcome.inputs.len();
        Ok(Session {
            phase: Phase::Setup(Box::new(setup)),
            network,
            welcome,
            description,
            ports: Ports::default(),
            window: None,
            needed: vec![None; inputs],
            inputs: std::iter::repeat_with(Shown::default).take(inputs).collect(),
            fetched: false,
            mailbox: Mailbox::default(),
            samples: HashMap::new(),
            stimuli: HashMap::new(),
        })
    }

    pub(crate) fn description(&self) -> &CStr {
        &self.description
    }

    pub(crate) fn population(&self, id: u32) -> Result<PopulationId, Fault> {
        let all = self.network.populations.len();
        if (id as usize) < all {
            Ok(id as usize)
        } else {
            fault(format!("there is no population {id}; there are {all}"))
        }
    }

    pub(crate) fn synapses(&self, projection: u32) -> Result<SynapseTable, Fault> {
        let all = self.network.projections.len();
        let Some(found) = self.network.projections.get(projection as usize) else {
            return fault(format!("there is no projection {projection}; there are {all}"));
        };
        let post = owned(&self.welcome, &self.network.populations[found.to]);
        let count = synapses::count(&self.network, projection as usize, post.clone()) as usize;
        let (mut pre, mut to) = (Vec::with_capacity(count), Vec::with_capacity(count));
        let (mut weight, mut delay) = (Vec::with_capacity(count), Vec::with_capacity(count));
        synapses::for_each(&self.network, projection as usize, post, |synapse| {
            pre.push(synapse.pre);
            to.push(synapse.post);
            weight.push(synapse.weight);
            delay.push(synapse.delay.ns());
        });
        let n = pre.len();
        Ok(SynapseTable { pre: give(pre), post: give(to), weight: give(weight), delay_ns: give(delay), n })
    }

    pub(crate) fn values(&self, population: u32, name: &str, n: usize) -> Result<Vec<f64>, Fault> {
        let id = self.population(population)?;
        let population = &self.network.populations[id];
        let range = owned(&self.welcome, population);
        if range.len() != n {
            let has = range.len();
            return fault(format!("this rank has {has} neurons of `{}`, but room for {n} was given", population.name));
        }
        values::of_population(&self.network, id, name, range).ok_or_else(|| {
            Fault(format!("population `{}` has no parameter or state variable `{name}`", population.name))
        })
    }

    pub(crate) fn need(&mut self, input: u32, indices: &[u32]) -> Result<(), Fault> {
        self.setup_only("couple_need")?;
        let Some(link) = self.welcome.inputs.get(input as usize) else {
            return fault(format!("there is no input {input}; there are {}", self.welcome.inputs.len()));
        };
        let mut flags = vec![false; link.width as usize];
        for &index in indices {
            match flags.get_mut(index as usize) {
                Some(flag) => *flag = true,
                None => return fault(format!("`{}` has no neuron {index}, only {}", link.source, link.width)),
            }
        }
        self.needed[input as usize] = Some(IndexSet::from_flags(&flags));
        Ok(())
    }

    pub(crate) fn need_default(&mut self) -> Result<(), Fault> {
        self.setup_only("couple_need_default")?;
        for input in 0..self.needed.len() {
            self.needed[input] = Some(self.default_need(input)?);
        }
        Ok(())
    }

    /// The neurons with a synapse onto this rank; for a port, all.
    fn default_need(&self, input: usize) -> Result<IndexSet, Fault> {
        let link = &self.welcome.inputs[input];
        if link.target.is_some() {
            return Ok(IndexSet::all(link.width));
        }
        let missing = || Fault(format!("the description has no population `{}`", link.source));
        let source = self.network.population(&link.source).ok_or_else(missing)?;
        let onto_us = |(id, projection): (usize, &couple_network::description::Projection)| {
            let post = owned(&self.welcome, &self.network.populations[projection.to]);
            (projection.from == source && !post.is_empty()).then_some((id, post))
        };
        let targets: Vec<_> = self.network.projections.iter().enumerate().filter_map(onto_us).collect();
        Ok(synapses::needed_sources(&self.network, source, &targets))
    }

    fn setup_only(&self, function: &str) -> Result<(), Fault> {
        match self.phase {
            Phase::Setup(_) => Ok(()),
            _ => fault(format!("{function} belongs before couple_start")),
        }
    }

    pub(crate) fn start(&mut self) -> Result<(), Fault> {
        self.setup_only("couple_start")?;
        let mut needed = Vec::with_capacity(self.needed.len());
        for input in 0..self.needed.len() {
            needed.push(match self.needed[input].take() {
                Some(set) => set,
                None => self.default_need(input)?,
            });
        }
        let Phase::Setup(setup) = std::mem::replace(&mut self.phase, Phase::Over) else { return Ok(()) };
        self.phase = Phase::Running(Box::new(setup.start(needed)?));
        Ok(())
    }

    pub(crate) fn running(&mut self, function: &str) -> Result<&mut Runtime, Fault> {
        match &mut self.phase {
            Phase::Running(run) => Ok(run),
            Phase::Setup(_) => fault(format!("{function} belongs after couple_start")),
            Phase::Over => fault(format!("{function}: the session is over")),
        }
    }

    /// After an error of the session there is nothing more to do with it.
    pub(crate) fn over_on_error<T>(&mut self, result: Result<T, SessionError>) -> Result<T, Fault> {
        if result.is_err() {
            self.phase = Phase::Over;
        }
        Ok(result?)
    }

    pub(crate) fn next_window(&mut self) -> Result<Option<Window>, Fault> {
        self.fetched = false;
        self.inputs.iter_mut().for_each(Shown::clear);
        self.mailbox.clear();
        self.ports.clear();
        self.window = None;
        let next = self.running("couple_next_window")?.next_window();
        if next.is_err() {
            self.phase = Phase::Over;
        }
        self.window = next?;
        Ok(self.window)
    }

    /// The window at hand, for a function that belongs into one.
    pub(crate) fn check_window(&mut self, function: &str) -> Result<Window, Fault> {
        self.running(function)?;
        self.window
            .ok_or_else(|| Fault(format!("{function} belongs into a window: after couple_next_window returned 1")))
    }

    pub(crate) fn input_events(&mut self, input: u32) -> Result<&[Spike], Fault> {
        if input as usize >= self.inputs.len() {
            return fault(format!("there is no input {input}; there are {}", self.inputs.len()));
        }
        if !self.fetched {
            self.check_window("couple_input_events")?;
            let mut inputs = std::mem::take(&mut self.inputs);
            let run = self.running("couple_input_events")?;
            let handed = run.for_each_input(|input, index, time| {
                inputs[input].push(Spike { time_ns: time.ns(), index, count: 1 });
            });
            inputs.iter_mut().for_each(|spikes| spikes.sort_unstable());
            self.inputs = inputs;
            if handed.is_err() {
                self.phase = Phase::Over;
            }
            handed?;
            self.fetched = true;
        }
        Ok(&self.inputs[input as usize])
    }

    pub(crate) fn stimulus(&mut self, population: u32, from_ns: i64, to_ns: i64) -> Result<&[Spike], Fault> {
        let id = self.population(population)?;
        let (stimulus, spikes) = match self.stimuli.entry(population) {
            std::collections::hash_map::Entry::Occupied(there) => there.into_mut(),
            std::collections::hash_map::Entry::Vacant(place) => {
                let all = 0..self.network.populations[id].size;
                let made = Stimulus::new(&self.network, id, all).map_err(|error| Fault(error.to_string()))?;
                place.insert((made, Vec::new()))
            }
        };
        spikes.clear();
        // Beyond the end of the run there is nothing, however far the caller asks.
        let end = (Time::ZERO + self.welcome.duration).min(Time::from_ns(to_ns));
        stimulus.between(Time::from_ns(from_ns.max(0)), end, |index, time, count| {
            spikes.push(Spike { time_ns: time.ns(), index, count });
        });
        Ok(spikes)
    }

    #[inline]
    pub(crate) fn emit(&mut self, output: u32, index: u32, time_ns: i64) -> Result<(), Fault> {
        if let Some(population) = of_nobody(output) {
            return self.emit_to_nobody(population, index, time_ns);
        }
        let run = self.running("couple_emit")?;
        if run.emit(output as usize, index, Time::from_ns(time_ns)) { Ok(()) } else { Ok(run.check_emitted()?) }
    }

    pub(crate) fn finish(&mut self) -> Result<(), Fault> {
        self.running("couple_finish")?;
        let Phase::Running(run) = std::mem::replace(&mut self.phase, Phase::Over) else { return Ok(()) };
        Ok(run.finish()?)
    }

    pub(crate) fn fail(&mut self, message: &str) {
        match std::mem::replace(&mut self.phase, Phase::Over) {
            Phase::Setup(setup) => setup.fail(message),
            Phase::Running(run) => run.fail(message),
            Phase::Over => {}
        }
    }
}

/// Hands a column to C; [`free_table`] takes it back.
fn give<T>(column: Vec<T>) -> *mut T {
    Box::into_raw(column.into_boxed_slice()).cast()
}

/// Frees the columns of a table.
///
/// # Safety
/// They came from [`give`] with the table's length, or are NULL.
pub(crate) unsafe fn free_table(table: &mut SynapseTable) {
    /// Frees one column.
    ///
    /// # Safety
    /// As for the table.
    unsafe fn take<T>(column: &mut *mut T, n: usize) {
        if !column.is_null() {
            // SAFETY: as required of the caller.
            drop(unsafe { Box::from_raw(std::ptr::slice_from_raw_parts_mut(*column, n)) });
            *column = std::ptr::null_mut();
        }
    }
    let n = std::mem::take(&mut table.n);
    // SAFETY: as required of the caller.
    unsafe {
        take(&mut table.pre, n);
        take(&mut table.post, n);
        take(&mut table.weight, n);
        take(&mut table.delay_ns, n);
    }
}
