//! A process's part in the run: its ports by name, and the way from window to window.

use couple_network::description::Network;
use couple_ports::control::{Welcome, codec};
use couple_ports::session::{Runtime, SessionError, Setup};
use couple_ports::time::{Span, Time};

use crate::Error;
use crate::directory::{self, Kind, Port};
use crate::window::{Arrived, Window};

/// A port for spikes that arrive; see [`Session::spike_input`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SpikeInput(pub(crate) usize);
/// A port for spikes to emit; see [`Session::spike_output`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SpikeOutput(pub(crate) usize);
/// A signal that arrives; see [`Session::signal_input`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SignalInput(pub(crate) usize);
/// A signal to write; see [`Session::signal_output`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SignalOutput(pub(crate) usize);
/// A port for messages that arrive; see [`Session::message_input`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MessageInput(pub(crate) usize);
/// A port for messages to send; see [`Session::message_output`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MessageOutput(pub(crate) usize);

/// This process's part in a run.
pub struct Session {
    phase: Phase,
    network: Network,
    welcome: Welcome,
    pub(crate) component: String,
    /// Those that were looked up, in this order.
    pub(crate) ports: Vec<Port>,
    pub(crate) arrived: Arrived,
}

enum Phase {
    Setup(Box<Setup>),
    Running(Box<Runtime>),
    /// After the last window, and finished.
    Finished,
    /// An error ended it.
    Failed,
}

impl Session {
    /// Connects to the coordinator that started this process. [`crate::run`] does it.
    pub fn connect() -> Result<Session, Error> {
        let unknown = |source| Error::Session {
            component: std::env::var(couple_ports::control::ENV_COMPONENT).unwrap_or_default(),
            source,
        };
        Session::new(Setup::connect().map_err(unknown)?)
    }

    /// A session on a setup that is there already.
    pub fn new(setup: Setup) -> Result<Session, Error> {
        let decoded = codec::from_bytes(setup.network_bytes());
        let network: Network = decoded.map_err(|error| Error::Description(error.to_string()))?;
        let welcome = setup.welcome().clone();
        let missing = || Error::Description(format!("there is no component {}", welcome.component));
        let component = network.components.get(welcome.component as usize).ok_or_else(missing)?.name.clone();
        let arrived = Arrived::new(&welcome);
        Ok(Session { phase: Phase::Setup(Box::new(setup)), network, welcome, component, ports: Vec::new(), arrived })
    }

    /// The component's name in the configuration.
    pub fn component(&self) -> &str {
        &self.component
    }
    /// The component's integration step.
    pub fn step(&self) -> Span {
        self.welcome.step
    }
    /// Simulated time of the run.
    pub fn duration(&self) -> Span {
        self.welcome.duration
    }
    /// The run's seed, for the program's own random numbers.
    pub fn seed(&self) -> u64 {
        self.network.seed
    }
    /// The whole network description.
    pub fn network(&self) -> &Network {
        &self.network
    }
    /// This rank's part in full.
    pub fn welcome(&self) -> &Welcome {
        &self.welcome
    }

    /// The spikes that `[[connection]]`s bring to a population of this component.
    pub fn spike_input(&mut self, population: &str) -> Result<SpikeInput, Error> {
        Ok(SpikeInput(self.port(Kind::SpikesIn, population)?))
    }
    /// The spikes of a population of this component. Where nobody listens they go nowhere.
    pub fn spike_output(&mut self, population: &str) -> Result<SpikeOutput, Error> {
        Ok(SpikeOutput(self.port(Kind::SpikesOut, population)?))
    }
    /// The signal that arrives at `"population.variable"`.
    pub fn signal_input(&mut self, variable: &str) -> Result<SignalInput, Error> {
        let position = self.port(Kind::SignalIn, variable)?;
        match self.ports[position].links.len() {
            1 => Ok(SignalInput(position)),
            n => Err(self.port_error(variable, format!("{n} connections lead there; a program reads one"))),
        }
    }
    /// The signal `"population.variable"`, to be written in each window.
    pub fn signal_output(&mut self, variable: &str) -> Result<SignalOutput, Error> {
        Ok(SignalOutput(self.port(Kind::SignalOut, variable)?))
    }
    /// The messages that arrive at `"population.variable"`.
    pub fn message_input(&mut self, variable: &str) -> Result<MessageInput, Error> {
        Ok(MessageInput(self.port(Kind::MessagesIn, variable)?))
    }
    /// The messages of `"population.variable"`.
    pub fn message_output(&mut self, variable: &str) -> Result<MessageOutput, Error> {
        Ok(MessageOutput(self.port(Kind::MessagesOut, variable)?))
    }

