"""The frame of every stage and command: one clear line and exit status 2 for what the user can mend.

Nothing heavy is imported here: a wrong key in params.yaml is reported in a fraction of a second.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from plateau_cause import runtime
from plateau_cause.errors import PlateauError


def stage(main: Callable[[], None]) -> None:
    """Runs a stage's main function; exits with status 2 and one line on stderr for a PlateauError."""
    runtime.set_up_threads()
    with guarded():
        main()


@contextmanager
def guarded() -> Iterator[None]:
    """Ends the process in one line for a PlateauError (status 2) and an interruption (status 130)."""
    try:
        yield
    except PlateauError as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("interrupted: run the same command again to go on from what is finished", file=sys.stderr)
        sys.exit(130)
