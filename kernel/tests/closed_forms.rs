//! Cells against what can be calculated with a pencil, or with very small steps, through the whole engine.

mod networks;

use couple_kernel::{Engine, Part};
use couple_network::description::*;
use couple_ports::time::{Span, Time};
use networks::{STEP, cells, network, projection};

const TAU_M: f64 = 20.0;
const TAU_E: f64 = 2.0;
const CM: f64 = 0.25;
const REST: f64 = -65.0;
/// Steps from the input spike to its arrival.
const DELAY: i64 = 7;
/// Step of the input spike.
const AT: i64 = 13;

/// The potential of one cell after each step, and the times at which it fires. It starts at `v`, and one spike of
/// `weight` comes in.
fn respond(cell: Cell, params: &[(&str, f64)], v: f64, weight: f64, steps: i64) -> (Vec<f64>, Vec<Time>) {
    let mut n = network(1);
    let mut all = vec![("tau_m", Value::Constant(TAU_M)), ("cm", Value::Constant(CM))];
    if cell != Cell::IfCurrDelta {
        all.push(("tau_syn_E", Value::Constant(TAU_E)));
    }
    all.extend(params.iter().map(|(name, value)| (*name, Value::Constant(*value))));
    let mut population = cells("cell", 0, 1, cell, &all);
    if let Model::Cell { initial, .. } = &mut population.model {
        initial.insert("v".into(), Value::Constant(v));
    }
    let model = Model::SpikeSourceArray { spike_times: vec![vec![STEP * AT]] };
    n.populations =
        vec![population, Population { name: "input".into(), component: 0, size: 1, model, variables: vec![] }];
    let one = Connector::AllToAll { allow_self_connections: true };
    let delay = Delay::Constant(STEP * DELAY);
    n.projections = vec![projection((1, 0), one, Value::Constant(weight), delay, Receptor::Excitatory)];
    let mut engine = Engine::build(&n, Part { component: 0, rank: 0, ranks: 1, threads: 1 }).expect("it builds");
    let (mut trace, mut spikes) = (Vec::new(), Vec::new());
    for step in 1..=steps {
        engine.run(Time::ZERO + STEP * step, &mut |_, _, time| spikes.push(time)).expect("it runs");
        trace.push(engine.membrane_potential(0)[0]);
    }
    (trace, spikes)
}

/// Compares a trace with V(t), t in ms since the input arrives.
fn assert_follows(trace: &[f64], expected: impl Fn(f64) -> f64, tolerance: f64) {
    for (i, v) in trace.iter().enumerate() {
        let since = (i as i64 + 1 - AT - DELAY) as f64 * 0.1;
        let expected = if since > 0.0 { expected(since) } else { REST };
        assert!((v - expected).abs() <= tolerance, "{since} ms after the input: {v} instead of {expected}");
    }
}

#[test]
fn exponential_current() {
    let (trace, _) = respond(Cell::IfCurrExp, &[], REST, 0.5, 1000);
    let beta = TAU_E * TAU_M / (TAU_M - TAU_E);
    assert_follows(&trace, |t| REST + 0.5 / CM * beta * ((-t / TAU_M).exp() - (-t / TAU_E).exp()), 1e-10);
}

#[test]
fn alpha_current() {
    let (trace, _) = respond(Cell::IfCurrAlpha, &[], REST, 0.5, 1000);
    let rate = 1.0 / TAU_E - 1.0 / TAU_M;
    // ∫ w e/τ s exp(-s/τ) exp(-(t-s)/τm)/C ds
    let v = |t: f64| {
        let integral = (1.0 - (-rate * t).exp() * (1.0 + rate * t)) / (rate * rate);
        REST + 0.5 * std::f64::consts::E / TAU_E / CM * (-t / TAU_M).exp() * integral
    };
    assert_follows(&trace, v, 1e-10);
    // The current has its peak, the weight, one time constant after the input: there dV/dt + V/tau_m = w/C.
    let k = (AT + DELAY) as usize + 20;
    let slope = (trace[k] - trace[k - 2]) / 0.2;
    assert!((slope + (trace[k - 1] - REST) / TAU_M - 0.5 / CM).abs() < 1e-2 * 0.5 / CM);
}

