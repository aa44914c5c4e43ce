"""The frame of every stage and command: one clear line and exit status 2 for what the user can mend.

Nothing heavy is imported here: a wrong key in params.yaml is reported in a fraction of a second.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

from plateau_cause import runtime
from plateau_cause.errors import PlateauError

TRIED = "PLATEAU_TRIED"  # variable that says that a caller has tried all that params.yaml leads to
MISTAKES = "PLATEAU_MISTAKES"  # variable with the file in which a caller looks for them


def run_stage(name: str, *arguments: str) -> None:
    """Runs a stage, the module of this package that has its name, in the project in the current directory.

    Threads are set up before the module is imported, and torch with it. Exits with status 2 and one line on
    stderr for a PlateauError, with status 130 for an interruption.
    """
    runtime.set_up_threads()
    with guarded():
        from plateau_cause.pipeline import skipped

        if "DVC_STAGE" in os.environ:
            from plateau_cause.pipeline import lock

            lock.keep_notes(Path())
        arm = arguments[0] if arguments else None
        if skipped.is_skipped(name, arm):
            skipped.write_nothing(name, arm)
            return
        import_module(f"plateau_cause.pipeline.{name}").main(*arguments)


@contextmanager
def guarded() -> Iterator[None]:
    """Ends the process for a PlateauError (status 2, a line for each mistake) and an interruption (130)."""
    try:
        yield
    except PlateauError as error:
        for line in error.lines:
            print(f"error: {line}", file=sys.stderr)
        _tell_caller(error.lines)
        sys.exit(2)
    except KeyboardInterrupt:
        print("interrupted: run the same command again to go on from what is finished", file=sys.stderr)
        sys.exit(130)


def _tell_caller(lines: Sequence[str]) -> None:
    """Leaves the mistakes to `plateau diagnose`: of a stage that stops, DVC only says that it failed."""
    if MISTAKES in os.environ:
        Path(os.environ[MISTAKES]).write_text(json.dumps(lines), encoding="utf-8")
