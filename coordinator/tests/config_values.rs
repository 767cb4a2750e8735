//! What configurations mean: values, expressions, overrides, defaults; and that no text makes the reader panic.

use std::path::Path;

use couple::config::{self, Diagnostic, Loaded, render_all};
use couple::plan::{self, PlanOptions};
use couple_network::description::{Connector, Delay, Distribution, Model, Network, Receptor, Recording, Value};
use couple_ports::time::Span;
use proptest::prelude::*;

fn shown(diagnostics: &[Diagnostic]) -> String {
    render_all(diagnostics, false)
}

fn load(path: &str, sets: &[&str]) -> Loaded {
    let sets: Vec<String> = sets.iter().map(|s| s.to_string()).collect();
    config::load(Path::new(path), &sets).unwrap_or_else(|d| panic!("{}", shown(&d)))
}

fn parse(text: &str) -> Result<Loaded, Vec<Diagnostic>> {
    config::parse(Path::new("test.toml"), text, &[])
}

fn size(network: &Network, name: &str) -> u32 {
    network.populations[network.population(name).expect(name)].size
}

fn param(network: &Network, population: &str, name: &str) -> Value {
    match &network.populations[network.population(population).expect(population)].model {
        Model::Cell { params, .. } => params[name].clone(),
        other => panic!("{other:?}"),
    }
}

const EVERYTHING: &str = "tests/config/good/everything.toml";

#[test]
fn values_have_pynn_units() {
    let network = load(EVERYTHING, &[]).network;
    assert_eq!(network.name, "everything");
    assert_eq!(param(&network, "cond", "cm"), Value::Constant(0.25));
    assert_eq!(param(&network, "cond", "e_rev_I"), Value::Constant(-70.0));
    assert_eq!(param(&network, "cond", "i_offset"), Value::Constant(0.1));
    assert_eq!(param(&network, "cond", "tau_m"), Value::Constant(20.0), "PyNN's default");
    assert_eq!(param(&network, "list", "i_offset"), Value::List(vec![0.1, 0.2, 0.3]));
    let delta = param(&network, "with-dots.and_1", "i_offset");
    assert_eq!(delta, Value::Random(Distribution::Gamma { k: 2.0, theta: 0.01 }));
    let ms = |ms| Span::from_ms(ms).expect("exact");
    let times = &network.populations[network.population("times").expect("times")].model;
    let spike_times = vec![vec![], vec![ms(1.0), ms(1.0), ms(2.0)], vec![ms(1000.0)]];
    assert_eq!(*times, Model::SpikeSourceArray { spike_times });
    let poisson = &network.populations[network.population("poisson").expect("poisson")].model;
    assert_eq!(*poisson, Model::SpikeSourcePoisson { rate: 16.0, start: ms(10.0), duration: ms(100.0) });
    let listed = network.projections.iter().find(|p| p.name == "listed").expect("listed");
    assert_eq!(listed.receptor, Receptor::Inhibitory);
    assert_eq!(listed.connector, Connector::FromList { pairs: vec![(0, 2), (3, 0), (3, 0)] });
    assert_eq!(listed.weight, Value::List(vec![-0.1, -0.2, -0.3]));
    assert_eq!(listed.delay, Delay::List(vec![ms(0.1), ms(0.2), ms(1.0)]));
    let own = network.projections.iter().find(|p| p.to == network.population("own").expect("own")).expect("onto own");
    assert_eq!(own.weight, Value::Constant(0.002));
    let recorded: Vec<_> = network.recorded_spikes().map(|id| network.populations[id].name.as_str()).collect();
    assert_eq!(recorded, ["with-dots.and_1", "own", "poisson"]);
}

