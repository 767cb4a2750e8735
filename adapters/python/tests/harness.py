"""A network in numpy, run by couple's NEST component on a fake session and by NEST alone."""

import json
import os
import pathlib
import subprocess
import sys

import numpy

HERE = pathlib.Path(__file__).parent
PACKAGE = HERE.parent
SPIKE = numpy.dtype([("time_ns", "<i8"), ("index", "<u4"), ("count", "<u4")])
EMITTED = numpy.dtype([("time_ns", "<i8"), ("output", "<u4"), ("index", "<u4")])
STEP = 100_000
PARAMS = {
    "v_rest": -65.0, "cm": 0.25, "tau_m": 10.0, "tau_refrac": 2.0, "tau_syn_E": 0.5, "tau_syn_I": 0.5,
    "i_offset": 0.0, "v_reset": -65.0, "v_thresh": -50.0,
}  # fmt: skip


class Model:
    """Populations and drawn synapses, all in one network."""

    def __init__(self, seed=1):
        self.random = numpy.random.default_rng(seed)
        self.populations = []
        self.projections = []

    def population(self, name, size, stimulus=None, script=False, **values):
        """`stimulus`: spikes as SPIKE records; `values`: PyNN parameters (v: initial), numbers or arrays."""
        given = {**PARAMS, "v": -65.0, **values}
        self.populations.append({"name": name, "size": size, "stimulus": stimulus, "script": script, "values": given})

    def poisson(self, name, size, duration_ns, mean):
        """A stimulus: `mean` spikes in each step and neuron."""
        steps = duration_ns // STEP
        counts = self.random.poisson(mean, (steps, size))
        step, index = counts.nonzero()
        spikes = numpy.zeros(len(step), SPIKE)
        spikes["time_ns"], spikes["index"], spikes["count"] = (step + 1) * STEP, index, counts[step, index]
        self.population(name, size, stimulus=spikes)

    def project(self, source, target, n, weight, delays_ms, receptor="excitatory"):
        """`n` random synapses with weights on a dyadic grid around `weight`, and delays among `delays_ms`."""
        sizes = {p["name"]: p["size"] for p in self.populations}
        grid = 2.0**-20
        drawn = numpy.round(self.random.normal(weight, abs(weight) / 10, n) / grid) * grid
        post = numpy.sort(self.random.integers(0, sizes[target], n)).astype("<u4")
        self.projections.append({
            "name": f"{source}→{target}", "from": source, "to": target, "receptor": receptor,
            "pre": self.random.integers(0, sizes[source], n).astype("<u4"), "post": post, "weight": drawn,
            "delay": self.random.choice([round(d * 1e6) for d in delays_ms], n).astype("<i8"),
        })  # fmt: skip


def prepare(folder, model, local, window_ns, duration_ns, inputs, threads=1, script=None, output=True):
    """Writes what the fake session serves: the part of the model that lives in `local` populations."""
    folder.mkdir()
    ids = {p["name"]: i for i, p in enumerate(model.populations)}
    populations = []
    for i, p in enumerate(model.populations):
        own, stimulus = p["name"] in local, p["stimulus"] is not None
        cell = None if stimulus or p["script"] else "IF_curr_exp"
        populations.append({
            "id": i, "name": p["name"], "size": p["size"], "first": 0, "count": p["size"] if own else 0, "local": own,
            "cell": cell, "params": dict.fromkeys(PARAMS) if cell else {}, "initial": {"v": None} if cell else {},
            "stimulus": stimulus, "output": i if own and output else None,
        })  # fmt: skip
        for name, value in p["values"].items():
            numpy.broadcast_to(numpy.asarray(value, "<f8"), p["size"]).tofile(folder / f"values.{i}.{name}")
        if stimulus:
            p["stimulus"].tofile(folder / f"stimulus.{i}")
    projections = []
    links = {}
    for i, p in enumerate(model.projections):
        projections.append({
            "id": i, "name": p["name"], "from": ids[p["from"]], "to": ids[p["to"]], "receptor": p["receptor"],
            "min_delay_ns": int(p["delay"].min()),
        })  # fmt: skip
        for column in ("pre", "post", "weight", "delay"):
            p[column].tofile(folder / f"synapses.{i}.{column}")
        if p["to"] in local and p["from"] not in local and p["from"] in inputs:
            links[p["from"]] = min(links.get(p["from"], 1 << 60), int(p["delay"].min()))
    listed = []
    for i, (source, delay) in enumerate(links.items()):
        size = model.populations[ids[source]]["size"]
        listed.append({"index": i, "source": source, "width": size, "min_delay_ns": delay, "target": None})
        with open(folder / f"input.{i}", "wb") as out:
            numpy.array([delay], "<i8").tofile(out)
            inputs[source].tofile(out)
    numpy.array([window_ns, duration_ns], "<i8").tofile(folder / "run")
    description = {
        "component": "nest", "rank": 0, "ranks": 1, "threads": threads, "step_ns": STEP, "window_ns": window_ns,
        "duration_ns": duration_ns, "script": str(script) if script else None, "populations": populations,
        "projections": projections, "inputs": listed,
    }  # fmt: skip
    (folder / "description.json").write_text(json.dumps(description))