#[test]
fn voltage_jump() {
    let (trace, _) = respond(Cell::IfCurrDelta, &[], REST, 3.0, 1000);
    // The jump is seen in the step at which it arrives.
    let arrival = (AT + DELAY) as usize - 1;
    assert!((trace[arrival] - REST - 3.0).abs() < 1e-10 && trace[arrival - 1] == REST);
    for (i, v) in trace[arrival..].iter().enumerate() {
        assert!((v - REST - 3.0 * (-0.1 * i as f64 / TAU_M).exp()).abs() < 1e-10);
    }
}

#[test]
fn exponential_conductance() {
    let (trace, _) = respond(Cell::IfCondExp, &[], REST, 0.01, 600);
    // Classical Runge-Kutta with a hundredth of the step; V in mV, g in µS, C in nF.
    let slope = |v: f64, g: f64| (CM / TAU_M * (REST - v) - g * v) / CM;
    let (mut v, mut g, h) = (REST, 0.01, 0.001);
    let mut fine = vec![REST];
    for k in 1..=60_000 {
        let half = (-h / 2.0 / TAU_E).exp();
        let (g1, g2) = (g * half, g * half * half);
        let k1 = slope(v, g);
        let k2 = slope(v + 0.5 * h * k1, g1);
        let k3 = slope(v + 0.5 * h * k2, g1);
        let k4 = slope(v + h * k3, g2);
        (v, g) = (v + h / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4), g2);
        if k % 100 == 0 {
            fine.push(v);
        }
    }
    assert_follows(&trace, |t| fine[(t * 10.0).round() as usize], 1e-6);
}

#[test]
fn constant_current_fires_regularly() {
    // From rest to threshold in tau_m ln(RI/(RI - 15 mV)), to the next grid point; then tau_refrac, to the grid, too.
    for cell in [Cell::IfCurrExp, Cell::IfCurrAlpha, Cell::IfCurrDelta, Cell::IfCondExp] {
        let params = [("i_offset", 0.3), ("tau_refrac", 2.05)];
        let (_, spikes) = respond(cell, &params, REST, 0.0, 2000);
        let rise = (TAU_M * (24.0f64 / (24.0 - 15.0)).ln() / 0.1).ceil() as i64;
        let expected: Vec<Time> =
            (0..).map(|i| Time::ZERO + STEP * (rise + i * (rise + 21))).take_while(|t| t.ms() <= 200.0).collect();
        assert_eq!(spikes, expected, "{cell:?}");
    }
}

#[test]
fn nothing_moves_the_potential_while_it_is_held() {
    for cell in [Cell::IfCurrExp, Cell::IfCurrAlpha, Cell::IfCurrDelta, Cell::IfCondExp] {
        // It starts above the threshold, fires in the first step, and input comes in the refractory period.
        let weight = if cell == Cell::IfCondExp { 0.01 } else { 1.0 };
        let (trace, spikes) = respond(cell, &[("tau_refrac", 5.0), ("v_reset", -70.0)], -40.0, weight, 60);
        assert_eq!(spikes, [Time::ZERO + STEP], "{cell:?}");
        assert!(trace[..51].iter().all(|v| *v == -70.0), "{cell:?}");
        assert!(trace[51] > -70.0, "{cell:?}: it moves again after 5 ms");
    }
}

#[test]
fn parameters_that_differ_between_neurons_are_refused_but_for_the_current() {
    let spread = Value::Random(Distribution::Uniform { low: 0.1, high: 0.2 });
    let build = |params: &[(&str, Value)]| {
        let mut n = network(1);
        n.populations = vec![cells("cell", 0, 5, Cell::IfCurrExp, params)];
        Engine::build(&n, Part { component: 0, rank: 0, ranks: 1, threads: 1 }).map(drop)
    };
    assert!(build(&[("i_offset", spread.clone())]).is_ok());
    let error = build(&[("cm", spread)]).expect_err("cm must be shared").to_string();
    for part in ["`cell`", "`cm`", "split the population"] {
        assert!(error.contains(part), "{part} is not in: {error}");
    }
    let error = build(&[("tau_m", Value::Constant(0.0))]).expect_err("zero").to_string();
    assert!(error.contains("`tau_m` is 0, but must be positive"), "{error}");
    let error = build(&[("v_reset", Value::Constant(-50.0))]).expect_err("fires for ever").to_string();
    assert!(error.contains("below `v_thresh`"), "{error}");
    assert!(build(&[("tau_refrac", Value::Constant(Span::MAX.ms()))]).is_err());
}
