//! Analog signals of NEST: what a program sends drives NEST's cells as it drives native ones, and their potentials come
//! back equal in every bit. Needs the managed environment (`couple setup nest`), and says so when it is not there.

#![allow(clippy::unwrap_used, reason = "how a test fails")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use couple::setup::nest;
use tempfile::TempDir;

/// Sends sines that begin at 0, of another amplitude for each cell, and writes what it receives into `<run>.bin`.
const WAVE: &str = r#"
import numpy
import couple

with couple.connect() as session:
    wave, back = session.output("wave.x"), session.input("wave.v")
    amplitudes = numpy.array([AMPLITUDES])
    received = []
    for window in session:
        wave.write(OFFSET + numpy.sin(0.05 * window.times)[:, None] * amplitudes)
        received.append(back.read().copy())
    received = numpy.concatenate(received)
    received.tofile(session.description["run"] + ".bin")
    print("range", received.min(), received.max())
"#;

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A population that is driven by the program and sends its potential to it.
struct Case {
    cell: &'static str,
    params: &'static str,
    target: &'static str,
    unit: &'static str,
    offset: f64,
    amplitudes: &'static str,
}

fn config(case: &Case, run: &str, simulator: &str, threads: u32, window: &str, python: &Path) -> String {
    let Case { cell, params, target, unit, offset, .. } = case;
    format!(
        r#"
        [run]
        name     = "{run}"
        duration = "200.3 ms"
        window   = "{window}"
        [component.cells]
        simulator = "{simulator}"
        step      = "0.1 ms"
        threads   = {threads}
        [component.program]
        simulator = "script"
        script    = "wave.py"
        python    = "{}"
        step      = "0.1 ms"
        [population.E]
        component = "cells"
        size      = 3
        cell      = "{cell}"
        params    = {{ {params} }}
        [population.wave]
        component = "program"
        size      = 3
        variables = {{ x = "{unit}", v = "mV" }}
        [[connection]]
        from    = "wave.x"
        to      = "E.{target}"
        delay   = "1.2 ms"
        initial = {offset}
        [[connection]]
        from    = "E.v"
        to      = "wave.v"
        delay   = "0.6 ms"
        initial = -65.0
        [[record]]
        population = ["E"]
        "#,
        python.display()
    )
}

/// Runs in `folder`; gives what the program received.
fn run(folder: &Path, label: &str, config: &str) -> Vec<u8> {
    fs::write(folder.join(format!("{label}.toml")), config).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_couple"));
    let file = format!("{label}.toml");
    command.args(["run", "--quiet", "--label", label, "--out", "runs", &file]).current_dir(folder);
    let output = command.output().unwrap();
    let logs = fs::read_dir(folder.join("runs").join(label).join("logs")).into_iter().flatten().flatten();
    let logs: Vec<String> = logs.map(|log| fs::read_to_string(log.path()).unwrap_or_default()).collect();
    assert!(output.status.success(), "{label}: {}\n{}", text(&output), logs.join("\n"));
    fs::read(folder.join(format!("{label}.bin"))).unwrap()
}

fn compare(case: &Case, windows: &[(&str, u32)]) {
    let Some(python) = nest::installed() else {
        println!("skipped: {} needs NEST: run `couple setup nest`", module_path!());
        return;
    };
    let folder = TempDir::new().unwrap();
    let program = WAVE.replace("AMPLITUDES", case.amplitudes).replace("OFFSET", &case.offset.to_string());
    fs::write(folder.path().join("wave.py"), program).unwrap();
    let run = |label: &str, simulator: &str, threads: u32, window: &str| {
        let config = config(case, label, simulator, threads, window, &python);
        run(folder.path(), label, &config)
    };
    let native = run("native", "native", 1, "0.6 ms");
    let values: Vec<f64> = native.chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().unwrap())).collect();
    assert_eq!(values.len(), 2003 * 3);
    let (low, high) = values.iter().fold((f64::MAX, f64::MIN), |(l, h), v| (l.min(*v), h.max(*v)));
    assert!(high - low > 5.0, "{}: the potential hardly moves, from {low} to {high} mV", case.cell);
    for (number, (window, threads)) in windows.iter().enumerate() {
        let label = format!("nest{number}");
        let received = run(&label, "nest", *threads, window);
        let first = native.chunks(8).zip(received.chunks(8)).position(|(a, b)| a != b);
        assert_eq!(first, None, "{}.{}, window {window}: values differ from this one on", case.cell, case.target);
        let mut command = Command::new(env!("CARGO_BIN_EXE_couple"));
        let output = command.args(["compare", "native", &label]).current_dir(folder.path()).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}: {}", case.cell, text(&output));
    }
}

const MEMBRANE: &str = "tau_m = 10.0, cm = 0.25, v_thresh = -50.0, i_offset = 0.3";

fn current(cell: &'static str, params: &'static str, amplitudes: &'static str) -> Case {
    Case { cell, params, target: "current", unit: "nA", offset: 0.0, amplitudes }
}

#[test]
fn current_drives_cells_as_native_ones() {
    compare(&current("IF_curr_exp", MEMBRANE, "0.1, 0.2, 0.4"), &[("0.6 ms", 1), ("0.1 ms", 1), ("0.3 ms", 2)]);
    compare(&current("IF_cond_exp", MEMBRANE, "0.1, 0.2, 0.4"), &[("0.6 ms", 1)]);
    compare(&current("EIF_cond_exp_isfa_ista", "i_offset = 0.5", "0.3, 0.6, 0.9"), &[("0.2 ms", 2)]);
}

