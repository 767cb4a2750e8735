//! The native simulator as a component: it drives one rank of the kernel from window to window.
//!
//! ```text
//!   description ─► Engine::build ─► Ready ─► ┌ next window ◄──────────────────┐
//!                                            │ spikes of others ─► deliver    │
//!                                            │ samples of others ─► set       │
//!                                            │ run to the window's end        │
//!                                            │ own spikes ─► emit             │
//!                                            └ own samples ─► write ──────────┘ ─► finish
//! ```
//!
//! What a rank does is a function of the description and of the spikes and samples handed over; it holds no clock and reads no file.
//! Spike sources are simulated by whoever needs them; this component sends those of its own that are recorded or
//! connected to the port of a program.
//!
//! Signals: state variables leave as they are at the end of each step. A current, `i_offset` or `v_thresh` that comes in counts
//! throughout the step that begins at its time; several connections onto a `current` add up in the order of the description.

pub mod signals;

use couple_kernel::{BuildError, Engine, Part, RunError};
use couple_network::description::{Network, PopulationId};
use couple_ports::control::{Welcome, codec};
use couple_ports::session::{Runtime, SessionError, Setup, Window};

use signals::Signals;

/// Why the component could not do its part.
#[derive(Debug, thiserror::Error)]
pub enum NativeError {
    /// The session failed, or was ended by others.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The description that came with the welcome cannot be used.
    #[error("the network description cannot be used: {0}; are all programs of the same release of couple?")]
    Description(String),
    /// The network cannot be built.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The simulation cannot go on.
    #[error(transparent)]
    Run(#[from] RunError),
}

/// A rank's model and how its ports belong to it.
struct Model {
    engine: Engine,
    /// The source population of each input.
    inputs: Vec<PopulationId>,
    /// The output of each population.
    outputs: Vec<Option<usize>>,
    signals: Signals,
}

/// Takes part in a run as one rank of a native component, to the end. A failure is told to the coordinator, too.
pub fn run(setup: Setup) -> Result<(), NativeError> {
    let model = match Model::build(setup.welcome(), setup.network_bytes()) {
        Ok(model) => model,
        Err(error) => {
            setup.fail(&error.to_string());
            return Err(error);
        }
    };
    let needed = model.inputs.iter().map(|source| model.engine.needed(*source)).collect();
    let session = setup.start(needed)?;
    model.simulate(session)
}

impl Model {
    fn build(welcome: &Welcome, network: &[u8]) -> Result<Self, NativeError> {
        let network: Network =
            codec::from_bytes(network).map_err(|error| NativeError::Description(error.to_string()))?;
        let unknown = |text: String| NativeError::Description(text);
        let component = welcome.component as usize;
        let Some(own) = network.components.get(component) else {
            return Err(unknown(format!("it has no component {component}")));
        };
        let part = Part { component, rank: welcome.rank, ranks: welcome.ranks, threads: own.threads.max(1) as usize };
        let mut engine = Engine::build(&network, part)?;
        engine.set_spin(welcome.spin);
        let find = |name: &str| {
            network.population(name).ok_or_else(|| unknown(format!("it has no population `{name}`, but a link does")))
        };
        let mut inputs = Vec::new();
        for input in &welcome.inputs {
            if let Some(target) = &input.target {
                return Err(unknown(format!("a native component has no port `{target}` for a plain connection")));
            }
            inputs.push(find(&input.source)?);
        }
        let mut outputs = vec![None; network.populations.len()];
        for (output, port) in welcome.outputs.iter().enumerate() {
            let population = find(&port.population)?;
            outputs[population] = Some(output);
            if network.populations[population].model.is_stimulus() {
                engine.report_stimulus(population)?;
            }
        }
        let signals = Signals::build(welcome, &network, &mut engine)?;
        Ok(Model { engine, inputs, outputs, signals })
    }

    fn simulate(mut self, mut session: Runtime) -> Result<(), NativeError> {
        while let Some(window) = session.next_window()? {
            match self.run(&mut session, window) {
                Ok(()) => (),
                // The session has told it.
                Err(NativeError::Session(error)) => return Err(error.into()),
                Err(error) => {
                    session.fail(&error.to_string());
                    return Err(error);
                }
            }
        }
        session.finish()?;
        Ok(())
    }

    fn run(&mut self, session: &mut Runtime, window: Window) -> Result<(), NativeError> {
        let (engine, inputs) = (&mut self.engine, &self.inputs);
        let mut done = Ok(());
        session.for_each_input(|input, index, time| {
            if done.is_ok() {
                done = engine.deliver(inputs[input], index, time);
            }
        })?;
        done?;
        self.signals.drive(session, engine)?;
        let outputs = &self.outputs;
        engine.run(window.end, &mut |population, index, time| {
            if let Some(output) = outputs[population] {
                session.emit(output, index, time);
            }
        })?;
        self.signals.send(session, engine, window)
    }
}
