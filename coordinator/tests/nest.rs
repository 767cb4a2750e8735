//! NEST as a component: alone against itself in halves, against the native simulator, and with a user's own model.
//! Equal means equal spikes, bit for bit. Needs the managed environment (`couple setup nest`), and says so when it is
//! not there.

#![allow(clippy::unwrap_used, reason = "how a test fails")]

mod components;

use std::fs;
use std::path::Path;
use std::process::Command;

use components::{Runs, file, text};
use couple::setup::nest;

/// Skips the test where NEST has not been set up.
macro_rules! needs_nest {
    () => {
        if nest::installed().is_none() {
            println!("skipped: {} needs NEST: run `couple setup nest`", module_path!());
            return;
        }
    };
}

/// Recorded spikes of all neurons.
fn neurons(runs: &Runs, label: &str) -> u64 {
    runs.spikes(label, "E") + runs.spikes(label, "I")
}

/// Where the two populations of feedback.toml live.
#[derive(Clone, Copy)]
struct Layout<'a> {
    /// Simulator of E, and of I where that lives apart.
    e: &'a str,
    i: Option<&'a str>,
    ranks: u32,
    threads: u32,
    window: Option<&'a str>,
}

const NEST: Layout<'static> = Layout { e: "nest", i: None, ranks: 1, threads: 1, window: None };

fn feedback(layout: Layout<'_>, cell: &str) -> String {
    let component = |name: &str, simulator: &str| {
        let Layout { ranks, threads, .. } = layout;
        format!("[component.{name}]\nsimulator = \"{simulator}\"\nranks = {ranks}\nthreads = {threads}\n")
    };
    let components = component("a", layout.e) + &layout.i.map_or(String::new(), |i| component("b", i));
    let Strength { w, sd, noise } = strength(cell);
    let (params, params_i) = params(cell);
    let conductances = cell.contains("cond") || cell == "IF_facets_hardware1";
    let sign = if conductances { "" } else { "-" };
    let bound = if conductances { "low" } else { "high" };
    let inhibition = format!("{{ distribution = \"normal_clipped\", mu = {sign}{w}, sigma = {sd}, {bound} = 0.0 }}");
    fs::read_to_string(file("nest/feedback.toml"))
        .unwrap()
        .replace("@components@", &components)
        .replace("@window@", &layout.window.map_or(String::new(), |w| format!("window = \"{w}\"")))
        .replace("@E@", "a")
        .replace("@I@", if layout.i.is_some() { "b" } else { "a" })
        .replace("@cell@", cell)
        .replace("@params@", params)
        .replace("@params_I@", params_i)
        .replace("@noise@", noise)
        .replace("@inhibition@", &inhibition)
        .replace("@sign@", sign)
        .replace("@w@", w)
        .replace("@sd@", sd)
}

/// Weights within the network, their standard deviation, and the weight of the noise.
struct Strength {
    w: &'static str,
    sd: &'static str,
    noise: &'static str,
}

/// Weights with which a cell fires some ten times a second.
fn strength(cell: &str) -> Strength {
    let (w, sd, noise) = match cell {
        "IF_curr_alpha" => ("0.3", "0.03", "0.3"),
        "IF_curr_delta" => ("0.4", "0.04", "0.8"),
        "Izhikevich" => ("0.5", "0.05", "1.5"),
        "IF_cond_exp" | "IF_cond_exp_gsfa_grr" => ("0.002", "0.0002", "0.0012"),
        "IF_cond_alpha" => ("0.01", "0.001", "0.007"),
        "IF_facets_hardware1" => ("0.0005", "0.00005", "0.0003"),
        "EIF_cond_exp_isfa_ista" => ("0.003", "0.0003", "0.002"),
        "EIF_cond_alpha_isfa_ista" => ("0.001", "0.0001", "0.0008"),
        "HH_cond_exp" => ("0.02", "0.002", "0.015"),
        _ => ("0.06", "0.006", "0.1"),
    };
    Strength { w, sd, noise }
}

