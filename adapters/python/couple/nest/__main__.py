"""The program of a NEST component: ``python -m couple.nest``, started by the coordinator."""

import faulthandler
import os
import runpy
import sys
import traceback

import couple.nest as api
from couple.nest.component import Component, keep_from_script
from couple.nest import kernel
from couple.session import CoupleError, RunEnded, Session

FAILED = 3


def run_script(component, script):
    """Runs a user's PyNEST model."""
    if component.description["ranks"] > 1:
        raise CoupleError("a script runs in one process. Help: set ranks = 1 for its component; use threads instead")
    keep_from_script(kernel.load())
    api._component = component
    sys.argv = [script]
    sys.path.insert(0, os.path.dirname(os.path.abspath(script)))
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as leave:
        if leave.code not in (None, 0):
            raise CoupleError(f"{script} left with {leave.code}") from leave
    if not component.finished:
        raise CoupleError(f"{script} ended without calling couple.nest.run()")


def run_description(component):
    """Runs populations that the configuration describes."""
    component.begin(own_model=False)
    component.build()
    component.run()


def message(error, script):
    """One paragraph for the coordinator; the log has the traceback."""
    text = str(error) if isinstance(error, CoupleError) else f"{type(error).__name__}: {error}"
    if script:
        frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == script]
        if frames:
            return f"{script}:{frames[-1].lineno}: {text}"
    return text


def main():
    # A crash in compiled code says in the log where the script was.
    faulthandler.enable()
    try:
        session = Session()
    except (CoupleError, OSError) as error:
        print(f"couple.nest: {error}", file=sys.stderr)
        return FAILED
    script = session.description.get("script")
    try:
        component = Component(session)
        if script:
            run_script(component, script)
        else:
            run_description(component)
    except RunEnded as error:
        # Nothing went wrong here, and the coordinator knows what did.
        print(f"couple: {error}: the run has ended elsewhere", file=sys.stderr)
        return FAILED
    except BaseException as error:  # also KeyboardInterrupt: whatever it is, the run must know
        traceback.print_exc()
        sys.stderr.flush()
        session.fail(message(error, script))
        return FAILED
    return 0


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # Without NEST's tear-down: its order among the loaded libraries is not ours to choose.
    os._exit(status)