#[test]
fn sets_change_single_values() {
    let loaded = load(
        EVERYTHING,
        &[
            "run.duration=2 s",
            "N=200",
            "parameters.rate=5",
            "component.detail.threads=2",
            "component.a.step = \"0.05 ms\"",
            "population.\"with-dots.and_1\".size=\"= N / 2\"",
            "projection.0.synapse.delay=0.5",
            "projection.listed.connector={ type = \"FromList\", pairs = [[1, 1], [2, 2], [3, 2]] }",
            "record.1.population=cond",
        ],
    );
    let network = loaded.network;
    assert_eq!(network.duration, Span::from_ns(2_000_000_000));
    assert_eq!((size(&network, "with-dots.and_1"), size(&network, "cond")), (100, 100));
    assert_eq!(network.components[1].threads, 2);
    assert_eq!(network.components[0].step, Span::from_ns(50_000));
    assert_eq!(network.projections[0].delay, Delay::Constant(Span::from_ns(500_000)));
    assert_eq!(network.projections[2].connector, Connector::FromList { pairs: vec![(1, 1), (2, 2), (3, 2)] });
    assert_eq!(network.recordings[2], Recording::spikes(network.population("cond").expect("cond")));
    assert!(loaded.resolved_toml.contains("duration = \"2 s\""), "{}", loaded.resolved_toml);
}

/// The resolved configuration is a configuration, in any folder, and says the same.
#[test]
fn resolved_configurations_give_the_same_network() {
    for (path, sets) in [
        (EVERYTHING, &["N=6", "run.duration=3 s"][..]),
        ("../configs/default.toml", &["run.seed=5"]),
        ("../configs/quickstart.toml", &[]),
        ("tests/config/good/signals.toml", &[]),
        ("../examples/microcircuit/config.toml", &["component.l4.simulator=native"]),
    ] {
        let first = load(path, sets);
        let folder = tempfile::tempdir().expect("a folder");
        let copy = folder.path().join("config.toml");
        std::fs::write(&copy, &first.resolved_toml).expect("writable");
        let second = config::load(&copy, &[]).unwrap_or_else(|d| panic!("{path}: {}", shown(&d)));
        assert_eq!(first.network, second.network, "{path}");
        assert_eq!(first.config_hash, second.config_hash, "{path}");
        assert_eq!(first.resolved_toml, second.resolved_toml, "{path}");
        assert_eq!(first.options, second.options, "{path}");
        let other = load(path, &[sets, &["run.seed=77"]].concat());
        assert_ne!(first.config_hash, other.config_hash, "{path}");
    }
}

#[test]
fn names_of_projections_are_unique_and_stable() {
    let text = r#"
        [run]
        duration = 1
        [component.c]
        simulator = "native"
        [population]
        A = { component = "c", size = 2, cell = "IF_curr_exp" }
        B = { component = "c", size = 2, cell = "IF_curr_exp" }
        [[projection]]
        from = ["A", "B"]
        to = ["A", "B"]
        per_pair = { p = [[1, 0], [0.5, 1]] }
        connector = { type = "FixedProbability", p = "= p" }
        synapse = { weight = 0.1, delay = 1 }
        [[projection]]
        from = "A"
        to = "A"
        connector = { type = "AllToAll" }
        synapse = { weight = 0.1, delay = 1 }
        [[projection]]
        name = "x"
        from = "A"
        to = ["A", "B"]
        connector = { type = "AllToAll" }
        synapse = { weight = 0.1, delay = 1 }
        [[projection]]
        name = "A→A#2"
        from = "A"
        to = "B"
        connector = { type = "AllToAll" }
        synapse = { weight = 0.1, delay = 1 }
    "#;
    let loaded = parse(text).unwrap_or_else(|d| panic!("{}", shown(&d)));
    let names: Vec<_> = loaded.network.projections.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(names, ["A→A", "A→B", "B→B", "A→A#3", "x:A→A", "x:A→B", "A→A#2"]);
    let p = |i: usize| match loaded.network.projections[i].connector {
        Connector::FixedProbability { p, .. } => p,
        _ => f64::NAN,
    };
    // Rows are targets, columns sources: B→A has 0 and is left out, A→B has 0.5.
    assert_eq!([p(0), p(1), p(2)], [1.0, 0.5, 1.0]);
}

