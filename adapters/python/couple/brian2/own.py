"""Groups of a user's own Brian2 model behind populations of the configuration."""

import numpy

from ..session import CoupleError
from .cells import Receptor
from .groups import Port
from .signals import Input, Output


def _units(brian2):
    """What a unit of a configuration is in Brian2."""
    return {
        "mV": brian2.mV, "nA": brian2.nA, "uS": brian2.uS, "nS": brian2.nS, "nF": brian2.nF, "ms": brian2.ms,
        "Hz": brian2.Hz, "1": 1,
    }  # fmt: skip


def _check_group(call, group):
    if not hasattr(group, "variables") or not hasattr(group, "clock"):
        raise CoupleError(f"{call}: {group!r} is no group of Brian2")


def _variable(call, group, name):
    _check_group(call, group)
    variables = group.variables
    if name not in variables:
        known = sorted(v for v in variables if not v.startswith("_") and v not in ("N", "i", "t", "dt", "t_in_timesteps"))
        raise CoupleError(f"{call}: `{group.name}` has no variable `{name}`; it has {', '.join(known)}")
    return variables[name]


def _settable(call, group, name, variable):
    is_array = hasattr(variable, "get_value") and not variable.read_only and not variable.scalar
    if not is_array or numpy.dtype(variable.dtype).kind != "f":
        raise CoupleError(
            f"{call}: `{name}` of `{group.name}` cannot be set. Help: declare it in the equations as a variable of each "
            f"neuron, as in  {name} : amp"
        )


def population(part, ports, call, name):
    """The population `name`, which must be one that the script provides."""
    own = {p["name"]: p for p in part.ports()}
    if name not in own:
        raise CoupleError(
            f"{call}: `{name}` is no population of component `{part.description['component']}` that a script provides; "
            f"those are: {', '.join(sorted(own)) or 'none'}"
        )
    return ports.setdefault(name, Port(own[name], None, {}))


def _check_size(call, port, group):
    _check_group(call, group)
    if len(group) != port.population["size"]:
        raise CoupleError(
            f"{call}: `{port.name}` has size {port.population['size']} in the configuration, but `{group.name}` has "
            f"{len(group)} neurons"
        )


def receptors(brian2, call, group, given):
    """Receptors from {receptor: variable}."""
    found = {}
    weights = {unit.dim: (name, unit) for name, unit in _units(brian2).items() if name in ("mV", "nA", "uS")}
    if not isinstance(given or {}, dict):
        raise CoupleError(f'{call}: receptors are given as {{"excitatory": "variable"}}, not as {given!r}')
    for receptor, name in (given or {}).items():
        if receptor not in ("excitatory", "inhibitory"):
            raise CoupleError(f"{call}: there is no receptor `{receptor}`; they are excitatory and inhibitory")
        variable = _variable(call, group, name)
        _settable(call, group, name, variable)
        if variable.dim.is_dimensionless:
            found[receptor] = Receptor(name, 1.0)
        elif variable.dim in weights:
            found[receptor] = Receptor(name, 1.0, kick=float(weights[variable.dim][1]))
        else:
            raise CoupleError(
                f"{call}: weights are in nA, uS or mV, or plain numbers, but `{name}` is in {variable.dim!r}. Help: let "
                "spikes add to a current, a conductance or a potential"
            )
    return found


def name_port(brian2, port, group, given):
    """Makes `group` the neurons of a population."""
    call = "couple.brian2.port"
    if port.group is not None:
        raise CoupleError(f"{call}: `{port.name}` has been named already")
    found = receptors(brian2, call, group, given)
    _check_size(call, port, group)
    port.group, port.receptors = group, found


def name_signal(brian2, part, port, way, name, group, variable):
    """Makes a variable of `group` that of the population which is called `name`; `way` is "output" or "input"."""
    call = f"couple.brian2.{way}"
    declared = {v["name"]: v.get("unit") for v in port.population.get("variables", []) if v.get("unit")}
    if name not in declared:
        raise CoupleError(
            f"{call}: `{port.name}` has no analog variable `{name}` in the configuration; it has "
            f"{', '.join(sorted(declared)) or 'none'}. Help: declare it in the population, as in  "
            f'variables = {{ {name} = "mV" }}'
        )
    found = _variable(call, group, variable)
    _check_size(call, port, group)
    unit = _units(brian2).get(declared[name])
    # A unit that Brian2 does not know belongs to a plain number.
    if not brian2.have_same_dimensions(found.dim, 1 if unit is None else unit):
        raise CoupleError(
            f"{call}: `{port.name}.{name}` is in {declared[name]}, but `{variable}` of `{group.name}` is in {found.dim!r}"
        )
    factor = 1.0 if unit is None else float(unit)
    if way == "output":
        port.outputs[name] = Output(variable, divisor=factor, group=group, monitor=_monitor(brian2, group, variable, found))
        return
    _settable(call, group, variable, found)
    port.inputs[name] = Input(variable, factor=factor, group=group)


def _monitor(brian2, group, name, variable):
    """What evaluates a variable that is an expression of others at the end of each step; None for one that has values."""
    if not isinstance(variable, brian2.core.variables.Subexpression):
        return None
    last_but_one = (1 << 30) - 1
    return brian2.StateMonitor(group, name, record=True, clock=group.clock, when="end", order=last_but_one, name="couple_output*")


def check(part, ports, network):
    """Whether all that the configuration wants has been named, and `network` holds it."""
    projections = part.description["projections"]
    for population in part.ports():
        port, wanted = ports.get(population["name"]), population.get("output") is not None
        wanted = wanted or any(p["to"] == population["id"] for p in projections)
        if wanted and (port is None or port.group is None):
            raise CoupleError(
                f"no group for population `{population['name']}`. Help: call "
                f'couple.brian2.port("{population["name"]}", group) before run()'
            )
        wanted = population.get("output") is not None or any(p["from"] == population["id"] for p in projections)
        if wanted and "_spikespace" not in port.group.variables:
            raise CoupleError(
                f"the spikes of `{port.name}` are wanted, but `{port.group.name}` never spikes. Help: give it a threshold"
            )
    groups = [port.group for port in ports.values() if port.group is not None]
    for port in ports.values():
        groups += [signal.group for signal in [*port.outputs.values(), *port.inputs.values()] if signal.group is not None]
    held = {one.name for one in network.objects}
    for group in groups:
        source = getattr(group, "source", group)
        step_ns = round(float(source.clock.dt_) * 1e9)
        if step_ns != part.step_ns:
            raise CoupleError(
                f"`{group.name}` has a step of {step_ns / 1e6} ms, but the component's is {part.step_ns / 1e6} ms. Help: "
                "leave dt out of the script, or set `step` in the configuration"
            )
        if not held & {group.name, source.name}:
            raise CoupleError(f"`{group.name}` is not in the network given to couple.brian2.run()")
    if float(network.t_) != 0.0:
        raise CoupleError("the network has simulated already. Help: let couple.brian2.run() do it")
