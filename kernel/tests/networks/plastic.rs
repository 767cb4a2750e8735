//! Plastic synapses the plain way: each synapse has its own state, and traces are sums over all spikes there were.

use couple_network::description::*;
use couple_ports::time::Span;

use super::{STEP, cells, network, projection};

/// A plastic synapse; times are steps, weights in the model's unit.
pub struct Synapse {
    /// The weight without what short-term plasticity makes of it.
    pub weight: f64,
    past: Vec<i64>,
    met: i64,
    u: f64,
    x: f64,
}

fn ms(steps: i64, step: Span) -> f64 {
    steps as f64 * step.ms()
}

/// The sum of `exp(-(now - t) / tau)` over `times`.
fn trace(times: impl Iterator<Item = i64>, now: i64, tau: f64, step: Span) -> f64 {
    times.map(|t| (-ms(now - t, step) / tau).exp()).sum()
}

impl Synapse {
    /// At the start.
    pub fn new(weight: f64) -> Self {
        Synapse { weight, past: Vec::new(), met: 0, u: 0.0, x: 1.0 }
    }

    /// Lets the postsynaptic spikes `post` act that have reached the synapse up to `until`.
    pub fn potentiate(&mut self, p: &Plasticity, unit: f64, until: i64, delay: i64, post: &[i64], step: Span) {
        let Plasticity::Stdp(p) = p else { return };
        let (low, high) = (p.w_min * unit, p.w_max * unit);
        for arrival in post.iter().map(|t| t + delay).filter(|a| *a > self.met && *a <= until) {
            let k_plus = trace(self.past.iter().copied(), arrival, p.tau_plus, step);
            let part = (self.weight - low) / (high - low);
            let part = part + p.a_plus * (1.0 - part).powf(p.mu_plus) * k_plus;
            self.weight = low + part.min(1.0) * (high - low);
        }
        self.met = self.met.max(until);
    }

    /// A presynaptic spike at `now`; returns what the target gets.
    pub fn presynaptic(&mut self, p: &Plasticity, unit: f64, now: i64, delay: i64, post: &[i64], step: Span) -> f64 {
        self.potentiate(p, unit, now, delay, post, step);
        let released = match p {
            Plasticity::Static => 1.0,
            Plasticity::Stdp(p) => {
                let (low, high) = (p.w_min * unit, p.w_max * unit);
                let earlier = post.iter().map(|t| t + delay).filter(|a| *a < now);
                let part = (self.weight - low) / (high - low);
                let part = part - p.a_minus * part.powf(p.mu_minus) * trace(earlier, now, p.tau_minus, step);
                self.weight = low + part.max(0.0) * (high - low);
                1.0
            }
            Plasticity::TsodyksMarkram(p) => {
                match self.past.last() {
                    None => self.u = p.u,
                    Some(last) => {
                        let h = ms(now - last, step);
                        self.x = 1.0 - (1.0 - self.x * (1.0 - self.u)) * (-h / p.tau_rec).exp();
                        let facilitated = if p.tau_facil > 0.0 { self.u * (-h / p.tau_facil).exp() } else { 0.0 };
                        self.u = p.u + facilitated * (1.0 - p.u);
                    }
                }
                self.x * self.u
            }
        };
        self.past.push(now);
        released * self.weight
    }
}

/// STDP with the time constants of 20 ms and 25 ms.
pub fn stdp(w_min: f64, w_max: f64, (a_plus, a_minus): (f64, f64), (mu_plus, mu_minus): (f64, f64)) -> Plasticity {
    Plasticity::Stdp(Stdp { tau_plus: 20.0, tau_minus: 25.0, a_plus, a_minus, w_min, w_max, mu_plus, mu_minus })
}

/// Short-term plasticity.
pub fn tsodyks_markram(u: f64, tau_rec: f64, tau_facil: f64) -> Plasticity {
    Plasticity::TsodyksMarkram(TsodyksMarkram { u, tau_rec, tau_facil })
}

/// Makes most projections of [`super::mixed`] plastic.
pub fn make_plastic(network: &mut Network) {
    let Value::Constant(w) = network.projections[1].weight else { panic!("the second weight is constant") };
    let inhibition = match &network.projections[3].weight {
        Value::Random(Distribution::Uniform { low, high }) => {
            if low.abs() > high.abs() {
                *low
            } else {
                *high
            }
        }
        other => panic!("{other:?}"),
    };
    let additive = stdp(0.0, 2.5 * w, (0.05, 0.06), (0.0, 0.0));
    let rules = [
        (0, additive),
        (1, stdp(0.1 * w, 2.0 * w, (0.1, 0.08), (0.4, 0.3))),
        (2, tsodyks_markram(0.4, 60.0, 30.0)),
        (3, stdp(0.0, 1.5 * inhibition, (0.1, 0.1), (1.0, 1.0))),
        (4, tsodyks_markram(0.6, 80.0, 0.0)),
        (6, stdp(0.0, 3.0 * w, (0.2, 0.2), (0.0, 1.0))),
        (7, additive),
        (9, tsodyks_markram(0.7, 20.0, 100.0)),
        (11, stdp(0.0, 2.5 * w, (0.0, 0.1), (0.0, 0.0))),
    ];
    for (projection, rule) in rules {
        network.projections[projection].plasticity = rule;
    }
    // Two time constants at one target.
    if let Plasticity::Stdp(stdp) = &mut network.projections[6].plasticity {
        stdp.tau_minus = 34.0;
    }
}

/// One neuron that fires when its strong input says so, and one plastic synapse onto it from another source.
pub fn pair(pre: &[i64], post: &[i64], delay: i64, plasticity: Plasticity) -> Network {
    let array = |name: &str, steps: &[i64]| Population {
        name: name.into(),
        component: 0,
        size: 1,
        model: Model::SpikeSourceArray { spike_times: vec![steps.iter().map(|k| STEP * *k).collect()] },
        variables: vec![],
    };
    let mut n = network(1);
    n.populations.push(cells("cell", 0, 1, Cell::IfCurrDelta, &[("tau_refrac", Value::Constant(0.1))]));
    // The teacher's spikes make the neuron fire one step later.
    n.populations.push(array("teacher", &post.iter().map(|k| k - 1).collect::<Vec<_>>()));
    n.populations.push(array("pre", pre));
    let mut plastic = projection(
        (2, 0),
        Connector::OneToOne,
        Value::Constant(0.5),
        Delay::Constant(STEP * delay),
        Receptor::Excitatory,
    );
    plastic.plasticity = plasticity;
    let strong =
        projection((1, 0), Connector::OneToOne, Value::Constant(31.0), Delay::Constant(STEP), Receptor::Excitatory);
    n.projections = vec![strong, plastic];
    n
}
