"""PyNN's plastic synapses as NEST's models: names and units.

Weights and bounds are in the units of the target's model. STDP's trace of postsynaptic spikes belongs to the neuron
in NEST, so `tau_minus` is a parameter of the target (see :func:`tau_minus`).
"""

from dataclasses import dataclass

import numpy


@dataclass(frozen=True)
class Model:
    """How a plastic synapse is made in NEST."""

    name: str
    # Its number in the extension module, and the parameters in the order that it has them.
    kind: int
    parameters: dict

    def ordered(self):
        """The parameters as the extension module takes them."""
        return numpy.array(list(self.parameters.values()), dtype=numpy.float64)


def model(synapse, factor):
    """NEST's model for the `synapse` of a projection, or None for a static one. `factor` leads to NEST's weights."""
    kind = (synapse or {}).get("type", "StaticSynapse")
    if kind == "TsodyksMarkramSynapse":
        parameters = {"U": synapse["U"], "tau_rec": synapse["tau_rec"], "tau_fac": synapse["tau_facil"]}
        return Model("tsodyks2_synapse", 0, parameters)
    if kind == "STDPMechanism":
        plus, minus = synapse["A_plus"], synapse["A_minus"]
        parameters = {
            "tau_plus": synapse["tau_plus"],
            "lambda": plus,
            "alpha": minus / plus if plus > 0 else 1.0,
            "mu_plus": synapse["mu_plus"],
            "mu_minus": synapse["mu_minus"],
            "Wmax": synapse["w_max"] * factor,
        }
        return Model("stdp_synapse", 1, parameters)
    return None


def tau_minus(synapse):
    """What the target neurons must know, or None."""
    return (synapse or {}).get("tau_minus")


def bounded(model, weights):
    """Weights within the bounds: on its way to the grid one may have got beyond by less than a unit."""
    if model.name != "stdp_synapse":
        return weights
    w_max = model.parameters["Wmax"]
    return numpy.clip(weights, min(w_max, 0.0), max(w_max, 0.0))


def defaults(model):
    """What every synapse of the projection starts with."""
    if model.name == "stdp_synapse":
        # NEST wants the signs of a weight and of its bound to be the same, also in a default.
        return {**model.parameters, "weight": model.parameters["Wmax"]}
    return {**model.parameters, "u": model.parameters["U"], "x": 1.0}