def run(folder, libraries, late_ns=0):
    """Runs the component; returns (exit code, {population: spikes}, message of failure, log)."""
    environment = {
        **os.environ, "PYTHONPATH": str(PACKAGE), "COUPLE_FAKE": str(folder), "COUPLE_FAKE_LATE": str(late_ns),
        "COUPLE_FFI_LIB": str(libraries["session"]), "COUPLE_NEST_MODULE": str(libraries["module"]),
        "OMP_WAIT_POLICY": "passive",
    }  # fmt: skip
    command = [sys.executable, "-m", "couple.nest"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    failed = folder / "failed"
    spikes = {}
    if (folder / "emitted").exists():
        emitted = numpy.fromfile(folder / "emitted", EMITTED)
        for p in json.loads((folder / "description.json").read_text())["populations"]:
            own = emitted[emitted["output"] == p["id"]]
            spikes[p["name"]] = sorted(zip(own["time_ns"].tolist(), own["index"].tolist()))
    return done.returncode, spikes, failed.read_text() if failed.exists() else None, done.stdout + done.stderr


def alone(model, duration_ns):
    """The whole model in NEST by itself, with NEST's own devices; {population: [(ns, index)]}."""
    import nest

    nest.ResetKernel()
    nest.verbosity = nest.VerbosityLevel.ERROR
    nest.resolution = STEP / 1e6
    nodes, recorders = {}, {}
    for p in model.populations:
        v = p["values"]
        if p["stimulus"] is not None:
            nodes[p["name"]] = nest.Create("spike_generator", p["size"])
            for i, node in enumerate(nodes[p["name"]]):
                own = p["stimulus"][p["stimulus"]["index"] == i]
                times = own["time_ns"] / 1e6
                node.set(spike_times=times, spike_multiplicities=own["count"].astype(int))
            continue
        nodes[p["name"]] = nest.Create("iaf_psc_exp", p["size"], {
            "E_L": v["v_rest"], "V_th": v["v_thresh"], "V_reset": v["v_reset"], "C_m": v["cm"] * 1000.0,
            "tau_m": v["tau_m"], "t_ref": v["tau_refrac"], "tau_syn_ex": v["tau_syn_E"], "tau_syn_in": v["tau_syn_I"],
        })  # fmt: skip
        nodes[p["name"]].set(V_m=numpy.broadcast_to(v["v"], p["size"]).tolist())
        nodes[p["name"]].set(I_e=(numpy.broadcast_to(v["i_offset"], p["size"]) * 1000.0).tolist())
        recorders[p["name"]] = nest.Create("spike_recorder", params={"time_in_steps": True})
        nest.Connect(nodes[p["name"]], recorders[p["name"]])
    for p in model.projections:
        source, target = (numpy.array(nodes[p[end]].tolist()) for end in ("from", "to"))
        spec = {"synapse_model": "static_synapse", "weight": p["weight"] * 1000.0, "delay": p["delay"] / 1e6}
        nest.Connect(source[p["pre"]], target[p["post"]], "one_to_one", spec)
    nest.Simulate(duration_ns / 1e6)
    spikes = {}
    for name, recorder in recorders.items():
        events = recorder.events
        first = nodes[name][0].global_id
        spikes[name] = sorted((int(t) * STEP, int(s) - first) for t, s in zip(events["times"], events["senders"]))
    return spikes


def records(spikes):
    """Spikes as the session hands them over."""
    out = numpy.zeros(len(spikes), SPIKE)
    if spikes:
        out["time_ns"], out["index"] = numpy.array(spikes).T
    out["count"] = 1
    return out
