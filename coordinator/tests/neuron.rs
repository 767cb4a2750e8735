//! NEURON as a component: whole against halves, with other simulators, against NEURON without couple, and with a user's
//! own model. Equal means equal spikes, bit for bit. Needs the managed environment (`couple setup neuron`), and says so
//! when it is not there.

#![allow(clippy::unwrap_used, reason = "how a test fails")]

mod components;

use std::fs;
use std::process::Command;

use components::{Runs, file, text};
use couple::setup::neuron;

/// Skips the test where NEURON has not been set up.
macro_rules! needs_neuron {
    () => {
        if neuron::installed().is_none() {
            println!("skipped: {} needs NEURON: run `couple setup neuron`", module_path!());
            return;
        }
    };
}

/// Where the two populations of network.toml live.
#[derive(Clone, Copy)]
struct Layout<'a> {
    /// Settings of the component of E, and of that of I where it lives apart.
    e: &'a str,
    i: Option<&'a str>,
    window: Option<&'a str>,
}

const FIXED: &str = "simulator = \"neuron\"";
const VARIABLE: &str = "simulator = \"neuron\"\ncvode = { atol = 1e-6 }";

/// Parameters, weights of excitation, inhibition and noise for some ten to a hundred spikes a second.
fn strength(cell: &str) -> [&'static str; 4] {
    match cell {
        "IF_curr_alpha" => ["cm = 0.25, tau_refrac = 2.0", "0.3", "-0.3", "0.6"],
        "IF_curr_delta" => ["cm = 0.25, tau_refrac = 2.0", "0.5", "-0.5", "1.0"],
        "Izhikevich" => ["d = 4.0", "0.5", "-0.5", "1.5"],
        "IF_cond_exp" | "IF_cond_exp_gsfa_grr" => ["cm = 0.25, tau_refrac = 2.0", "0.002", "0.002", "0.003"],
        "IF_cond_alpha" => ["cm = 0.25, tau_refrac = 2.0", "0.01", "0.01", "0.014"],
        "IF_facets_hardware1" => ["tau_syn_E = 20.0", "0.0005", "0.0005", "0.0006"],
        "EIF_cond_exp_isfa_ista" => ["tau_refrac = 2.0, b = 0.05", "0.003", "0.003", "0.004"],
        "EIF_cond_alpha_isfa_ista" => ["tau_refrac = 0.0, b = 0.05", "0.001", "0.001", "0.002"],
        "HH_cond_exp" => ["gbar_K = 5.5", "0.02", "0.02", "0.03"],
        _ => ["cm = 0.25, tau_refrac = 2.0", "0.06", "-0.06", "0.1"],
    }
}

fn network(layout: Layout<'_>, cell: &str) -> String {
    let [params, w, inhibition, noise] = strength(cell);
    let mut components = format!("[component.a]\n{}\n", layout.e);
    if let Some(i) = layout.i {
        components += &format!("[component.b]\n{i}\n");
    }
    fs::read_to_string(file("neuron/network.toml"))
        .unwrap()
        .replace("@components@", &components)
        .replace("@window@", &layout.window.map_or(String::new(), |w| format!("window = \"{w}\"")))
        .replace("@I@", if layout.i.is_some() { "b" } else { "a" })
        .replace("@cell@", cell)
        .replace("@params@", params)
        .replace("@inhibition@", inhibition)
        .replace("@noise@", noise)
        .replace("@w@", w)
}

const CELLS: [&str; 11] = [
    "IF_curr_exp",
    "IF_curr_alpha",
    "IF_curr_delta",
    "IF_cond_exp",
    "IF_cond_alpha",
    "IF_cond_exp_gsfa_grr",
    "IF_facets_hardware1",
    "EIF_cond_exp_isfa_ista",
    "EIF_cond_alpha_isfa_ista",
    "HH_cond_exp",
    "Izhikevich",
];

