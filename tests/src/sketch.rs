//! Random whole networks, small enough to be run in milliseconds and lively enough for a single lost spike to show.
//!
//! A [`Sketch`] is what proptest draws and shrinks: any combination of its numbers is a valid network, since references
//! are taken modulo what there is. [`Sketch::network`] makes the description of it, placed as a [`Layout`] says.

use std::collections::BTreeMap;

use couple_network::description::*;
use couple_ports::time::Span;
use proptest::prelude::*;

/// A population.
#[derive(Clone, Debug)]
pub struct PopulationSketch {
    /// Which cell, or which spike source.
    pub kind: u8,
    /// Neurons.
    pub size: u32,
    /// How strongly its neurons are driven, 0 to 1; near 1 they spike in each step.
    pub drive: f64,
    /// Chooses among ways to give parameters.
    pub variant: u8,
    /// Whether it is recorded; the first population always is.
    pub recorded: bool,
}

/// A projection.
#[derive(Clone, Debug)]
pub struct ProjectionSketch {
    /// Source: any population, or a port that sends.
    pub from: u8,
    /// Target: any population of cells.
    pub to: u8,
    /// Which connector.
    pub connector: u8,
    /// Its number.
    pub n: u32,
    /// Its probability.
    pub p: f64,
    /// With replacement.
    pub replacement: bool,
    /// Within one population: also from a neuron to itself.
    pub to_itself: bool,
    /// How weights are given.
    pub weight: u8,
    /// Their scale.
    pub strength: f64,
    /// How delays are given.
    pub delay: u8,
    /// Their scale, in steps.
    pub steps: i64,
    /// The receptor.
    pub excitatory: bool,
    /// Whether and how weights change.
    pub plasticity: u8,
}

/// The port of a program, and the connection that feeds it.
#[derive(Clone, Debug)]
pub struct PortSketch {
    /// The population that it listens to.
    pub from: u8,
    /// Delay of the connection, in steps.
    pub steps: i64,
    /// Sends the spikes that it receives on, as its own.
    pub relay: bool,
}

/// A synaptic or adaptation current that is injected into other cells, too.
#[derive(Clone, Debug)]
pub struct SignalSketch {
    /// Chooses among the currents of populations as large as the target.
    pub from: u8,
    /// The target: any population of cells that stand any current.
    pub to: u8,
    /// Delay, in steps of the target after the first.
    pub steps: i64,
    /// Interpolated linearly, where the delay allows it; else held.
    pub linear: bool,
    /// Whether it takes the place of `i_offset` instead of being added.
    pub offset: bool,
    /// What is sent before the first sample.
    pub initial: f64,
}

/// A network without a place.
#[derive(Clone, Debug)]
pub struct Sketch {
    /// Seed of its random numbers.
    pub seed: u64,
    /// The step of all components, unless the layout has others.
    pub step: Span,
    /// Its duration, in steps of 0.2 ms, the longest there is.
    pub duration: i64,
    /// Its populations; the first is one of cells.
    pub populations: Vec<PopulationSketch>,
    /// Its projections.
    pub projections: Vec<ProjectionSketch>,
    /// Ports of a program that takes part.
    pub ports: Vec<PortSketch>,
    /// Its analog signals.
    pub signals: Vec<SignalSketch>,
}

/// Where populations live and how they are simulated.
#[derive(Clone, Debug)]
pub struct Layout {
    /// Simulator, ranks and threads of each component; populations are dealt out to these.
    pub components: Vec<(Simulator, u32, u32)>,
    /// The component of each population.
    pub placement: Vec<u8>,
    /// Ranks of the program that has the ports.
    pub script_ranks: u32,
    /// The step of each component, instead of the sketch's.
    pub steps: Option<Vec<Span>>,
}

impl Layout {
    /// All in one process.
    pub fn whole() -> Layout {
        Layout { components: vec![(Simulator::Native, 1, 1)], placement: vec![0], script_ranks: 1, steps: None }
    }
}

