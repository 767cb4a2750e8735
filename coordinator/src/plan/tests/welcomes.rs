//! The `Welcome` messages of a plan fit together.

use std::collections::BTreeMap;
use std::path::Path;

use couple_network::description::{Network, SignalConnection, Value};
use couple_ports::control::{Carried, Carrier, Columns, codec};

use super::super::{RankWelcome, WelcomeOptions};
use super::{Net, ms, net};

fn three() -> Net {
    let net = net("10 ms").component("a", "0.1", 2).stimulus("s").component("b", "0.1", 3).component("c", "0.1", 1);
    let net = net.projection("a", "b", "1.5").projection("b", "a", "2").projection("a", "a", "1.6");
    net.projection("b", "c", "0.1").projection("s", "c", "1").record("s").record("b").record("b")
}

fn welcomes(net: &Net, in_process: bool) -> Vec<RankWelcome> {
    let options = WelcomeOptions { config_hash: "abc", journals: Path::new("/runs/x/journal"), in_process };
    net.plan().unwrap().welcomes(&net.0, &options).unwrap()
}

#[test]
fn each_ring_has_one_sender_and_one_receiver_that_agree() {
    let net = three();
    let plan = net.plan().unwrap();
    let welcomes = welcomes(&net, false);
    let (mut senders, mut receivers) = (BTreeMap::new(), BTreeMap::new());
    for RankWelcome { welcome, rings, .. } in &welcomes {
        let mut descriptors = vec![];
        let mut ring = |carrier: &Carrier| match carrier {
            Carrier::Shm { descriptor, capacity } => {
                descriptors.push(*descriptor);
                (rings[*descriptor as usize - 1], *capacity)
            }
            other => panic!("{other:?}"),
        };
        for out in welcome.channels_out.iter().filter(|c| c.peer_line.is_some()) {
            let (id, capacity) = ring(&out.carrier);
            let links: Vec<_> = out.links.iter().map(|(l, carried)| (*l, welcome.port_of(carried).unwrap())).collect();
            let ends = (welcome.line, out.peer_line.unwrap());
            assert!(
                senders.insert(id, (ends, capacity, links, out.credit.is_some())).is_none(),
                "ring {id} sent twice"
            );
        }
        for channel in &welcome.channels_in {
            let (id, capacity) = ring(&channel.carrier);
            let inputs: Vec<_> = channel.links.iter().map(|c| &welcome.inputs[c.events().unwrap() as usize]).collect();
            assert_eq!(channel.min_delay, inputs.iter().map(|i| i.min_delay).min().unwrap());
            let links: Vec<_> = inputs.iter().map(|i| (i.link, i.source.clone())).collect();
            let ends = (channel.peer_line, welcome.line);
            assert!(receivers.insert(id, (ends, capacity, links, channel.credited)).is_none(), "ring {id} read twice");
        }
        assert_eq!(descriptors, (1..=rings.len() as u32).collect::<Vec<_>>());
    }
    assert_eq!(senders, receivers);
    assert_eq!(senders.len(), plan.channels.len());
    // a→a: 2, a→b: 6, b→a: 6, b→c: 3
    assert_eq!(plan.channels.len(), 17);
}

#[test]
fn a_welcome_tells_a_rank_its_part() {
    let net = three();
    let welcomes = welcomes(&net, false);
    let lines: Vec<_> = welcomes.iter().map(|w| (w.welcome.component, w.welcome.rank, w.welcome.line)).collect();
    assert_eq!(lines, [(0, 0, 0), (0, 1, 1), (1, 0, 2), (1, 1, 3), (1, 2, 4), (2, 0, 5)]);
    let b1 = &welcomes[3].welcome;
    assert_eq!((b1.ranks, b1.lines, b1.step, b1.window, b1.duration), (3, 6, ms("0.1"), ms("1.5"), ms("10")));
    assert_eq!(codec::from_bytes::<Network>(&b1.network).unwrap(), net.0);
    assert_eq!(b1.config_hash, "abc");
    let told = |w: usize| welcomes[w].welcome.outputs.iter().map(|o| o.population.as_str()).collect::<Vec<_>>();
    assert_eq!((told(0), told(2), told(5)), (vec!["a", "s"], vec!["b"], vec![]));
    let peers: Vec<_> = b1.channels_out.iter().map(|c| c.peer.as_str()).collect();
    assert_eq!(peers, ["a.0", "a.1", "c.0", "journal"]);
    assert!(b1.channels_out[0].credit.is_none() && b1.channels_out[2].credit.is_some());
}

