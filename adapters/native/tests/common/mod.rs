//! A network, and a watchdog.
#![allow(dead_code, reason = "each test uses a part")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::sync::mpsc;
use std::time::Duration;

use couple_network::description::*;
use couple_ports::time::Span;

/// 0.1 ms
pub const STEP: Span = Span::from_ns(100_000);

/// Two populations that excite and inhibit each other with delays of 1 ms and more, a drive, and a recorded source.
pub fn balanced(place: [ComponentId; 2], components: usize, threads: u32) -> Network {
    let component = |i: usize| Component {
        name: format!("c{i}"),
        simulator: Simulator::Native,
        step: STEP,
        ranks: 1,
        threads,
        script: None,
        command: vec![],
        python: None,
        cvode: None,
    };
    let cells = |name: &str, component, size| {
        let cell = Cell::IfCurrExp;
        let mut params = cell.default_params();
        params.extend([
            ("cm".to_string(), Value::Constant(0.25)),
            ("tau_m".to_string(), Value::Constant(10.0)),
            ("tau_syn_E".to_string(), Value::Constant(0.5)),
            ("tau_syn_I".to_string(), Value::Constant(0.5)),
            ("tau_refrac".to_string(), Value::Constant(2.0)),
        ]);
        let v = Value::Random(Distribution::Normal { mu: -58.0, sigma: 5.0 });
        let initial = BTreeMap::from([("v".to_string(), v)]);
        Population {
            name: name.into(),
            component,
            size,
            model: Model::Cell { cell, params, initial },
            variables: vec![],
        }
    };
    let drive = |name: &str, component, size| {
        let model = Model::SpikeSourcePoisson { rate: 8000.0, start: Span::ZERO, duration: Span::from_ns(1 << 60) };
        Population { name: name.into(), component, size, model, variables: vec![] }
    };
    let normal = |mu: f64| Value::Random(Distribution::Normal { mu, sigma: 0.1 * mu.abs() });
    let delay = |mu: f64| Delay::Random(Distribution::NormalClipped { mu, sigma: 0.5 * mu, low: 1.0, high: 5.0 });
    let between = |from, to, weight: Value, delay, receptor| Projection {
        name: format!("{from} to {to}"),
        from,
        to,
        connector: Connector::FixedProbability { p: 0.1, allow_self_connections: false },
        weight,
        delay,
        receptor,
        plasticity: Plasticity::Static,
    };
    let one_to_one = |from, to| Projection {
        connector: Connector::OneToOne,
        ..between(from, to, Value::Constant(0.0878), Delay::Constant(STEP * 15), Receptor::Excitatory)
    };
    let (e, i) = (Receptor::Excitatory, Receptor::Inhibitory);
    Network {
        name: "balanced".into(),
        seed: 7,
        duration: Span::from_ns(200_000_000),
        components: (0..components).map(component).collect(),
        populations: vec![
            cells("E", place[0], 160),
            cells("I", place[1], 40),
            drive("drive of E", place[0], 160),
            drive("drive of I", place[1], 40),
        ],
        projections: vec![
            between(0, 0, normal(0.2), delay(1.5), e),
            between(0, 1, normal(0.2), delay(1.5), e),
            between(1, 0, normal(-0.8), delay(1.0), i),
            between(1, 1, normal(-0.8), delay(1.0), i),
            one_to_one(2, 0),
            one_to_one(3, 1),
        ],
        connections: vec![],
        signals: vec![],
        messages: vec![],
        recordings: [0, 1, 3].map(Recording::spikes).into(),
    }
}

/// Fails instead of waiting for ever.
pub fn with_watchdog<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, wait) = mpsc::channel();
    let worker = std::thread::spawn(move || {
        let result = work();
        let _ = done.send(());
        result
    });
    match wait.recv_timeout(Duration::from_secs(120)) {
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("the run hangs"),
        _ => worker.join().unwrap(),
    }
}
