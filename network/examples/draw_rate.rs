//! How long draws take: `cargo run --release -p couple-network --example draw_rate`.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Instant;

use couple_network::description::{
    Cell, Component, Connector, Delay, Distribution, Model, Network, Population, Projection, Receptor, Simulator, Value,
};
use couple_network::random::{Key, Stream};
use couple_network::stimulus::Stimulus;
use couple_network::synapses;
use couple_ports::time::Span;

fn network(connector: Connector, drawn: bool) -> Network {
    let step = Span::from_ns(100_000);
    let component = Component {
        name: "c".into(),
        simulator: Simulator::Native,
        step,
        ranks: 1,
        threads: 1,
        script: None,
        command: vec![],
        python: None,
        cvode: None,
    };
    let cell = Model::Cell { cell: Cell::IfCurrExp, params: BTreeMap::new(), initial: BTreeMap::new() };
    let population =
        |name: &str, size, model| Population { name: name.into(), component: 0, size, model, variables: vec![] };
    let normal = |mu: f64, sigma, low| Distribution::NormalClipped { mu, sigma, low, high: f64::INFINITY };
    Network {
        name: "rates".into(),
        seed: 1,
        duration: Span::from_ns(1_000_000_000),
        components: vec![component],
        populations: vec![
            population("E", 20_683, cell.clone()),
            population("I", 5_834, cell),
            population(
                "P",
                20_683,
                Model::SpikeSourcePoisson { rate: 2000.0, start: Span::ZERO, duration: Span::from_ns(1 << 60) },
            ),
        ],
        projections: vec![Projection {
            name: "E→I".into(),
            from: 0,
            to: 1,
            connector,
            weight: if drawn { Value::Random(normal(0.0878, 0.00878, 0.0)) } else { Value::Constant(0.0878) },
            delay: if drawn { Delay::Random(normal(1.5, 0.75, 0.1)) } else { Delay::Constant(step * 15) },
            receptor: Receptor::Excitatory,
            plasticity: couple_network::description::Plasticity::Static,
        }],
        connections: vec![],
        signals: vec![],
        messages: vec![],
        recordings: vec![],
    }
}

fn main() {
    let (n, s) = (2000, true);
    for (name, connector) in [
        ("AllToAll", Connector::AllToAll { allow_self_connections: s }),
        ("FixedProbability 0.1", Connector::FixedProbability { p: 0.1, allow_self_connections: s }),
        (
            "FixedTotalNumber",
            Connector::FixedTotalNumber { n: 12_000_000, with_replacement: true, allow_self_connections: s },
        ),
        (
            "FixedTotalNumber, distinct",
            Connector::FixedTotalNumber { n: 12_000_000, with_replacement: false, allow_self_connections: s },
        ),
        ("FixedNumberPre", Connector::FixedNumberPre { n, with_replacement: true, allow_self_connections: s }),
        (
            "FixedNumberPre, distinct",
            Connector::FixedNumberPre { n, with_replacement: false, allow_self_connections: s },
        ),
        ("FixedNumberPost", Connector::FixedNumberPost { n: 600, with_replacement: true, allow_self_connections: s }),
    ] {
        for drawn in [false, true] {
            let network = network(connector.clone(), drawn);
            let (start, mut sum, mut count) = (Instant::now(), 0_i64, 0_u64);
            synapses::for_each(&network, 0, 0..5_834, |s| {
                sum = sum.wrapping_add(s.raw ^ i64::from(s.pre) ^ s.delay.ns());
                count += 1;
            });
            let ns = start.elapsed().as_nanos() as f64 / count as f64;
            black_box(sum);
            let what = if drawn { "normal weights and delays" } else { "constant weights and delays" };
            println!("{name:28} {what:28} {ns:6.1} ns a synapse ({count})");
        }
    }
    for rate in [1e-3, 500.0, 1000.0, 3000.0, 20_000.0, 200_000.0] {
        let mut network = network(Connector::OneToOne, false);
        let duration = Span::from_ns(1 << 60);
        network.populations[2].model = Model::SpikeSourcePoisson { rate, start: Span::ZERO, duration };
        let stimulus = Stimulus::new(&network, 2, 0..20_683).expect("a valid source");
        let (steps, mut ns) = (200, f64::INFINITY);
        for _ in 0..20 {
            let (start, mut sum) = (Instant::now(), 0_u64);
            (1..=steps).for_each(|k| stimulus.step(k, |index, count| sum += u64::from(index ^ count)));
            black_box(sum);
            ns = ns.min(start.elapsed().as_nanos() as f64 / (steps as f64 * 20_683.0));
        }
        println!("Poisson, {:5.2} in a step        {ns:6.2} ns a neuron and step", rate * 1e-4);
    }
    let mut stream = Stream::new(Key::new(1, &["rate"]), 0);
    let start = Instant::now();
    let sum = (0..50_000_000).fold(0_u64, |sum, _| sum ^ stream.next_u64());
    println!("Philox words, 64 bits          {:6.2} ns", start.elapsed().as_nanos() as f64 / 5e7);
    let start = Instant::now();
    let total: f64 = (0..50_000_000).map(|_| stream.normal()).sum();
    println!("standard normal                {:6.2} ns", start.elapsed().as_nanos() as f64 / 5e7);
    black_box((sum, total));
}
