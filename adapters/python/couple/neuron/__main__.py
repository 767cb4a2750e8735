"""The program of a NEURON component: ``python -m couple.neuron``, started by the coordinator."""

import couple.neuron as api
from couple.neuron.component import Component
from couple.program import main, run_user_script


def run_script(session, script):
    """Runs a user's model."""
    component = api._component = Component(session)
    run_user_script(script, lambda: component.finished, "couple.neuron")


def run_description(session):
    """Runs populations that the configuration describes."""
    component = Component(session)
    component.begin()
    component.build()
    component.run()


if __name__ == "__main__":
    main("couple.neuron", run_description, run_script)
