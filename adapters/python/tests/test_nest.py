"""The NEST component against NEST alone, on a fake session.

Run it in an environment that has NEST; `NEST_HEADERS` and `BOOST_HEADERS` may say where headers are.
"""

import os
import pathlib
import subprocess

import harness
import numpy
import pytest

MS = 1_000_000
DURATION = 200 * MS


@pytest.fixture(scope="session")
def libraries(tmp_path_factory):
    """The fake session and the extension module, compiled."""
    import nest

    folder = tmp_path_factory.mktemp("libraries")
    header = pathlib.Path(os.environ.get("COUPLE_HEADERS", harness.PACKAGE.parent.parent / "ports/ffi/include"))
    session, module = folder / "libcouple_ffi.so", folder / "couplemod.so"
    include = ["-I", header]
    subprocess.run(["cc", "-shared", "-fPIC", *include, harness.HERE / "fake_session.c", "-o", session], check=True)
    include += ["-I", pathlib.Path(nest.__file__).parent / "include/nest", "-I", os.environ["BOOST_HEADERS"]]
    flags = "-std=c++20 -O3 -DNDEBUG -fPIC -shared -fopenmp -D_GLIBCXX_USE_CXX11_ABI=0 -DLTX_MODULE".split()
    source = harness.PACKAGE / "couple/nest/extension/couplemod.cpp"
    subprocess.run(["g++", *flags, *include, source, "-o", module], check=True)
    return {"session": session, "module": module}


def feedback(seed=1, duration=DURATION):
    """Two populations that excite and inhibit each other and themselves, with mixed delays, driven by noise."""
    model = harness.Model(seed)
    model.population("E", 80, v=model.random.uniform(-65, -51, 80))
    model.population("I", 20, v=model.random.uniform(-65, -51, 20), i_offset=model.random.uniform(0, 0.1, 20))
    model.poisson("noise", 100, duration, 0.3)
    model.project("noise", "E", 800, 0.35, [1.0, 1.3, 2.5])
    model.project("noise", "I", 200, 0.35, [1.0])
    model.project("E", "E", 800, 0.2, [1.0, 1.5, 2.7])
    model.project("E", "I", 300, 0.3, [1.2, 1.5])
    model.project("I", "E", 300, -0.5, [1.1, 1.9], "inhibitory")
    model.project("I", "I", 60, -0.4, [1.5], "inhibitory")
    return model


@pytest.fixture(scope="module")
def reference():
    model = feedback()
    spikes = harness.alone(model, DURATION)
    assert len(spikes["E"]) > 500 and len(spikes["I"]) > 100
    return model, spikes


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("window", [1.0, 0.7, 0.1])
def test_whole(tmp_path, libraries, reference, threads, window):
    model, expected = reference
    local = {"E", "I", "noise"}
    harness.prepare(tmp_path / "run", model, local, round(window * MS), DURATION, {}, threads)
    code, spikes, failed, log = harness.run(tmp_path / "run", libraries)
    assert (code, failed) == (0, None), log
    assert spikes["E"] == expected["E"]
    assert spikes["I"] == expected["I"]
    noise = model.populations[2]["stimulus"]
    assert len(spikes["noise"]) == noise["count"].sum()


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("window", [0.5, 1.1])
@pytest.mark.parametrize("local", ["E", "I"])
def test_half_with_the_other_as_input(tmp_path, libraries, reference, threads, window, local):
    model, expected = reference
    inputs = {name: harness.records(expected[name]) for name in ("E", "I") if name != local}
    window = round(window * MS) if local == "E" else 1_200_000 if window > 1 else 500_000
    harness.prepare(tmp_path / "run", model, {local}, window, DURATION, inputs, threads)
    code, spikes, failed, log = harness.run(tmp_path / "run", libraries)
    assert (code, failed) == (0, None), log
    assert spikes[local] == expected[local]


def test_last_window_may_be_shorter(tmp_path, libraries):
    duration = 50_300_000
    model = feedback(3, duration)
    harness.prepare(tmp_path / "run", model, {"E", "I", "noise"}, MS, duration, {})
    code, spikes, failed, log = harness.run(tmp_path / "run", libraries)
    assert (code, failed) == (0, None), log
    assert spikes["E"] == harness.alone(model, duration)["E"]


