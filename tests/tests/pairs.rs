//! Law: a population spikes the same whether its input comes over a coupled route or from within its simulator. For each
//! pair of simulators, S on one and T on the other excite and inhibit each other in a closed loop. Then T is driven in its
//! simulator alone by sources that give the spikes that S gave, and S by those of T: each spikes as in the loop, bit for bit.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use couple::setup::{brian2, nest, neuron};
use couple_recorder::Spikes;
use couple_tests::programs::Runs;

const SIMULATORS: [&str; 4] = ["native", "nest", "neuron", "brian2"];

/// False, and said, where a simulator is not there.
fn all_there() -> bool {
    let there = [("NEST", nest::installed()), ("NEURON", neuron::installed()), ("Brian2", brian2::installed())];
    for (name, _) in there.iter().filter(|(_, python)| python.is_none()) {
        println!("skipped: pairs of simulators need {name}: run `couple setup {}`", name.to_lowercase());
    }
    there.iter().all(|(_, python)| python.is_some())
}

/// A synapse type: its name and what it has in the configuration.
struct Synapse {
    name: &'static str,
    keys: &'static str,
    /// The simulators that have it.
    on: &'static [&'static str],
}

const STATIC: Synapse = Synapse { name: "static", keys: "", on: &SIMULATORS };
const DEPRESSING: Synapse = Synapse {
    name: "tm",
    keys: r#"type = "TsodyksMarkramSynapse", U = 0.4, tau_rec = 60.0, tau_facil = 5.0, "#,
    on: &SIMULATORS,
};
const STDP: Synapse = Synapse {
    name: "stdp",
    keys: r#"type = "STDPMechanism", timing = { type = "SpikePairRule", tau_plus = 15.0, tau_minus = 25.0, A_plus = 0.1, A_minus = 0.08 }, weight_dependence = { type = "Additive", w_min = 0.0, w_max = 0.2 }, "#,
    on: &SIMULATORS,
};

/// The part of the network that lives around one of S and T. Noise keeps both going.
fn around(own: &str, other: &str, simulator: &str, synapse: &Synapse) -> String {
    let keys = synapse.keys;
    format!(
        r#"
        [component.on_{own}]
        simulator = "{simulator}"
        step      = "0.1 ms"
        [population.{own}]
        component = "on_{own}"
        size      = 12
        cell      = "IF_curr_exp"
        params    = {{ tau_m = 10.0, cm = 0.25, tau_syn_E = 1.5, tau_syn_I = 3.0, tau_refrac = 2.0, v_thresh = -52.0, i_offset = 0.2 }}
        [population.noise_{own}]
        component = "on_{own}"
        size      = 12
        cell      = "SpikeSourcePoisson"
        params    = {{ rate = 300.0 }}
        [[projection]]
        from      = "noise_{own}"
        to        = "{own}"
        connector = {{ type = "OneToOne" }}
        synapse   = {{ weight = 0.25, delay = "0.3 ms" }}
        receptor  = "excitatory"
        [[projection]]
        name      = "inside_{own}"
        from      = "{own}"
        to        = "{own}"
        connector = {{ type = "FixedProbability", p = 0.3 }}
        synapse   = {{ weight = -0.05, delay = {{ distribution = "uniform", low = 0.5, high = 4.0 }} }}
        receptor  = "inhibitory"
        [[projection]]
        name      = "{other}_{own}"
        from      = "{other}"
        to        = "{own}"
        connector = {{ type = "FixedProbability", p = 0.5 }}
        synapse   = {{ {keys}weight = {{ distribution = "uniform", low = 0.02, high = 0.12 }}, delay = {{ distribution = "uniform", low = 0.8, high = 5.0 }} }}
        receptor  = "excitatory"
        [[record]]
        population = ["{own}"]
        "#
    )
}

fn run() -> String {
    r#"
        [run]
        name     = "pair"
        duration = "300 ms"
        seed     = 11
    "#
    .to_string()
}

