//! Small networks of all kinds, and two ways of simulating them: the engine, on any number of ranks and threads, and a
//! plain simulator that takes each synapse one by one.
#![allow(dead_code)]

pub mod plastic;

use std::collections::BTreeMap;
use std::sync::mpsc;
use std::time::Duration;

use couple_kernel::models::{Definition, Input, Neurons, ParameterError, channel, weight_unit};
use couple_kernel::{Engine, Part};
use couple_network::description::*;
use couple_network::stimulus::Stimulus;
use couple_network::weights::receptor_grid;
use couple_network::{synapses, values};
use couple_ports::time::{Span, Time};

/// (time, population, index)
pub type Spike = (Time, PopulationId, u32);

/// 0.1 ms
pub const STEP: Span = Span::from_ns(100_000);

/// A component called `name`.
pub fn component(name: &str) -> Component {
    Component {
        name: name.into(),
        simulator: Simulator::Native,
        step: STEP,
        ranks: 1,
        threads: 1,
        script: None,
        command: vec![],
        python: None,
        cvode: None,
    }
}

/// A population of cells with defaults but for `params`.
pub fn cells(name: &str, component: ComponentId, size: u32, cell: Cell, params: &[(&str, Value)]) -> Population {
    let mut all = cell.default_params();
    all.extend(params.iter().map(|(name, value)| ((*name).to_string(), value.clone())));
    let initial = BTreeMap::from([("v".to_string(), Value::Random(Distribution::Uniform { low: -65.0, high: -52.0 }))]);
    Population {
        name: name.into(),
        component,
        size,
        model: Model::Cell { cell, params: all, initial },
        variables: vec![],
    }
}

/// A Poisson source.
pub fn poisson(name: &str, component: ComponentId, size: u32, rate: f64) -> Population {
    let model = Model::SpikeSourcePoisson { rate, start: Span::ZERO, duration: Span::from_ns(1 << 60) };
    Population { name: name.into(), component, size, model, variables: vec![] }
}

/// A projection named after its ends.
pub fn projection(
    (from, to): (PopulationId, PopulationId),
    connector: Connector,
    weight: Value,
    delay: Delay,
    receptor: Receptor,
) -> Projection {
    let name = format!("{from} to {to}, {receptor:?}, {connector:?}");
    Projection { name, from, to, connector, weight, delay, receptor, plasticity: Plasticity::Static }
}

/// A network of nothing.
pub fn network(components: usize) -> Network {
    Network {
        name: "test".into(),
        seed: 42,
        duration: Span::from_ns(100_000_000),
        components: (0..components).map(|i| component(&format!("c{i}"))).collect(),
        populations: vec![],
        projections: vec![],
        connections: vec![],
        signals: vec![],
        messages: vec![],
        recordings: vec![],
    }
}

