//! Brian2 as a component: whole against halves, against the native simulator, and with a user's own model.
//! Equal means equal spikes, bit for bit. Needs the managed environment (`couple setup brian2`), and says so when it is
//! not there.

#![allow(clippy::unwrap_used, reason = "how a test fails")]

mod components;

use std::fs;

use components::{Runs, file, text};
use couple::setup::brian2;

/// Skips the test where Brian2 has not been set up.
macro_rules! needs_brian2 {
    () => {
        if brian2::installed().is_none() {
            println!("skipped: {} needs Brian2: run `couple setup brian2`", module_path!());
            return;
        }
    };
}

/// Where the two populations of feedback.toml live.
#[derive(Clone, Copy)]
struct Layout<'a> {
    /// Simulator of E, and of I where that lives apart.
    e: &'a str,
    i: Option<&'a str>,
    ranks: u32,
    window: Option<&'a str>,
}

const WHOLE: Layout<'static> = Layout { e: "brian2", i: None, ranks: 1, window: None };
const HALVES: Layout<'static> = Layout { i: Some("brian2"), ..WHOLE };

/// Weights with which a cell fires some ten times a second (within the network, of the noise), and parameters of the
/// excitatory and of the inhibitory neurons.
fn setting(cell: &str) -> (f64, f64, &'static str, &'static str) {
    let leaky = (
        "cm = 0.25, tau_m = 10.0, tau_refrac = 2.0",
        "cm = 0.25, tau_m = 10.0, tau_refrac = 1.0, i_offset = { distribution = \"uniform\", low = 0.0, high = 0.2 }",
    );
    let adex = (
        "tau_refrac = 2.0, b = 0.05",
        "tau_refrac = 0.0, i_offset = { distribution = \"uniform\", low = 0.0, high = 0.2 }",
    );
    let (w, noise, (e, i)) = match cell {
        "IF_curr_exp" => (0.06, 0.1, leaky),
        "IF_curr_alpha" => (0.3, 0.3, leaky),
        "IF_curr_delta" => (0.4, 0.8, leaky),
        "IF_cond_exp" | "IF_cond_exp_gsfa_grr" => (0.002, 0.0012, leaky),
        "IF_cond_alpha" => (0.01, 0.007, leaky),
        "IF_facets_hardware1" => (0.0005, 0.0003, ("tau_syn_E = 20.0", "g_leak = 30.0")),
        "EIF_cond_exp_isfa_ista" => (0.003, 0.002, adex),
        "EIF_cond_alpha_isfa_ista" => (0.001, 0.0008, adex),
        "HH_cond_exp" => {
            (0.02, 0.015, ("gbar_K = 5.5", "i_offset = { distribution = \"uniform\", low = 0.0, high = 0.05 }"))
        }
        "Izhikevich" => {
            (0.5, 1.5, ("d = 4.0", "a = 0.1, i_offset = { distribution = \"uniform\", low = 0.0, high = 0.002 }"))
        }
        other => panic!("no setting for {other}"),
    };
    (w, noise, e, i)
}

/// The configuration of the tests with NEST, for `ms` of simulated time.
fn feedback(layout: Layout<'_>, cell: &str, ms: u32) -> String {
    let component = |name: &str, simulator: &str| {
        format!("[component.{name}]\nsimulator = \"{simulator}\"\nranks = {}\n", layout.ranks)
    };
    let components = component("a", layout.e) + &layout.i.map_or(String::new(), |i| component("b", i));
    let (w, noise, params, params_i) = setting(cell);
    let conductances = cell.contains("cond") || cell == "IF_facets_hardware1";
    let (sign, bound) = if conductances { ("", "low") } else { ("-", "high") };
    let sd = w / 10.0;
    let inhibition = format!("{{ distribution = \"normal_clipped\", mu = {sign}{w}, sigma = {sd}, {bound} = 0.0 }}");
    fs::read_to_string(file("nest/feedback.toml"))
        .unwrap()
        .replace("duration = \"200 ms\"", &format!("duration = \"{ms} ms\""))
        .replace("@components@", &components)
        .replace("@window@", &layout.window.map_or(String::new(), |w| format!("window = \"{w}\"")))
        .replace("@E@", "a")
        .replace("@I@", if layout.i.is_some() { "b" } else { "a" })
        .replace("@cell@", cell)
        .replace("@params@", params)
        .replace("@params_I@", params_i)
        .replace("@noise@", &noise.to_string())
        .replace("@inhibition@", &inhibition)
        .replace("@sign@", sign)
        .replace("@w@", &w.to_string())
        .replace("@sd@", &sd.to_string())
}

