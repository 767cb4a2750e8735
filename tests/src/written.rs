//! A network description as a configuration file, with everything written out.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use couple_network::description::*;
use couple_ports::time::Span;

/// The configuration of `network`; `couple check` must make the same description of it again.
pub fn config(network: &Network) -> String {
    let mut text = String::new();
    let (name, seed, duration) = (&network.name, network.seed, span(network.duration));
    let _ = writeln!(text, "[run]\nname = {name:?}\nseed = {seed}\nduration = {duration}");
    for component in &network.components {
        let simulator = match component.simulator {
            Simulator::Native => "native",
            Simulator::Nest => "nest",
            Simulator::Neuron => "neuron",
            Simulator::Brian2 => "brian2",
            Simulator::Arbor => "arbor",
            Simulator::Script => "script",
            Simulator::Converter => "converter",
        };
        let Component { name, step, ranks, threads, command, cvode, .. } = component;
        let _ = writeln!(text, "[component.{name}]\nsimulator = {simulator:?}\nstep = {}", span(*step));
        let _ = writeln!(text, "ranks = {ranks}\nthreads = {threads}");
        if let Some(Cvode { atol, condition_order }) = cvode {
            let _ = writeln!(text, "cvode = {{ atol = {atol:?}, condition_order = {condition_order} }}");
        }
        if !command.is_empty() {
            let _ = writeln!(text, "command = {command:?}");
        }
    }
    for population in &network.populations {
        let component = &network.components[population.component].name;
        let Population { name, size, model, .. } = population;
        let _ = writeln!(text, "[population.{name}]\ncomponent = {component:?}\nsize = {size}\n{}", self::model(model));
    }
    for p in &network.projections {
        let [from, to] = [p.from, p.to].map(|id| &network.populations[id].name);
        let receptor = match p.receptor {
            Receptor::Excitatory => "excitatory",
            Receptor::Inhibitory => "inhibitory",
        };
        let _ = writeln!(text, "[[projection]]\nname = {:?}\nfrom = {from:?}\nto = {to:?}", p.name);
        let _ = writeln!(text, "connector = {}\nreceptor = {receptor:?}", connector(&p.connector));
        let kind = plasticity(&p.plasticity);
        let _ = writeln!(text, "synapse = {{ {kind}weight = {}, delay = {} }}", value(&p.weight), delay(&p.delay));
    }
    for c in &network.connections {
        let [from, to] = [c.from, c.to].map(|id| &network.populations[id].name);
        let _ = writeln!(text, "[[connection]]\nfrom = {from:?}\nto = {to:?}\ndelay = {}", span(c.delay));
    }
    for s in &network.signals {
        let end = |end: &End| format!("{}.{}", network.populations[end.population].name, end.variable);
        let interpolation = if s.interpolation == Interpolation::Linear { "linear" } else { "hold" };
        let _ = writeln!(text, "[[connection]]\nfrom = {:?}\nto = {:?}", end(&s.from), end(&s.to));
        let (delay, initial) = (span(s.delay), value(&s.initial));
        let _ = writeln!(text, "delay = {delay}\ninterpolation = {interpolation:?}\ninitial = {initial}");
    }
    for id in network.recorded_spikes() {
        let _ = writeln!(text, "[[record]]\npopulation = {:?}", network.populations[id].name);
    }
    text
}

fn span(span: Span) -> String {
    format!("\"{} ns\"", span.ns())
}

fn list<T>(items: impl IntoIterator<Item = T>, one: impl Fn(T) -> String) -> String {
    format!("[{}]", items.into_iter().map(one).collect::<Vec<_>>().join(", "))
}

fn model(model: &Model) -> String {
    let values = |values: &BTreeMap<String, Value>| {
        let all: Vec<_> = values.iter().map(|(name, v)| format!("{name} = {}", value(v))).collect();
        format!("{{ {} }}", all.join(", "))
    };
    match model {
        Model::Cell { cell, params, initial } => {
            format!("cell = {:?}\nparams = {}\ninitial = {}", cell.name(), values(params), values(initial))
        }
        Model::SpikeSourceArray { spike_times } => {
            let one = |times: &Vec<Span>| list(times, |time| span(*time));
            // A list that all neurons share stands alone.
            let times = if let [times] = &spike_times[..] { one(times) } else { list(spike_times, one) };
            format!("cell = \"SpikeSourceArray\"\nparams = {{ spike_times = {times} }}")
        }
        Model::SpikeSourcePoisson { rate, start, duration } => {
            source("SpikeSourcePoisson", &format!("rate = {rate:?}"), *start, *duration)
        }
        Model::SpikeSourcePoissonRefractory { rate, tau_refrac, start, duration } => {
            let own = format!("rate = {rate:?}, tau_refrac = {}", span(*tau_refrac));
            source("SpikeSourcePoissonRefractory", &own, *start, *duration)
        }
        Model::SpikeSourceGamma { alpha, beta, start, duration } => {
            source("SpikeSourceGamma", &format!("alpha = {alpha:?}, beta = {beta:?}"), *start, *duration)
        }
        Model::SpikeSourceInhGamma { a, b, tbins, start, duration } => {
            let (a, b) = (list(a, |a| format!("{a:?}")), list(b, |b| format!("{b:?}")));
            let own = format!("a = {a}, b = {b}, tbins = {}", list(tbins, |time| span(*time)));
            source("SpikeSourceInhGamma", &own, *start, *duration)
        }
        other => {
            assert!(matches!(other, Model::Port), "{other:?} is in no random network");
            String::new()
        }
    }
}