#[test]
fn recordings_go_to_journals() {
    let welcomes = welcomes(&three(), false);
    let journal = welcomes[1].welcome.channels_out.last().unwrap();
    assert_eq!(journal.carrier, Carrier::Journal { path: "/runs/x/journal/a.1.journal".into() });
    // The stimulus is population 1 of the network and output 1 of the rank.
    assert_eq!((journal.links.clone(), journal.credit), (vec![(1, Carried::Events(1))], None));
    assert_eq!(welcomes[4].journal.as_deref(), Some(Path::new("/runs/x/journal/b.2.journal")));
    assert_eq!(welcomes[4].welcome.channels_out.last().unwrap().links, [(2, Carried::Events(0))]);
    assert_eq!(welcomes[5].journal, None);
}

#[test]
fn in_process_channels_are_handed_over_in_the_same_order() {
    let net = three();
    for (thread, shm) in welcomes(&net, true).iter().zip(welcomes(&net, false)) {
        assert_eq!(thread.rings, shm.rings);
        let mut carriers = thread.welcome.channels_in.iter().map(|c| &c.carrier);
        assert!(carriers.all(|c| *c == Carrier::Thread));
    }
}

/// Two ranks of three neurons each, a program that listens and steers, and a map onto one rank.
fn signals() -> Net {
    use couple_network::description::{Cell, Converter, Distribution, End, Interpolation, Model, Recorded, Recording};
    let cell = |potential: Value| {
        let initial =
            Cell::IfCurrExp.complete_initial(&Cell::IfCurrExp.default_params(), [("v".into(), potential)].into());
        Model::Cell { cell: Cell::IfCurrExp, params: Cell::IfCurrExp.default_params(), initial }
    };
    let drawn = Value::Random(Distribution::Uniform { low: -65.0, high: -50.0 });
    let net = net("10 ms").component("a", "0.1", 2).population("E", 6, cell(drawn)).component("arm", "1", 1);
    let map = Converter::Linear { matrix: vec![vec![1.0; 6]; 6], unit_in: "mV".into(), unit_out: "mV".into() };
    let net = net.component("maps", "0.1", 2).population("map", 6, Model::Converter(map));
    let mut net = net.signal("arm", "a", "0.2", Interpolation::Hold).messages("a", "arm", "2");
    let ends = |net: &Net, from: (&str, &str), to: (&str, &str)| {
        let end = |(name, variable): (&str, &str)| End { population: net.id(name), variable: variable.into() };
        (end(from), end(to))
    };
    for (from, to, delay, interpolation, initial) in [
        (("E", "v"), ("map", "x"), "1", Interpolation::Linear, net.start("E", "v")),
        (("map", "y"), ("E", "v_thresh"), "0.3", Interpolation::Hold, Value::List((0..6).map(f64::from).collect())),
    ] {
        let (from, to) = ends(&net, from, to);
        net.0.signals.push(SignalConnection { from, to, delay: ms(delay), interpolation, initial });
    }
    let v = Recorded::Analog { variable: "v".into(), interval: ms("0.5") };
    let population = net.id("E");
    net.0.recordings = vec![Recording { population, variable: v }, Recording::spikes(population)];
    net
}

