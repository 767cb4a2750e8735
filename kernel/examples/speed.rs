//! How fast the kernel is on the cortical microcircuit of Potjans & Diesmann (2014, Cerebral Cortex 24:785), of any size.
//!
//! ```text
//! cargo run --release -p couple-kernel --example speed -- [N_SCALE [K_SCALE [THREADS [MS [SPIN]]]]]
//! ```
//!
//! Down-scaling as van Albada et al. 2015: weights over the root of the in-degrees' scale, and a current for the
//! mean input that is lost. The first 100 ms are not counted.
//! With SPIN 0 threads that wait for each other sleep at once, as on a machine with more busy threads than cores.

use std::time::Instant;

use couple_kernel::{Engine, Part};
use couple_network::description::*;
use couple_ports::time::{Span, Time};

const NAMES: [&str; 8] = ["L23E", "L23I", "L4E", "L4I", "L5E", "L5I", "L6E", "L6I"];
const SIZES: [f64; 8] = [20683.0, 5834.0, 21915.0, 5479.0, 4850.0, 1065.0, 14395.0, 2948.0];
const RATES: [f64; 8] = [0.97, 2.87, 4.75, 5.40, 8.14, 9.08, 0.99, 7.52];
const EXTERNAL: [f64; 8] = [1600.0, 1500.0, 2100.0, 1900.0, 2000.0, 1900.0, 2900.0, 2100.0];
/// Row: target, column: source.
const PROBABILITY: [[f64; 8]; 8] = [
    [0.1009, 0.1689, 0.0437, 0.0818, 0.0323, 0.0, 0.0076, 0.0],
    [0.1346, 0.1371, 0.0316, 0.0515, 0.0755, 0.0, 0.0042, 0.0],
    [0.0077, 0.0059, 0.0497, 0.135, 0.0067, 0.0003, 0.0453, 0.0],
    [0.0691, 0.0029, 0.0794, 0.1597, 0.0033, 0.0, 0.1057, 0.0],
    [0.1004, 0.0622, 0.0505, 0.0057, 0.0831, 0.3726, 0.0204, 0.0],
    [0.0548, 0.0269, 0.0257, 0.0022, 0.06, 0.3158, 0.0086, 0.0],
    [0.0156, 0.0066, 0.0211, 0.0166, 0.0572, 0.0197, 0.0396, 0.2252],
    [0.0364, 0.001, 0.0034, 0.0005, 0.0277, 0.008, 0.0658, 0.1443],
];
const WEIGHT: f64 = 0.0878;
const DRIVE_HZ: f64 = 8.0;

/// Synapses from `from` to `to` at full scale.
fn synapses(to: usize, from: usize) -> f64 {
    let pairs = SIZES[from] * SIZES[to];
    (1.0 - PROBABILITY[to][from]).ln() / ((pairs - 1.0) / pairs).ln()
}

/// Mean weight in nA, at full scale.
fn weight(to: usize, from: usize) -> f64 {
    match (to, from) {
        (0, 2) => 2.0 * WEIGHT,
        (_, from) if from % 2 == 1 => -4.0 * WEIGHT,
        _ => WEIGHT,
    }
}