/// With every cell, by both integrators, in a closed loop.
#[test]
fn halves_equal_the_whole_with_every_cell() {
    needs_neuron!();
    for cell in CELLS {
        let runs = Runs::new();
        for (integrator, settings) in [("fixed", FIXED), ("variable", VARIABLE)] {
            let (whole, halves) = (format!("{integrator}-whole"), format!("{integrator}-halves"));
            runs.run(&whole, &network(Layout { e: settings, i: None, window: None }, cell));
            runs.run(&halves, &network(Layout { e: settings, i: Some(settings), window: None }, cell));
            runs.assert_same(&whole, &halves);
            let spikes = runs.spikes(&whole, "E");
            assert!(spikes > 30, "{cell}, {integrator}: {spikes} spikes are too few to mean anything");
        }
        runs.assert_different("fixed-whole", "variable-whole");
    }
}

#[test]
fn windows_and_ranks_make_no_difference() {
    needs_neuron!();
    let runs = Runs::new();
    for (integrator, settings) in [("fixed", FIXED), ("variable", VARIABLE)] {
        let label = |name: &str| format!("{integrator}-{name}");
        let two_ranks = format!("{settings}\nranks = 2");
        let (e, i) = (settings, Some(settings));
        runs.run(&label("whole"), &network(Layout { e, i: None, window: None }, "IF_cond_exp"));
        for (name, layout) in [
            ("halves-of-a-step", Layout { e, i, window: Some("0.1 ms") }),
            ("whole-odd-windows", Layout { e, i: None, window: Some("0.7 ms") }),
            ("whole-long-windows", Layout { e, i: None, window: Some("50 ms") }),
            ("two-ranks", Layout { e: &two_ranks, i: None, window: None }),
        ] {
            runs.run(&label(name), &network(layout, "IF_cond_exp"));
            runs.assert_same(&label("whole"), &label(name));
        }
    }
}

/// NEURON at 0.025 ms and native at 0.1 ms in one loop.
#[test]
fn a_fine_step_in_a_loop_with_a_coarse_one() {
    needs_neuron!();
    let runs = Runs::new();
    let fine = format!("{FIXED}\nstep = \"0.025 ms\"");
    let native = "simulator = \"native\"";
    for (label, window) in [("planned", None), ("shortest", Some("0.1 ms"))] {
        runs.run(label, &network(Layout { e: native, i: Some(&fine), window }, "IF_curr_exp"));
    }
    runs.assert_same("planned", "shortest");
    assert!(runs.spikes("planned", "I") > 100, "{} spikes", runs.spikes("planned", "I"));
}

/// A cell that starts above its threshold fires after the first step, as on the other simulators; with the variable step
/// at once.
#[test]
fn cells_may_start_above_the_threshold() {
    needs_neuron!();
    let runs = Runs::new();
    let config = |settings: &str| fs::read_to_string(file("neuron/above.toml")).unwrap().replace("@a@", settings);
    runs.run("native", &config("simulator = \"native\""));
    runs.run("fixed", &config(FIXED));
    runs.assert_same("native", "fixed");
    runs.run("variable", &config(VARIABLE));
    for (population, spikes) in [("leaky", 1), ("sums", 2), ("quadratic", 1), ("adapting", 1)] {
        assert_eq!(runs.spikes("fixed", population), spikes, "{population}");
        assert_eq!(runs.spikes("variable", population), spikes, "{population}");
    }
}

/// With cells that any simulator computes alike, plastic synapses give the spikes of the native simulator, whole, split
/// and spanning.
#[test]
fn plastic_synapses_equal_native() {
    needs_neuron!();
    let runs = Runs::new();
    let config = |e: &str, i: Option<&str>, window: &str| {
        let b = i.map_or(String::new(), |i| format!("[component.b]\n{i}\n"));
        fs::read_to_string(file("neuron/plastic.toml"))
            .unwrap()
            .replace("@components@", &format!("[component.a]\n{e}\n{b}"))
            .replace("@I@", if i.is_some() { "b" } else { "a" })
            .replace("@window@", window)
    };
    let native = "simulator = \"native\"";
    runs.run("native", &config(native, None, ""));
    // Does the plasticity matter at all?
    runs.run("less", &config(native, None, "").replace("A_plus = 0.", "A_plus = 0.000"));
    runs.assert_different("native", "less");
    let ranks = format!("{FIXED}\nranks = 2");
    for (label, e, i, window) in [
        ("fixed", FIXED, None, ""),
        ("fixed-halves", FIXED, Some(FIXED), ""),
        ("fixed-ranks", ranks.as_str(), None, "window = \"0.1 ms\""),
        ("variable", VARIABLE, None, ""),
        ("variable-halves", VARIABLE, Some(VARIABLE), "window = \"0.1 ms\""),
        ("fixed-native", FIXED, Some(native), ""),
        ("native-variable", native, Some(VARIABLE), ""),
    ] {
        runs.run(label, &config(e, i, window));
        runs.assert_same("native", label);
    }
}