#[test]
fn what_is_allowed_but_odd_is_warned_of() {
    let text = r#"
        [run]
        duration = 10
        [component.c]
        simulator = "native"
        [component.idle]
        simulator = "native"
        [cell.unused]
        type = "IF_curr_exp"
        [population]
        A = { component = "c", size = 2, cell = "IF_curr_exp" }
        S = { component = "c", size = 2, cell = "SpikeSourceArray", params = { spike_times = [1, 20, 30] } }
        [[projection]]
        from = "A"
        to = "A"
        connector = { type = "FixedProbability", p = 0 }
        synapse = { weight = 0.1, delay = 1 }
    "#;
    let loaded = parse(text).unwrap_or_else(|d| panic!("{}", shown(&d)));
    insta::assert_snapshot!(shown(&loaded.warnings));
}

#[test]
fn numbers_in_the_units_of_nest_are_warned_of() {
    let text = r#"
        [run]
        duration = 10
        [component.c]
        simulator = "native"
        [population]
        A = { component = "c", size = 2, cell = "IF_curr_exp", params = { cm = 250.0, i_offset = 376 } }
        B = { component = "c", size = 2, cell = "IF_cond_exp", params = { cm = "250 nF" } }
        [[projection]]
        from = "A"
        to = ["A", "B"]
        connector = { type = "AllToAll" }
        synapse = { weight = 87.8, delay = 1 }
    "#;
    let loaded = parse(text).unwrap_or_else(|d| panic!("{}", shown(&d)));
    insta::assert_snapshot!(shown(&loaded.warnings));
}

#[test]
fn objects_for_tools_have_the_place() {
    let diagnostics = parse("[run]\nduration = \"1 mV\"\n[component.c]\nsimulator = \"µ\"\n").unwrap_err();
    let objects: Vec<_> = diagnostics.iter().map(Diagnostic::to_json).collect();
    assert_eq!(objects.len(), 3);
    let unit = objects.iter().find(|o| o["code"] == "wrong-unit").expect("the unit is wrong");
    assert_eq!((&unit["file"], &unit["line"], &unit["column"]), (&"test.toml".into(), &2.into(), &12.into()));
    assert_eq!((&unit["severity"], &unit["start"], &unit["end"]), (&"error".into(), &17.into(), &23.into()));
    assert!(unit["help"].as_str().is_some_and(|h| h.contains("ms")));
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    for (path, word) in [("tests/config/no-such.toml", "no such file"), ("tests/config/good", "folder")] {
        let diagnostics = config::load(Path::new(path), &[]).unwrap_err();
        assert_eq!(diagnostics.len(), 1);
        assert!(diagnostics[0].message.contains(path) && diagnostics[0].message.contains(word), "{}", diagnostics[0]);
        assert!(diagnostics[0].help.is_some());
    }
}

/// The tables of the paper, as the configuration should have them.
mod microcircuit {
    use super::*;

    const NAMES: [&str; 8] = ["L23E", "L23I", "L4E", "L4I", "L5E", "L5I", "L6E", "L6I"];
    const SIZES: [u32; 8] = [20683, 5834, 21915, 5479, 4850, 1065, 14395, 2948];
    const RATES: [f64; 8] = [0.97, 2.87, 4.75, 5.40, 8.14, 9.08, 0.99, 7.52];
    const EXTERNAL: [f64; 8] = [1600.0, 1500.0, 2100.0, 1900.0, 2000.0, 1900.0, 2900.0, 2100.0];
    /// Row = target, column = source.
    const P: [[f64; 8]; 8] = [
        [0.1009, 0.1689, 0.0437, 0.0818, 0.0323, 0.0, 0.0076, 0.0],
        [0.1346, 0.1371, 0.0316, 0.0515, 0.0755, 0.0, 0.0042, 0.0],
        [0.0077, 0.0059, 0.0497, 0.135, 0.0067, 0.0003, 0.0453, 0.0],
        [0.0691, 0.0029, 0.0794, 0.1597, 0.0033, 0.0, 0.1057, 0.0],
        [0.1004, 0.0622, 0.0505, 0.0057, 0.0831, 0.3726, 0.0204, 0.0],
        [0.0548, 0.0269, 0.0257, 0.0022, 0.06, 0.3158, 0.0086, 0.0],
        [0.0156, 0.0066, 0.0211, 0.0166, 0.0572, 0.0197, 0.0396, 0.2252],
        [0.0364, 0.001, 0.0034, 0.0005, 0.0277, 0.008, 0.0658, 0.1443],
    ];
    const FILE: &str = "../examples/microcircuit/config.toml";

