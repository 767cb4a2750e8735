"""Populations of the configuration as groups of Brian2, and groups of a user's own model."""

from dataclasses import dataclass, field

import numpy

from ..session import CoupleError
from . import cells


@dataclass
class Port:
    """The neurons behind a population, as far as the exchange needs them."""

    population: dict
    #: A NeuronGroup or a part of one; None where the rank has no neurons of the population.
    group: object
    #: {receptor: cells.Receptor}
    receptors: dict
    #: What can be given away and what can be set from elsewhere, by names of the configuration: Output and Input.
    outputs: dict = field(default_factory=dict)
    inputs: dict = field(default_factory=dict)

    @property
    def name(self):
        """Of the population."""
        return self.population["name"]

    def of(self, signal):
        """The neurons whose variable a signal is."""
        return self if signal.group is None else Port(self.population, signal.group, {})

    def array(self, variable):
        """A variable's values, in place."""
        group = self.group
        start, stop = getattr(group, "start", 0), getattr(group, "stop", len(group))
        return group.variables[variable].get_value()[start:stop]

    def reader(self, output):
        """A function that gives an output's values, after each step."""
        if output.monitor is None:
            values = self.array(output.variable)
            return lambda: values
        monitor, variable = output.monitor, output.variable

        def latest():
            row = monitor.variables[variable].get_value()[-1].copy()
            # Nothing is kept: a monitor would grow for as long as the run lasts.
            monitor.resize(0)
            return row

        return latest


def create(brian2, part, population):
    """The port of a population with a cell."""
    kind, count = population["cell"], population["count"]
    if kind not in cells.CELLS:
        known = ", ".join(sorted(cells.CELLS))
        raise CoupleError(f"population `{population['name']}`: no Brian2 model for {kind}; known are {known}")
    if count == 0:
        return Port(population, None, {})
    params, initial = (_shared(part.values(population, what)) for what in ("params", "initial"))
    model = cells.CELLS[kind](params, initial, part.step_ns / 1e6, part.step_ns)
    group = _group(brian2, model, count, f"couple_{population['id']}")
    return Port(population, group, model.receptors, model.outputs, model.inputs)


def _shared(values):
    """Numbers where all neurons have the same."""
    same = {name: numpy.ndim(value) == 0 or (value == value[0]).all() for name, value in values.items()}
    return {name: float(numpy.ravel(value)[0]) if same[name] else value for name, value in values.items()}


def _group(brian2, model, count, name):
    lines = [f"d{x}/dt = ({derivative})/ms : 1" for x, derivative in model.derivatives.items()]
    lines += [f"{x} : {kind}" for x, kind in model.variables.items()]
    lines += [f"{x} = {expression} : 1" for x, expression in model.derived.items()]
    # What can be set from elsewhere has an array.
    settable = {entry.variable for entry in model.inputs.values()}
    namespace = {}
    for x, value in model.constants.items():
        if numpy.ndim(value) == 0 and x not in settable:
            namespace[x] = value
        else:
            lines.append(f"{x} : {'integer' if numpy.asarray(value).dtype.kind == 'i' else '1'} (constant)")
    group = brian2.NeuronGroup(
        count,
        "\n".join(lines),
        method=lambda *_: model.step,
        threshold=model.threshold,
        reset=model.reset,
        namespace=namespace,
        name=name,
    )
    for x, value in {**model.constants, **model.start}.items():
        if x not in namespace:
            group.variables[x].get_value()[:] = value
    return group