/// Where each spike makes the next cell fire at once, every delay shows in the stamps.
#[test]
fn delays_are_exact() {
    needs_neuron!();
    let runs = Runs::new();
    let chain = |component: &str| fs::read_to_string(file("neuron/chain.toml")).unwrap().replace("@b@", component);
    runs.run("native", &chain("simulator = \"native\""));
    let last = runs.spikes("native", "C");
    assert_eq!(last, 5, "each of the pulses gets to the end of the chain");
    for (label, component) in [("fixed", FIXED), ("variable", VARIABLE)] {
        runs.run(label, &chain(component));
        runs.assert_same("native", label);
    }
}

/// NEURON as it is, without couple, has the same spikes: its own sections and synapses, events by NetCon.
#[test]
fn a_users_model_does_what_it_does_without_couple() {
    needs_neuron!();
    let runs = Runs::new();
    let python = neuron::installed().unwrap();
    for (label, cvode) in [("fixed", ""), ("variable", "cvode = { atol = 1e-3 }")] {
        runs.run(label, &script(&file("neuron/model.py").display().to_string(), cvode));
        let output = Command::new(&python).arg(file("neuron/plain.py")).arg(label).output().unwrap();
        assert!(output.status.success(), "{}", text(&output));
        let expected: Vec<i64> = serde_json::from_slice(&output.stdout).unwrap();
        assert!(expected.len() >= 8, "{expected:?}");
        // What the relay hears is written by a program of ours: spikes of P, one delay later.
        let heard = fs::read_to_string(runs.folder.path().join("heard.json")).unwrap();
        let heard: Vec<i64> = serde_json::from_str(&heard).unwrap();
        assert_eq!(heard, expected, "{label}");
    }
}

#[test]
fn signals_do_not_depend_on_windows() {
    needs_neuron!();
    let runs = Runs::new();
    let config = |settings: &str, window: &str| {
        let text = fs::read_to_string(file("neuron/signals.toml")).unwrap();
        text.replace("@neuron@", settings).replace("@window@", window)
    };
    for (integrator, settings) in [("fixed", FIXED), ("variable", VARIABLE)] {
        runs.run(integrator, &config(settings, ""));
        let short = format!("{integrator}-short");
        runs.run(&short, &config(settings, "window = \"0.1 ms\""));
        runs.assert_same(integrator, &short);
        assert!(runs.spikes(integrator, "E") > 3, "{} spikes", runs.spikes(integrator, "E"));
    }
    runs.run("native", &config("simulator = \"native\"", ""));
    runs.assert_different("fixed", "native");
}

/// A user's model, driven by one signal and read by others.
#[test]
fn signals_of_a_users_model_do_not_depend_on_windows() {
    needs_neuron!();
    let runs = Runs::new();
    let config = |settings: &str, window: &str| {
        let text = fs::read_to_string(file("neuron/driven.toml")).unwrap();
        let text = text.replace("@neuron@", settings).replace("@window@", window);
        text.replace("@model@", &file("neuron/driven.py").display().to_string())
    };
    for (integrator, settings) in [("fixed", FIXED), ("variable", VARIABLE)] {
        runs.run(integrator, &config(settings, ""));
        let short = format!("{integrator}-short");
        runs.run(&short, &config(settings, "window = \"0.1 ms\""));
        runs.assert_same(integrator, &short);
        assert!(runs.spikes(integrator, "P") > 1, "{} spikes", runs.spikes(integrator, "P"));
    }
}