    /// Synapses of the full model.
    fn full(to: usize, from: usize) -> f64 {
        let pairs = f64::from(SIZES[to]) * f64::from(SIZES[from]);
        (1.0 - P[to][from]).ln() / ((pairs - 1.0) / pairs).ln()
    }

    /// Mean full-scale weight in pA.
    fn weight(to: usize, from: usize) -> f64 {
        87.808
            * if from % 2 == 1 {
                -4.0
            } else if (to, from) == (0, 2) {
                2.0
            } else {
                1.0
            }
    }

    fn close(a: f64, b: f64, tolerance: f64) {
        assert!((a - b).abs() <= tolerance * b.abs().max(1e-9), "{a} is not {b}");
    }

    #[test]
    fn is_the_published_model() {
        for (n_scale, k_scale) in [(0.1, 0.1), (1.0, 1.0), (0.5, 0.2)] {
            let sets = [format!("N_scale={n_scale}"), format!("K_scale={k_scale}")];
            let network = load(FILE, &[&sets[0], &sets[1]]).network;
            let id = |i: usize| network.population(NAMES[i]).expect("a population");
            let recorded: Vec<_> = (0..8).map(id).map(Recording::spikes).collect();
            assert_eq!(network.recordings, recorded);
            let mut synapses = 0;
            for to in 0..8 {
                assert_eq!(network.populations[id(to)].size, (f64::from(SIZES[to]) * n_scale).round() as u32);
                let on_l4 = network.components[network.populations[id(to)].component].name == "l4";
                assert_eq!(on_l4, NAMES[to].starts_with("L4"));
                for from in 0..8 {
                    synapses += check_pair(&network, (to, from), (id(to), id(from)), (n_scale, k_scale));
                }
                check_drive(&network, to, k_scale);
                check_offset(&network, to, k_scale);
            }
            close(synapses as f64, 298.881e6 * n_scale * k_scale, 1e-5);
        }
    }

    fn check_pair(
        network: &Network,
        (to, from): (usize, usize),
        ids: (usize, usize),
        (n_scale, k_scale): (f64, f64),
    ) -> u64 {
        let mut found = network.projections.iter().filter(|p| (p.to, p.from) == ids);
        if P[to][from] == 0.0 {
            assert!(found.next().is_none());
            return 0;
        }
        let projection = found.next().expect("connected");
        assert!(found.next().is_none());
        let Connector::FixedTotalNumber { n, with_replacement: true, allow_self_connections: true } =
            projection.connector
        else {
            panic!("{projection:?}")
        };
        assert!((n as f64 - full(to, from) * n_scale * k_scale).abs() < 0.51, "{n}");
        let mean = weight(to, from) / 1000.0 / k_scale.sqrt();
        let Value::Random(Distribution::NormalClipped { mu, sigma, low, high }) = projection.weight else {
            panic!("{projection:?}")
        };
        close(mu, mean, 1e-5);
        close(sigma, mean.abs() / 10.0, 1e-5);
        let inhibitory = from % 2 == 1;
        assert_eq!((low, high), if inhibitory { (f64::NEG_INFINITY, 0.0) } else { (0.0, f64::INFINITY) });
        let (mu, sigma) = if inhibitory { (0.75, 0.375) } else { (1.5, 0.75) };
        let delay = Distribution::NormalClipped { mu, sigma, low: 0.1, high: f64::INFINITY };
        assert_eq!(projection.delay, Delay::Random(delay));
        assert_eq!(projection.receptor == Receptor::Inhibitory, inhibitory);
        n
    }

    fn check_drive(network: &Network, to: usize, k_scale: f64) {
        let target = network.population(NAMES[to]).expect("a population");
        let drive = network.population(&format!("ext_{}", NAMES[to])).expect("a drive");
        let Model::SpikeSourcePoisson { rate, .. } = network.populations[drive].model else { panic!("no Poisson") };
        close(rate, 8.0 * EXTERNAL[to] * k_scale, 1e-12);
        let projection = network.projections.iter().find(|p| p.from == drive).expect("drives");
        assert_eq!((projection.to, &projection.connector), (target, &Connector::OneToOne));
        let Value::Constant(weight) = projection.weight else { panic!("{projection:?}") };
        close(weight, 0.087_808 / k_scale.sqrt(), 1e-5);
    }

