"""The program of an Arbor component: ``python -m couple.arbor``, started by the coordinator."""

import couple.arbor as api
from couple.arbor.component import Component
from couple.program import main, run_user_script
from couple.session import CoupleError


def run_description(_session):
    """`couple check` refuses a component without a script."""
    raise CoupleError("Arbor's cells come from a script. Help: name one as `script` of the component")


def run_script(session, script):
    """Runs a user's Arbor model."""
    component = api._component = Component(session)
    run_user_script(script, lambda: component.finished, "couple.arbor")


if __name__ == "__main__":
    main("couple.arbor", run_description, run_script)
