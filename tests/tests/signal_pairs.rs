//! Law: an analog signal arrives as it was sent, at its exact delay, from each simulator at each other. A program drives a
//! cell on one simulator by a sine, which moves the cell's potential up and down. The potential goes to all simulators. NEURON
//! and Brian2 echo what arrives by a user's model, and every sample must be the one that was sent (hold) or lie on the straight
//! line between two (linear). The native kernel and NEST are driven by it, and the cells must do what the equation says
//! for these samples.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use couple::setup::{brian2, nest, neuron};
use couple_recorder::Signals;
use couple_tests::programs::Runs;

const WIDTH: usize = 3;
const DURATION_NS: i64 = 100_000_000;
/// Of the signals that are looked at: multiples of all steps here.
const DELAY_NS: i64 = 1_200_000;
const START: f64 = -65.0;

const SINE: &str = r#"
import numpy
import couple

with couple.connect() as session:
    wave = session.output("wave.x")
    for window in session:
        wave.write(0.3 * numpy.sin(0.2 * window.times)[:, None] * numpy.array([1.0, 0.5, 2.0]))
"#;

const NEURON: &str = r#"
from neuron import h
import couple.neuron as cn

cn.setup()
section = h.Section()
clamps = [h.IClamp(section(0.5)) for _ in range(3)]
places = [clamp._ref_dur for clamp in clamps]       # a number that nobody minds: the clamps have no amplitude
cn.input("from_neuron", "x", places)
cn.output("from_neuron", "y", places)
cn.run()
"#;

const BRIAN2: &str = r#"
from brian2 import *
import couple.brian2 as cb

cb.setup()
group = NeuronGroup(3, "x : volt", threshold="False")
cb.port("from_brian2", group)
cb.input("from_brian2", "x", group, "x")
cb.output("from_brian2", "y", group, "x")
cb.run(Network(group))
"#;

/// The potential's simulator, its step, that of the others, and what they see between samples.
struct Case {
    simulator: &'static str,
    step_ns: i64,
    others_ns: i64,
    interpolation: &'static str,
}

fn ms(ns: i64) -> String {
    format!("\"{} ms\"", ns as f64 / 1e6)
}

fn config(case: &Case) -> String {
    let (step, others, delay) = (ms(case.step_ns), ms(case.others_ns), ms(DELAY_NS));
    let (simulator, interpolation) = (case.simulator, case.interpolation);
    let mut text = format!(
        r#"
        [run]
        name     = "{simulator}"
        duration = "100 ms"
        [component]
        sine       = {{ simulator = "script", script = "sine.py", python = "{}", step = "0.1 ms" }}
        source     = {{ simulator = "{simulator}", step = {step} }}
        native     = {{ simulator = "native", step = {others} }}
        nest       = {{ simulator = "nest", step = {others} }}
        neuron     = {{ simulator = "neuron", step = {others}, script = "echo_neuron.py" }}
        brian2     = {{ simulator = "brian2", step = {others}, script = "echo_brian2.py" }}
        amplifiers = {{ simulator = "converter", step = {others} }}
        [cell.membrane]
        type   = "IF_curr_exp"
        params = {{ tau_m = 10.0, cm = 0.25, v_rest = {START}, v_thresh = 1000.0 }}
        [population]
        wave        = {{ component = "sine", size = 3, variables = {{ x = "nA" }} }}
        S           = {{ component = "source", size = 3, cell = "membrane", initial = {{ v = {START} }} }}
        amplified   = {{ component = "amplifiers", size = 3, converter = {{ type = "gain", gain = 0.01, offset = 0.65, unit_in = "mV", unit_out = "nA" }} }}
        on_native   = {{ component = "native", size = 3, cell = "membrane", initial = {{ v = {START} }} }}
        on_nest     = {{ component = "nest", size = 3, cell = "membrane", initial = {{ v = {START} }} }}
        from_neuron = {{ component = "neuron", size = 3, variables = {{ x = "mV", y = "mV" }} }}
        from_brian2 = {{ component = "brian2", size = 3, variables = {{ x = "mV", y = "mV" }} }}
        [[connection]]
        from  = "wave.x"
        to    = "S.current"
        delay = {delay}
        [[record]]
        population = ["S", "on_native", "on_nest"]
        variables  = ["v"]
        [[record]]
        population = ["from_neuron", "from_brian2"]
        variables  = ["y"]
        [[record]]
        population = ["amplified"]
        variables  = ["y"]
        "#,
        nest::installed().unwrap().display()
    );
    for target in ["amplified.x", "from_neuron.x", "from_brian2.x"] {
        text += &format!(
            "[[connection]]\nfrom = \"S.v\"\nto = \"{target}\"\ndelay = {delay}\ninterpolation = \"{interpolation}\"\ninitial = {START}\n"
        );
    }
    for target in ["on_native", "on_nest"] {
        text += &format!("[[connection]]\nfrom = \"amplified.y\"\nto = \"{target}.current\"\ndelay = {delay}\n");
    }
    text
}

/// A recorded variable, row by row: row `k` is that of `(k + 1)` steps.
struct Samples {
    step_ns: i64,
    rows: Vec<Vec<f64>>,
}

