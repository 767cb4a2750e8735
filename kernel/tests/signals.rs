//! State variables that are read, and parameters that are driven, from step to step.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod networks;

use couple_kernel::{Engine, Part};
use couple_network::description::*;
use couple_ports::index::IndexMap;
use couple_ports::time::{Span, Time};
use networks::*;

const CELLS: [Cell; 4] = [Cell::IfCurrExp, Cell::IfCurrDelta, Cell::IfCondExp, Cell::EifCondExpIsfaIsta];

/// Rows of a signal, each with the values of all neurons.
type Rows = Vec<Vec<f64>>;

/// What is driven: (population, parameter, the value of neuron `i` in the step after step `k`).
type Driven = (PopulationId, &'static str, fn(i64, u32) -> f64);
const DRIVES: [Driven; 4] = [
    (0, "current", |k, i| 0.3 * ((k as f64 * 0.02 + f64::from(i)).sin())),
    (0, "v_thresh", |k, i| -50.0 - f64::from(i % 3) - 2.0 * (k as f64 * 0.01).cos()),
    (1, "i_offset", |k, i| 0.02 * f64::from(i % 5) + if k % 200 < 50 { 0.2 } else { 0.0 }),
    (1, "current", |k, _| if k % 300 < 20 { -0.4 } else { 0.1 }),
];

/// The state variables of the three populations.
fn readings(network: &Network) -> Vec<(PopulationId, &'static str)> {
    let of = |id: PopulationId| match network.populations[id].model {
        Model::Cell { cell, .. } => cell.entry().state,
        _ => &[],
    };
    (0..3).flat_map(|id| of(id).iter().map(move |state| (id, state.name))).collect()
}

/// Simulates `mixed` with drives on so many ranks and threads: its spikes, and the rows of each of [`readings`].
fn simulate_driven(network: &Network, ranks: u32, threads: usize, window: Span) -> (Vec<Spike>, Vec<Rows>) {
    let _watchdog = Watchdog::new();
    let wanted = readings(network);
    let own = |id: PopulationId, rank| IndexMap::block(network.populations[id].size, ranks).range(rank);
    let mut engines: Vec<_> = (0..ranks)
        .map(|rank| {
            let mut engine = Engine::build(network, Part { component: 0, rank, ranks, threads }).unwrap();
            engine.set_spin(false);
            let read: Vec<_> = wanted.iter().map(|(id, name)| engine.read(*id, name).unwrap()).collect();
            let driven: Vec<_> = DRIVES.iter().map(|(id, name, _)| engine.drive(*id, name).unwrap()).collect();
            (engine, read, driven)
        })
        .collect();
    let (mut spikes, mut all) = (Vec::new(), vec![Rows::new(); wanted.len()]);
    let (end, mut now) = (Time::ZERO + network.duration, Time::ZERO);
    while now < end {
        let (from, steps) = ((now - Time::ZERO).steps(STEP), window.steps(STEP).min((end - now).steps(STEP)));
        now += STEP * steps;
        all.iter_mut().for_each(|rows| rows.extend(vec![vec![]; steps as usize]));
        let before = spikes.len();
        for (rank, (engine, read, driven)) in (0..).zip(&mut engines) {
            for (drive, (id, _, value)) in driven.iter().zip(&DRIVES) {
                let row = |k| own(*id, rank).map(move |i| value(k, i));
                engine.set(*drive, &(from..from + steps).flat_map(row).collect::<Vec<_>>()).unwrap();
            }
            engine.run(now, &mut |population, index, time| spikes.push((time, population, index))).unwrap();
            for ((reading, (id, _)), rows) in read.iter().zip(&wanted).zip(&mut all) {
                let mut values = Vec::new();
                engine.values(*reading, &mut values);
                let width = own(*id, rank).len();
                assert_eq!(values.len(), width * steps as usize);
                for (row, values) in rows[from as usize..].iter_mut().zip(values.chunks_exact(width)) {
                    row.extend(values);
                }
            }
        }
        for (engine, ..) in &mut engines {
            for (time, population, index) in &spikes[before..] {
                if engine.needed(*population).contains(*index) {
                    engine.deliver(*population, *index, *time).unwrap();
                }
            }
        }
    }
    spikes.sort_unstable();
    (spikes, all)
}

fn bits(signals: &[Rows]) -> Vec<u64> {
    signals.iter().flatten().flatten().map(|value| value.to_bits()).collect()
}

#[test]
fn threads_ranks_and_windows_do_not_matter() {
    for cell in CELLS {
        let network = mixed(cell, 1, [0; 3]);
        let (spikes, whole) = simulate_driven(&network, 1, 1, STEP);
        let plain = simulate(&network, &[(1, 1)], STEP);
        assert!(spikes.len() > 50 && spikes != plain, "{cell:?}: {} spikes: the drives say little", spikes.len());
        // The shortest delay within the network is 0.3 ms.
        for (ranks, threads, window) in [(1, 1, 100), (1, 3, 37), (2, 1, 3), (3, 2, 2)] {
            let what = format!("{cell:?}, {ranks} ranks, {threads} threads, windows of {window} steps");
            let (found, signals) = simulate_driven(&network, ranks, threads, STEP * window);
            assert!(found == spikes, "{what}: {} and {} spikes", spikes.len(), found.len());
            assert!(bits(&signals) == bits(&whole), "{what}: other values");
        }
    }
}

#[test]
fn values_are_those_at_the_end_of_each_step() {
    let network = mixed(Cell::IfCurrExp, 1, [0; 3]);
    let mut engine = Engine::build(&network, Part { component: 0, rank: 0, ranks: 1, threads: 2 }).unwrap();
    let reading = engine.read(1, "v").unwrap();
    let mut values = Vec::new();
    for step in 1..=500 {
        engine.run(Time::ZERO + STEP * step, &mut |_, _, _| ()).unwrap();
        engine.values(reading, &mut values);
        assert_eq!(values, engine.membrane_potential(1));
    }
}

#[test]
fn a_current_that_never_changes_is_an_offset() {
    for cell in
        [Cell::IfCurrExp, Cell::IfCurrAlpha, Cell::IfCurrDelta, Cell::IfCondExp, Cell::HhCondExp, Cell::Izhikevich]
    {
        let amount = if cell == Cell::Izhikevich { 0.0078125 } else { 2.0 };
        let run = |offset: f64, driven: Option<&str>| {
            let mut n = network(1);
            n.populations = vec![cells("cell", 0, 3, cell, &[("i_offset", Value::Constant(offset))])];
            let mut engine = Engine::build(&n, Part { component: 0, rank: 0, ranks: 1, threads: 1 }).unwrap();
            let reading = engine.read(0, "v").unwrap();
            if let Some(name) = driven {
                let drive = engine.drive(0, name).unwrap();
                engine.set(drive, &[amount; 3]).unwrap();
            }
            let (mut spikes, mut values) = (Vec::new(), Vec::new());
            engine.run(Time::ZERO + STEP * 1000, &mut |_, index, time| spikes.push((time, index))).unwrap();
            engine.values(reading, &mut values);
            (spikes, values)
        };
        let expected = run(amount, None);
        assert!(expected.0.len() > 5, "{cell:?}: {} spikes", expected.0.len());
        assert!(run(0.0, None) != expected);
        // One row holds on to the end.
        assert!(run(0.0, Some("current")) == expected, "{cell:?}");
        assert!(run(0.0, Some("i_offset")) == expected, "{cell:?}");
    }
}

#[test]
fn a_linear_cell_integrates_a_current_exactly() {
    let (tau_m, cm, rest) = (20.0, 0.25, -65.0);
    let mut n = network(1);
    let params = [("tau_m", Value::Constant(tau_m)), ("cm", Value::Constant(cm)), ("v_thresh", Value::Constant(1e6))];
    let mut population = cells("cell", 0, 1, Cell::IfCurrExp, &params);
    if let Model::Cell { initial, .. } = &mut population.model {
        initial.insert("v".into(), Value::Constant(rest));
    }
    n.populations = vec![population];
    let mut engine = Engine::build(&n, Part { component: 0, rank: 0, ranks: 1, threads: 1 }).unwrap();
    let (reading, drive) = (engine.read(0, "v").unwrap(), engine.drive(0, "current").unwrap());
    // A different current in each step.
    let current = |k: usize| (k as f64 * 0.37).sin();
    let rows: Vec<f64> = (0..500).map(current).collect();
    engine.set(drive, &rows).unwrap();
    engine.run(Time::ZERO + STEP * 500, &mut |_, _, _| ()).unwrap();
    let mut values = Vec::new();
    engine.values(reading, &mut values);
    let mut v = 0.0;
    for (k, found) in values.iter().enumerate() {
        let target = current(k) * tau_m / cm;
        v = target + (v - target) * (-0.1 / tau_m).exp();
        assert!((found - rest - v).abs() < 1e-9, "after step {}: {found} instead of {}", k + 1, rest + v);
    }
}

#[test]
fn what_a_cell_does_not_have_is_refused() {
    let network = mixed(Cell::IfCurrExp, 2, [0, 1, 0]);
    let part = Part { component: 0, rank: 0, ranks: 1, threads: 1 };
    let mut engine = Engine::build(&network, part).unwrap();
    for (population, name, says) in [
        (
            0,
            "gsyn_exc",
            "`a` has no state variable `gsyn_exc` in the native kernel; it has `v`, `isyn_exc`, `isyn_inh`",
        ),
        (0, "V", "`a` has no state variable `V`"),
        (1, "v", "`b` has no state variable `v` in the native kernel; it has none"),
        (3, "v", "`own drive` has no state variable `v`"),
        (99, "v", "has none"),
    ] {
        let error = engine.read(population, name).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
    let error = engine.drive(0, "tau_m").unwrap_err().to_string();
    assert!(error.contains("`tau_m`") && error.contains("`current`, `i_offset`, `v_thresh`"), "{error}");
    let mut hardware = networks::network(1);
    hardware.populations = vec![cells("chip", 0, 2, Cell::IfFacetsHardware1, &[])];
    let mut engine = Engine::build(&hardware, part).unwrap();
    let error = engine.drive(0, "i_offset").unwrap_err().to_string();
    assert!(error.contains("it has `current`, `v_thresh`"), "{error}");
}

#[test]
fn a_threshold_that_cannot_be_ends_the_run_with_neuron_and_time() {
    for cell in CELLS {
        let network = mixed(cell, 1, [0; 3]);
        let mut engine = Engine::build(&network, Part { component: 0, rank: 1, ranks: 2, threads: 2 }).unwrap();
        let drive = engine.drive(0, "v_thresh").unwrap();
        engine.run(Time::ZERO + STEP * 5, &mut |_, _, _| ()).unwrap();
        let width = engine.membrane_potential(0).len();
        let mut rows = vec![-50.5; 3 * width];
        engine.set(drive, &rows).unwrap();
        // In the second row, of the last neuron.
        let adex = cell == Cell::EifCondExpIsfaIsta;
        rows[2 * width - 1] = if adex { 10.0 } else { -90.0 };
        let (is, must_be) = if adex {
            ("`v_thresh` is 10", "no higher than `v_spike`")
        } else {
            ("`v_thresh` is -90", "above `v_reset`")
        };
        let error = engine.set(drive, &rows).unwrap_err().to_string();
        for part in ["neuron 36 of `a` at 0.6 ms", is, must_be] {
            assert!(error.contains(part), "{cell:?}: {part} is not in: {error}");
        }
    }
}