/// How many cells there are.
const CELLS: u8 = Cell::ALL.len() as u8;
const RENEWAL: u8 = CELLS + 1;
const GAMMA: u8 = CELLS + 2;
const CHANGING: u8 = CELLS + 3;
/// 0.05, 0.1 and 0.2 ms.
pub const STEPS: [Span; 3] = [Span::from_ns(50_000), Span::from_ns(100_000), Span::from_ns(200_000)];

prop_compose! {
    /// A population.
    fn population()(
        kind in prop_oneof![2 => 0..4u8, 1 => 4..CELLS, 1 => CELLS..CELLS + 5],
        size in prop_oneof![Just(1u32), Just(2), Just(20), 1u32..=60],
        drive in 0.0..1.0f64,
        variant in any::<u8>(),
        recorded in prop::bool::weighted(0.8),
    ) -> PopulationSketch {
        PopulationSketch { kind, size, drive, variant, recorded }
    }
}

prop_compose! {
    /// A projection.
    fn projection()(
        (from, to, connector, n, p) in (any::<u8>(), any::<u8>(), 0u8..8, 0u32..40, 0.0..1.0f64),
        (replacement, to_itself, excitatory) in (any::<bool>(), any::<bool>(), prop::bool::weighted(0.7)),
        (weight, strength) in (0u8..6, 0.1..3.0f64),
        (delay, steps) in (0u8..6, prop_oneof![1i64..4, 1i64..50]),
        plasticity in 0u8..12,
    ) -> ProjectionSketch {
        ProjectionSketch {
            from, to, connector, n, p, replacement, to_itself, weight, strength, delay, steps, excitatory, plasticity
        }
    }
}

prop_compose! {
    /// A port.
    fn port()(from in any::<u8>(), steps in 0i64..30, relay in any::<bool>()) -> PortSketch {
        PortSketch { from, steps, relay }
    }
}

prop_compose! {
    /// A signal.
    fn signal()(
        (from, to, steps) in (any::<u8>(), any::<u8>(), 0i64..40),
        (linear, offset) in (any::<bool>(), prop::bool::weighted(0.2)),
        initial in prop_oneof![Just(0.0), -0.2..0.5f64],
    ) -> SignalSketch {
        SignalSketch { from, to, steps, linear, offset, initial }
    }
}

prop_compose! {
    /// Networks of two to six populations.
    pub fn sketch()(
        seed in any::<u64>(),
        step in prop::sample::select(&STEPS[..]),
        duration in 20i64..150,
        populations in prop::collection::vec(population(), 2..=6),
        projections in prop::collection::vec(projection(), 1..10),
        ports in prop_oneof![2 => Just(vec![]), 1 => prop::collection::vec(port(), 1..3)],
        signals in prop_oneof![1 => Just(vec![]), 1 => prop::collection::vec(signal(), 1..5)],
    ) -> Sketch {
        Sketch { seed, step, duration, populations, projections, ports, signals }
    }
}

/// Layouts of one to five native components with one to three ranks and threads.
pub fn layout() -> impl Strategy<Value = Layout> {
    let component = (Just(Simulator::Native), 1u32..=3, 1u32..=3);
    let components = prop::collection::vec(component, 1..=5);
    (components, prop::collection::vec(any::<u8>(), 6), 1u32..=2)
        .prop_map(|(components, placement, script_ranks)| Layout { components, placement, script_ranks, steps: None })
}