/// Parameters of the excitatory and of the inhibitory neurons.
fn params(cell: &str) -> (&'static str, &'static str) {
    match cell {
        "IF_facets_hardware1" => ("tau_syn_E = 20.0", "g_leak = 30.0"),
        "HH_cond_exp" => ("gbar_K = 5.5", "i_offset = { distribution = \"uniform\", low = 0.0, high = 0.05 }"),
        "Izhikevich" => ("d = 4.0", "a = 0.1, i_offset = { distribution = \"uniform\", low = 0.0, high = 0.002 }"),
        "EIF_cond_exp_isfa_ista" | "EIF_cond_alpha_isfa_ista" => (
            "tau_refrac = 2.0, b = 0.05",
            "tau_refrac = 0.0, i_offset = { distribution = \"uniform\", low = 0.0, high = 0.2 }",
        ),
        _ => (
            "cm = 0.25, tau_m = 10.0, tau_refrac = 2.0",
            "cm = 0.25, tau_m = 10.0, tau_refrac = 1.0, i_offset = { distribution = \"uniform\", low = 0.0, high = 0.2 }",
        ),
    }
}

#[test]
fn halves_of_nest_equal_the_whole() {
    needs_nest!();
    let runs = Runs::new();
    let config = |layout| feedback(layout, "IF_curr_exp");
    runs.run("whole", &config(NEST));
    let halves = Layout { i: Some("nest"), ..NEST };
    let layouts = [
        ("whole-two-threads", Layout { threads: 2, ..NEST }),
        ("halves", halves),
        ("halves-two-threads", Layout { threads: 2, ..halves }),
        ("halves-short-windows", Layout { window: Some("0.1 ms"), ..halves }),
        ("whole-two-ranks", Layout { ranks: 2, ..NEST }),
        ("halves-two-ranks", Layout { ranks: 2, ..halves }),
    ];
    for (label, layout) in layouts {
        runs.run(label, &config(layout));
        runs.assert_same("whole", label);
    }
    runs.run("other", &config(NEST).replace("seed = 7", "seed = 8"));
    runs.assert_different("whole", "other");
}

#[test]
fn nest_equals_native_with_every_current_based_cell() {
    needs_nest!();
    for cell in ["IF_curr_exp", "IF_curr_alpha", "IF_curr_delta"] {
        let runs = Runs::new();
        runs.run("native", &feedback(Layout { e: "native", ..NEST }, cell));
        for (label, e, i) in [
            ("nest", "nest", None),
            ("native-nest", "native", Some("nest")),
            ("nest-native", "nest", Some("native")),
            ("native-native", "native", Some("native")),
            ("nest-nest", "nest", Some("nest")),
        ] {
            runs.run(label, &feedback(Layout { e, i, ..NEST }, cell));
            runs.assert_same("native", label);
        }
        assert!(neurons(&runs, "native") > 1000, "{cell}: too few spikes to mean anything");
    }
}

#[test]
fn nest_equals_native_with_every_conductance_based_cell_and_izhikevichs() {
    needs_nest!();
    for cell in [
        "IF_cond_exp",
        "IF_cond_alpha",
        "IF_cond_exp_gsfa_grr",
        "IF_facets_hardware1",
        "EIF_cond_exp_isfa_ista",
        "EIF_cond_alpha_isfa_ista",
        "HH_cond_exp",
        "Izhikevich",
    ] {
        let runs = Runs::new();
        runs.run("native", &feedback(Layout { e: "native", ..NEST }, cell));
        assert!(
            neurons(&runs, "native") > 1000,
            "{cell}: {} spikes are too few to mean anything",
            neurons(&runs, "native")
        );
        for (label, e, i) in [("nest", "nest", None), ("native-nest", "native", Some("nest"))] {
            runs.run(label, &feedback(Layout { e, i, ..NEST }, cell));
            runs.assert_same("native", label);
        }
    }
}