/// Three populations that excite and inhibit each other, with every connector and all kinds of weights, delays and
/// sources. `place` says on which component each of the three lives.
pub fn mixed(cell: Cell, components: usize, place: [ComponentId; 3]) -> Network {
    // Weights that make the cells fire at some 10 Hz to 50 Hz: nA, µS or mV.
    let w = [(Cell::IfCurrAlpha, 0.25), (Cell::IfCurrDelta, 2.0), (Cell::IfCondExp, 0.006)];
    let w = w.iter().find(|(known, _)| *known == cell).map_or(0.35, |(_, w)| *w);

    let inhibitory = if cell == Cell::IfCondExp { 4.0 * w } else { -2.0 * w };
    let tau = |e, i| vec![("tau_syn_E", Value::Constant(e)), ("tau_syn_I", Value::Constant(i))];
    let mut params = vec![
        ("cm", Value::Constant(0.25)),
        ("tau_refrac", Value::Constant(1.5)),
        ("i_offset", Value::Random(Distribution::Uniform { low: 0.0, high: 0.05 })),
    ];
    if cell != Cell::IfCurrDelta {
        params.extend(tau(2.0, 4.0));
    }
    let mut n = network(components);
    for (name, component, size) in [("a", place[0], 37), ("b", place[1], 23), ("c", place[2], 11)] {
        n.populations.push(cells(name, component, size, cell, &params));
    }
    n.populations.push(poisson("own drive", place[0], 37, 900.0));
    n.populations.push(poisson("shared drive", place[1], 9, 300.0));
    n.populations.push(Population {
        name: "given".into(),
        component: place[2],
        size: 3,
        model: Model::SpikeSourceArray {
            spike_times: (1..=3).map(|i| (1..20).map(|k| STEP * (k * 37 + i)).collect()).collect(),
        },
        variables: vec![],
    });
    let exc = Value::Random(Distribution::Normal { mu: w, sigma: 0.1 * w });
    let inh = Value::Random(Distribution::Uniform { low: inhibitory, high: 0.5 * inhibitory });
    let ms = |d: f64| Delay::Constant(Span::from_ms(d).expect("a whole number of nanoseconds"));
    let spread = Delay::Random(Distribution::NormalClipped { mu: 1.5, sigma: 0.7, low: 0.3, high: 6.0 });
    let (e, i) = (Receptor::Excitatory, Receptor::Inhibitory);
    let no_self = false;
    n.projections = vec![
        projection(
            (0, 0),
            Connector::FixedProbability { p: 0.1, allow_self_connections: no_self },
            exc.clone(),
            spread.clone(),
            e,
        ),
        projection(
            (0, 1),
            Connector::FixedNumberPre { n: 5, with_replacement: true, allow_self_connections: true },
            Value::Constant(w),
            ms(0.7),
            e,
        ),
        projection(
            (0, 2),
            Connector::FixedNumberPost { n: 3, with_replacement: false, allow_self_connections: true },
            exc.clone(),
            ms(1.2),
            e,
        ),
        projection(
            (1, 0),
            Connector::FixedTotalNumber { n: 80, with_replacement: true, allow_self_connections: true },
            inh.clone(),
            spread.clone(),
            i,
        ),
        projection(
            (1, 1),
            Connector::AllToAll { allow_self_connections: no_self },
            Value::Constant(0.2 * inhibitory),
            spread,
            i,
        ),
        projection(
            (1, 2),
            Connector::FromList { pairs: vec![(3, 1), (3, 1), (22, 0), (0, 10)] },
            Value::List(vec![inhibitory, 0.5 * inhibitory, inhibitory, 0.25 * inhibitory]),
            Delay::List([3, 9, 5, 40].iter().map(|k| STEP * *k).collect()),
            i,
        ),
        projection(
            (2, 0),
            Connector::FixedProbability { p: 0.3, allow_self_connections: true },
            Value::Constant(w),
            ms(0.9),
            e,
        ),
        projection((3, 0), Connector::OneToOne, Value::Constant(w), ms(0.1), e),
        projection(
            (4, 0),
            Connector::FixedProbability { p: 0.4, allow_self_connections: true },
            exc.clone(),
            ms(0.1),
            e,
        ),
        projection(
            (4, 1),
            Connector::FixedNumberPre { n: 4, with_replacement: false, allow_self_connections: true },
            Value::Constant(w),
            ms(0.2),
            e,
        ),
        projection((4, 2), Connector::AllToAll { allow_self_connections: true }, Value::Constant(0.3 * w), ms(2.0), e),
        projection((5, 2), Connector::AllToAll { allow_self_connections: true }, exc, ms(0.4), e),
    ];
    // A drive with weights and delays of its own for each neuron.
    let mut own = n.projections[7].clone();
    own.name += ", each its own";
    (own.weight, own.delay) = (n.projections[0].weight.clone(), n.projections[0].delay.clone());
    n.projections.push(own);
    n
}

/// Ends the test program when what it guards does not come to an end.
pub struct Watchdog(#[allow(dead_code, reason = "dropping it is the signal")] mpsc::Sender<()>);

impl Watchdog {
    /// Barks after two minutes.
    pub fn new() -> Self {
        let (alive, gone) = mpsc::channel();
        std::thread::spawn(move || {
            if gone.recv_timeout(Duration::from_secs(120)) == Err(mpsc::RecvTimeoutError::Timeout) {
                eprintln!("the simulation hangs");
                std::process::abort();
            }
        });
        Watchdog(alive)
    }
}

/// (presynaptic, postsynaptic, weight) of the synapses of each plastic projection.
pub type Weights = Vec<Vec<(u32, u32, f64)>>;

/// Simulates the whole network: an engine for each rank of each component, all exchanging spikes after each window.
/// `ranks_threads` gives ranks and threads of each component.
pub fn simulate(network: &Network, ranks_threads: &[(u32, usize)], window: Span) -> Vec<Spike> {
    simulate_with_weights(network, ranks_threads, window).0
}

/// Like [`simulate`], with the weights at the end.
pub fn simulate_with_weights(network: &Network, ranks_threads: &[(u32, usize)], window: Span) -> (Vec<Spike>, Weights) {
    let _watchdog = Watchdog::new();
    let mut engines = Vec::new();
    for (component, &(ranks, threads)) in ranks_threads.iter().enumerate() {
        for rank in 0..ranks {
            let mut engine = Engine::build(network, Part { component, rank, ranks, threads }).expect("it builds");
            engine.set_spin(false);
            let needed: Vec<_> = (0..network.populations.len()).map(|source| engine.needed(source)).collect();
            engines.push((engine, needed));
        }
    }
    let end = Time::ZERO + network.duration;
    let (mut now, mut all) = (Time::ZERO, Vec::new());
    while now < end {
        now = (now + window).min(end);
        let mut emitted: Vec<Spike> = Vec::new();
        for (engine, _) in &mut engines {
            let before = emitted.len();
            engine.run(now, &mut |population, index, time| emitted.push((time, population, index))).expect("it runs");
            assert!(emitted[before..].is_sorted(), "spikes are reported in order");
        }
        for (engine, needed) in &mut engines {
            for (time, population, index) in emitted.iter().rev() {
                if needed[*population].contains(*index) {
                    engine.deliver(*population, *index, *time).expect("in time");
                }
            }
        }
        all.extend(emitted);
    }
    all.sort_unstable();
    let of = |projection| {
        let mut weights: Vec<_> = engines.iter().flat_map(|(engine, _)| engine.weights(projection)).collect();
        weights.sort_by_key(|(pre, post, _)| (*pre, *post));
        weights
    };
    (all, (0..network.projections.len()).map(of).collect())
}

struct One<'a>(&'a Network, PopulationId);