/// A number between 0 and 1 that looks random.
fn speckle(seed: u64, k: usize) -> f64 {
    let mixed = (seed ^ (k as u64 + 1)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    ((mixed ^ mixed >> 29).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 40) as f64 / (1u64 << 24) as f64
}

impl Sketch {
    /// Simulated time.
    pub fn span(&self) -> Span {
        STEPS[2] * self.duration
    }

    /// The description, placed as `layout` says.
    pub fn network(&self, layout: &Layout) -> Network {
        let script = layout.components.len();
        let mut network = Network {
            name: "random".into(),
            seed: self.seed >> 1,
            duration: self.span(),
            components: self.components(layout),
            populations: vec![],
            projections: vec![],
            connections: vec![],
            signals: vec![],
            messages: vec![],
            recordings: vec![],
        };
        for (id, sketch) in self.populations.iter().enumerate() {
            let component = usize::from(layout.placement[id % layout.placement.len()]) % layout.components.len();
            let model = self.model(id, network.components[component].step);
            let name = format!("p{id}");
            network.populations.push(Population { name, component, size: sketch.size, model, variables: vec![] });
            if id == 0 || sketch.recorded {
                network.recordings.push(Recording::spikes(id));
            }
        }
        for (id, port) in self.ports.iter().enumerate() {
            let from = usize::from(port.from) % self.populations.len();
            let size = network.populations[from].size;
            let to = network.populations.len();
            network.populations.push(Population {
                name: format!("port{id}"),
                component: script,
                size,
                model: Model::Port,
                variables: vec![],
            });
            let delay = network.components[script].step * port.steps;
            if self.is_possible(&network, from, script) {
                network.connections.push(Connection { from, to, delay });
            }
        }
        for (id, sketch) in self.projections.iter().enumerate() {
            let projection = self.projection(&network, id, sketch);
            if self.is_possible(&network, projection.from, network.target_component(&projection)) {
                network.projections.push(projection);
            }
        }
        for sketch in &self.signals {
            if let Some(signal) = self.signal(&network, sketch) {
                network.signals.push(signal);
            }
        }
        network
    }

    /// The currents that a population gives, and whether any current may be injected into it.
    fn currents(population: &Population) -> (&'static [&'static str], bool) {
        let Model::Cell { cell, .. } = population.model else { return (&[], false) };
        match cell {
            Cell::IfCurrExp | Cell::IfCurrAlpha => (&["isyn_exc", "isyn_inh"], true),
            Cell::EifCondExpIsfaIsta | Cell::EifCondAlphaIsfaIsta => (&["w"], false),
            Cell::IfCurrDelta | Cell::IfCondExp | Cell::IfCondAlpha | Cell::IfFacetsHardware1 => (&[], true),
            _ => (&[], false),
        }
    }

    fn signal(&self, network: &Network, sketch: &SignalSketch) -> Option<SignalConnection> {
        let all = || network.populations.iter().enumerate();
        let targets: Vec<_> = all().filter(|(_, p)| Self::currents(p).1).collect();
        let (to, target) = *targets.get(usize::from(sketch.to) % targets.len().max(1))?;
        let of = |(id, p)| Self::currents(p).0.iter().map(move |name| End { population: id, variable: (*name).into() });
        let sources: Vec<End> = all().filter(|(_, p)| p.size == target.size).flat_map(of).collect();
        let from = sources.get(usize::from(sketch.from) % sources.len().max(1))?.clone();
        let has_offset = !matches!(target.model, Model::Cell { cell: Cell::IfFacetsHardware1, .. });
        let variable = if sketch.offset && has_offset { "i_offset" } else { "current" };
        let to = End { population: to, variable: variable.into() };
        // Only currents add up, those of different sources.
        let clashes = |signal: &SignalConnection| signal.from == from || variable == "i_offset";
        if network.signals.iter().any(|signal| signal.to == to && clashes(signal)) {
            return None;
        }
        let step = |end: &End| network.components[network.populations[end.population].component].step;
        let (sender, receiver) = (step(&from), step(&to));
        let mut signal = SignalConnection {
            delay: receiver * (1 + sketch.steps),
            interpolation: if sketch.linear { Interpolation::Linear } else { Interpolation::Hold },
            initial: Value::Constant(sketch.initial),
            from,
            to,
        };
        if !signal.is_causal(sender, receiver) {
            signal.interpolation = Interpolation::Hold;
        }
        Some(signal)
    }

    fn components(&self, layout: &Layout) -> Vec<Component> {
        let component = |name: String, simulator, step, ranks, threads| Component {
            name,
            simulator,
            step,
            ranks,
            threads,
            script: None,
            command: vec![],
            python: None,
            cvode: None,
        };
        let step = |id: usize| layout.steps.as_ref().map_or(self.step, |steps| steps[id % steps.len()]);
        let numbered = layout.components.iter().enumerate();
        let mut components: Vec<_> = numbered
            .map(|(id, &(simulator, ranks, threads))| component(format!("c{id}"), simulator, step(id), ranks, threads))
            .collect();
        if !self.ports.is_empty() {
            let step = step(components.len());
            components.push(component("script".into(), Simulator::Script, step, layout.script_ranks, 1));
        }
        components
    }

    fn model(&self, id: usize, step: Span) -> Model {
        let sketch = &self.populations[id];
        let kind = if id == 0 { sketch.kind % CELLS } else { sketch.kind };
        let start = step * i64::from(sketch.variant % 3);
        let duration = if sketch.variant < 200 { Span::from_ns(1 << 53) } else { self.span() - STEPS[2] * 9 };
        match kind {
            0..CELLS => self.cell(id, Cell::ALL[usize::from(kind)]),
            // Now and then several spikes of a neuron in a step.
            CELLS => Model::SpikeSourcePoisson {
                rate: if sketch.drive > 0.9 { 20_000.0 } else { 1000.0 * sketch.drive },
                start,
                duration,
            },
            RENEWAL => Model::SpikeSourcePoissonRefractory {
                rate: 400.0 * sketch.drive,
                tau_refrac: step * 7,
                start,
                duration,
            },
            GAMMA => {
                let alpha = [0.5, 1.0, 3.0][usize::from(sketch.variant % 3)];
                Model::SpikeSourceGamma { alpha, beta: 10.0 + alpha * 500.0 * sketch.drive, start, duration }
            }
            CHANGING => Model::SpikeSourceInhGamma {
                a: vec![1.0, 3.0, 0.7],
                b: [0.004, 0.001, 0.02].map(|b| b / (0.2 + sketch.drive)).to_vec(),
                tbins: [0, 7, 31].map(|k| step * k).to_vec(),
                start,
                duration,
            },
            _ => {
                let lists = if sketch.variant.is_multiple_of(2) { 1 } else { sketch.size as usize };
                let list = |neuron: usize| {
                    let mut times: Vec<Span> = (0..usize::from(sketch.variant % 40))
                        .map(|k| STEPS[2] * (1 + (speckle(self.seed, 100 * neuron + k) * self.duration as f64) as i64))
                        .collect();
                    times.sort_unstable();
                    times
                };
                Model::SpikeSourceArray { spike_times: (0..lists).map(list).collect() }
            }
        }
    }

    fn cell(&self, id: usize, cell: Cell) -> Model {
        let PopulationSketch { size, drive, variant, .. } = self.populations[id];
        // From a little to a lot: nA.
        let (low, high) = match cell {
            Cell::Izhikevich => (0.004, 0.01 + 0.01 * drive),
            Cell::HhCondExp => (0.0, 0.3 + drive),
            Cell::EifCondExpIsfaIsta | Cell::EifCondAlphaIsfaIsta => (0.5, 1.0 + drive),
            _ => (0.2, 0.4 + drive),
        };
        // The first cells stand any current: a spike in each step.
        let always = drive > 0.95 && cell <= Cell::IfCondExp;
        let i_offset = if always {
            Value::Constant(120.0)
        } else if variant % 3 == 0 {
            Value::List((0..size as usize).map(|k| low + (high - low) * speckle(self.seed ^ 7, k)).collect())
        } else {
            Value::Random(Distribution::Uniform { low, high })
        };
        let tau_refrac = [0.0, 0.1, 0.25, 2.0][usize::from(variant / 3 % 4)];
        let tau = [0.5, 2.0, 5.0][usize::from(variant / 12 % 3)];
        let mut params = vec![
            ("tau_refrac", Value::Constant(if always { 0.0 } else { tau_refrac })),
            ("i_offset", i_offset),
            ("tau_syn_E", Value::Constant(tau)),
            ("tau_syn_I", Value::Constant(1.5 * tau)),
        ];
        match cell {
            // Without a refractory period it spikes thousands of times in a step when it is driven hard.
            Cell::EifCondExpIsfaIsta | Cell::EifCondAlphaIsfaIsta => {
                params[0].1 = Value::Constant(tau_refrac.max(0.25))
            }
            Cell::HhCondExp | Cell::Izhikevich => {}
            // It takes no current: it spikes when it rests above its threshold.
            Cell::IfFacetsHardware1 => params.push(("v_rest", Value::Constant(-56.0 + 10.0 * drive))),
            _ => {
                let tau_m = if variant.is_multiple_of(2) { 10.0 } else { 20.0 };
                params.extend([("cm", Value::Constant(0.25)), ("tau_m", Value::Constant(tau_m))]);
            }
        }
        let known = params.into_iter().filter(|(name, _)| cell.entry().parameter(name).is_some());
        let params = cell.complete_params(known.map(|(name, value)| (name.to_owned(), value)).collect());
        let v = match variant / 36 % 3 {
            0 => Value::Constant(-60.0),
            1 => Value::List((0..size as usize).map(|k| -65.0 + 14.0 * speckle(self.seed ^ 11, k)).collect()),
            _ => Value::Random(Distribution::Uniform { low: -65.0, high: -50.5 }),
        };
        let initial = cell.complete_initial(&params, BTreeMap::from([("v".to_owned(), v)]));
        Model::Cell { cell, params, initial }
    }

    fn projection(&self, network: &Network, id: usize, sketch: &ProjectionSketch) -> Projection {
        let is_cells = |p: &usize| matches!(network.populations[*p].model, Model::Cell { .. });
        let cells: Vec<_> = (0..self.populations.len()).filter(is_cells).collect();
        let to = cells[usize::from(sketch.to) % cells.len()];
        let relays = (0..self.ports.len()).filter(|p| self.ports[*p].relay).map(|p| self.populations.len() + p);
        let sources: Vec<_> = (0..self.populations.len()).chain(relays).collect();
        let from = sources[usize::from(sketch.from) % sources.len()];
        let (sizes, same) = ((network.populations[from].size, network.populations[to].size), from == to);
        let connector = connector(sketch, self.seed, sizes, same);
        let receptor = if sketch.excitatory { Receptor::Excitatory } else { Receptor::Inhibitory };
        let rows = if let Connector::FromList { pairs } = &connector { Some(pairs.len()) } else { None };
        let Model::Cell { cell, .. } = network.populations[to].model else { unreachable!("cells were chosen") };
        Projection {
            name: format!("projection {id}"),
            from,
            to,
            weight: weight(sketch, self.seed, cell, receptor, rows),
            delay: delay(sketch, self.seed, network.components[network.populations[to].component].step, rows),
            connector,
            receptor,
            plasticity: plasticity(sketch, cell, receptor),
        }
    }

    /// A random source has the grid of its component: its targets must be on it.
    fn is_possible(&self, network: &Network, from: PopulationId, to: ComponentId) -> bool {
        let source = &network.populations[from];
        let random = source.model.is_stimulus() && !matches!(source.model, Model::SpikeSourceArray { .. });
        !random || network.components[source.component].step.is_multiple_of(network.components[to].step)
    }
}