/// Initial values that NEST has in units of its own, and those of gating variables.
#[test]
fn nest_starts_where_native_does() {
    needs_nest!();
    let runs = Runs::new();
    let start = |simulator: &str, w: &str| INITIAL.replace("@simulator@", simulator).replace("@w@", w);
    runs.run("native", &start("native", "0.1"));
    runs.run("nest", &start("nest", "0.1"));
    runs.assert_same("native", "nest");
    runs.run("other", &start("nest", "0.0"));
    runs.assert_different("native", "other");
}

const INITIAL: &str = r#"
[run]
duration = "100 ms"
[component.a]
simulator = "@simulator@"
[population.adapting]
component = "a"
size = 5
cell = "EIF_cond_alpha_isfa_ista"
params = { i_offset = 1.0, a = "0.004 uS", b = "80.5 pA" }
initial = { w = @w@, v = { distribution = "uniform", low = -70.0, high = -60.0 } }
[population.channels]
component = "a"
size = 5
cell = "HH_cond_exp"
params = { i_offset = 1.0 }
initial = { h = 0.9, m = { distribution = "uniform", low = 0.0, high = 0.2 }, n = 0.1 }
[population.relative]
component = "a"
size = 5
cell = "IF_cond_exp_gsfa_grr"
params = { i_offset = 2.0, q_sfa = "20 nS" }
initial = { g_s = { distribution = "uniform", low = 0.0, high = 20.0 }, g_r = 5.0 }
[population.quadratic]
component = "a"
size = 5
cell = "Izhikevich"
params = { i_offset = 0.01 }
initial = { u = { distribution = "uniform", low = -15.0, high = -5.0 } }
[[record]]
population = ["adapting", "channels", "relative", "quadratic"]
"#;

/// Sources with intervals of their own, which every component makes itself.
#[test]
fn renewal_processes_are_the_same_on_both() {
    needs_nest!();
    let runs = Runs::new();
    let config = |a: &str, b: &str| RENEWAL.replace("@a@", a).replace("@b@", b);
    runs.run("native", &config("native", "native"));
    assert!(neurons(&runs, "native") > 200, "{} spikes are too few to mean anything", neurons(&runs, "native"));
    for (label, a, b) in
        [("nest", "nest", "nest"), ("native-nest", "native", "nest"), ("nest-native", "nest", "native")]
    {
        runs.run(label, &config(a, b));
        runs.assert_same("native", label);
    }
}

const RENEWAL: &str = r#"
[run]
duration = "200 ms"
[component.a]
simulator = "@a@"
threads = 2
[component.b]
simulator = "@b@"
[population.regular]
component = "a"
size = 50
cell = "SpikeSourceGamma"
params = { alpha = 4.0, beta = "400 Hz", start = 20.05 }
[population.refractory]
component = "b"
size = 50
cell = "SpikeSourcePoissonRefractory"
params = { rate = 150.0, tau_refrac = "4 ms", duration = 150.0 }
[population.changing]
component = "a"
size = 50
cell = "SpikeSourceInhGamma"
params = { a = [4.0, 1.0], b = ["5 ms", 0.05], tbins = [0.0, 100.05] }
[population.E]
component = "a"
size = 40
cell = "IF_cond_exp"
[population.I]
component = "b"
size = 40
cell = "EIF_cond_exp_isfa_ista"
[[projection]]
from = ["regular", "refractory", "changing"]
to = ["E", "I"]
connector = { type = "FixedProbability", p = 0.3 }
synapse = { weight = 0.005, delay = "0.7 ms" }
[[record]]
population = ["regular", "refractory", "changing", "E", "I"]
"#;

#[test]
fn steps_finer_than_a_microsecond() {
    needs_nest!();
    let runs = Runs::new();
    let fine = |simulator| feedback(Layout { e: simulator, ..NEST }, "IF_curr_exp").replace("0.1 ms\"", "0.0125 ms\"");
    let step = |config: String| config.replace("ranks = 1", "step = \"0.0125 ms\"\nranks = 1");
    runs.run("native", &step(fine("native")));
    runs.run("nest", &step(fine("nest")));
    runs.assert_same("native", "nest");
}