/// Spikes of a population in nanoseconds, for each neuron.
fn trains(runs: &Runs, label: &str, population: &str) -> Vec<Vec<i64>> {
    let mut trains = vec![Vec::new(); 12];
    for spike in Spikes::open(&runs.folder().join(label)).unwrap().read(population).unwrap() {
        trains[spike.index as usize].push(spike.time.ns());
    }
    trains
}

/// A source that gives `trains`, in place of the population `name`.
fn source(name: &str, component: &str, trains: &[Vec<i64>]) -> String {
    let list = |train: &Vec<i64>| {
        let times: Vec<String> =
            train.iter().map(|ns| format!("\"{}.{:06} ms\"", ns / 1_000_000, ns % 1_000_000)).collect();
        format!("[{}]", times.join(", "))
    };
    let lists: Vec<String> = trains.iter().map(list).collect();
    format!(
        r#"
        [population.{name}]
        component = "on_{component}"
        size      = 12
        cell      = "SpikeSourceArray"
        params    = {{ spike_times = [{}] }}
        "#,
        lists.join(", ")
    )
}

/// T hears S, which hears nothing of T, against T by itself: for both directions of a pair.
fn assert_one_way_equal(synapse: &Synapse, of_s: &str, of_t: &str) {
    let runs = Runs::default();
    let alone = around("S", "T", of_s, synapse);
    let alone = alone.split_once("[[projection]]\n        name      = \"T_S\"").unwrap();
    let record = alone.1.split_once("[[record]]").unwrap().1;
    let target = around("T", "S", of_t, synapse);
    runs.run("chain", &format!("{}{}[[record]]{record}{target}", run(), alone.0), &[]);
    let played = trains(&runs, "chain", "S");
    runs.run("T", &format!("{}{target}{}", run(), source("S", "T", &played)), &[]);
    let (coupled, local) = (trains(&runs, "chain", "T"), trains(&runs, "T", "T"));
    let count = coupled.iter().map(Vec::len).sum::<usize>();
    let place = format!("{} synapses, {of_s} to {of_t}", synapse.name);
    assert!(count > 50 && played.iter().any(|train| !train.is_empty()), "{place}: {count} spikes say little");
    assert!(coupled == local, "{place}: {coupled:?}\n{local:?}");
}

#[test]
fn one_way() {
    if !all_there() {
        return;
    }
    for of_s in SIMULATORS {
        for of_t in SIMULATORS {
            assert_one_way_equal(&STATIC, of_s, of_t);
        }
    }
}

/// A closed loop over two simulators against each half by itself.
fn assert_routes_equal(synapse: &Synapse, of_s: &str, of_t: &str) {
    let runs = Runs::default();
    let halves = [around("S", "T", of_s, synapse), around("T", "S", of_t, synapse)];
    runs.run("loop", &format!("{}{}{}", run(), halves[0], halves[1]), &[]);
    for (own, other, half) in [("S", "T", &halves[0]), ("T", "S", &halves[1])] {
        let played = trains(&runs, "loop", other);
        runs.run(own, &format!("{}{half}{}", run(), source(other, own, &played)), &[]);
        let (coupled, local) = (trains(&runs, "loop", own), trains(&runs, own, own));
        let count = coupled.iter().map(Vec::len).sum::<usize>();
        let place = format!("{} synapses, {of_s} and {of_t}, {own}", synapse.name);
        assert!(count > 50, "{place}: {count} spikes say little");
        let first = coupled.iter().zip(&local).position(|(a, b)| a != b);
        assert_eq!(first, None, "{place}: the spikes of this neuron differ: {coupled:?}\n{local:?}");
    }
}

fn all_pairs(synapse: &Synapse) {
    if !all_there() {
        return;
    }
    for (number, of_s) in synapse.on.iter().enumerate() {
        for of_t in &synapse.on[number..] {
            assert_routes_equal(synapse, of_s, of_t);
        }
    }
}

#[test]
fn static_synapses() {
    all_pairs(&STATIC);
}

#[test]
fn depressing_synapses() {
    all_pairs(&DEPRESSING);
}

#[test]
fn plastic_synapses() {
    all_pairs(&STDP);
}
