//! The engine: one rank of the native simulator.
//!
//! ```text
//!   build      every thread draws the synapses onto its own neurons
//!   ┌─ run(until): slices no longer than the shortest delay within the component ──────────────────────────┐
//!   │   advance   each thread integrates its neurons, step by step, and notes their spikes                 │
//!   │   barrier                                                                                            │
//!   │   deliver   each thread adds the effect of all threads' spikes to its own neurons' future input      │
//!   └──────────────────────────────────────────────────────────────────────────────────────────────────────┘
//!   deliver(…)    spikes of other ranks and components, before the run in which they arrive
//! ```
//!
//! Analog signals: [`Engine::read`] lets every run note a state variable at the end of each step, [`Engine::values`] hands it out;
//! [`Engine::drive`] lets a current, `i_offset` or `v_thresh` be [set](Engine::set), a row for each step of the coming run:
//!
//! ```text
//!   time         now       now+h      now+2h      now+3h
//!   set        row 0 ───►│row 1 ───►│row 2 ───►│                row k counts throughout the step that begins at now + k·h
//!   values               row 0      row 1      row 2            row k is the state at now + (k+1)·h, input and reset included
//! ```
//!
//! A current x(t) that is set drives the step (t, t+h], and the potential shows it at t+h. NEST's current generators are one step
//! later: a dc_generator whose amplitude is set at t₀ acts, with a delay d, from t₀ + d + h on, and from t₀ + d on out of a
//! `step_current_generator`, which sends each amplitude a step ahead.
//!
//! Invariants:
//! * A neuron belongs to one thread, and only that thread writes its state and its input.
//! * Input is added up in integers, and synapses and stimuli are functions of the description. Hence the result does not
//!   depend on the number of threads and ranks, on the slices, nor on the order in which spikes come.
//! * A spike that would arrive in the past is an error, never dropped and never late.

mod barrier;
mod definition;
mod direct;
mod io;
mod plastic;
mod reported;
mod ring;
mod share;
mod signals;
mod spikes;
mod table;
mod team;

use std::sync::Arc;

use couple_network::description::{ComponentId, Model, Network, PopulationId, ProjectionId};
use couple_network::stimulus::StimulusError;
use couple_ports::index::{IndexMap, IndexSet};
use couple_ports::time::{Span, Time};

use crate::models::ParameterError;
pub use io::{Drive, Reading};
use reported::Reported;
use share::{Share, step_of};
use spikes::Spike;
use team::{Job, Team};

/// The longest slice in steps where no delay bounds it: lists and rings stay small.
const LONGEST_SLICE: i64 = 32;

/// Which part of the network an engine simulates.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Part {
    /// The component.
    pub component: ComponentId,
    /// Rank within it.
    pub rank: u32,
    /// Number of its ranks.
    pub ranks: u32,
    /// Threads of this rank.
    pub threads: usize,
}

/// Why a part cannot be built.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum BuildError {
    /// The part does not exist.
    #[error("rank {rank} of {ranks} with {threads} threads of component {component} is no part of this network")]
    NoSuchPart {
        /// Index of the component.
        component: ComponentId,
        /// Rank.
        rank: u32,
        /// Ranks.
        ranks: u32,
        /// Threads.
        threads: usize,
    },
    /// A population of the component that the kernel has no model for.
    #[error("population `{population}` is no standard cell and no spike source; the native kernel has no model for it")]
    NotACell {
        /// The population.
        population: String,
    },
    /// A parameter cannot be used.
    #[error("population `{population}`: {error}")]
    Parameter {
        /// The population.
        population: String,
        /// What is wrong.
        error: ParameterError,
    },
    /// A population has no such state variable, or no such parameter that can be set while it runs.
    #[error("population `{population}` has no {kind} `{name}` in the native kernel; it has {known}")]
    NoSuchVariable {
        /// The population.
        population: String,
        /// What was looked for.
        kind: &'static str,
        /// By this name.
        name: String,
        /// What there is.
        known: String,
    },
    /// A spike source cannot be made.
    #[error("population `{population}`: {error}")]
    Stimulus {
        /// The population.
        population: String,
        /// What is wrong.
        error: StimulusError,
    },
    /// Offsets of synapses do not fit in 32 bits.
    #[error(
        "projection `{projection}`: a delay of {steps} steps to {neurons} neurons on one thread is more than the \
         2^32 places that a synapse can address; use more threads or ranks, a longer step, or a shorter delay"
    )]
    DelayTooLong {
        /// The projection.
        projection: String,
        /// The longest delay.
        steps: u32,
        /// Neurons on the thread.
        neurons: u64,
    },
    /// Positions of synapses do not fit in 32 bits.
    #[error(
        "projection `{projection}`: {synapses} synapses on one thread are more than 2^32; use more threads or ranks"
    )]
    TooManySynapses {
        /// The projection.
        projection: String,
        /// How many.
        synapses: u64,
    },
    /// A thread could not be started, or panicked.
    #[error("a thread of the kernel failed while the network was built: {0}")]
    Thread(String),
}

