"""The program of a Brian2 component: ``python -m couple.brian2``, started by the coordinator."""

import sys

import couple.brian2 as api
from couple.brian2.component import Component
from couple.program import main, run_user_script


def run_description(session):
    """Runs populations that the configuration describes."""
    component = Component(session)
    try:
        component.begin(own_model=False)
        component.build()
        component.run()
    finally:
        _tidy()


def run_script(session, script):
    """Runs a user's Brian2 model."""
    component = api._component = Component(session)
    try:
        run_user_script(script, lambda: component.finished, "couple.brian2")
    finally:
        _tidy()


def _tidy():
    """Removes Brian2's own log, a temporary file: the process ends without Python's ordinary end."""
    logger = sys.modules.get("brian2.utils.logger")
    if logger is not None:
        logger.clean_up_logging()


if __name__ == "__main__":
    main("couple.brian2", run_description, run_script)