impl One<'_> {
    fn value(&self, name: &str) -> Result<Vec<f64>, ParameterError> {
        let size = self.0.populations[self.1].size;
        values::of_population(self.0, self.1, name, 0..size).ok_or_else(|| ParameterError::Missing(name.into()))
    }
}

impl Definition for One<'_> {
    fn constant(&self, name: &str) -> Result<f64, ParameterError> {
        Ok(self.value(name)?[0])
    }
    fn each(&self, name: &str) -> Result<Vec<f64>, ParameterError> {
        self.value(name)
    }
    fn initial(&self, name: &str) -> Result<Option<Vec<f64>>, ParameterError> {
        Ok(self.value(name).ok())
    }
    fn size(&self) -> usize {
        self.0.populations[self.1].size as usize
    }
}

/// Simulates the whole network the plain way.
pub fn simulate_plainly(network: &Network) -> Vec<Spike> {
    simulate_plainly_with_weights(network).0
}

/// Like [`simulate_plainly`], with the weights at the end.
pub fn simulate_plainly_with_weights(network: &Network) -> (Vec<Spike>, Weights) {
    let steps = network.duration.steps(STEP);
    let size = |p: PopulationId| network.populations[p].size as usize;
    let drawn: Vec<Vec<synapses::Synapse>> = (0..network.projections.len())
        .map(|id| synapses::draw(network, id, 0..network.populations[network.projections[id].to].size))
        .collect();
    let mut models: Vec<Option<(Cell, Neurons)>> = (0..network.populations.len())
        .map(|id| match network.populations[id].model {
            Model::Cell { cell, .. } => Some((cell, Neurons::new(cell, &One(network, id), STEP).expect("valid"))),
            _ => None,
        })
        .collect();
    let stimuli: Vec<Option<Stimulus>> = (0..network.populations.len())
        .map(|id| Stimulus::new(network, id, 0..network.populations[id].size).ok())
        .collect();
    let mut plastic = Plastic::new(network, &drawn);
    // Input by (step, population, channel).
    let mut input: BTreeMap<(i64, PopulationId, usize), Vec<i64>> = BTreeMap::new();
    let mut all = Vec::new();
    for step in 1..=steps {
        let time = Time::ZERO + STEP * step;
        let mut spikes: Vec<(PopulationId, u32, u32)> = Vec::new();
        for (id, post, amount, receptor) in plastic.arrivals(step) {
            let sums = input.entry((step, id, receptor)).or_insert_with(|| vec![0; size(id)]);
            sums[post as usize] += amount;
        }
        for (id, model) in models.iter_mut().enumerate() {
            if let Some(stimulus) = &stimuli[id] {
                stimulus.step(step, |index, count| spikes.push((id, index, count)));
            }
            let Some((cell, neurons)) = model else { continue };
            let mut sums = [0, 1].map(|c| input.remove(&(step, id, c)).unwrap_or_else(|| vec![0; size(id)]));
            let [exc, inh] = &mut sums;
            let unit = |receptor| receptor_grid(network, id, receptor).unit() * weight_unit(*cell);
            let mut fired = Vec::new();
            neurons.advance(
                [
                    Input { sums: exc, unit: unit(Receptor::Excitatory) },
                    Input { sums: inh, unit: unit(Receptor::Inhibitory) },
                ],
                &mut fired,
            );
            spikes.extend(fired.iter().map(|i| (id, *i, 1)));
            all.extend(fired.iter().map(|i| (time, id, *i)));
        }
        for (source, index, count) in spikes {
            plastic.note(source, index, count, step);
            for (projection, synapses) in network.projections.iter().zip(&drawn) {
                if projection.from != source || projection.plasticity != Plasticity::Static {
                    continue;
                }
                for synapse in synapses.iter().filter(|s| s.pre == index) {
                    let key = (step + i64::from(synapse.delay_steps), projection.to, channel(projection.receptor));
                    let sums = input.entry(key).or_insert_with(|| vec![0; size(projection.to)]);
                    sums[synapse.post as usize] += synapse.raw * i64::from(count);
                }
            }
        }
    }
    (all, plastic.weights(steps))
}

