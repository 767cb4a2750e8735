//! What configurations of signals, messages, converters and recorded variables mean.

use std::path::Path;

use couple::config::{self, Loaded, render_all};
use couple::plan::{PlanOptions, plan};
use couple_network::description::{
    Converter, Distribution, End, Interpolation, Model, Network, Quantity, RateKernel, Recorded, Recording,
    SignalConnection, Value,
};
use couple_ports::time::Span;

fn parse(text: &str) -> Loaded {
    config::parse(Path::new("test.toml"), text, &[]).unwrap_or_else(|d| panic!("{}", render_all(&d, false)))
}

fn signals() -> Loaded {
    config::load(Path::new("tests/config/good/signals.toml"), &[])
        .unwrap_or_else(|d| panic!("{}", render_all(&d, false)))
}

fn ms(ms: f64) -> Span {
    Span::from_ms(ms).expect("exact")
}

fn end(network: &Network, population: &str, variable: &str) -> End {
    End { population: network.population(population).expect(population), variable: variable.to_string() }
}

/// The signal to a variable.
fn signal<'n>(network: &'n Network, population: &str, variable: &str) -> &'n SignalConnection {
    let to = end(network, population, variable);
    network.signals.iter().find(|s| s.to == to).expect("connected")
}

#[test]
fn signals_have_delays_interpolation_and_a_beginning() {
    let network = signals().network;
    let potential = signal(&network, "arm", "potential");
    assert_eq!(potential.from, end(&network, "E", "v"));
    assert_eq!((potential.delay, potential.interpolation), (ms(1.0), Interpolation::Linear));
    // Without an `initial` it is where the cells start, also when that is drawn.
    assert_eq!(potential.initial, Value::Random(Distribution::Uniform { low: -65.0, high: -50.0 }));
    let torque = signal(&network, "E", "current");
    assert_eq!((&torque.initial, torque.interpolation), (&Value::Constant(0.0), Interpolation::Hold));
    // The name of a population has a dot in it.
    let other = signal(&network, "arm", "other");
    assert_eq!((&other.from, &other.initial), (&end(&network, "E.old", "v"), &Value::Constant(-70.0)));
    assert_eq!(signal(&network, "map", "x").initial, Value::List(vec![-65.0, -66.0, -67.0]));
    // Units of their own: a number is in the variable's.
    assert_eq!(signal(&network, "leg", "x").initial, Value::Constant(0.5));
    assert_eq!(signal(&network, "hand", "angle").initial, Value::Constant(2.0));
    let leg = &network.populations[network.population("leg").expect("leg")];
    assert_eq!(leg.variables[1].quantity, Quantity::Analog { unit: "uS".into() });
    let ends: Vec<_> = network.messages.iter().map(|m| (m.from.clone(), m.to.clone(), m.delay)).collect();
    let command = (end(&network, "arm", "command"), end(&network, "hand", "command"), ms(0.5));
    assert_eq!(ends, [command, (end(&network, "hand", "status"), end(&network, "arm", "status"), ms(1.0))]);
}

