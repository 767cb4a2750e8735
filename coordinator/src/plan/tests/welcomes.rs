//! The `Welcome` messages of a plan fit together.

use std::collections::BTreeMap;
use std::path::Path;

use couple_network::description::Network;
use couple_ports::control::{Carried, Carrier, codec};

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
            let links: Vec<_> =
                out.links.iter().map(|(l, carried)| (*l, welcome.port_of(carried).unwrap())).collect();
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