impl Samples {
    fn read(all: &Signals, population: &str, variable: &str, step_ns: i64) -> Self {
        let position =
            all.find(population, variable).unwrap_or_else(|| panic!("{population}.{variable} is not recorded"));
        let rows = (DURATION_NS / step_ns) as u64;
        let values = all.read(position, 0, rows).unwrap();
        assert_eq!(values.len(), rows as usize * WIDTH);
        Samples { step_ns, rows: values.chunks(WIDTH).map(<[f64]>::to_vec).collect() }
    }

    /// The sample of a step's end; before the first, `start`.
    fn at(&self, step: i64, column: usize, start: f64) -> f64 {
        if step <= 0 { start } else { self.rows[step as usize - 1][column] }
    }

    /// What a receiver sees of it at a time.
    fn seen(&self, ns: i64, column: usize, interpolation: &str, start: f64) -> f64 {
        let (step, rest) = (ns.div_euclid(self.step_ns), ns.rem_euclid(self.step_ns));
        let before = self.at(step, column, start);
        if interpolation == "hold" || rest == 0 || ns < 0 {
            return before;
        }
        before + (self.at(step + 1, column, start) - before) * rest as f64 / self.step_ns as f64
    }
}

fn check(case: &Case) {
    let runs = Runs::default();
    for (name, text) in [("sine.py", SINE), ("echo_neuron.py", NEURON), ("echo_brian2.py", BRIAN2)] {
        std::fs::write(runs.folder().join(name), text).unwrap();
    }
    let folder = runs.run("run", &config(case), &[]);
    let all = Signals::in_folder(&folder).unwrap();
    let sent = Samples::read(&all, "S", "v", case.step_ns);
    let (low, high) = sent.rows.iter().flatten().fold((f64::MAX, f64::MIN), |(l, h), v| (l.min(*v), h.max(*v)));
    assert!(high - low > 5.0, "{}: the potential hardly moves, from {low} to {high} mV", case.simulator);

    let tolerance = if case.interpolation == "hold" { 0.0 } else { 1e-12 };
    for (population, simulator) in [("from_neuron", "NEURON"), ("from_brian2", "Brian2")] {
        let echo = Samples::read(&all, population, "y", case.others_ns);
        for row in 1..=DURATION_NS / case.others_ns {
            // At its end a step still has what was set at its beginning.
            let now = (row - 1) * case.others_ns - DELAY_NS;
            for column in 0..WIDTH {
                let (is, should) = (echo.at(row, column, 0.0), sent.seen(now, column, case.interpolation, START));
                let place = format!("{} to {simulator}, step {row}, column {column}", case.simulator);
                // Brian2 has volts inside.
                let tolerance = if simulator == "Brian2" { 1e-12_f64 } else { tolerance };
                assert!((is - should).abs() <= tolerance * should.abs().max(1.0), "{place}: {is} is not {should}");
            }
        }
    }

    let current = Samples::read(&all, "amplified", "y", case.others_ns);
    for population in ["on_native", "on_nest"] {
        let potential = Samples::read(&all, population, "v", case.others_ns);
        let decay = (-(case.others_ns as f64) / 1e6 / 10.0).exp();
        for column in 0..WIDTH {
            let mut v = 0.0;
            for row in 1..=DURATION_NS / case.others_ns {
                let now = (row - 1) * case.others_ns - DELAY_NS;
                v = v * decay + 40.0 * (1.0 - decay) * current.seen(now, column, "hold", 0.0);
                let (is, should) = (potential.at(row, column, 0.0), START + v);
                let place = format!("{} to {population}, step {row}, column {column}", case.simulator);
                assert!((is - should).abs() < 1e-11, "{place}: {is} is not {should}");
            }
        }
        // What the amplifier saw.
        for row in 1..=DURATION_NS / case.others_ns {
            let now = row * case.others_ns - DELAY_NS;
            for column in 0..WIDTH {
                let should = 0.01 * sent.seen(now, column, case.interpolation, START) + 0.65;
                let is = current.at(row, column, 0.0);
                assert!(
                    (is - should).abs() <= 1e-12,
                    "{}, amplifier, step {row}: {is} is not {should}",
                    case.simulator
                );
            }
        }
    }
}

fn check_all(simulator: &'static str) {
    let there = [("NEST", nest::installed()), ("NEURON", neuron::installed()), ("Brian2", brian2::installed())];
    if let Some((name, _)) = there.iter().find(|(_, python)| python.is_none()) {
        println!("skipped: signals between simulators need {name}: run `couple setup {}`", name.to_lowercase());
        return;
    }
    check(&Case { simulator, step_ns: 100_000, others_ns: 100_000, interpolation: "hold" });
    check(&Case { simulator, step_ns: 200_000, others_ns: 50_000, interpolation: "hold" });
    check(&Case { simulator, step_ns: 200_000, others_ns: 50_000, interpolation: "linear" });
    check(&Case { simulator, step_ns: 100_000, others_ns: 400_000, interpolation: "linear" });
}

#[test]
fn from_native() {
    check_all("native");
}

#[test]
fn from_nest() {
    check_all("nest");
}

#[test]
fn from_neuron() {
    check_all("neuron");
}

#[test]
fn from_brian2() {
    check_all("brian2");
}