/// A closed loop, with delays shorter than the window inside, in as many ways as there are to cut it.
#[test]
fn halves_of_brian2_equal_the_whole() {
    needs_brian2!();
    let runs = Runs::new();
    let config = |layout| feedback(layout, "IF_curr_exp", 200);
    runs.run("whole", &config(WHOLE));
    assert!(runs.spikes("whole", "E") + runs.spikes("whole", "I") > 1000);
    let layouts = [
        ("halves", HALVES),
        ("halves-short-windows", Layout { window: Some("0.1 ms"), ..HALVES }),
        ("whole-three-ranks", Layout { ranks: 3, ..WHOLE }),
        ("halves-two-ranks", Layout { ranks: 2, ..HALVES }),
    ];
    for (label, layout) in layouts {
        runs.run(label, &config(layout));
        runs.assert_same("whole", label);
    }
    runs.run("other", &config(WHOLE).replace("seed = 7", "seed = 8"));
    runs.assert_different("whole", "other");
}

/// Integration in the order of the native kernel's operations: the same spikes in networks that amplify each difference.
#[test]
fn brian2_equals_native_where_it_integrates_alike() {
    needs_brian2!();
    let alike = [
        "IF_curr_exp",
        "IF_curr_alpha",
        "IF_curr_delta",
        "IF_cond_exp",
        "IF_cond_exp_gsfa_grr",
        "IF_facets_hardware1",
        "Izhikevich",
    ];
    for cell in alike {
        let runs = Runs::new();
        runs.run("native", &feedback(Layout { e: "native", ..WHOLE }, cell, 100));
        assert!(runs.spikes("native", "I") > 200, "{cell}: {} spikes", runs.spikes("native", "I"));
        for (label, e, i) in [
            ("brian2", "brian2", None),
            ("native-brian2", "native", Some("brian2")),
            ("brian2-native", "brian2", Some("native")),
        ] {
            runs.run(label, &feedback(Layout { e, i, ..WHOLE }, cell, 100));
            runs.assert_same("native", label);
        }
    }
}

/// Cells whose method is not NEST's.
#[test]
fn halves_of_the_other_cells_equal_the_whole() {
    needs_brian2!();
    for cell in ["IF_cond_alpha", "EIF_cond_exp_isfa_ista", "EIF_cond_alpha_isfa_ista", "HH_cond_exp"] {
        let runs = Runs::new();
        runs.run("whole", &feedback(WHOLE, cell, 80));
        assert!(runs.spikes("whole", "I") > 100, "{cell}: {} spikes", runs.spikes("whole", "I"));
        for (label, layout) in [("halves", HALVES), ("two-ranks", Layout { ranks: 2, ..WHOLE })] {
            runs.run(label, &feedback(layout, cell, 80));
            runs.assert_same("whole", label);
        }
    }
}

const EDGES: &str = r#"
[run]
duration = "30.3 ms"
[component.a]
simulator = "@simulator@"
ranks = @ranks@
[component.b]
simulator = "@simulator@"
step = "0.05 ms"
[population.pulses]
component = "a"
size = 3
cell = "SpikeSourceArray"
params = { spike_times = [[1.0, 1.1, 5.0], [], [0.1, 30.3]] }
[population.regular]
component = "a"
size = 20
cell = "SpikeSourceGamma"
params = { alpha = 4.0, beta = "4 kHz", start = 2.1 }
[population.one]
component = "a"
size = 1
cell = "IF_curr_exp"
params = { i_offset = 1.5 }
initial = { isyn_exc = 0.2, isyn_inh = -0.1 }
[population.equal]
component = "a"
size = 4
cell = "IF_curr_alpha"
params = { tau_m = 20.0, tau_syn_E = 20.0, tau_syn_I = 20.0000001, i_offset = 1.0, tau_refrac = 0.25 }
[population.fine]
component = "b"
size = 3
cell = "IF_curr_delta"
params = { i_offset = 1.2 }
[population.quiet]
component = "b"
size = 2
cell = "IF_curr_delta"
[[projection]]
from = ["one", "regular"]
to = ["one", "equal"]
connector = { type = "AllToAll" }
synapse = { weight = 0.05, delay = "0.3 ms" }
[[projection]]
from = ["one", "pulses"]
to = "fine"
connector = { type = "AllToAll" }
synapse = { weight = 3.0, delay = "2.15 ms" }
[[projection]]
from = "fine"
to = ["one", "equal"]
connector = { type = "AllToAll" }
synapse = { weight = -0.5, delay = "1 ms" }
receptor = "inhibitory"
[[record]]
population = ["pulses", "regular", "one", "equal", "fine", "quiet"]
"#;