/// Why a simulation cannot go on.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum RunError {
    /// A spike that should have arrived already.
    #[error(
        "a spike of neuron {index} of `{population}` at {emitted} is too late: with the shortest delay of {delay} it \
         arrives at {arrival}, but the simulation is at {now} already. The sender was allowed to run too far behind"
    )]
    Late {
        /// Source population.
        population: String,
        /// Global index.
        index: u32,
        /// When it was emitted.
        emitted: Time,
        /// Shortest delay from the source to this component.
        delay: Span,
        /// When it arrives at the earliest.
        arrival: Time,
        /// Simulated time reached.
        now: Time,
    },
    /// A spike of a neuron that does not exist.
    #[error("a spike of neuron {index} of `{population}`, which has {size} neurons, was handed over")]
    NoSuchNeuron {
        /// Source population.
        population: String,
        /// Global index.
        index: u32,
        /// Size of the population.
        size: u32,
    },
    /// The end of a run is not on the grid, or lies in the past.
    #[error("cannot run from {now} to {until}: the end must be a multiple of the step, {step}, and not in the past")]
    Until {
        /// Simulated time reached.
        now: Time,
        /// End asked for.
        until: Time,
        /// The step.
        step: Span,
    },
    /// A neuron cannot have a value that it is given.
    #[error("neuron {index} of `{population}` at {time}: {error}")]
    Parameter {
        /// The population.
        population: String,
        /// Global index.
        index: u32,
        /// When it was to have the value.
        time: Time,
        /// What is wrong with it.
        error: ParameterError,
    },
    /// A thread panicked.
    #[error("a thread of the kernel failed; this is a fault of the kernel, please report it")]
    Thread,
}

/// What the engine knows of every population.
struct PopulationInfo {
    name: String,
    size: u32,
    /// The shortest delay of its projections to this component; `None` when it has none.
    shortest_delay: Option<Span>,
}

/// One rank of the native simulator.
pub struct Engine {
    part: Part,
    step: Span,
    /// Steps simulated.
    now: i64,
    /// The longest slice, in steps.
    slice: i64,
    populations: Vec<PopulationInfo>,
    /// Local cell populations in ascending order.
    local: Vec<PopulationId>,
    stimuli: Vec<Reported>,
    network: Arc<Network>,
    /// Spikes to report, used again for each slice.
    reported: Vec<(Time, PopulationId, u32, u32)>,
    /// Spikes handed over that no run has taken yet.
    pending: Vec<(PopulationId, Spike)>,
    team: Team,
    signals: io::Signals,
}

