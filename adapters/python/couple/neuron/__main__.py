"""The program of a NEURON component: ``python -m couple.neuron``, started by the coordinator."""

import couple.neuron as api
from couple.neuron.component import Component
from couple.program import main


def run_description(session):
    """Runs populations that the configuration describes."""
    component = api._component = Component(session)
    component.begin()
    component.build()
    component.run()


if __name__ == "__main__":
    main("couple.neuron", run_description, None)
