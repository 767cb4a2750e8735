"""The NEST component against NEST alone, on a fake session.

Run with the interpreter of the managed environment: ``python -m unittest`` in this folder, with COUPLE_NEST_MODULE
the compiled extension and COUPLE_HEADERS the folder of couple.h.
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import harness

MS = 1_000_000
DURATION = 200 * MS


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


class Base(unittest.TestCase):
    """A model, its spikes in NEST alone, and how a part of it is run by the component."""

    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.temporary.cleanup)
        cls.root = pathlib.Path(cls.temporary.name)
        session = cls.root / "libcouple_ffi.so"
        include = ["-I", os.environ["COUPLE_HEADERS"]]
        subprocess.run(["cc", "-shared", "-fPIC", *include, harness.HERE / "fake_session.c", "-o", session], check=True)
        cls.libraries = {"session": session, "module": os.environ["COUPLE_NEST_MODULE"]}
        cls.model = feedback()
        cls.expected = harness.alone(cls.model, DURATION)
        assert len(cls.expected["E"]) > 500 and len(cls.expected["I"]) > 100

    def run_part(self, model, local, window_ns, duration_ns, inputs=None, late_ns=0, **options):
        """Runs a part of the model; returns (exit code, spikes, message of failure, log)."""
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.root)) / "run"
        harness.prepare(folder, model, local, window_ns, duration_ns, inputs or {}, **options)
        return harness.run(folder, self.libraries, late_ns)

    def succeed(self, *arguments, **options):
        code, spikes, failed, log = self.run_part(*arguments, **options)
        self.assertEqual((code, failed), (0, None), log)
        return spikes


class Component(Base):
    """Compares the spikes that the component emits with those of NEST alone."""

    def test_whole(self):
        noise = self.model.populations[2]["stimulus"]
        for threads in (1, 2):
            for window in (1_000_000, 700_000, 100_000):
                with self.subTest(threads=threads, window=window):
                    spikes = self.succeed(self.model, {"E", "I", "noise"}, window, DURATION, threads=threads)
                    self.assertEqual(spikes["E"], self.expected["E"])
                    self.assertEqual(spikes["I"], self.expected["I"])
                    self.assertEqual(len(spikes["noise"]), noise["count"].sum())

    def test_half_with_the_other_as_input(self):
        for local, other, windows in (("E", "I", (500_000, 1_100_000)), ("I", "E", (500_000, 1_200_000))):
            for threads, window in ((1, windows[0]), (2, windows[1])):
                with self.subTest(local=local, threads=threads, window=window):
                    inputs = {other: harness.records(self.expected[other])}
                    spikes = self.succeed(self.model, {local}, window, DURATION, inputs, threads=threads)
                    self.assertEqual(spikes[local], self.expected[local])

    def test_last_window_may_be_shorter(self):
        duration = 50_300_000
        model = feedback(3, duration)
        spikes = self.succeed(model, {"E", "I", "noise"}, MS, duration)
        self.assertEqual(spikes["E"], harness.alone(model, duration)["E"])

    def test_source_on_a_finer_grid_acts_at_the_next_step(self):
        spikes = harness.records(self.expected["I"])
        finer = spikes.copy()
        finer["time_ns"] -= self.model.random.integers(0, harness.STEP, len(finer))
        finer.sort(order=["time_ns", "index"])
        for inputs in (spikes, finer):
            emitted = self.succeed(self.model, {"E"}, 500_000, DURATION, {"I": inputs})
            self.assertEqual(emitted["E"], self.expected["E"])

    def test_late_event_is_an_error(self):
        for threads in (1, 2):
            inputs = {"I": harness.records(self.expected["I"])}
            options = {"late_ns": 200_000, "threads": threads}
            code, _, failed, _ = self.run_part(self.model, {"E"}, 500_000, DURATION, inputs, **options)
            self.assertEqual(code, 3)
            self.assertIn("is late", failed)

    def test_sign_of_weight_must_fit_the_receptor(self):
        model = harness.Model()
        model.population("A", 2)
        model.project("A", "A", 5, 0.1, [1.0], "inhibitory")
        code, _, failed, _ = self.run_part(model, {"A"}, MS, 10 * MS)
        self.assertEqual(code, 3)
        self.assertIn("projection `A→A`", failed)
        self.assertIn("negative", failed)


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
# Neurons that fire all the time, also in the last slice, onto plastic synapses.
PLASTIC = """
import sys
import nest

coupled = "alone" not in sys.argv
if coupled:
    import couple.nest as cn
    cn.setup()
else:
    nest.local_num_threads = 2
