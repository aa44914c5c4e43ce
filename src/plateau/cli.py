"""The frame of every stage: threads first, one clear line and exit status 2 for what the user can mend.

Nothing heavy is imported here: a wrong key in params.yaml is reported in a fraction of a second.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from plateau import runtime
from plateau.errors import PlateauError


def stage(main: Callable[[], None]) -> None:
    """Runs a stage's main function; exits with status 2 and one line on stderr for a PlateauError."""
    runtime.set_up_threads()
    try:
        main()
    except PlateauError as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("interrupted: run the same command again to go on from what is finished", file=sys.stderr)
        sys.exit(130)