    /// Neurons of the port's population.
    pub fn width(&self, port: SpikeOutput) -> u32 {
        self.ports[port.0].width
    }
    /// A signal's unit, number of columns of the whole population, and the range of columns that this rank has.
    pub fn signal(&self, port: SignalOutput) -> (&str, u32, std::ops::Range<u32>) {
        let port = &self.ports[port.0];
        (&port.unit, port.width, port.first..port.first + port.count)
    }

    fn port(&mut self, kind: Kind, name: &str) -> Result<usize, Error> {
        let found = directory::find(&self.network, &self.welcome, kind, name);
        let port = found.map_err(|message| self.port_error(name, message))?;
        self.ports.push(port);
        Ok(self.ports.len() - 1)
    }

    pub(crate) fn port_error(&self, port: &str, message: impl Into<String>) -> Error {
        Error::Port { component: self.component.clone(), port: port.to_owned(), message: message.into() }
    }

    fn phase_error(&self, message: &str) -> Error {
        Error::Phase { component: self.component.clone(), message: message.to_owned() }
    }

    pub(crate) fn session_error(&self, source: SessionError) -> Error {
        Error::Session { component: self.component.clone(), source }
    }

    /// Ends the window at hand, if there is one, and waits until the next one may be simulated; `None` at the end of
    /// the run. The first call ends the setup and waits until all components are ready.
    pub fn next_window(&mut self) -> Result<Option<Window<'_>>, Error> {
        self.start()?;
        let Phase::Running(run) = &mut self.phase else {
            return Err(self.phase_error("next_window was called after the end of the run"));
        };
        match run.next_window() {
            Ok(Some(window)) => {
                self.arrived.clear();
                Ok(Some(Window { session: self, start: window.start, end: window.end }))
            }
            Ok(None) => {
                let Phase::Running(run) = std::mem::replace(&mut self.phase, Phase::Finished) else { return Ok(None) };
                run.finish().map_err(|source| self.session_error(source))?;
                Ok(None)
            }
            Err(source) => {
                self.phase = Phase::Failed;
                Err(self.session_error(source))
            }
        }
    }

    /// Ends the setup, if this is the setup.
    fn start(&mut self) -> Result<(), Error> {
        if !matches!(self.phase, Phase::Setup(_)) {
            return Ok(());
        }
        let inputs = self.welcome.inputs.iter();
        let needed = inputs.map(|input| directory::needed(&self.network, &self.welcome, input)).collect();
        let Phase::Setup(setup) = std::mem::replace(&mut self.phase, Phase::Failed) else { return Ok(()) };
        let run = setup.start(needed).map_err(|source| self.session_error(source))?;
        self.phase = Phase::Running(Box::new(run));
        Ok(())
    }

    pub(crate) fn running(&mut self) -> Result<&mut Runtime, Error> {
        Ok(self.run_and_arrived()?.0)
    }

    pub(crate) fn run_and_arrived(&mut self) -> Result<(&mut Runtime, &mut Arrived), Error> {
        match &mut self.phase {
            Phase::Running(run) => Ok((run, &mut self.arrived)),
            _ => Err(Error::Phase { component: self.component.clone(), message: "the session is over".to_owned() }),
        }
    }

    /// Refuses a program that is done before the run is.
    pub(crate) fn check_finished(&self) -> Result<(), Error> {
        match &self.phase {
            Phase::Finished => Ok(()),
            Phase::Setup(_) => Err(self.phase_error("the program ended without asking for a window (next_window)")),
            Phase::Running(run) => {
                let (now, end) = (run.now(), Time::ZERO + self.welcome.duration);
                Err(self.phase_error(&format!("the program ended at {now}, but the run goes on until {end}")))
            }
            Phase::Failed => Err(self.phase_error("the program went on after the session had failed")),
        }
    }

    /// Tells the coordinator that the component cannot go on. It ends the run.
    pub fn fail(&mut self, message: &str) {
        match std::mem::replace(&mut self.phase, Phase::Failed) {
            Phase::Setup(setup) => setup.fail(message),
            Phase::Running(run) => run.fail(message),
            Phase::Finished | Phase::Failed => {}
        }
    }
}