impl Engine {
    /// Builds a part of `network`: draws the synapses onto its neurons and sets initial values.
    pub fn build(network: &Network, part: Part) -> Result<Self, BuildError> {
        let Some(component) = network.components.get(part.component) else { return Err(no_such_part(part)) };
        if part.rank >= part.ranks || part.threads == 0 {
            return Err(no_such_part(part));
        }
        let step = component.step;
        let own = |id: PopulationId| network.populations[id].component == part.component;
        for p in network.populations.iter().filter(|p| p.component == part.component) {
            if matches!(p.model, Model::Port) {
                return Err(BuildError::NotACell { population: p.name.clone() });
            }
        }
        let is_cell = |id: PopulationId| matches!(network.populations[id].model, Model::Cell { .. });
        let local: Vec<PopulationId> = (0..network.populations.len()).filter(|id| own(*id) && is_cell(*id)).collect();
        let populations = (0..network.populations.len())
            .map(|id| PopulationInfo {
                name: network.populations[id].name.clone(),
                size: network.populations[id].size,
                shortest_delay: shortest_delay(network, |p| p.from == id && own(p.to), step),
            })
            .collect();
        let internal = shortest_delay(network, |p| own(p.from) && own(p.to) && is_cell(p.from), step);
        let slice = internal.map_or(LONGEST_SLICE, |delay| delay.steps(step).clamp(1, LONGEST_SLICE));
        let shares = team::build_shares(network, &part, slice as usize)?;
        let team = Team::new(shares, network.populations.len()).map_err(|e| BuildError::Thread(e.to_string()))?;
        Ok(Engine {
            part,
            step,
            now: 0,
            slice,
            populations,
            local,
            stimuli: Vec::new(),
            reported: Vec::new(),
            network: Arc::new(network.clone()),
            pending: Vec::new(),
            team,
            signals: io::Signals::default(),
        })
    }

    /// Whether threads may spin while they wait for each other; wise only when each has a core of its own. Without a
    /// word from the caller they do where this rank alone has no more threads than the machine has cores.
    pub fn set_spin(&mut self, spin: bool) {
        self.team.set_spin(spin);
    }

    /// Simulated time reached.
    pub fn now(&self) -> Time {
        self.time(self.now)
    }

    /// The longest stretch that threads simulate between two meetings.
    pub fn slice(&self) -> Span {
        self.step * self.slice
    }

    /// The number of synapses onto this rank's neurons, those of Poisson drives (`OneToOne`) not counted.
    pub fn synapses(&self) -> u64 {
        self.team.sum(Share::synapses)
    }

    /// Bytes of synapses and rings.
    pub fn bytes(&self) -> u64 {
        self.team.sum(Share::bytes)
    }

    /// The neurons of `source` that have a target on this rank and whose spikes must be handed over: those of other
    /// components and of other ranks. Empty for spike sources, which the engine makes itself.
    pub fn needed(&self, source: PopulationId) -> IndexSet {
        let Some(population) = self.network.populations.get(source) else { return IndexSet::empty() };
        if population.model.is_stimulus() {
            return IndexSet::empty();
        }
        let mut flags = self.team.sources(source, population.size).flags(population.size);
        if population.component == self.part.component {
            let own = IndexMap::block(population.size, self.part.ranks).range(self.part.rank);
            flags[own.start as usize..own.end as usize].fill(false);
        }
        IndexSet::from_flags(&flags)
    }

    /// Reports the spikes of a spike source of this component like those of neurons, this rank's block of it.
    pub fn report_stimulus(&mut self, population: PopulationId) -> Result<(), BuildError> {
        let name = || self.populations.get(population).map_or_else(String::new, |p| p.name.clone());
        let size = self.populations.get(population).map_or(0, |p| p.size);
        let range = IndexMap::block(size, self.part.ranks).range(self.part.rank);
        let reported = Reported::new(&self.network, population, range)
            .map_err(|error| BuildError::Stimulus { population: name(), error })?;
        self.stimuli.push(reported);
        Ok(())
    }

    /// Hands over a spike that neuron `index` of `source`, on another rank or component, emitted at `time`.
    pub fn deliver(&mut self, source: PopulationId, index: u32, time: Time) -> Result<(), RunError> {
        let Some(info) = self.populations.get(source).filter(|info| index < info.size) else {
            let info = self.populations.get(source);
            return Err(RunError::NoSuchNeuron {
                population: info.map_or_else(|| format!("population {source}"), |info| info.name.clone()),
                index,
                size: info.map_or(0, |info| info.size),
            });
        };
        let Some(delay) = info.shortest_delay else { return Ok(()) };
        let arrival = time.saturating_add(delay);
        if arrival <= self.now() {
            let population = info.name.clone();
            return Err(RunError::Late { population, index, emitted: time, delay, arrival, now: self.now() });
        }
        self.pending.push((source, Spike { step: step_of(time, self.step), index, count: 1 }));
        Ok(())
    }