const EDGES: &str = r#"
[run]
duration = "30.3 ms"
[component.a]
simulator = "@simulator@"
ranks = @ranks@
threads = @ranks@
[component.b]
simulator = "@simulator@"
step = "0.05 ms"
[population.pulses]
component = "a"
size = 3
cell = "SpikeSourceArray"
params = { spike_times = [[1.0, 1.1, 5.0], [], [0.1, 30.3]] }
[population.one]
component = "a"
size = 1
cell = "IF_curr_exp"
params = { i_offset = 1.5 }
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
from = "one"
to = "one"
connector = { type = "AllToAll" }
synapse = { weight = 0.5, delay = "0.3 ms" }
[[projection]]
from = "one"
to = "fine"
connector = { type = "AllToAll" }
synapse = { weight = 3.0, delay = "2.15 ms" }
[[projection]]
from = "fine"
to = "one"
connector = { type = "AllToAll" }
synapse = { weight = -0.5, delay = "1 ms" }
receptor = "inhibitory"
[[record]]
population = ["pulses", "one", "fine", "quiet"]
"#;

/// Fewer neurons than ranks, steps that differ, an end amid a window, a source on a finer grid, a source that nobody
/// listens to, a population that nothing reaches.
#[test]
fn corners_equal_native() {
    needs_nest!();
    let runs = Runs::new();
    for simulator in ["native", "nest"] {
        for ranks in ["1", "2"] {
            let config = EDGES.replace("@simulator@", simulator).replace("@ranks@", ranks);
            runs.run(&format!("{simulator}-{ranks}"), &config);
            runs.assert_same("native-1", &format!("{simulator}-{ranks}"));
        }
    }
}

fn script(line: &str, population: &str) -> String {
    let config = fs::read_to_string(file("nest/script.toml")).unwrap();
    config.replace("@script@", line).replace("@P@", population)
}

#[test]
fn users_own_model_takes_part() {
    needs_nest!();
    let runs = Runs::new();
    let cell = "cell = \"IF_curr_exp\"\nparams = { cm = 0.25, tau_m = 10.0, tau_refrac = 2.0 }";
    runs.run("cells", &script("", cell));
    let line = format!("script = \"{}\"", file("nest/model.py").display());
    runs.run("script", &script(&line, ""));
    runs.assert_same("cells", "script");
    // In an interpreter that the component names: the managed one, by its path.
    let line = format!("{line}\npython = \"{}\"", nest::installed().unwrap().display());
    runs.run("own-python", &script(&line, ""));
    runs.assert_same("cells", "own-python");
}

#[test]
fn error_of_a_users_model_is_told_with_its_line() {
    needs_nest!();
    let runs = Runs::new();
    let model = "import nest\nimport couple.nest as cn\ncn.setup()\nnest.Create('iaf_psc_expp', 50)\n";
    fs::write(runs.folder.path().join("broken.py"), model).unwrap();
    let output = runs.start("broken", &script("script = \"broken.py\"", ""));
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    let told = text(&output);
    assert!(told.contains("broken.py:4") && told.contains("iaf_psc_expp"), "{told}");
}

/// The adapter on a session without a coordinator: slices, threads, late events, every refusal of a script.
#[test]
fn python_tests_of_the_adapter() {
    needs_nest!();
    let environment = nest::ensure(None, &|line| println!("{line}")).unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut command = Command::new(&environment.python);
    command.args(["-m", "unittest"]).current_dir(root.join("adapters/python/tests"));
    command.env("PYTHONPATH", root.join("adapters/python")).env("PYTHONDONTWRITEBYTECODE", "1");
    command.env("COUPLE_NEST_MODULE", &environment.module).env("COUPLE_HEADERS", root.join("ports/ffi/include"));
    command.env("OMP_WAIT_POLICY", "passive").env("PYNEST_QUIET", "1");
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
}
