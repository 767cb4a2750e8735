//! Runs of the real programs over every topology in `scenarios/`: taking turns, credit, diamonds, components that nobody
//! talks to, bursts larger than rings. Each has the spikes that its `expected.toml` counts, and the same ones in all the
//! variants listed there.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::PathBuf;

use couple::config::load;
use couple::setup::nest;
use couple_tests::local::{Carry, Manner, planned, run_as_planned};
use couple_tests::programs::Runs;
use couple_tests::workspace;

struct Scenario {
    config: String,
    expected: toml::Table,
}

fn scenario(name: &str) -> Scenario {
    let folder: PathBuf = workspace().join("tests/scenarios").join(name);
    let read = |file: &str| std::fs::read_to_string(folder.join(file)).unwrap();
    Scenario { config: read("config.toml"), expected: read("expected.toml").parse().unwrap() }
}

fn check(name: &str) {
    let Scenario { config, expected } = scenario(name);
    let runs = Runs::default();
    runs.run("base", &config, &[]);
    let counts = expected["spikes"].as_table().unwrap();
    let found: toml::Table =
        counts.keys().map(|p| (p.clone(), toml::Value::Integer(runs.spikes("base", p) as i64))).collect();
    assert_eq!(found, *counts, "{name}: spikes of each population");

    let turns = expected.get("turns").is_some_and(|turns| turns.as_bool().unwrap());
    let record = runs.record("base");
    let loops = record["plan"]["loops"].as_array().unwrap();
    assert_eq!(loops.iter().any(|l| l["turns"] == true), turns, "{name}: {loops:#?}");

    for (number, sets) in expected["same"].as_array().unwrap().iter().enumerate() {
        let sets: Vec<&str> = sets.as_array().unwrap().iter().map(|set| set.as_str().unwrap()).collect();
        if sets.iter().any(|set| set.ends_with("=nest")) && nest::installed().is_none() {
            println!("skipped: {name} with {sets:?} needs NEST: run `couple setup nest`");
            continue;
        }
        let label = format!("variant-{number}");
        runs.run(&label, &config, &sets);
        runs.assert_same("base", &label);
    }
}

#[test]
fn members_take_turns() {
    check("turns");
}

#[test]
fn a_chain_with_a_slow_end() {
    check("chain");
}

/// In one process, where the ranks can be watched: the first three run ahead of the slow one as far as they may, and no
/// further ([`run_as_planned`] sees to that on every channel).
#[test]
fn credit_limits_the_fast_ones() {
    let path = workspace().join("tests/scenarios/chain/config.toml");
    let network = load(&path, &["population.D.size=100".to_owned()]).unwrap().network;
    for carry in [Carry::Thread, Carry::Rings, Carry::SmallRings] {
        let manner = Manner { carry, slow_end: true, ..Manner::PLAIN };
        let plan = planned(&network, &manner).unwrap();
        let (_, leads) = run_as_planned(&network, &manner, &plan);
        let mut seen = plan.channels.iter().zip(&leads);
        let last = seen.rfind(|(channel, _)| plan.ranks[channel.to as usize].name == "last.0").unwrap();
        let credit = last.0.credit.unwrap();
        assert!(*last.1 * 2 > credit, "{carry:?}: never more than {} ahead of a slow one, of {credit}", last.1);
    }
}

#[test]
fn a_diamond_with_feedback() {
    check("diamond");
}

#[test]
fn nobody_to_talk_to() {
    check("lonely");
}

#[test]
fn bursts_larger_than_rings() {
    check("burst");
}