fn source(cell: &str, own: &str, start: Span, duration: Span) -> String {
    format!("cell = {cell:?}\nparams = {{ {own}, start = {}, duration = {} }}", span(start), span(duration))
}

fn value(value: &Value) -> String {
    match value {
        Value::Constant(x) => format!("{x:?}"),
        Value::Random(distribution) => self::distribution(distribution),
        Value::List(all) => list(all, |x| format!("{x:?}")),
    }
}

fn delay(delay: &Delay) -> String {
    match delay {
        Delay::Constant(delay) => span(*delay),
        Delay::Random(distribution) => self::distribution(distribution),
        Delay::List(delays) => list(delays, |delay| span(*delay)),
    }
}

fn distribution(distribution: &Distribution) -> String {
    let (name, numbers) = match *distribution {
        Distribution::Uniform { low, high } => ("uniform", vec![("low", low), ("high", high)]),
        Distribution::Normal { mu, sigma } => ("normal", vec![("mu", mu), ("sigma", sigma)]),
        Distribution::NormalClipped { mu, sigma, low, high } => {
            ("normal_clipped", vec![("mu", mu), ("sigma", sigma), ("low", low), ("high", high)])
        }
        Distribution::NormalClippedToBoundary { mu, sigma, low, high } => {
            ("normal_clipped_to_boundary", vec![("mu", mu), ("sigma", sigma), ("low", low), ("high", high)])
        }
        Distribution::Lognormal { mu, sigma } => ("lognormal", vec![("mu", mu), ("sigma", sigma)]),
        Distribution::Exponential { beta } => ("exponential", vec![("beta", beta)]),
        Distribution::Gamma { k, theta } => ("gamma", vec![("k", k), ("theta", theta)]),
    };
    let numbers: Vec<_> = numbers.into_iter().map(|(key, number)| format!(", {key} = {number:?}")).collect();
    format!("{{ distribution = {name:?}{} }}", numbers.concat())
}

fn plasticity(plasticity: &Plasticity) -> String {
    match plasticity {
        Plasticity::Static => String::new(),
        Plasticity::TsodyksMarkram(p) => {
            let TsodyksMarkram { u, tau_rec, tau_facil } = p;
            format!("type = \"TsodyksMarkramSynapse\", U = {u:?}, tau_rec = {tau_rec:?}, tau_facil = {tau_facil:?}, ")
        }
        Plasticity::Stdp(p) => {
            let Stdp { tau_plus, tau_minus, a_plus, a_minus, w_min, w_max, mu_plus, mu_minus } = p;
            format!(
                "type = \"STDPMechanism\", timing = {{ type = \"SpikePairRule\", tau_plus = {tau_plus:?}, \
                 tau_minus = {tau_minus:?}, A_plus = {a_plus:?}, A_minus = {a_minus:?} }}, \
                 weight_dependence = {{ type = \"Gutig\", w_min = {w_min:?}, w_max = {w_max:?}, \
                 mu_plus = {mu_plus:?}, mu_minus = {mu_minus:?} }}, "
            )
        }
    }
}

fn connector(connector: &Connector) -> String {
    let itself = |allow: &bool| format!("allow_self_connections = {allow}");
    match connector {
        Connector::AllToAll { allow_self_connections } => {
            format!("{{ type = \"AllToAll\", {} }}", itself(allow_self_connections))
        }
        Connector::OneToOne => "{ type = \"OneToOne\" }".to_owned(),
        Connector::FixedProbability { p, allow_self_connections } => {
            format!("{{ type = \"FixedProbability\", p = {p:?}, {} }}", itself(allow_self_connections))
        }
        Connector::FixedTotalNumber { n, with_replacement, allow_self_connections } => {
            numbered("FixedTotalNumber", *n, *with_replacement, &itself(allow_self_connections))
        }
        Connector::FixedNumberPre { n, with_replacement, allow_self_connections } => {
            numbered("FixedNumberPre", u64::from(*n), *with_replacement, &itself(allow_self_connections))
        }
        Connector::FixedNumberPost { n, with_replacement, allow_self_connections } => {
            numbered("FixedNumberPost", u64::from(*n), *with_replacement, &itself(allow_self_connections))
        }
        Connector::FromList { pairs } => {
            format!("{{ type = \"FromList\", pairs = {} }}", list(pairs, |(pre, post)| format!("[{pre}, {post}]")))
        }
    }
}

fn numbered(name: &str, n: u64, with_replacement: bool, itself: &str) -> String {
    format!("{{ type = {name:?}, n = {n}, with_replacement = {with_replacement}, {itself} }}")
}
