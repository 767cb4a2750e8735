//! The cells against NEST on the same input, when a NEST is at hand.

mod common;

use couple_network::description::Cell;

#[test]
fn potentials_and_spikes_are_those_of_nest() {
    let Some(python) = common::nest_python() else {
        println!("skipped: COUPLE_NEST_PYTHON does not name an interpreter that has NEST");
        return;
    };
    let cases = common::cases();
    let reference = common::run_in_nest(&python, &cases);
    let mut wrong = Vec::new();
    for (case, theirs) in cases.iter().zip(&reference) {
        let ours = case.run();
        let (largest, other_bits, same_spikes) = common::compare(&ours, theirs);
        let linear = [Cell::IfCurrExp, Cell::IfCurrAlpha, Cell::IfCurrDelta].contains(&case.cell);
        let tolerance = if linear { 1e-9 } else { 1e-3 };
        println!(
            "{}: max |dV| {largest:.2e} mV, {other_bits} of {} values with other bits, {} spikes, spikes equal: {same_spikes}",
            case.name,
            case.steps as usize * ours.states.len(),
            theirs.spikes.len()
        );
        assert!(theirs.spikes.len() > 3, "{}: the input says little", case.name);
        if largest > tolerance || !same_spikes || !alike(&ours, theirs, tolerance) {
            wrong.push(&case.name);
        }
    }
    assert!(wrong.is_empty(), "differ from NEST: {wrong:?}");
}

/// Whether no state variable is further from NEST's than `tolerance` times its largest value.
fn alike(ours: &common::Trace, theirs: &common::Trace, tolerance: f64) -> bool {
    ours.states.iter().zip(&theirs.states).all(|(ours, theirs)| {
        let largest = theirs.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
        ours.iter().zip(theirs).all(|(a, b)| (a - b).abs() <= tolerance * largest)
    })
}
