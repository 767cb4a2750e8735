"""NEURON as a component of a run.

A component with ``simulator = "neuron"`` whose populations have cells needs no Python.
"""

_component = None
