"""Brian2 as a component of a run."""

_component = None