#[test]
fn current_drives_the_other_cells() {
    for cell in ["IF_curr_alpha", "IF_curr_delta", "IF_cond_alpha", "IF_cond_exp_gsfa_grr"] {
        compare(&current(cell, MEMBRANE, "0.1, 0.2, 0.4"), &[("0.3 ms", 1)]);
    }
    compare(&current("EIF_cond_alpha_isfa_ista", "i_offset = 0.5", "0.3, 0.6, 0.9"), &[("0.3 ms", 1)]);
    compare(&current("HH_cond_exp", "i_offset = 0.3", "0.2, 0.5, 1.0"), &[("0.3 ms", 1)]);
    compare(&current("Izhikevich", "i_offset = 0.004", "0.002, 0.004, 0.008"), &[("0.3 ms", 1)]);
    compare(&current("IF_facets_hardware1", "", "0.05, 0.1, 0.3"), &[("0.3 ms", 1)]);
}

#[test]
fn parameters_change_while_it_runs() {
    let offset = Case {
        cell: "IF_curr_exp",
        params: "tau_m = 10.0, cm = 0.25, v_thresh = -50.0",
        target: "i_offset",
        unit: "nA",
        offset: 0.3,
        amplitudes: "0.1, 0.2, 0.4",
    };
    compare(&offset, &[("0.6 ms", 1), ("0.1 ms", 2)]);
    let threshold = Case { params: "tau_m = 10.0, cm = 0.25, i_offset = 0.5", target: "v_thresh", ..offset };
    compare(&Case { unit: "mV", offset: -50.0, amplitudes: "2.0, 4.0, 6.0", ..threshold }, &[("0.6 ms", 1)]);
}

/// A user's own model behind the same ports.
const MODEL: &str = r#"
import nest
import couple.nest as cn

cn.setup()
cells = nest.Create("iaf_psc_exp", 3, {"tau_m": 10.0, "C_m": 250.0, "V_th": -50.0, "I_e": 300.0, "E_L": -65.0,
                                       "V_reset": -65.0, "V_m": -65.0, "t_ref": 0.1})
cn.port("E", cells)
cn.input("E", "current", scale=1000.0)
cn.output("E", "v", "V_m")
cn.run()
"#;

fn own_model(config: &str) -> String {
    let cell = config.lines().find(|line| line.trim_start().starts_with("cell ")).unwrap();
    let params = config.lines().find(|line| line.trim_start().starts_with("params ")).unwrap();
    let config = config.replace(cell, "variables = { current = \"nA\", v = \"mV\" }").replace(params, "");
    config.replace("simulator = \"nest\"", "simulator = \"nest\"\nscript = \"model.py\"")
}

#[test]
fn a_users_model_has_signals() {
    let Some(python) = nest::installed() else {
        println!("skipped: {} needs NEST: run `couple setup nest`", module_path!());
        return;
    };
    let folder = TempDir::new().unwrap();
    let case = current("IF_curr_exp", MEMBRANE, "0.1, 0.2, 0.4");
    fs::write(folder.path().join("wave.py"), WAVE.replace("AMPLITUDES", case.amplitudes).replace("OFFSET", "0"))
        .unwrap();
    fs::write(folder.path().join("model.py"), MODEL).unwrap();
    let described = run(folder.path(), "described", &config(&case, "described", "nest", 2, "0.6 ms", &python));
    let own = own_model(&config(&case, "own", "nest", 2, "0.3 ms", &python));
    let own_values = run(folder.path(), "own", &own);
    let first = described.chunks(8).zip(own_values.chunks(8)).position(|(a, b)| a != b);
    assert_eq!(
        first,
        None,
        "the values differ from this one on: {:?}",
        first.map(|i| (&described[8 * i..8 * i + 8], &own_values[8 * i..8 * i + 8]))
    );
    fs::write(folder.path().join("own.toml"), own).unwrap();
    let no_parameter = "cn.input(\"E\", \"current\", \"I_foo\", ";
    let mistakes = [
        ("unnamed", MODEL.replace("cn.output", "# cn.output"), "nothing in the script is behind `E.v`"),
        ("unheard", MODEL.replace("cn.input(\"E\", \"current\", ", no_parameter), "has no parameter `I_foo`"),
        (
            "undeclared",
            MODEL.replace("\"v\"", "\"V\""),
            "`E` has no analog variable `V` in the configuration; it has current, v",
        ),
    ];
    for (label, model, expected) in mistakes {
        fs::write(folder.path().join("model.py"), model).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_couple"));
        let output = command.args(["run", "--quiet", "--label", label, "own.toml"]).current_dir(folder.path()).output();
        let output = output.unwrap();
        assert_eq!(output.status.code(), Some(3), "{}", text(&output));
        assert!(text(&output).contains(expected), "{}", text(&output));
    }
}

#[test]
fn a_current_from_the_beginning_is_refused() {
    let Some(python) = nest::installed() else {
        println!("skipped: {} needs NEST: run `couple setup nest`", module_path!());
        return;
    };
    let folder = TempDir::new().unwrap();
    let case = Case { offset: 0.1, ..current("IF_curr_exp", MEMBRANE, "0.1, 0.2, 0.4") };
    fs::write(folder.path().join("wave.py"), WAVE.replace("AMPLITUDES", case.amplitudes).replace("OFFSET", "0.1"))
        .unwrap();
    fs::write(folder.path().join("a.toml"), config(&case, "a", "nest", 1, "0.6 ms", &python)).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_couple"));
    let output = command.args(["run", "--quiet", "a.toml"]).current_dir(folder.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    assert!(text(&output).contains("i_offset"), "{}", text(&output));
}
