//! Whole runs within one process: plan, welcomes, a thread for each rank, and the journals read back.
//!
//! Ranks can be held up at random, so that the schedule is another one each time. While a run goes on, no rank may be
//! further ahead of another than the plan says.

use std::path::Path;
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use couple::plan::{Plan, PlanError, PlanOptions, WelcomeOptions, plan};
use couple_kernel::{Engine, Part};
use couple_native::signals::Signals;
use couple_network::description::{Network, Simulator};
use couple_ports::control::{Carrier, Welcome, codec};
use couple_ports::index::{IndexMap, IndexSet};
use couple_ports::session::{Setup, local};
use couple_ports::status::StatusPage;
use couple_ports::time::{Span, Time};
use couple_ports::transport::journal;
use tempfile::TempDir;

/// No run of these tests takes nearly so long.
const WATCHDOG: Duration = Duration::from_secs(120);

/// A spike: recorded, or as received by a port, which is then named with an arrow. (population, time, index)
pub type Spike = (String, Time, u32);

/// What carries packets between ranks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Carry {
    /// Queues.
    Thread,
    /// Rings in shared memory, as the planner wants them.
    Rings,
    /// Rings of the least size, which are full all the time.
    SmallRings,
}

/// How a network is run, beyond its description.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// A window of this part of the longest possible one, instead of the planner's choice.
    pub window: Option<f64>,
    /// Between ranks.
    pub carry: Carry,
    /// Seed of random pauses of the ranks; some ranks make none.
    pub pauses: Option<u64>,
    /// Cores that the planner sees: with many, ranks spin.
    pub cores: u32,
    /// The last component sleeps in each of its windows.
    pub slow_end: bool,
}

impl Manner {
    /// As the planner wants it, without pauses.
    pub const PLAIN: Manner = Manner { window: None, carry: Carry::Thread, pauses: None, cores: 2, slow_end: false };
}

/// Plans the network in this manner.
pub fn planned(network: &Network, manner: &Manner) -> Result<Plan, PlanError> {
    let options = PlanOptions { window_override: None, cores: manner.cores };
    let Some(part) = manner.window else { return plan(network, &options) };
    let grid = network.components.iter().fold(Span::from_ns(1), |grid, c| grid.lcm(c.step).expect("steps are short"));
    let mut window = grid * (network.duration.steps(grid) + 1);
    loop {
        let tried = plan(network, &PlanOptions { window_override: Some(window), ..options });
        match tried {
            Err(PlanError::WindowLong { allowed, .. }) => window = grid * allowed.steps(grid),
            Err(error) => return Err(error),
            Ok(_) => break,
        }
    }
    let window = grid * ((window.steps(grid) as f64 * part).ceil() as i64).max(1);
    plan(network, &PlanOptions { window_override: Some(window), ..options })
}

/// Runs the network; all recorded spikes and all that ports received, sorted.
pub fn run(network: &Network, manner: &Manner) -> Result<Vec<Spike>, PlanError> {
    let plan = planned(network, manner)?;
    Ok(run_as_planned(network, manner, &plan).0)
}

/// As [`run`]; also how far the sender of each channel was seen ahead of its receiver.
pub fn run_as_planned(network: &Network, manner: &Manner, plan: &Plan) -> (Vec<Spike>, Vec<Span>) {
    let folder = TempDir::new().expect("a folder for journals");
    let options =
        WelcomeOptions { config_hash: "", journals: folder.path(), in_process: manner.carry == Carry::Thread };
    let ranks = plan.welcomes(network, &options).expect("a description can be encoded");
    let journals: Vec<_> = ranks.iter().filter_map(|rank| rank.journal.clone()).collect();
    let mut welcomes: Vec<Welcome> = ranks.into_iter().map(|rank| rank.welcome).collect();
    if manner.carry == Carry::SmallRings {
        welcomes.iter_mut().for_each(shrink_rings);
    }
    let (setups, page) = local::connect(welcomes).expect("the ranks are connected");
    let received = Arc::new(Mutex::new(Vec::new()));
    let leads = play(network, manner, setups, &page, plan, &received);
    let mut spikes = std::mem::take(&mut *received.lock().unwrap());
    journals.iter().for_each(|path| read(path, network.duration, &mut spikes));
    spikes.sort_unstable();
    (spikes, leads)
}

fn shrink_rings(welcome: &mut Welcome) {
    let outgoing = welcome.channels_out.iter_mut().map(|channel| &mut channel.carrier);
    for carrier in outgoing.chain(welcome.channels_in.iter_mut().map(|channel| &mut channel.carrier)) {
        if let Carrier::Shm { capacity, .. } = carrier {
            *capacity = 4096;
        }
    }
}