neurons = nest.Create("iaf_psc_exp", 80, {"tau_m": 10.0})
neurons.I_e = [500.0 + 5.0 * i for i in range(80)]
nest.Connect(neurons, neurons, {"rule": "pairwise_bernoulli", "p": 0.2}, {"synapse_model": "stdp_synapse", "weight": 30.0})
if coupled:
    cn.port("E", neurons)
    cn.run()
else:
    nest.Simulate(50.0)
connections = nest.GetConnections(synapse_model="stdp_synapse")
ends = zip(connections.get("source"), connections.get("target"), connections.get("weight"))
first = neurons[0].global_id
print("weights", sorted((s - first, t - first, w) for s, t, w in ends))
"""
NEURON = {"E_L": -65.0, "V_th": -50.0, "V_reset": -65.0, "C_m": 250.0, "tau_m": 10.0, "t_ref": 2.0,
          "tau_syn_ex": 0.5, "tau_syn_in": 0.5}  # fmt: skip
CREATE = "nest.Create('iaf_psc_exp', 80)"
WRONG = [
    ("nest.Create('iaf_psc_exp'); cn.setup()", "before couple.nest.setup()"),
    ("nest.resolution = 0.2; cn.setup()", "resolution is 0.2 ms"),
    ("nest.local_num_threads = 3; cn.setup()", "local_num_threads = 3"),
    ("cn.setup(); cn.run()", "no nodes for population `E`"),
    ("cn.setup(); cn.port('E', nest.Create('iaf_psc_exp', 79))", "has size 80"),
    ("cn.setup(); cn.port('E', list(range(80)))", "takes nodes as nest.Create gives them"),
    ("cn.setup(); cn.port('I', nest.Create('iaf_psc_exp', 20))", "those are: E"),
    (f"cn.setup(); cn.port('E', {CREATE}); nest.Simulate(10)", "couple.nest.run()"),
    (f"cn.setup(); cn.port('E', {CREATE})", "without calling couple.nest.run()"),
    (f"cn.setup(); cn.port('E', {CREATE}); nest.ResetKernel(); cn.run()", "reset NEST"),
    (f"cn.setup(); cn.port('E', {CREATE}, receptors={{'inhibitory': 1}}); cn.run()", "excitatory receptor of `E`"),
    (f"nest.set(min_delay=2.0, max_delay=3.0); cn.setup(); cn.port('E', {CREATE}); cn.run()", "leave min_delay and max_delay out"),
    ("cn.port('E', None)", "couple.nest.setup() first"),
    ("1 / 0", "model.py:4: ZeroDivisionError"),
]


class Script(Base):
    """A user's own model behind ports."""

    def with_script(self, text, duration, **options):
        model = feedback(duration=duration)
        model.populations[0]["script"] = True
        script = pathlib.Path(tempfile.mkdtemp(dir=self.root)) / "model.py"
        script.write_text(text)
        return self.run_part(model, {"E", "I", "noise"}, MS, duration, script=script, **options)

    def test_script(self):
        v = self.model.populations[0]["values"]["v"].tolist()
        for delay in (0.3, 5.0):
            with self.subTest(delay=delay):
                text = SCRIPT.format(NEURON=NEURON, V=v, DELAY=delay)
                code, spikes, failed, log = self.with_script(text, DURATION, threads=2)
                self.assertEqual((code, failed), (0, None), log)
                self.assertEqual((spikes["E"], spikes["I"]), (self.expected["E"], self.expected["I"]))

    def test_plastic_synapses_of_a_script_end_as_without_couple(self):
        model = harness.Model()
        model.population("E", 80, script=True)
        script = pathlib.Path(tempfile.mkdtemp(dir=self.root)) / "model.py"
        script.write_text(PLASTIC)
        code, spikes, failed, log = self.run_part(model, {"E"}, MS, 50 * MS, script=script, threads=2)
        self.assertEqual((code, failed), (0, None), log)
        self.assertGreater(max(time for time, _ in spikes["E"]), 49 * MS)
        command = [sys.executable, str(script), "alone"]
        alone = subprocess.run(command, capture_output=True, text=True, timeout=300)
        weights = [[line for line in text.splitlines() if line.startswith("weights")] for text in (log, alone.stdout)]
        self.assertEqual(len(weights[0]), 1, log)
        self.assertEqual(*weights)

    def test_script_that_is_wrong(self):
        for body, expected in WRONG:
            with self.subTest(body=body):
                text = f"import nest\nimport couple.nest as cn\n\n{body}\n"
                code, _, failed, log = self.with_script(text, 10 * MS)
                self.assertEqual(code, 3, log)
                self.assertIn(expected, failed)


class Divisor(unittest.TestCase):
    def test_divisor(self):
        from couple.nest.kernel import divisor

        self.assertEqual([divisor(10, 10), divisor(10, 7), divisor(17, 15), divisor(12, 100)], [10, 5, 1, 12])


if __name__ == "__main__":
    unittest.main()