fn microcircuit(n_scale: f64, k_scale: f64, threads: u32) -> Network {
    let step = Span::from_ns(100_000);
    let component = Component {
        name: "native".into(),
        simulator: Simulator::Native,
        step,
        ranks: 1,
        threads,
        script: None,
        command: vec![],
        python: None,
        cvode: None,
    };
    let mut network = Network {
        name: "microcircuit".into(),
        seed: 55,
        duration: Span::ZERO,
        components: vec![component],
        populations: vec![],
        projections: vec![],
        connections: vec![],
        signals: vec![],
        messages: vec![],
        recordings: vec![],
    };
    for to in 0..8 {
        let lost: f64 = (0..8)
            .map(|from| weight(to, from) * synapses(to, from) / SIZES[to] * RATES[from])
            .chain([WEIGHT * EXTERNAL[to] * DRIVE_HZ])
            .sum();
        let cell = Cell::IfCurrExp;
        let mut params = cell.default_params();
        for (name, value) in [
            ("cm", 0.25),
            ("tau_m", 10.0),
            ("tau_syn_E", 0.5),
            ("tau_syn_I", 0.5),
            ("tau_refrac", 2.0),
            ("i_offset", 1e-3 * 0.5 * (1.0 - k_scale.sqrt()) * lost),
        ] {
            params.insert(name.into(), Value::Constant(value));
        }
        let v = Value::Random(Distribution::Normal { mu: -58.0, sigma: 10.0 });
        let model = Model::Cell { cell, params, initial: [("v".to_string(), v)].into() };
        let size = (SIZES[to] * n_scale).round() as u32;
        network.populations.push(Population { name: NAMES[to].into(), component: 0, size, model, variables: vec![] });
    }
    for to in 0..8 {
        let model = Model::SpikeSourcePoisson {
            rate: DRIVE_HZ * EXTERNAL[to] * k_scale,
            start: Span::ZERO,
            duration: Span::from_ns(1 << 60),
        };
        let size = network.populations[to].size;
        network.populations.push(Population {
            name: format!("drive of {}", NAMES[to]),
            component: 0,
            size,
            model,
            variables: vec![],
        });
        let scaled = |w: f64| w / k_scale.sqrt();
        network.projections.push(Projection {
            name: format!("drive of {}", NAMES[to]),
            from: 8 + to,
            to,
            connector: Connector::OneToOne,
            weight: Value::Constant(scaled(WEIGHT)),
            delay: Delay::Constant(step * 15),
            receptor: Receptor::Excitatory,
            plasticity: Plasticity::Static,
        });
        for from in (0..8).filter(|from| PROBABILITY[to][*from] > 0.0) {
            let w = scaled(weight(to, from));
            let (low, high) = if w > 0.0 { (0.0, f64::INFINITY) } else { (f64::NEG_INFINITY, 0.0) };
            let delay = if from % 2 == 0 { 1.5 } else { 0.75 };
            network.projections.push(Projection {
                name: format!("{} to {}", NAMES[from], NAMES[to]),
                from,
                to,
                connector: Connector::FixedTotalNumber {
                    n: (synapses(to, from) * n_scale * k_scale).round() as u64,
                    with_replacement: true,
                    allow_self_connections: true,
                },
                weight: Value::Random(Distribution::NormalClipped { mu: w, sigma: 0.1 * w.abs(), low, high }),
                delay: Delay::Random(Distribution::NormalClippedToBoundary {
                    mu: delay,
                    sigma: 0.5 * delay,
                    low: 0.1,
                    high: f64::INFINITY,
                }),
                receptor: if from % 2 == 0 { Receptor::Excitatory } else { Receptor::Inhibitory },
                plasticity: Plasticity::Static,
            });
        }
    }
    network
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let argument = |i: usize, default: f64| std::env::args().nth(i).map_or(Ok(default), |text| text.parse::<f64>());
    let (n_scale, k_scale) = (argument(1, 0.1)?, argument(2, 0.1)?);
    let (threads, ms) = (argument(3, 1.0)? as u32, argument(4, 1000.0)? as i64);
    let network = microcircuit(n_scale, k_scale, threads);
    let neurons: u32 = network.populations[..8].iter().map(|p| p.size).sum();

    let start = Instant::now();
    let mut engine = Engine::build(&network, Part { component: 0, rank: 0, ranks: 1, threads: threads as usize })?;
    engine.set_spin(argument(5, 1.0)? != 0.0);
    println!(
        "{neurons} neurons, {:.1} M synapses built in {:.2} s; {:.2} GB in tables and rings",
        engine.synapses() as f64 * 1e-6,
        start.elapsed().as_secs_f64(),
        engine.bytes() as f64 * 1e-9
    );

    let warm = Time::from_ns(100_000_000);
    engine.run(warm, &mut |_, _, _| ())?;
    let mut counts = [0u64; 8];
    let start = Instant::now();
    engine.run(warm + Span::from_ns(1_000_000) * ms, &mut |population, _, _| counts[population] += 1)?;
    let (wall, simulated) = (start.elapsed().as_secs_f64(), ms as f64 * 1e-3);
    for (name, (count, p)) in NAMES.iter().zip(counts.iter().zip(&network.populations)) {
        print!("{name} {:.2} Hz  ", *count as f64 / f64::from(p.size) / simulated);
    }
    println!("\n{threads} threads: {wall:.3} s for {simulated} s simulated, real-time factor {:.3}", wall / simulated);
    Ok(())
}