/// Fewer neurons than ranks, steps that differ, an end amid a window, sources on a finer grid and without listeners, a
/// population that nothing reaches, time constants where propagators have a singularity, initial currents.
#[test]
fn corners_equal_native() {
    needs_brian2!();
    let runs = Runs::new();
    for simulator in ["native", "brian2"] {
        for ranks in ["1", "2"] {
            let config = EDGES.replace("@simulator@", simulator).replace("@ranks@", ranks);
            runs.run(&format!("{simulator}-{ranks}"), &config);
            runs.assert_same("native-1", &format!("{simulator}-{ranks}"));
        }
    }
    assert!(runs.spikes("native-1", "equal") > 0 && runs.spikes("native-1", "fine") > 0);
}

/// Every parameter of Brian2's cells can differ between neurons: one population, or a population for each neuron.
#[test]
fn neurons_with_parameters_of_their_own() {
    needs_brian2!();
    let runs = Runs::new();
    let taus = [5.0, 10.0, 20.0];
    let run = |populations: &str| {
        format!("[run]\nduration = \"100 ms\"\n[component.a]\nsimulator = \"brian2\"\n{populations}")
    };
    let one = |name: &str, size: usize, tau: &str| {
        format!(
            "[population.{name}]\ncomponent = \"a\"\nsize = {size}\ncell = \"EIF_cond_exp_isfa_ista\"\n\
             params = {{ tau_m = {tau}, i_offset = 1.5, tau_refrac = 1.0 }}\n"
        )
    };
    let record = |names: &str| format!("[[record]]\npopulation = [{names}]\n");
    runs.run("together", &run(&(one("all", 3, &format!("{taus:?}")) + &record("\"all\""))));
    let apart: String = taus.iter().enumerate().map(|(i, tau)| one(&format!("p{i}"), 1, &tau.to_string())).collect();
    runs.run("apart", &run(&(apart + &record("\"p0\", \"p1\", \"p2\""))));
    let apart: Vec<u64> = (0..3).map(|i| runs.spikes("apart", &format!("p{i}"))).collect();
    assert!(apart[0] > 0 && apart[0] != apart[2], "{apart:?}");
    assert_eq!(runs.spikes("together", "all"), apart.iter().sum::<u64>());
}

/// Analog signals into and out of every cell with a linear membrane: each sample as on the native simulator.
const SIGNALS: &str = r#"
[run]
duration = "49 ms"
@window@
[component.a]
simulator = "@a@"
[component.b]
simulator = "@b@"
[component.c]
simulator = "converter"
step = "0.1 ms"
[component.d]
simulator = "converter"
step = "0.5 ms"
[population.E]
component = "a"
size = 5
cell = "@cell@"
params = { i_offset = [0.6, 0.7, 1.2, 2.0, 3.0] }
[population.F]
component = "b"
size = 5
cell = "@cell@"
params = { i_offset = 0.1 }
[population.G]
component = "b"
size = 5
cell = "@cell@"
params = { i_offset = 0.3 }
[population.K]
component = "c"
size = 5
converter = { type = "gain", gain = 0.05, offset = 3.9, unit_in = "mV", unit_out = "nA" }
[population.M]
component = "d"
size = 5
converter = { type = "gain", gain = 0.01, offset = 0.7, unit_in = "mV", unit_out = "nA" }
[population.L]
component = "c"
size = 5
converter = { type = "gain", gain = 0.2, offset = -42.0, unit_in = "mV", unit_out = "mV" }
[[connection]]
from = "E.v"
to = "K.x"
delay = "0.1 ms"
[[connection]]
from = "E.v"
to = "M.x"
delay = "0.5 ms"
[[connection]]
from = "E.v"
to = "L.x"
delay = "0.3 ms"
[[connection]]
from = "K.y"
to = "F.current"
delay = "0.2 ms"
[[connection]]
from = "M.y"
to = "F.current"
delay = "2 ms"
interpolation = "linear"
[[connection]]
from = "K.y"
to = "G.i_offset"
delay = "0.5 ms"
[[connection]]
from = "L.y"
to = "G.v_thresh"
delay = "1 ms"
[[record]]
population = ["E", "F", "G"]
variables = ["spikes", "v"]
"#;

