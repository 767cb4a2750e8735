"""The program of a NEST component: ``python -m couple.nest``, started by the coordinator."""

import couple.nest as api
from couple.nest import kernel
from couple.nest.component import Component, keep_from_script
from couple.program import main, run_user_script
from couple.session import CoupleError


def run_script(session, script):
    """Runs a user's PyNEST model."""
    if session.description["ranks"] > 1:
        raise CoupleError("a script runs in one process. Help: set ranks = 1 for its component; use threads instead")
    keep_from_script(kernel.load())
    component = api._component = Component(session)
    run_user_script(script, lambda: component.finished, "couple.nest")


def run_description(session):
    """Runs populations that the configuration describes."""
    component = Component(session)
    component.begin(own_model=False)
    component.build()
    component.run()


if __name__ == "__main__":
    main("couple.nest", run_description, run_script)