#[test]
fn converters_have_numbers_in_their_units() {
    let network = signals().network;
    let converter = |name: &str| match &network.populations[network.population(name).expect(name)].model {
        Model::Converter(converter) => converter.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(converter("poisson"), Converter::RateToPoisson);
    assert_eq!(converter("rate"), Converter::SpikesToRate { kernel: RateKernel::Exponential { tau: 50.0 } });
    assert_eq!(converter("window"), Converter::SpikesToRate { kernel: RateKernel::Window { width: ms(100.0) } });
    assert_eq!(converter("over"), Converter::Threshold { threshold: -50.0, unit: "mV".into() });
    let matrix = vec![vec![1.0, 0.5, 0.0], vec![0.0, 0.5, 1.0]];
    assert_eq!(converter("map"), Converter::Linear { matrix, unit_in: "mV".into(), unit_out: "V".into() });
    let gain = Converter::Gain { gain: 1.0, offset: 3.0, unit_in: "mV".into(), unit_out: "uS".into() };
    assert_eq!(converter("scale"), gain);
}

#[test]
fn the_matrix_of_a_file_is_kept_with_the_run() {
    let loaded = signals();
    assert!(!loaded.resolved_toml.contains("matrix.csv"), "{}", loaded.resolved_toml);
    assert!(loaded.resolved_toml.contains("0.5"), "{}", loaded.resolved_toml);
}

#[test]
fn what_is_recorded() {
    let network = signals().network;
    let analog = |population: &str, variable: &str, interval| Recording {
        population: network.population(population).expect(population),
        variable: Recorded::Analog { variable: variable.into(), interval },
    };
    let spikes = |population: &str| Recording::spikes(network.population(population).expect(population));
    let expected = [
        spikes("E"),
        analog("E", "v", ms(1.0)),
        spikes("E.old"),
        analog("E.old", "v", ms(1.0)),
        // Without an interval, each step.
        analog("F", "gsyn_exc", ms(0.05)),
        analog("F", "v", ms(0.05)),
        analog("leg", "y", ms(1.0)),
    ];
    assert_eq!(network.recordings, expected);
}

const TWO: &str = r#"
    [run]
    duration = 10
    [component.a]
    simulator = "native"
    [component.b]
    simulator = "script"
    command = ["sh"]
    step = 0.5
    [population]
    E = { component = "a", size = 2, cell = "IF_curr_exp" }
    F = { component = "a", size = 2, cell = "IF_curr_exp" }
    port = { component = "b", size = 2, variables = { x = "nA", y = "nA", unused = "message" } }
"#;

#[test]
fn currents_add_up() {
    let text = format!(
        "{TWO}
        [[connection]]
        from = \"port.x\"
        to = \"E.current\"
        delay = 1
        [[connection]]
        from = \"port.y\"
        to = \"E.current\"
        delay = 2"
    );
    let loaded = parse(&text);
    assert_eq!(loaded.network.signals.len(), 2);
    let warnings: Vec<_> = loaded.warnings.iter().map(|w| w.message.as_str()).collect();
    assert_eq!(warnings, ["the variable `unused` of `port` is not connected"]);
}

#[test]
fn a_signal_may_stay_within_its_component() {
    let text = format!(
        "{TWO}
        [[connection]]
        from = \"E.v\"
        to = \"F.v_thresh\"
        delay = 0.3
        initial = -50"
    );
    let plan = plan(&parse(&text).network, &PlanOptions { window_override: None, cores: 2 }).expect("a plan");
    assert_eq!(plan.components[0].window, ms(0.3));
    assert_eq!(plan.channels.iter().map(|c| (c.from, c.to)).collect::<Vec<_>>(), [(0, 0)]);
}

/// Steps of 0.025 ms and 0.1 ms in one loop of spikes and a signal: at the same time where the delays allow it.
#[test]
fn a_detailed_model_and_a_coarse_network_share_a_loop() {
    let text = |there: f64, back: f64, interpolation: &str| {
        format!(
            "[run]
            duration = 100
            [component.ctx]
            simulator = \"native\"
            [component.detail]
            simulator = \"neuron\"
            step = 0.025
            [population]
            E = {{ component = \"ctx\", size = 4, cell = \"IF_cond_exp\" }}
            P = {{ component = \"detail\", size = 4, cell = \"HH_cond_exp\" }}
            [[projection]]
            from = \"E\"
            to = \"P\"
            connector = {{ type = \"AllToAll\" }}
            synapse = {{ weight = 0.01, delay = {there} }}
            [[connection]]
            from = \"P.v\"
            to = \"E.v_thresh\"
            delay = {back}
            interpolation = \"{interpolation}\"
            initial = -50"
        )
    };
    for (there, back, window, turns) in
        [(1.5, 1.5, 1.5, false), (1.5, 0.1, 0.1, false), (0.125, 2.0, 0.1, false), (0.025, 0.3, 0.3, true)]
    {
        for interpolation in ["hold", "linear"] {
            let network = parse(&text(there, back, interpolation)).network;
            let plan = plan(&network, &PlanOptions { window_override: None, cores: 2 }).expect("a plan");
            assert_eq!(plan.components.iter().map(|c| c.window).collect::<Vec<_>>(), [ms(window); 2], "{there} {back}");
            assert_eq!(plan.loops[0].turns, turns, "{there} {back}");
        }
    }
}
