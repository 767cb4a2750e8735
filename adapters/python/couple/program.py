"""The frame of a program that is a simulator's component: how it begins, and how it tells what went wrong."""

import faulthandler
import os
import runpy
import sys
import traceback

from .session import CoupleError, RunEnded, Session

FAILED = 3


def run_user_script(script, is_finished, module):
    """Runs a user's model as a program of its own; it must have called `run` of `module`."""
    sys.argv = [script]
    sys.path.insert(0, os.path.dirname(os.path.abspath(script)))
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as leave:
        if leave.code not in (None, 0):
            raise CoupleError(f"{script} left with {leave.code}") from leave
        if not is_finished():
            raise CoupleError(f"{script} called exit() before {module}.run() was over") from leave
    if not is_finished():
        raise CoupleError(f"{script} ended without calling {module}.run()")


def message(error, script):
    """One paragraph for the coordinator; the log has the traceback."""
    text = str(error) if isinstance(error, CoupleError) else f"{type(error).__name__}: {error}"
    chain = [error]
    while chain[-1].__cause__ is not None:
        chain.append(chain[-1].__cause__)
    # Simulators wrap what went wrong into exceptions of their own; what a user can mend is the first one.
    if len(chain) > 1 and not isinstance(error, CoupleError):
        text += f"\nIt began with {type(chain[-1]).__name__}: {chain[-1]}"
    if script:
        frames = [f for e in chain for f in reversed(traceback.extract_tb(e.__traceback__)) if f.filename == script]
        if frames:
            return f"{script}:{frames[0].lineno}: {text}"
    return text


def _run(module, run_description, run_script):
    # A crash in compiled code says in the log where the script was.
    faulthandler.enable()
    try:
        session = Session()
    except (CoupleError, OSError) as error:
        print(f"{module}: {error}", file=sys.stderr)
        return FAILED
    script = session.description.get("script")
    try:
        if script:
            run_script(session, script)
        else:
            run_description(session)
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


def main(module, run_description, run_script):
    """Runs the component and ends the process.

    `run_description(session)` is for populations that the configuration describes, `run_script(session, script)` for a
    user's own model.
    """
    status = _run(module, run_description, run_script)
    sys.stdout.flush()
    sys.stderr.flush()
    # Without the simulator's tear-down: its order among the loaded libraries is not ours to choose.
    os._exit(status)