    /// Simulates `(now, until]` and reports the spikes of this rank's neurons as (population, global index, time), in
    /// ascending order of (time, population, index).
    pub fn run(&mut self, until: Time, report: &mut dyn FnMut(PopulationId, u32, Time)) -> Result<(), RunError> {
        let span = until - Time::ZERO;
        if until < self.now() || !span.is_multiple_of(self.step) {
            return Err(RunError::Until { now: self.now(), until, step: self.step });
        }
        let end = span.steps(self.step);
        self.begin_reading();
        while self.now < end {
            let stop = self.take_ready_spikes(end);
            self.run_job(Job { from: self.now, to: stop, slice: self.slice }, report)?;
            self.now = stop;
        }
        Ok(())
    }

    /// The synapses of a plastic projection onto this rank's neurons as (presynaptic, postsynaptic, weight in the
    /// projection's unit), in ascending order of the two, those of a pair in the order of draw; none for a static one.
    ///
    /// The weights are those after all presynaptic and postsynaptic spikes that have reached the synapse up to now less the
    /// projection's shortest delay, the last that every rank is sure to know of. They do not depend on how the network is
    /// split. Those of `TsodyksMarkramSynapse` are the constant ones, which the released part multiplies.
    pub fn weights(&self, projection: ProjectionId) -> Vec<(u32, u32, f64)> {
        let mut out = Vec::new();
        self.team.each_share(|share| share.weights(projection, self.now, &mut out));
        out.sort_by_key(|(pre, post, _)| (*pre, *post));
        out
    }

    fn time(&self, step: i64) -> Time {
        Time::ZERO + self.step * step
    }

    /// Gives the pending spikes that rings have room for to the team, and tells how far one can go with them: `end`,
    /// unless a spike from further ahead must be taken in before.
    fn take_ready_spikes(&mut self, end: i64) -> i64 {
        let mut ready = self.team.ready();
        ready.clear();
        let room = self.now + self.slice;
        let mut stop = end;
        self.pending.retain(|(source, spike)| {
            let takes = spike.step < room;
            if takes {
                ready.of_mut(*source).push(*spike);
            } else {
                stop = stop.min(spike.step);
            }
            !takes
        });
        stop
    }

    fn run_job(&mut self, job: Job, report: &mut dyn FnMut(PopulationId, u32, Time)) -> Result<(), RunError> {
        let (step, local, stimuli, spikes) = (self.step, &self.local, &self.stimuli, &mut self.reported);
        let time = |steps: i64| Time::ZERO + step * steps;
        self.team.run(job, &mut |from, to, lists| {
            spikes.clear();
            for (population, list) in local.iter().flat_map(|id| lists.iter().map(move |list| (*id, list))) {
                spikes.extend(list.of(population).iter().map(|s| (time(s.step), population, s.index, s.count)));
            }
            stimuli.iter().for_each(|stimulus| stimulus.collect(time(from), time(to), spikes));
            // Lists are in order already when a slice is one step and there are no stimuli.
            spikes.sort_unstable();
            for &(time, population, index, count) in spikes.iter() {
                (0..count).for_each(|_| report(population, index, time));
            }
        })
    }
}

fn no_such_part(part: Part) -> BuildError {
    let Part { component, rank, ranks, threads } = part;
    BuildError::NoSuchPart { component, rank, ranks, threads }
}

/// The shortest delay among the projections that `which` chooses.
fn shortest_delay(
    network: &Network,
    which: impl Fn(&couple_network::description::Projection) -> bool,
    step: Span,
) -> Option<Span> {
    network.projections.iter().filter(|p| which(p)).map(|p| p.delay.min(step)).min()
}