    /// van Albada et al. 2015: what down-scaling loses of the mean input comes as a constant current.
    fn check_offset(network: &Network, to: usize, k_scale: f64) {
        let recurrent: f64 =
            (0..8).map(|from| RATES[from] * full(to, from) / f64::from(SIZES[to]) * weight(to, from)).sum();
        let external = 8.0 * EXTERNAL[to] * 87.808;
        // tau_syn is 0.5 ms; pA × Hz × ms to nA.
        let lost = (1.0 - k_scale.sqrt()) * 0.5 * (recurrent + external) / 1e6;
        let Value::Constant(offset) = param(network, NAMES[to], "i_offset") else { panic!("drawn") };
        assert!((offset - lost).abs() < 1e-5, "{}: {offset} is not {lost}", NAMES[to]);
    }
}

/// Every message can be shown, whatever it points at.
fn show_all(result: Result<Loaded, Vec<Diagnostic>>) {
    let diagnostics = result.map_or_else(|d| d, |loaded| loaded.warnings);
    for diagnostic in &diagnostics {
        assert!(!diagnostic.render(false).is_empty() && !diagnostic.render(true).is_empty());
        assert!(diagnostic.to_json().is_object());
        if let Some(place) = &diagnostic.place {
            assert!(place.source.text.get(place.range.clone()).is_some(), "{diagnostic:?}");
        }
    }
}

/// A good configuration with some of its words exchanged, removed or replaced.
fn mangled() -> impl Strategy<Value = String> {
    let texts = [
        std::fs::read_to_string(EVERYTHING).expect("readable"),
        std::fs::read_to_string("../configs/default.toml").expect("readable"),
        std::fs::read_to_string("tests/config/good/signals.toml").expect("readable"),
    ];
    let odd = prop::sample::select(vec![
        "",
        "=",
        "[",
        "]]",
        "{}",
        "\"",
        "-1",
        "0",
        "inf",
        "nan",
        "1e999",
        "99999999999",
        "\"= N / 0\"",
        "\"= (\"",
        "\"0.1 mV\"",
        "[]",
        "[[]]",
        "true",
        "1979-05-27",
        "µ",
        "\u{0}",
        "\"AllToAll\"",
        "E",
        ".",
        "'''",
        "\n",
        "#",
    ]);
    let edit = (any::<prop::sample::Index>(), any::<prop::sample::Index>(), odd, 0..3);
    (0..2usize, prop::collection::vec(edit, 1..6)).prop_map(move |(which, edits)| {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let mut words: Vec<String> = vec![];
        for c in texts[which].chars() {
            match words.last_mut() {
                Some(word) if is_word(c) && word.ends_with(is_word) => word.push(c),
                _ => words.push(c.to_string()),
            }
        }
        for (at, other, odd, kind) in edits {
            let (at, other) = (at.index(words.len()), other.index(words.len()));
            match kind {
                0 => words[at] = odd.to_string(),
                1 => words.swap(at, other),
                _ => words[at] = words[other].clone(),
            }
        }
        words.concat()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mangled_configurations_never_panic(text in mangled()) {
        let loaded = config::parse(Path::new(EVERYTHING), &text, &[]);
        if let Ok(loaded) = &loaded {
            let options = PlanOptions { window_override: loaded.options.window, cores: 2 };
            if let Err(error) = plan::plan(&loaded.network, &options) {
                show_all(Err(vec![error.diagnose(&loaded.network, &loaded.places)]));
            }
        }
        show_all(loaded);
    }

    #[test]
    fn any_text_never_panics(text in "\\PC{0,200}") {
        show_all(parse(&text));
    }

    #[test]
    fn any_set_never_panics(set in "[a-zN_.]{0,12}(\\.[a-zE0-9]{0,6}){0,3}[=]?[-= a-z0-9\"\\[\\]{}.]{0,12}") {
        let text = std::fs::read_to_string("../configs/quickstart.toml").expect("readable");
        show_all(config::parse(Path::new("test.toml"), &text, &[set]));
    }
}