#[test]
fn ranks_get_the_columns_that_they_own() {
    let welcomes = welcomes(&signals(), false);
    let out = |rank: usize| -> Vec<_> {
        welcomes[rank].welcome.signals_out.iter().map(|s| (s.port(), s.first, s.count, s.initial.len())).collect()
    };
    let into = |rank: usize| -> Vec<_> {
        let signals = welcomes[rank].welcome.signals_in.iter();
        signals.map(|s| (s.source.clone(), s.target.clone(), s.first, s.count, s.initial.len())).collect()
    };
    let text = |t: &str| t.to_string();
    assert_eq!((out(0), out(1)), (vec![(text("E.v"), 0, 3, 3)], vec![(text("E.v"), 3, 3, 3)]));
    assert_eq!(out(2), [(text("arm.x0"), 0, 10, 1)]);
    assert_eq!((out(3), out(4)), (vec![(text("map.y"), 0, 3, 3)], vec![(text("map.y"), 3, 3, 3)]));
    // Each output of a linear map depends on all inputs.
    for rank in [3, 4] {
        assert_eq!(into(rank), [(text("E.v"), text("map.x"), 0, 6, 6)]);
    }
    assert_eq!(into(0)[0], (text("arm.x0"), text("a.x0"), 0, 5, 1));
    assert_eq!(into(1)[0], (text("arm.x0"), text("a.x0"), 5, 5, 1));
    let thresholds = &welcomes[1].welcome.signals_in[1];
    assert_eq!((thresholds.unit.as_str(), thresholds.step, thresholds.delay), ("mV", ms("0.1"), ms("0.3")));
    assert_eq!((thresholds.first, thresholds.initial.as_slice()), (3, &[3.0, 4.0, 5.0][..]));
}

#[test]
fn what_is_drawn_is_the_same_for_cell_and_receiver() {
    let net = signals();
    let welcomes = welcomes(&net, false);
    let drawn = couple_network::values::of_population(&net.0, net.id("E"), "v", 0..6).unwrap();
    assert!(drawn[0] != drawn[1]);
    assert_eq!(welcomes[4].welcome.signals_in[0].initial, drawn);
    assert_eq!([0, 1].map(|rank| welcomes[rank].welcome.signals_out[0].initial.clone()).concat(), drawn);
}

#[test]
fn channels_tell_the_same_columns_on_both_ends() {
    let net = signals();
    let plan = net.plan().unwrap();
    let welcomes = welcomes(&net, true);
    let mut shared = 0;
    for channel in &plan.channels {
        let (sender, receiver) = (&welcomes[channel.from as usize].welcome, &welcomes[channel.to as usize].welcome);
        let out = sender.channels_out.iter().find(|c| c.peer_line == Some(channel.to)).unwrap();
        let into = receiver.channels_in.iter().find(|c| c.peer_line == channel.from).unwrap();
        assert_eq!(out.links.len(), into.links.len());
        for ((_, sent), got) in out.links.iter().zip(&into.links) {
            let (Carried::Samples(sent), Carried::Samples(got)) = (sent, got) else {
                assert_eq!(
                    (sent.word(), sender.port_of(sent)),
                    ("messages", receiver.source_of(got).map(str::to_string))
                );
                continue;
            };
            shared += 1;
            assert_eq!((sent.first, sent.count, sent.every), (got.first, got.count, sender.step));
            assert_eq!(
                sender.signals_out[sent.signal as usize].port(),
                receiver.signals_in[got.signal as usize].source
            );
        }
    }
    // E.v to each rank of the map: 4; map.y to the rank that owns the neuron: 2; from the arm: 2.
    assert_eq!(shared, 8);
}

#[test]
fn recorded_signals_go_to_journals() {
    let net = signals();
    let welcomes = welcomes(&net, false);
    let links = |rank: usize| welcomes[rank].welcome.channels_out.last().unwrap().links.clone();
    let (spikes, v) = (net.id("E") as u32, net.0.populations.len() as u32);
    let columns = |first| Carried::Samples(Columns { signal: 0, first, count: 3, every: ms("0.5") });
    assert_eq!(links(0), [(spikes, Carried::Events(0)), (v, columns(0))]);
    assert_eq!(links(1), [(spikes, Carried::Events(0)), (v, columns(3))]);
    assert_eq!(welcomes[2].journal, None);
}