fn connector(sketch: &ProjectionSketch, seed: u64, (from, to): (u32, u32), same: bool) -> Connector {
    let allow_self_connections = !same || sketch.to_itself || from == 1;
    let with_replacement = sketch.replacement;
    let others = |size: u32| if same && !allow_self_connections { size - 1 } else { size };
    let at_most = |available: u32| if with_replacement { sketch.n } else { sketch.n.min(available) };
    match sketch.connector {
        0 => Connector::AllToAll { allow_self_connections },
        1 if from == to => Connector::OneToOne,
        2 => Connector::FixedTotalNumber {
            n: u64::from(sketch.n * 10).min(if with_replacement { 400 } else { u64::from(others(from) * to) }),
            with_replacement,
            allow_self_connections,
        },
        3 => Connector::FixedNumberPre { n: at_most(others(from)), with_replacement, allow_self_connections },
        4 => Connector::FixedNumberPost { n: at_most(others(to)), with_replacement, allow_self_connections },
        5 | 6 => {
            let pick = |k: usize, size: u32| (speckle(seed, k) * f64::from(size)) as u32;
            let pairs = (0..sketch.n as usize).map(|k| (pick(k, from), pick(1000 + k, to)));
            Connector::FromList { pairs: pairs.collect() }
        }
        _ => Connector::FixedProbability { p: sketch.p, allow_self_connections },
    }
}