/// Runs each rank on a thread of its own, to the end; panics with the reason when one fails or nothing moves. Gives the
/// greatest lead seen on each channel.
fn play(
    network: &Network,
    manner: &Manner,
    setups: Vec<Setup>,
    page: &StatusPage,
    plan: &Plan,
    received: &Arc<Mutex<Vec<Spike>>>,
) -> Vec<Span> {
    let (done, ended) = mpsc::channel();
    let ranks = setups.len();
    for (rank, setup) in setups.into_iter().enumerate() {
        let (done, received) = (done.clone(), Arc::clone(received));
        let component = setup.welcome().component as usize;
        let mut pauses = Pauses::new(manner.pauses, rank);
        pauses.each_time = manner.slow_end && component + 1 == network.components.len();
        let simulator = network.components[component].simulator;
        std::thread::spawn(move || {
            let result = match (simulator, pauses.any()) {
                (Simulator::Script, _) => collect(setup, pauses, &received),
                (_, false) => couple_native::run(setup).map_err(|error| error.to_string()),
                (_, true) => simulate(setup, pauses),
            };
            let _ = done.send((rank, result));
        });
    }
    drop(done);
    let (begun, mut results) = (Instant::now(), Vec::new());
    let mut leads = vec![Span::ZERO; plan.channels.len()];
    while results.len() < ranks {
        let stuck = match ended.recv_timeout(Duration::from_millis(1)) {
            Ok(result) => {
                results.push(result);
                None
            }
            Err(mpsc::RecvTimeoutError::Timeout) if begun.elapsed() < WATCHDOG => look(page, plan, &mut leads).err(),
            Err(mpsc::RecvTimeoutError::Timeout) => Some("the run hangs".to_owned()),
            Err(mpsc::RecvTimeoutError::Disconnected) => Some("a rank panicked".to_owned()),
        };
        if let Some(reason) = stuck {
            let lines = page.lines().iter().zip(&plan.ranks);
            let state: Vec<_> = lines.map(|(line, rank)| format!("{}: {:?}", rank.name, line.progress())).collect();
            page.stop_all();
            panic!("{reason}\n{}\n{results:?}", state.join("\n"));
        }
    }
    let failed: Vec<_> = results.iter().filter(|(_, result)| result.is_err()).collect();
    assert!(failed.is_empty(), "{failed:?}");
    leads
}

/// Notes how far senders are ahead of their receivers, which may be no further than planned.
fn look(page: &StatusPage, plan: &Plan, leads: &mut [Span]) -> Result<(), String> {
    let lines = page.lines();
    // Credit goes by the times that are seen here. Within loops ranks go by the watermarks of others, which are out
    // before the time is: one window for each on the way.
    let unseen: Span = plan.components.iter().map(|component| component.window).sum();
    for (channel, greatest) in plan.channels.iter().zip(leads) {
        // The sender first: the receiver may move on meanwhile, which makes the lead smaller only.
        let sender = lines[channel.from as usize].time();
        let lead = sender - lines[channel.to as usize].time();
        let allowed = channel.credit.unwrap_or(channel.lead + unseen);
        if lead > allowed {
            return Err(format!("the sender is {lead} ahead of its receiver: {channel:?}"));
        }
        *greatest = lead.max(*greatest);
    }
    Ok(())
}

/// Random pauses, different for each rank; every third rank makes none.
struct Pauses {
    /// State of the random numbers; 0 for none.
    random: u64,
    /// Sleeps a little each time.
    each_time: bool,
}

impl Pauses {
    fn new(seed: Option<u64>, rank: usize) -> Pauses {
        let seed = seed.filter(|seed| !(seed >> 8).wrapping_add(rank as u64).is_multiple_of(3));
        Pauses { random: seed.map_or(0, |seed| (seed ^ (rank as u64) << 40) | 1), each_time: false }
    }
    fn any(&self) -> bool {
        self.random != 0 || self.each_time
    }
    fn below(&mut self, n: u64) -> u64 {
        // Odd states only, so that none is 0.
        let next = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.random = next | 1;
        (self.random >> 33) % n
    }
    fn pause(&mut self) {
        if self.each_time {
            std::thread::sleep(Duration::from_micros(300));
        } else if self.random != 0 {
            match self.below(40) {
                0 => std::thread::sleep(Duration::from_micros(self.below(1000))),
                1..8 => std::thread::yield_now(),
                _ => {}
            }
        }
    }
    /// Puts them into any order.
    fn shuffle<T>(&mut self, all: &mut [T]) {
        for k in 1..all.len() {
            all.swap(k, self.below(k as u64 + 1) as usize);
        }
    }
}