#[test]
fn signals_equal_native() {
    needs_brian2!();
    for cell in ["IF_curr_exp", "IF_curr_alpha", "IF_curr_delta"] {
        let runs = Runs::new();
        let config = |a: &str, b: &str, window: &str| {
            SIGNALS.replace("@a@", a).replace("@b@", b).replace("@cell@", cell).replace("@window@", window)
        };
        runs.run("native", &config("native", "native", ""));
        assert!(runs.spikes("native", "F") > 0 && runs.spikes("native", "G") > 0, "{cell}");
        for (label, a, b) in [("native-brian2", "native", "brian2"), ("brian2-native", "brian2", "native")] {
            runs.run(label, &config(a, b, ""));
            runs.assert_same("native", label);
        }
        runs.run("short", &config("brian2", "brian2", "window = \"0.5 ms\""));
        runs.assert_same("native", "short");
        runs.run("other", &config("brian2", "brian2", "").replace("gain = 0.05", "gain = 0.051"));
        runs.assert_different("native", "other");
    }
}

#[test]
fn a_threshold_below_the_reset_is_refused_while_it_runs() {
    needs_brian2!();
    let runs = Runs::new();
    let config = SIGNALS.replace("@a@", "native").replace("@b@", "brian2").replace("@cell@", "IF_curr_exp");
    let config = config.replace("@window@", "").replace("offset = -42.0", "offset = -142.0");
    let output = runs.start("low", &config);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    assert!(text(&output).contains("neuron 0 of `G`: `v_thresh` is"), "{}", text(&output));
}

fn script(path: &str, lines: &str) -> String {
    fs::read_to_string(file("brian2/script.toml")).unwrap().replace("@script@", path).replace("@python@", lines)
}

/// The script compares itself: what comes over links does what the same does by Brian2's own means.
#[test]
fn users_own_model_takes_part() {
    needs_brian2!();
    let runs = Runs::new();
    let model = file("brian2/model.py").display().to_string();
    runs.run("long", &script(&model, "").replace("@window@", ""));
    let python = format!("python = \"{}\"", brian2::installed().unwrap().display());
    runs.run("short", &script(&model, &python).replace("@window@", "window = \"0.1 ms\""));
    runs.assert_same("long", "short");
    assert!(runs.spikes("long", "E") > 0);
}

/// A small network of standard cells, partly by way of the native simulator, spikes as the same one in plain Brian2.
#[test]
fn a_network_does_what_it_does_in_plain_brian2() {
    needs_brian2!();
    let runs = Runs::new();
    let twin = fs::read_to_string(file("brian2/twin.toml")).unwrap();
    let twin = twin.replace("@script@", &file("brian2/twin.py").display().to_string());
    runs.run("long", &twin.replace("@window@", ""));
    runs.run("short", &twin.replace("@window@", "window = \"0.1 ms\""));
}