/// All plastic synapses of a network, and every spike there was.
struct Plastic<'a> {
    network: &'a Network,
    /// Projection, drawn synapse, its state.
    synapses: Vec<(ProjectionId, synapses::Synapse, plastic::Synapse)>,
    /// Steps of the spikes of each neuron, with repetition.
    spikes: BTreeMap<(PopulationId, u32), Vec<i64>>,
}

impl<'a> Plastic<'a> {
    fn new(network: &'a Network, drawn: &[Vec<synapses::Synapse>]) -> Self {
        let mut all = Vec::new();
        for (id, synapses) in drawn.iter().enumerate().filter(|(id, _)| is_plastic(network, *id)) {
            let unit = unit_of(network, id);
            all.extend(synapses.iter().map(|s| (id, *s, plastic::Synapse::new(s.weight * unit))));
        }
        Plastic { network, synapses: all, spikes: BTreeMap::new() }
    }

    fn note(&mut self, population: PopulationId, index: u32, count: u32, step: i64) {
        self.spikes.entry((population, index)).or_default().extend((0..count).map(|_| step));
    }

    /// What arrives in `step`: (population, neuron, amount in units of the grid, channel).
    fn arrivals(&mut self, step: i64) -> Vec<(PopulationId, u32, i64, usize)> {
        let none = Vec::new();
        let mut all = Vec::new();
        for (id, drawn, state) in &mut self.synapses {
            let p = &self.network.projections[*id];
            let (delay, unit) = (i64::from(drawn.delay_steps), unit_of(self.network, *id));
            let post = self.spikes.get(&(p.to, drawn.post)).unwrap_or(&none);
            let pre = self.spikes.get(&(p.from, drawn.pre)).unwrap_or(&none);
            for fired in pre.iter().filter(|fired| **fired + delay == step) {
                let weight = state.presynaptic(&p.plasticity, unit, *fired, delay, post, STEP);
                let grid = receptor_grid(self.network, p.to, p.receptor).unit() * unit;
                all.push((p.to, drawn.post, (weight / grid).round_ties_even() as i64, channel(p.receptor)));
            }
        }
        all
    }

    /// The weights after all that has reached the synapses up to `end` less the projection's shortest delay.
    fn weights(mut self, end: i64) -> Weights {
        let none = Vec::new();
        let mut all = vec![Vec::new(); self.network.projections.len()];
        for (id, drawn, state) in &mut self.synapses {
            let p = &self.network.projections[*id];
            let (delay, unit) = (i64::from(drawn.delay_steps), unit_of(self.network, *id));
            let until = end - p.delay.min(STEP).steps(STEP);
            let post = self.spikes.get(&(p.to, drawn.post)).unwrap_or(&none);
            let pre = self.spikes.get(&(p.from, drawn.pre)).unwrap_or(&none);
            for fired in pre.iter().filter(|fired| **fired + delay > end && **fired <= until) {
                state.presynaptic(&p.plasticity, unit, *fired, delay, post, STEP);
            }
            state.potentiate(&p.plasticity, unit, until, delay, post, STEP);
            all[*id].push((drawn.pre, drawn.post, state.weight / unit));
        }
        all.iter_mut().for_each(|weights| weights.sort_by_key(|(pre, post, _)| (*pre, *post)));
        all
    }
}

fn is_plastic(network: &Network, projection: ProjectionId) -> bool {
    network.projections[projection].plasticity != Plasticity::Static
}

/// The model's unit in PyNN's.
fn unit_of(network: &Network, projection: ProjectionId) -> f64 {
    match network.populations[network.projections[projection].to].model {
        Model::Cell { cell, .. } => weight_unit(cell),
        _ => 1.0,
    }
}