/// What a native component does, with pauses between all its steps, and taking its input in any order.
fn simulate(setup: Setup, mut pauses: Pauses) -> Result<(), String> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let welcome = setup.welcome().clone();
    let network: Network = codec::from_bytes(&welcome.network).map_err(|e| text(&e))?;
    let component = welcome.component as usize;
    let threads = network.components[component].threads as usize;
    let part = Part { component, rank: welcome.rank, ranks: welcome.ranks, threads };
    let mut engine = Engine::build(&network, part).map_err(|e| text(&e))?;
    engine.set_spin(welcome.spin);
    let id = |name: &str| network.population(name).expect("links name populations");
    let sources: Vec<_> = welcome.inputs.iter().map(|input| id(&input.source)).collect();
    let outputs: Vec<_> = welcome.outputs.iter().map(|output| id(&output.population)).collect();
    for &population in outputs.iter().filter(|p| network.populations[**p].model.is_stimulus()) {
        engine.report_stimulus(population).map_err(|e| text(&e))?;
    }
    let mut signals = Signals::build(&welcome, &network, &mut engine).map_err(|e| text(&e))?;
    pauses.pause();
    let needed = sources.iter().map(|source| engine.needed(*source)).collect();
    let mut session = setup.start(needed).map_err(|e| text(&e))?;
    while let Some(window) = session.next_window().map_err(|e| text(&e))? {
        pauses.pause();
        let mut events = Vec::new();
        session.for_each_input(|input, index, time| events.push((input, index, time))).map_err(|e| text(&e))?;
        pauses.pause();
        pauses.shuffle(&mut events);
        for (input, index, time) in events {
            engine.deliver(sources[input], index, time).map_err(|e| text(&e))?;
        }
        signals.drive(&mut session, &mut engine).map_err(|e| text(&e))?;
        let mut emit = |population, index, time| {
            if let Some(output) = outputs.iter().position(|p| *p == population) {
                session.emit(output, index, time);
            }
        };
        engine.run(window.end, &mut emit).map_err(|e| text(&e))?;
        signals.send(&mut session, &engine, window).map_err(|e| text(&e))?;
        pauses.pause();
    }
    session.finish().map_err(|e| text(&e))
}

/// The program behind the ports: notes what each port receives, and sends it on where the port has links of its own.
fn collect(setup: Setup, mut pauses: Pauses, received: &Mutex<Vec<Spike>>) -> Result<(), String> {
    let welcome = setup.welcome().clone();
    let own = |width: u32| {
        let range = IndexMap::block(width, welcome.ranks).range(welcome.rank);
        IndexSet::from_flags(&(0..width).map(|index| range.contains(&index)).collect::<Vec<_>>())
    };
    let port = |input: usize| welcome.inputs[input].target.clone().expect("only connections lead to a program");
    let output = |port: &str| welcome.outputs.iter().position(|output| output.population == port);
    let needed = welcome.inputs.iter().map(|input| own(input.width)).collect();
    let mut session = setup.start(needed).map_err(|error| error.to_string())?;
    let mut all = Vec::new();
    while session.next_window().map_err(|error| error.to_string())?.is_some() {
        pauses.pause();
        let mut events = Vec::new();
        let taken = session.for_each_input(|input, index, time| events.push((port(input), time, index)));
        taken.map_err(|error| error.to_string())?;
        pauses.pause();
        for (port, time, index) in &events {
            if let Some(output) = output(port) {
                session.emit(output, *index, *time);
            }
        }
        all.extend(events.into_iter().map(|(port, time, index)| (format!("→ {port}"), time, index)));
    }
    received.lock().unwrap().extend(all);
    session.finish().map_err(|error| error.to_string())
}

/// All spikes of a journal that must be complete.
fn read(path: &Path, duration: Span, spikes: &mut Vec<Spike>) {
    let mut reader = journal::Reader::open(path).expect("a journal");
    let mut recorded = Vec::new();
    while reader.next_window(&mut recorded).expect("an undamaged journal").is_some() {}
    assert_eq!((reader.watermark(), reader.torn()), (Time::ZERO + duration, 0), "{}", path.display());
    let links: Vec<_> = reader.links().iter().map(|link| link.population.clone()).collect();
    spikes.extend(recorded.into_iter().map(|r| (links[r.link as usize].clone(), r.time, r.index)));
}
