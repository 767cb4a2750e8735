//! The decentral rule under an adversarial scheduler, on random graphs: no deadlock, nothing lost, twice or late.

use std::collections::BTreeMap;
use std::path::Path;

use couple_network::description::{self, SignalConnection, Simulator};
use couple_ports::control::{Carried, ChannelIn, Interpolation, Welcome};
use couple_ports::time::{Span, Time};
use proptest::prelude::*;

use super::super::{Plan, PlanError, WelcomeOptions};
use super::{Net, net};

/// A small deterministic generator, for the scheduler and the spikes.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) % sides.max(1)
    }
}

/// How the adversary chooses among the ranks that may run.
#[derive(Clone, Copy, Debug)]
enum Adversary {
    /// Any.
    Random,
    /// The same order of preference all the time: the last one runs only when nobody else can.
    Fixed,
    /// The one furthest ahead.
    Eager,
    /// An order of preference that changes now and then.
    Moody,
}

/// The link of what comes with stamps of its own, spikes or messages, and its shortest delay.
fn stamped(welcome: &Welcome, carried: &Carried) -> Option<(u32, Span)> {
    match carried {
        Carried::Events(input) => welcome.inputs.get(*input as usize).map(|i| (i.link, i.min_delay)),
        Carried::Messages(port) => welcome.messages_in.get(*port as usize).map(|m| (m.link, m.min_delay)),
        Carried::Samples(_) => None,
    }
}

/// A spike's stamp and the receivers that it was handed to.
type Sent = (Time, Vec<usize>);

/// All ranks of a run, reduced to their times and the spikes they sent.
struct Run {
    welcomes: Vec<Welcome>,
    reached: Vec<Time>,
    /// What was sent, by link and sender.
    sent: BTreeMap<(u32, usize), Vec<Sent>>,
    dice: Dice,
}

