"""The program of a Brian2 component: ``python -m couple.brian2``, started by the coordinator."""

import couple.brian2 as api
from couple.brian2.component import Component
from couple.program import main, run_user_script


def run_description(session):
    """Runs populations that the configuration describes."""
    component = Component(session)
    component.begin(own_model=False)
    component.build()
    component.run()


def run_script(session, script):
    """Runs a user's Brian2 model."""
    component = api._component = Component(session)
    run_user_script(script, lambda: component.finished, "couple.brian2")


if __name__ == "__main__":
    main("couple.brian2", run_description, run_script)
