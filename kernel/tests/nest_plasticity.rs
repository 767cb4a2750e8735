//! Plastic synapses against NEST's on the same spikes, when a NEST is at hand.

#![allow(clippy::unwrap_used, reason = "how a test fails")]

mod networks;

use std::path::PathBuf;
use std::process::Command;

use couple_kernel::{Engine, Part};
use couple_network::description::*;
use couple_ports::time::Time;
use networks::STEP;
use networks::plastic::{pair, stdp, tsodyks_markram};

const STEPS: i64 = 20_000;

struct Case {
    plasticity: Plasticity,
    delay: i64,
    pre: Vec<i64>,
    post: Vec<i64>,
}

/// Steps at random, some in a row, the last long before the end.
fn train(seed: u64, every: i64) -> Vec<i64> {
    let (mut state, mut at, mut steps) = (seed, 20, Vec::new());
    while at < STEPS - 1500 {
        steps.push(at);
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        at += 1 + (state >> 33) as i64 % (2 * every);
    }
    steps
}

fn cases() -> Vec<Case> {
    let rules = [
        stdp(0.0, 1.0, (0.01, 0.011), (0.0, 0.0)),
        stdp(0.0, 2.0, (0.05, 0.06), (1.0, 1.0)),
        stdp(0.0, 0.7, (0.03, 0.05), (0.0, 1.0)),
        stdp(0.0, 0.9, (0.05, 0.04), (0.4, 0.3)),
        stdp(0.0, 0.50001, (0.4, 0.4), (0.0, 0.0)),
        tsodyks_markram(0.5, 100.0, 0.0),
        tsodyks_markram(0.1, 30.0, 500.0),
    ];
    let mut all = Vec::new();
    for (seed, plasticity) in (1..).zip(rules) {
        for delay in [1, 15, 200] {
            let mut pre = train(7 * seed, 60);
            // Two sides that meet at the synapse, and a last spike that finds all others.
            let mut post = train(11 * seed + 3, 45);
            post.extend(pre.iter().step_by(5).map(|k| k - delay).filter(|k| *k > 2));
            post.sort_unstable();
            post.dedup();
            pre.push(STEPS - 500);
            all.push(Case { plasticity, delay, pre, post });
        }
    }
    all
}

impl Case {
    fn json(&self) -> String {
        let (model, parameters, tau_minus) = match self.plasticity {
            Plasticity::Stdp(p) => (
                "stdp_synapse",
                format!(
                    "{{\"tau_plus\":{:?},\"lambda\":{:?},\"alpha\":{:?},\"mu_plus\":{:?},\"mu_minus\":{:?},\"Wmax\":{:?}}}",
                    p.tau_plus,
                    p.a_plus,
                    p.a_minus / p.a_plus,
                    p.mu_plus,
                    p.mu_minus,
                    p.w_max
                ),
                p.tau_minus,
            ),
            Plasticity::TsodyksMarkram(p) => (
                "tsodyks2_synapse",
                format!(
                    "{{\"U\":{:?},\"u\":{:?},\"tau_rec\":{:?},\"tau_fac\":{:?}}}",
                    p.u, p.u, p.tau_rec, p.tau_facil
                ),
                0.0,
            ),
            Plasticity::Static => unreachable!("all cases are plastic"),
        };
        format!(
            "{{\"model\":\"{model}\",\"parameters\":{parameters},\"tau_minus\":{tau_minus:?},\"weight\":0.5,\"delay\":{},\
             \"pre\":{:?},\"post\":{:?},\"steps\":{STEPS}}}",
            self.delay, self.pre, self.post
        )
    }

    /// The weight at the end and the potential after each step.
    fn run(&self) -> (f64, Vec<f64>) {
        let mut network = pair(&self.pre, &self.post, self.delay, self.plasticity);
        if let Model::Cell { initial, .. } = &mut network.populations[0].model {
            initial.insert("v".into(), Value::Constant(-65.0));
        }
        let mut engine = Engine::build(&network, Part { component: 0, rank: 0, ranks: 1, threads: 1 }).unwrap();
        let potential = |k: i64| {
            engine.run(Time::ZERO + STEP * k, &mut |_, _, _| ()).unwrap();
            engine.membrane_potential(0)[0]
        };
        let trace = (1..=STEPS).map(potential).collect();
        (engine.weights(1)[0].2, trace)
    }
}

fn run_in_nest(python: &PathBuf, cases: &[Case]) -> Vec<(f64, Vec<f64>)> {
    let folder = std::env::temp_dir().join(format!("couple-kernel-plasticity-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (input, output) = (folder.join("input.json"), folder.join("output.txt"));
    let all: Vec<String> = cases.iter().map(Case::json).collect();
    std::fs::write(&input, format!("[{}]", all.join(",\n"))).unwrap();
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/nest_plasticity.py");
    let done = Command::new(python).arg(script).arg(&input).arg(&output).output().unwrap();
    assert!(done.status.success(), "NEST failed:\n{}", String::from_utf8_lossy(&done.stderr));
    let text = std::fs::read_to_string(&output).unwrap();
    let _ = std::fs::remove_dir_all(&folder);
    text.lines()
        .map(|line| {
            let mut numbers = line.split(' ').map(|number| number.parse().unwrap());
            (numbers.next().unwrap(), numbers.collect())
        })
        .collect()
}

#[test]
fn weights_and_potentials_are_those_of_nest() {
    let Some(python) = std::env::var_os("COUPLE_NEST_PYTHON").map(PathBuf::from) else {
        println!("skipped: COUPLE_NEST_PYTHON does not name an interpreter that has NEST");
        return;
    };
    let cases = cases();
    let reference = run_in_nest(&python, &cases);
    assert_eq!(reference.len(), cases.len());
    for (case, (weight, theirs)) in cases.iter().zip(reference) {
        let (ours, trace) = case.run();
        let other = trace.iter().zip(&theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        println!(
            "{:?}, delay of {} steps: weight {ours} and {weight}, same bits: {}; max |dV| {other:.1e} mV",
            case.plasticity,
            case.delay,
            ours.to_bits() == weight.to_bits()
        );
        assert!((ours - weight).abs() <= 1e-9 * weight.abs(), "{:?}: {ours} {weight}", case.plasticity);
        assert!(trace.len() == theirs.len() && other < 1e-9, "{:?}: potentials differ by {other}", case.plasticity);
        if let Plasticity::Stdp(_) = case.plasticity {
            assert!((ours - 0.5).abs() > 1e-6, "{:?}: nothing was learnt", case.plasticity);
        }
    }
}