@pytest.mark.parametrize("threads", [1, 2])
def test_late_event_is_an_error(tmp_path, libraries, reference, threads):
    model, expected = reference
    inputs = {"I": harness.records(expected["I"])}
    harness.prepare(tmp_path / "run", model, {"E"}, 500_000, DURATION, inputs, threads)
    code, _, failed, _ = harness.run(tmp_path / "run", libraries, late_ns=200_000)
    assert code == 3
    assert "is late" in failed


def test_sign_of_weight_must_fit_the_receptor(tmp_path, libraries):
    model = harness.Model()
    model.population("A", 2)
    model.project("A", "A", 5, 0.1, [1.0], "inhibitory")
    harness.prepare(tmp_path / "run", model, {"A"}, MS, 10 * MS, {})
    code, _, failed, _ = harness.run(tmp_path / "run", libraries)
    assert code == 3
    assert "projection `A→A`" in failed and "negative" in failed


SCRIPT = """
import nest
import couple.nest as cn

nest.rng_seed = 5
cn.setup()
neurons = nest.Create("iaf_psc_exp", 80, {NEURON})
neurons.V_m = {V}
cn.port("E", neurons)
assert len(cn.nodes("I")) == 20
own = nest.Create("parrot_neuron")
nest.Connect(own, neurons, syn_spec={{"delay": {DELAY}}})
cn.run()
"""
NEURON = {"E_L": -65.0, "V_th": -50.0, "V_reset": -65.0, "C_m": 250.0, "tau_m": 10.0, "t_ref": 2.0,
          "tau_syn_ex": 0.5, "tau_syn_in": 0.5}  # fmt: skip


@pytest.mark.parametrize("delay", [0.3, 5.0])
def test_script(tmp_path, libraries, reference, delay):
    model, expected = reference
    model = feedback()
    model.populations[0]["script"] = True
    script = tmp_path / "model.py"
    v = model.populations[0]["values"]["v"].tolist()
    script.write_text(SCRIPT.format(NEURON=NEURON, V=v, DELAY=delay))
    harness.prepare(tmp_path / "run", model, {"E", "I", "noise"}, MS, DURATION, {}, 2, script)
    code, spikes, failed, log = harness.run(tmp_path / "run", libraries)
    assert (code, failed) == (0, None), log
    assert spikes["E"] == expected["E"] and spikes["I"] == expected["I"]


@pytest.mark.parametrize("body, expected", [
    ("nest.Create('iaf_psc_exp'); cn.setup()", "before couple.nest.setup()"),
    ("nest.resolution = 0.2; cn.setup()", "resolution is 0.2 ms"),
    ("nest.local_num_threads = 3; cn.setup()", "local_num_threads = 3"),
    ("cn.setup(); cn.run()", "no nodes for population `E`"),
    ("cn.setup(); cn.port('E', nest.Create('iaf_psc_exp', 79))", "has size 80"),
    ("cn.setup(); cn.port('I', nest.Create('iaf_psc_exp', 20))", "those are: E"),
    ("cn.setup(); cn.port('E', nest.Create('iaf_psc_exp', 80)); nest.Simulate(10)", "couple.nest.run()"),
    ("cn.setup(); cn.port('E', nest.Create('iaf_psc_exp', 80))", "without calling couple.nest.run()"),
    ("cn.setup(); cn.port('E', nest.Create('iaf_psc_exp', 80)); nest.ResetKernel(); cn.run()", "reset NEST"),
    ("cn.port('E', None)", "couple.nest.setup() first"),
    ("1 / 0", "model.py:4: ZeroDivisionError"),
])  # fmt: skip
def test_script_that_is_wrong(tmp_path, libraries, body, expected):
    model = feedback(duration=10 * MS)
    model.populations[0]["script"] = True
    script = tmp_path / "model.py"
    script.write_text(f"import nest\nimport couple.nest as cn\n\n{body}\n")
    harness.prepare(tmp_path / "run", model, {"E", "I", "noise"}, MS, 10 * MS, {}, 1, script)
    code, _, failed, log = harness.run(tmp_path / "run", libraries)
    assert code == 3, log
    assert expected in failed


def test_divisor():
    from couple.nest.kernel import divisor

    assert [divisor(10, 10), divisor(10, 7), divisor(17, 15), divisor(12, 100)] == [10, 5, 1, 12]