/// What a script can do wrong: the run ends, with its line and the way out.
#[test]
fn errors_of_a_users_model_are_told() {
    needs_brian2!();
    let good = "from brian2 import *\nimport couple.brian2 as cb\nprefs.codegen.target = 'numpy'\ncb.setup()\n\
                g = NeuronGroup(10, 'dv/dt = -v/(10*ms) : volt\\nx : 1 (shared)\\nI : amp', threshold='v > 1*mV')\n";
    let cases = [
        ("cb.port('P', g, receptors={'excitatory': 'w'})", "has no variable `w`; it has I, v, x"),
        ("cb.port('R', g)", "`R` is no population of component `own` that a script provides; those are: P, Q"),
        ("cb.port('P', g[:4])", "has size 10 in the configuration, but `neurongroup_subgroup` has 4 neurons"),
        ("cb.port('P', g, receptors={'excitatory': 'x'})", "`x` of `neurongroup` cannot be set"),
        ("cb.port('P', g, receptors={'ampa': 'v'})", "there is no receptor `ampa`"),
        ("cb.output('P', 'potential', g, 'I')", "`P.potential` is in mV, but `I` of `neurongroup` is in"),
        ("cb.output('P', 'pot', g, 'v')", "no analog variable `pot` in the configuration; it has potential"),
        (
            "h = NeuronGroup(10, 'v : volt')\ncb.port('P', h)\ncb.run(Network(h))",
            "the spikes of `P` are wanted, but `neurongroup_1` never spikes",
        ),
        ("cb.run(Network(g))", "no group for population `P`. Help: call couple.brian2.port(\"P\", group) before run()"),
        ("cb.port('P', g)\ncb.run(Network())", "`neurongroup` is not in the network"),
        ("cb.port('P', g)\ncb.run(g)", "takes a Network"),
        ("n = Network(g)\nn.run(1*ms)\ncb.port('P', g)\ncb.run(n)", "the network has simulated already"),
        (
            "g = NeuronGroup(10, 'v : volt', threshold='v > 0*mV', dt=1*ms)\ncb.port('P', g)\ncb.run(Network(g))",
            "has a step of 1.0 ms",
        ),
        ("cb.port('P', g)\ncb.run(Network(g))", "excitatory receptor of `P`, but couple.brian2.port names only none"),
        ("cb.port('P', g, receptors=['v'])", "receptors are given as {\"excitatory\": \"variable\"}"),
        ("cb.port('P', 'g')", "'g' is no group of Brian2"),
        ("raise ValueError('wrapped') from KeyError('first')", "It began with KeyError: 'first'"),
        ("exit()", "called exit() before couple.brian2.run() was over"),
        ("1/0", "ZeroDivisionError: division by zero"),
        ("", "ended without calling couple.brian2.run()"),
    ];
    let runs = Runs::new();
    for (number, (lines, expected)) in cases.iter().enumerate() {
        let (name, label) = (format!("broken{number}.py"), format!("broken{number}"));
        fs::write(runs.folder.path().join(&name), format!("{good}{lines}\n")).unwrap();
        let output = runs.start(&label, &script(&name, "").replace("@window@", ""));
        assert_eq!(output.status.code(), Some(3), "{lines}: {}", text(&output));
        let told = text(&output);
        assert!(told.contains(expected), "{lines}: {told}");
        assert!(lines.is_empty() || told.contains(&format!("{name}:{}", 5 + lines.lines().count())), "{lines}: {told}");
    }
}

#[test]
fn a_killed_component_leaves_no_files() {
    needs_brian2!();
    let runs = Runs::new();
    let folder = runs.folder.path().join("tmp");
    fs::create_dir(&folder).unwrap();
    let model = "import os, tempfile\ntempfile.tempdir = os.path.abspath('tmp')\nfrom brian2 import *\n\
                 import couple.brian2 as cb\ncb.setup()\nos.kill(os.getpid(), 9)\n";
    fs::write(runs.folder.path().join("killed.py"), model).unwrap();
    let output = runs.start("killed", &script("killed.py", "").replace("@window@", ""));
    assert!(text(&output).contains("was killed by signal 9"), "{}", text(&output));
    let left: Vec<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert!(left.is_empty(), "{left:?}");
}

/// With cells that both simulators compute alike, plastic synapses give the spikes of the native simulator, whole, split and
/// spanning.
#[test]
fn plastic_synapses_equal_native() {
    needs_brian2!();
    let runs = Runs::new();
    let config = |Layout { e, i, ranks, window }| {
        let component =
            |name: &str, simulator: &str| format!("[component.{name}]\nsimulator = \"{simulator}\"\nranks = {ranks}\n");
        fs::read_to_string(file("nest/plastic.toml"))
            .unwrap()
            .replace("duration = \"400 ms\"", "duration = \"200 ms\"")
            .replace("@components@", &(component("a", e) + &i.map_or(String::new(), |i| component("b", i))))
            .replace("@window@", &window.map_or(String::new(), |w| format!("window = \"{w}\"")))
            .replace("@E@", "a")
            .replace("@I@", if i.is_some() { "b" } else { "a" })
    };
    let native = Layout { e: "native", ..WHOLE };
    runs.run("native", &config(native));
    // Does the plasticity matter at all?
    runs.run("less", &config(native).replace("A_plus = 0.", "A_plus = 0.000"));
    runs.assert_different("native", "less");
    let layouts = [
        ("whole", WHOLE),
        ("halves", HALVES),
        ("ranks", Layout { ranks: 2, window: Some("0.1 ms"), ..WHOLE }),
        ("brian2-native", Layout { i: Some("native"), ..WHOLE }),
        ("native-brian2", Layout { e: "native", i: Some("brian2"), ..WHOLE }),
    ];
    for (label, layout) in layouts {
        runs.run(label, &config(layout));
        runs.assert_same("native", label);
    }
}
