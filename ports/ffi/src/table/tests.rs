#![allow(clippy::unwrap_used, reason = "what a test expects")]

use super::*;

fn spike(time_ns: i64, index: u32) -> Spike {
    Spike { time_ns, index, count: 1 }
}

/// Two sources: neuron 0 reaches places 0 (twice) and 2; neuron 1 place 1 by two delays; and one with a single synapse.
fn table(grid_ns: i64) -> Table {
    let mut table = Table::new(4, grid_ns).unwrap();
    let columns = Columns {
        pre: &[1, 0, 0, 1, 0],
        place: &[1, 2, 0, 1, 0],
        weight: &[0.5, 2.0, 0.25, -1.0, 0.125],
        delay_ns: &[20, 10, 10, 30, 10],
    };
    assert_eq!(table.add_source(3, columns).unwrap(), 0);
    let one = Columns { pre: &[0], place: &[2], weight: &[8.0], delay_ns: &[10] };
    assert_eq!(table.add_source(1, one).unwrap(), 1);
    table
}

#[test]
fn arrivals_are_summed_by_time_and_place() {
    let mut table = table(1);
    table.add_spikes(0, &[spike(5, 0), spike(5, 1), spike(6, 2)]).unwrap();
    table.add_spikes(1, &[Spike { time_ns: 5, index: 0, count: 3 }]).unwrap();
    let arrivals = table.take(34).clone();
    assert_eq!(arrivals.time_ns, [15, 25]);
    assert_eq!(arrivals.first, [0, 2, 3]);
    assert_eq!(arrivals.place, [0, 2, 1]);
    assert_eq!(arrivals.sum, [0.375, 26.0, 0.5]);
    assert_eq!(table.take(35).sum, [-1.0]);
    assert_eq!(*table.take(100), Arrivals { first: vec![0], ..Arrivals::default() });
}

#[test]
fn arrivals_between_two_steps_count_as_of_the_later_one() {
    let mut table = table(100);
    table.add_spikes(0, &[spike(90, 0), spike(91, 0), spike(190, 0)]).unwrap();
    assert_eq!(table.take(100).sum, [0.375, 2.0]);
    assert_eq!(table.take(200).sum, [2.0 * 0.375, 4.0]);
    assert_eq!(table.taken_ns, 200);
}

#[test]
fn the_order_of_spikes_cannot_be_told() {
    let mut spikes: Vec<Spike> = (0..40).map(|i| spike(i % 7, (i % 2) as u32)).collect();
    let sums = |spikes: &[Spike]| {
        let mut table = table(1);
        spikes.iter().for_each(|&s| table.add_spikes(0, &[s]).unwrap());
        table.take(1000).clone()
    };
    let forth = sums(&spikes);
    spikes.reverse();
    assert_eq!(sums(&spikes), forth);
}

#[test]
fn many_places_come_in_order_too() {
    let n = 1000;
    let mut table = Table::new(n, 1).unwrap();
    let place: Vec<u32> = (0..n).rev().collect();
    let columns = Columns {
        pre: &vec![0; n as usize],
        place: &place,
        weight: &vec![1.0; n as usize],
        delay_ns: &vec![1; n as usize],
    };
    table.add_source(1, columns).unwrap();
    table.add_spikes(0, &[spike(0, 0)]).unwrap();
    assert_eq!(table.take(1).place, (0..n).collect::<Vec<_>>());
}

#[test]
fn bad_input_is_refused() {
    let mut table = table(1);
    let columns = |pre, place, weight, delay_ns| Columns { pre, place, weight, delay_ns };
    assert!(table.add_source(1, columns(&[1], &[0], &[1.0], &[1])).unwrap_err().contains("neuron 1"));
    assert!(table.add_source(1, columns(&[0], &[4], &[1.0], &[1])).unwrap_err().contains("place 4"));
    assert!(table.add_source(1, columns(&[0], &[0], &[f64::NAN], &[1])).unwrap_err().contains("NaN"));
    assert!(table.add_source(1, columns(&[0], &[0], &[1.0], &[0])).unwrap_err().contains("0 ns"));
    assert!(table.add_spikes(0, &[spike(0, 3)]).unwrap_err().contains("neuron 3"));
    assert!(table.add_spikes(2, &[]).unwrap_err().contains("source 2"));
    table.take(15);
    assert!(table.add_spikes(0, &[spike(5, 0)]).unwrap_err().contains("taken already"));
    assert!(Table::new(1, 0).unwrap_err().contains("grid"));
}
