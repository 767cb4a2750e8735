"""Analog signals of NEST's neurons: PyNN's names and units, and NEST's."""

from ..session import CoupleError

#: The input that is an injected current.
CURRENT = "current"

#: PyNN's name of a state variable -> NEST's recordable, and how many of NEST's units are one of PyNN's.
_RECORDABLES = {
    "v": ("V_m", 1.0), "u": ("U_m", 1.0), "w": ("w", 1e3),
    "isyn_exc": ("I_syn_ex", 1e3), "isyn_inh": ("I_syn_in", 1e3), "gsyn_exc": ("g_ex", 1e3), "gsyn_inh": ("g_in", 1e3),
    "g_s": ("g_sfa", 1.0), "g_r": ("g_rr", 1.0), "m": ("Act_m", 1.0), "h": ("Inact_h", 1.0), "n": ("Act_n", 1.0),
}  # fmt: skip
#: PyNN's name of a parameter that can change -> NEST's.
_PARAMETERS = {"i_offset": "I_e", "v_thresh": "V_th"}


def drive(cell, variable):
    """NEST's parameter (empty for an injected current) behind a standard cell's input, and the scale."""
    if variable == CURRENT:
        return "", _scale(cell, "I_e", "i_offset")
    parameter = _PARAMETERS.get(variable)
    if parameter in cell.parameters:
        return parameter, _scale(cell, parameter, variable)
    return None


def _scale(cell, parameter, name):
    """What NEST's parameter is for 1 in PyNN's unit; a cell without the parameter takes currents in pA."""
    convert = cell.parameters.get(parameter)
    return convert({name: 1.0}) if convert else 1000.0


class Table:
    """What a user's own model has behind the variables of its ports."""

    def __init__(self):
        self._entries = {}

    def name(self, call, population, variable, entry):
        if (population, variable) in self._entries:
            raise CoupleError(f"{call}: `{population}.{variable}` has been named already")
        self._entries[population, variable] = entry

    def find(self, call, population, variable):
        entry = self._entries.get((population, variable))
        if entry is None:
            raise CoupleError(
                f"nothing in the script is behind `{population}.{variable}`. Help: call {call}(\"{population}\", "
                f"\"{variable}\", …) before run()"
            )
        return entry


def connect(component):
    """Tells the extension which neurons give and take the signals of this rank."""
    by_population = {}
    for signal in component.description.get("signals_out", []):
        by_population.setdefault(signal["population"], []).append(signal)
    for name, signals in by_population.items():
        port = component.ports[name]
        found = [_reading(component, port, signal["variable"]) for signal in signals]
        if len(port.ids) > 0:
            component.extension.readings([s["index"] for s in signals], found, port.ids)
    for signal in component.description.get("signals_in", []):
        name, variable = signal["target"].rsplit(".", 1)
        port = component.ports[name]
        parameter, scale = _drive(component, port, variable)
        if len(port.ids) > 0:
            component.extension.drive(signal["index"], parameter, scale, port.ids)


def _reading(component, port, variable):
    name = port.population["name"]
    if not port.population.get("cell"):
        return component.own_readings.find("couple.nest.output", name, variable)
    found = _RECORDABLES.get(variable)
    if found is None:
        raise CoupleError(f"population `{name}`: NEST's {port.cell.model} does not give `{variable}`")
    return found


def _drive(component, port, variable):
    name = port.population["name"]
    if not port.population.get("cell"):
        return component.own_drives.find("couple.nest.input", name, variable)
    found = drive(port.cell, variable)
    if found is None:
        raise CoupleError(f"population `{name}`: NEST's {port.cell.model} does not take `{variable}`")
    return found


def sets_parameters(component):
    """Whether a parameter of a neuron changes while NEST runs: it can do so between slices only."""
    targets = (signal["target"].rsplit(".", 1) for signal in component.description.get("signals_in", []))
    return any(_drive(component, component.ports[name], variable)[0] for name, variable in targets)