impl Run {
    fn new(net: &Net, plan: &Plan, seed: u64) -> Self {
        let options = WelcomeOptions { config_hash: "", journals: Path::new("/"), in_process: true };
        let welcomes: Vec<_> = plan.welcomes(&net.0, &options).unwrap().into_iter().map(|w| w.welcome).collect();
        let reached = vec![Time::ZERO; welcomes.len()];
        Run { welcomes, reached, sent: BTreeMap::new(), dice: Dice(seed) }
    }
    /// Where the next window of `rank` ends.
    fn next(&self, rank: usize) -> Time {
        let Welcome { window, duration, .. } = self.welcomes[rank];
        (self.reached[rank] + window).min(Time::ZERO + duration)
    }
    fn done(&self, rank: usize) -> bool {
        self.reached[rank] == Time::ZERO + self.welcomes[rank].duration
    }
    /// The rule.
    fn may_run(&self, rank: usize) -> bool {
        let (welcome, next) = (&self.welcomes[rank], self.next(rank));
        let data = welcome.channels_in.iter().all(|c| self.reached[c.peer_line as usize] >= next - c.min_delay);
        let bounded = welcome.channels_out.iter().filter_map(|c| Some((c.peer_line?, c.credit?)));
        let mut bounded = bounded.map(|(peer, credit)| self.reached[peer as usize] >= next - credit);
        !self.done(rank) && data && bounded.all(|enough| enough)
    }
    /// Runs a window: hands over what is due, emits at random times, publishes the new time.
    fn run_window(&mut self, rank: usize) -> Result<(), String> {
        let (start, end) = (self.reached[rank], self.next(rank));
        let welcome = self.welcomes[rank].clone();
        self.samples_are_there(rank, start, end)?;
        for channel in &welcome.channels_in {
            for (link, delay) in channel.links.iter().filter_map(|c| stamped(&welcome, c)) {
                let sent = self.sent.entry((link, channel.peer_line as usize)).or_default();
                let due = |stamp: Time| stamp > start - delay && stamp <= end - delay;
                for (stamp, receivers) in sent.iter_mut().filter(|(stamp, _)| due(*stamp)) {
                    if *stamp + delay <= start {
                        return Err(format!("a spike at {stamp} is late for the window from {start}"));
                    }
                    receivers.push(rank);
                }
            }
        }
        for channel in &welcome.channels_out {
            let receiver = channel.peer_line.unwrap() as usize;
            let other = &self.welcomes[receiver];
            let here = |c: &&ChannelIn| c.peer_line as usize == rank;
            let links = other.channels_in.iter().filter(here).flat_map(|c| &c.links);
            for (_, delay) in links.filter_map(|c| stamped(other, c)) {
                let stamp = start + Span::from_ns(1 + self.dice.roll((end - start).ns() as u64) as i64);
                for stamp in [stamp, end, start + Span::from_ns(1)] {
                    if stamp <= self.reached[receiver] - delay {
                        return Err(format!("{receiver} has passed the spike of {rank} at {stamp}"));
                    }
                }
            }
        }
        let links: std::collections::BTreeSet<u32> =
            welcome.channels_out.iter().flat_map(|c| c.links.iter().map(|l| l.0)).collect();
        for link in links {
            let stamp = start + Span::from_ns(1 + self.dice.roll((end - start).ns() as u64) as i64);
            self.sent.entry((link, rank)).or_default().extend([(stamp, vec![]), (end, vec![])]);
        }
        self.reached[rank] = end;
        Ok(())
    }
    /// Every sample that a window needs has been written when it begins: at each time of the receiver's grid the one
    /// before or at `t - delay`, and with linear interpolation the one behind, too.
    fn samples_are_there(&self, rank: usize, start: Time, end: Time) -> Result<(), String> {
        let welcome = &self.welcomes[rank];
        for channel in &welcome.channels_in {
            let reached = self.reached[channel.peer_line as usize];
            for carried in &channel.links {
                let Carried::Samples(columns) = carried else { continue };
                let signal = &welcome.signals_in[columns.signal as usize];
                let (step, mut time) = (signal.step.ns(), start);
                while time <= end {
                    let seen = (time - signal.delay).ns();
                    let needed = match signal.interpolation {
                        Interpolation::Hold => seen.div_euclid(step) * step,
                        Interpolation::Linear => -(-seen).div_euclid(step) * step,
                    };
                    if needed > reached.ns() {
                        let peer = channel.peer_line;
                        return Err(format!("{rank} at {time} needs {peer}'s sample at {needed} ns of {reached}"));
                    }
                    time += welcome.step;
                }
            }
        }
        Ok(())
    }
    /// Every column that a rank owns comes by exactly one channel, from the rank that writes it.
    fn check_columns(&self) -> Result<(), String> {
        for welcome in &self.welcomes {
            let mut got: Vec<Vec<u32>> = welcome.signals_in.iter().map(|_| vec![]).collect();
            for channel in &welcome.channels_in {
                let sender = &self.welcomes[channel.peer_line as usize];
                for carried in &channel.links {
                    let Carried::Samples(columns) = carried else { continue };
                    let own = columns.first..columns.first + columns.count;
                    let signal = &welcome.signals_in[columns.signal as usize];
                    let out = sender.signals_out.iter().find(|s| s.port() == signal.source).unwrap();
                    if own.is_empty() || own.start < out.first || own.end > out.first + out.count {
                        return Err(format!("{own:?} are not the sender's"));
                    }
                    got[columns.signal as usize].extend(own);
                }
            }
            for (signal, mut columns) in welcome.signals_in.iter().zip(got) {
                columns.sort_unstable();
                if columns != (signal.first..signal.first + signal.count).collect::<Vec<_>>() {
                    return Err(format!("{} gets the columns {columns:?}", signal.target));
                }
            }
        }
        Ok(())
    }
    /// Runs to the end.
    fn finish(&mut self, plan: &Plan, adversary: Adversary) -> Result<(), String> {
        let n = self.welcomes.len();
        let mut preference: Vec<u64> = (0..n).map(|_| self.dice.roll(1 << 20)).collect();
        while !(0..n).all(|rank| self.done(rank)) {
            let ready: Vec<usize> = (0..n).filter(|&rank| self.may_run(rank)).collect();
            let chosen = match adversary {
                Adversary::Random => ready.get(self.dice.roll(ready.len() as u64) as usize).copied(),
                Adversary::Eager => ready.iter().copied().max_by_key(|&r| self.reached[r]),
                Adversary::Fixed | Adversary::Moody => ready.iter().copied().max_by_key(|&r| preference[r]),
            };
            let rank = chosen.ok_or_else(|| format!("deadlock at {:?}", self.reached))?;
            self.run_window(rank)?;
            if matches!(adversary, Adversary::Moody) && self.dice.roll(20) == 0 {
                let sulking = self.dice.roll(n as u64) as usize;
                preference[sulking] = self.dice.roll(1 << 20);
            }
            for channel in plan.channels.iter().filter(|c| c.from == rank as u32) {
                if self.reached[rank] > self.reached[channel.to as usize] + channel.lead {
                    return Err(format!("{rank} is further ahead of {} than the plan says", channel.to));
                }
            }
        }
        self.check_columns()?;
        self.check_complete()
    }
    /// Every spike was handed once to each receiver whose end it can reach, and to nobody else.
    fn check_complete(&self) -> Result<(), String> {
        for (rank, welcome) in self.welcomes.iter().enumerate() {
            for channel in &welcome.channels_in {
                for (link, delay) in channel.links.iter().filter_map(|c| stamped(welcome, c)) {
                    for (stamp, receivers) in &self.sent[&(link, channel.peer_line as usize)] {
                        let wanted = usize::from(*stamp + delay <= Time::ZERO + welcome.duration);
                        let got = receivers.iter().filter(|&&r| r == rank).count();
                        if got != wanted {
                            return Err(format!("link {link}: spike at {stamp} handed to {rank} {got} times"));
                        }
                    }
                }
            }
        }
        Ok(())
    }
}