/// A threshold that a signal moves: down to cells that wait just below it, which then fire a step later, as native ones do.
#[test]
fn thresholds_can_be_driven() {
    needs_neuron!();
    let runs = Runs::new();
    let config = |settings: &str, window: &str| {
        let text = fs::read_to_string(file("neuron/threshold.toml")).unwrap();
        text.replace("@neuron@", settings).replace("@window@", window)
    };
    runs.run("native", &config("simulator = \"native\"", ""));
    assert!(runs.spikes("native", "E") > 10, "{} spikes", runs.spikes("native", "E"));
    runs.run("fixed", &config(FIXED, ""));
    runs.assert_same("native", "fixed");
    runs.run("fixed-short", &config(FIXED, "window = \"0.1 ms\""));
    runs.assert_same("native", "fixed-short");
    runs.run("variable", &config(VARIABLE, ""));
    runs.run("variable-short", &config(VARIABLE, "window = \"0.1 ms\""));
    runs.assert_same("variable", "variable-short");
    for (label, settings) in [("low", FIXED), ("low-variable", VARIABLE)] {
        let low = config(settings, "").replace("offset = 60.0", "offset = 20.0");
        runs.fails(label, &low, &["a signal sets v_thresh to", "not above v_reset"]);
    }
}

fn script(model: &str, cvode: &str) -> String {
    fs::read_to_string(file("neuron/script.toml"))
        .unwrap()
        .replace("@model@", model)
        .replace("@cvode@", cvode)
        .replace("@listener@", &file("neuron/listener.py").display().to_string())
        .replace("@python@", &neuron::installed().unwrap().display().to_string())
}

#[test]
fn mistakes_in_a_script_are_told() {
    needs_neuron!();
    let runs = Runs::new();
    let begin =
        "from neuron import h\nimport couple.neuron as cn\ncn.setup()\ns = h.Section()\nsyn = h.ExpSyn(s(0.5))\n";
    let port = "cn.port('P', synapses={'excitatory': [syn]}, spikes=[(s(0.5), -10)])\n";
    let cases: [(&str, String, &[&str]); 15] = [
        ("no-setup", "import couple.neuron as cn\ncn.port('P')\n".into(), &["no-setup.py:2", "setup() first"]),
        ("unknown", format!("{begin}cn.port('Q', spikes=[])\n"), &["unknown.py:6", "those are: P"]),
        ("width", format!("{begin}cn.port('P', spikes=[1, 2])\n"), &["has size 1", "given 2"]),
        ("no-synapse", format!("{begin}cn.port('P', synapses={{'excitatory': [s]}})\n"), &["NET_RECEIVE"]),
        ("nothing", format!("{begin}cn.run()\n"), &["nothing.py:6", "what is behind `P`"]),
        ("no-run", format!("{begin}{port}"), &["ended without calling couple.neuron.run()"]),
        ("step", format!("{begin}{port}h.dt = 0.1\ncn.run()\n"), &["h.dt = 0.1", "0.025 ms"]),
        ("before", format!("{begin}h.finitialize()\nh.fadvance()\n{port}cn.run()\n"), &["simulated already"]),
        ("exception", format!("{begin}raise KeyError('soma')\n"), &["exception.py:6", "KeyError"]),
        ("again", format!("{begin}cn.setup()\n"), &["again.py:6", "setup() was called twice"]),
        ("section", format!("{begin}cn.port('P', spikes=[s])\n"), &["section.py:6", "(segment, threshold in mV)"]),
        (
            "number",
            format!("{begin}cn.output('P', 'x', [s(0.5).v])\n"),
            &["number.py:6", "`P.x`", "segment._ref_v", "not -65"],
        ),
        ("point", format!("{begin}cn.input('P', 'x', [syn])\n"), &["point.py:6", "`P.x`", "takes pointers"]),
        ("exit", format!("{begin}{port}exit()\n"), &["called exit() before couple.neuron.run() was over"]),
        ("signal", format!("{begin}cn.output('P', 'w', [s(0.5)._ref_v])\n"), &["no analog variable `w`"]),
    ];
    for (label, model, words) in cases {
        runs.write(&format!("{label}.py"), &model);
        runs.fails(label, &script(&format!("{label}.py"), ""), words);
    }
}