/// A weight that makes a difference: nA, mV or µS.
fn typical_weight(sketch: &ProjectionSketch, cell: Cell, receptor: Receptor) -> f64 {
    let (scale, ratio) = match cell {
        Cell::IfCurrExp => (0.35, -2.0),
        Cell::IfCurrAlpha => (0.25, -2.0),
        Cell::IfCurrDelta | Cell::Izhikevich => (2.0, -2.0),
        Cell::HhCondExp => (0.03, 2.0),
        _ => (0.006, 4.0),
    };
    scale * sketch.strength * if receptor == Receptor::Excitatory { 1.0 } else { ratio }
}

fn is_stdp(sketch: &ProjectionSketch) -> bool {
    sketch.plasticity < 3
}

fn plasticity(sketch: &ProjectionSketch, cell: Cell, receptor: Receptor) -> Plasticity {
    let few = |choices: [f64; 3]| choices[sketch.n as usize % 3];
    match sketch.plasticity {
        0..3 => Plasticity::Stdp(Stdp {
            tau_plus: few([20.0, 10.0, 5.0]),
            tau_minus: 20.0,
            // Large, so that a few spikes are enough to see them.
            a_plus: few([0.01, 0.1, 0.3]),
            a_minus: few([0.012, 0.3, 0.0]),
            w_min: 0.0,
            w_max: 3.0 * typical_weight(sketch, cell, receptor),
            mu_plus: [0.0, 1.0, 0.4][usize::from(sketch.plasticity)],
            mu_minus: [0.0, 1.0, 0.4][usize::from(sketch.plasticity)],
        }),
        3..6 => Plasticity::TsodyksMarkram(TsodyksMarkram {
            u: 0.1 + 0.8 * sketch.p,
            tau_rec: few([100.0, 20.0, 5.0]),
            tau_facil: few([0.0, 50.0, 10.0]),
        }),
        _ => Plasticity::Static,
    }
}