const STEPS: [&str; 4] = ["0.025", "0.1", "0.2", "0.5"];

/// What an edge of a random network is.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Manner {
    Projection,
    Connection,
    Hold,
    Linear,
    Messages,
}

/// What a random network is made of: components (step, ranks, NEST?), edges (from, to, delay in steps or quarters of
/// 0.1 ms, manner), duration in ms.
#[derive(Clone, Debug)]
struct Recipe {
    components: Vec<(usize, u32, bool)>,
    edges: Vec<(usize, usize, i64, Manner)>,
    duration: i64,
}

impl Recipe {
    fn net(&self) -> Net {
        let name = |c: usize| format!("c{c}");
        let mut net = net(&format!("{} ms", self.duration));
        for (c, &(step, ranks, nest)) in self.components.iter().enumerate() {
            net = net.component(&name(c), STEPS[step], ranks);
            net = if nest { net.on(Simulator::Nest) } else { net };
        }
        for &(from, to, delay, manner) in &self.edges {
            let (from, to) = (from % self.components.len(), to % self.components.len());
            let (sender, step) = (net.0.components[from].step, net.0.components[to].step);
            let on_grid = (step * (delay + 1)).to_string();
            let (a, b) = (&name(from), &name(to));
            net = match manner {
                Manner::Projection => net.projection(a, b, &on_grid),
                Manner::Connection if from == to => net.projection(a, b, &on_grid),
                Manner::Connection => net.connection(a, b, &format!("{} us", 25 * delay)),
                Manner::Messages => net.messages(a, b, &on_grid),
                Manner::Hold => net.signal(a, b, &on_grid, description::Interpolation::Hold),
                Manner::Linear => {
                    let delay = SignalConnection::shortest_linear(sender, step) + step * delay;
                    net.signal(a, b, &delay.to_string(), description::Interpolation::Linear)
                }
            };
        }
        net
    }
}

fn manners() -> impl Strategy<Value = Manner> {
    prop_oneof![
        4 => Just(Manner::Projection),
        2 => Just(Manner::Connection),
        2 => Just(Manner::Hold),
        2 => Just(Manner::Linear),
        1 => Just(Manner::Messages),
    ]
}

/// Any graph: chains, loops, loops of one, and mixtures.
fn recipes() -> impl Strategy<Value = Recipe> {
    let component = (0..STEPS.len(), 1..=3u32, prop::bool::weighted(0.15));
    let delay = prop_oneof![0..6i64, 0..60i64];
    let edge = move |n: usize| {
        let forward = (0..n, 1..n.max(2)).prop_map(move |(a, skip)| (a.min(n - 1), (a + skip).min(n - 1)));
        let any = (0..n, 0..n);
        (prop_oneof![3 => forward, 1 => any], delay.clone(), manners())
            .prop_map(|((from, to), delay, manner)| (from, to, delay, manner))
    };
    (prop::collection::vec(component, 1..=8), 1..=6i64).prop_flat_map(move |(components, duration)| {
        let edges = prop::collection::vec(edge(components.len()), 0..=2 * components.len());
        edges.prop_map(move |edges| Recipe { components: components.clone(), edges, duration })
    })
}

/// Strongly connected graphs: a ring and some chords.
fn rings() -> impl Strategy<Value = Recipe> {
    (1..=5usize).prop_flat_map(|n| {
        let components = prop::collection::vec((0..STEPS.len(), Just(2u32), Just(false)), n);
        let delays = prop::collection::vec((0..12i64, manners()), n);
        let chords = prop::collection::vec((0..n, 0..n, 0..12i64, manners()), 0..4);
        (components, delays, chords).prop_map(move |(components, delays, mut edges)| {
            edges.extend(delays.into_iter().enumerate().map(|(a, (delay, c))| (a, (a + 1) % n, delay, c)));
            Recipe { components, edges, duration: 10 }
        })
    })
}

/// True when the members of a loop, all with window `h`, run for ever: tried out, until every member has used up the
/// delays that it was given at the start. Running a member never keeps another from running, so one order is as good
/// as any.
fn runs_with(h: Span, n: usize, edges: &[(usize, usize, Span)]) -> bool {
    let mut windows = vec![0i64; n];
    let goal: i64 = edges.iter().map(|e| e.2.steps(h) + 1).sum();
    let may = |windows: &[i64], i: usize| {
        edges.iter().all(|&(from, to, d)| to != i || h * windows[from] >= h * (windows[i] + 1) - d)
    };
    while windows.iter().any(|&w| w < goal) {
        match (0..n).find(|&i| windows[i] < goal && may(&windows, i)) {
            Some(i) => windows[i] += 1,
            None => return false,
        }
    }
    true
}

proptest! {
    #[test]
    fn planned_runs_neither_deadlock_nor_lose(
        recipe in recipes(),
        seed in any::<u64>(),
        adversary in prop_oneof![Just(Adversary::Random), Just(Adversary::Fixed), Just(Adversary::Eager),
                                 Just(Adversary::Moody)],
        least_credit in any::<bool>(),
    ) {
        let net = recipe.net();
        let plan = match net.plan() {
            Ok(plan) => plan,
            Err(PlanError::NoWindow { cycle, needed, .. }) => {
                prop_assert!(cycle.iter().all(|e| e.delay < needed));
                prop_assert!(cycle.iter().zip(cycle.iter().cycle().skip(1)).all(|(e, next)| e.to == next.from));
                return Ok(());
            }
            Err(error) => return Err(TestCaseError::fail(error.to_string())),
        };
        let mut plan = plan;
        if least_credit {
            // No more than the bound that the proof needs.
            let windows = || plan.components.iter().map(|c| c.window);
            let bound = windows().sum::<Span>() + windows().max().unwrap();
            for channel in plan.channels.iter_mut().filter(|c| c.credit.is_some()) {
                prop_assert!(channel.credit >= Some(bound));
                (channel.credit, channel.lead) = (Some(bound), bound);
            }
        }
        let mut run = Run::new(&net, &plan, seed);
        if let Err(reason) = run.finish(&plan, adversary) {
            return Err(TestCaseError::fail(reason));
        }
    }

    #[test]
    fn a_loop_is_refused_exactly_when_no_window_runs(recipe in rings()) {
        let net = recipe.net();
        let n = net.0.components.len();
        let all_links = super::super::edges::links(&net.0).unwrap();
        let edges: Vec<_> = all_links.iter().map(|l| (l.from, l.to, l.min_delay)).collect();
        let base = net.0.components.iter().fold(Span::from_ns(1), |base, c| base.lcm(c.step).unwrap());
        let longest = edges.iter().map(|e| e.2).max().unwrap();
        let shortest = edges.iter().map(|e| e.2).min().unwrap();
        let candidates = (1..=longest.steps(base)).map(|k| base * k);
        let best = candidates.filter(|&h| runs_with(h, n, &edges)).max();
        match net.plan() {
            Ok(plan) => {
                prop_assert_eq!(plan.loops.len(), 1);
                let planned = &plan.loops[0];
                if shortest >= base {
                    prop_assert!(!planned.turns);
                    prop_assert_eq!(planned.window, base * shortest.steps(base));
                } else {
                    prop_assert!(planned.turns);
                    prop_assert_eq!(Some(planned.window), best);
                }
            }
            Err(PlanError::NoWindow { needed, .. }) => {
                prop_assert_eq!(best, None);
                prop_assert_eq!(needed, base);
                prop_assert!(!runs_with(base, n, &edges));
            }
            Err(error) => return Err(TestCaseError::fail(error.to_string())),
        }
    }
}