fn weight(sketch: &ProjectionSketch, seed: u64, cell: Cell, receptor: Receptor, rows: Option<usize>) -> Value {
    let w = typical_weight(sketch, cell, receptor);
    let (least, most) = (w.min(0.0), w.max(0.0));
    match (sketch.weight, rows) {
        (0, _) => Value::Random(Distribution::Uniform { low: least, high: most }),
        (1, _) => Value::Random(Distribution::NormalClipped {
            mu: w,
            sigma: 0.3 * w.abs(),
            low: 3.0 * least,
            high: 3.0 * most,
        }),
        (2, _) if w > 0.0 && !is_stdp(sketch) => Value::Random(Distribution::Lognormal { mu: w.ln(), sigma: 0.4 }),
        (3, _) if w > 0.0 && !is_stdp(sketch) => Value::Random(Distribution::Gamma { k: 2.0, theta: 0.5 * w }),
        (0..4, Some(rows)) => Value::List((0..rows).map(|k| w * speckle(seed ^ 3, k)).collect()),
        _ => Value::Constant(w),
    }
}

fn delay(sketch: &ProjectionSketch, seed: u64, step: Span, rows: Option<usize>) -> Delay {
    let longest = (step * sketch.steps).ms();
    match (sketch.delay, rows) {
        (0, _) => Delay::Random(Distribution::Uniform { low: 0.2 * longest, high: 1.3 * longest }),
        (1, _) => Delay::Random(Distribution::Exponential { beta: 0.4 * longest }),
        (2, _) => Delay::Random(Distribution::NormalClippedToBoundary {
            mu: longest,
            sigma: 0.4 * longest,
            low: 0.5 * longest,
            high: 2.0 * longest,
        }),
        (0..5, Some(rows)) => {
            let steps = |k: usize| 1 + (speckle(seed ^ 5, k) * sketch.steps as f64) as i64;
            Delay::List((0..rows).map(|k| step * steps(k)).collect())
        }
        _ => Delay::Constant(step * sketch.steps),
    }
}
