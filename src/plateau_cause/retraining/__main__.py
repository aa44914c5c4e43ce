"""python -m plateau_cause.retraining [promote] [--no-promote] [--outputs FILE].

Exit status: 0 promoted, or deployed already; 3 not better; 4 a new plateau cause; 1 a failure; 2 something
that the user can mend.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from plateau_cause import runtime
from plateau_cause.errors import PlateauError


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit status, after one line on what became of today's model."""
    given = _parse(arguments)
    runtime.set_up_threads()
    from plateau_cause.retraining.pipeline import PipelineError
    from plateau_cause.tracking.registry import RegistryError

    try:
        found = _run(given)
    except (PlateauError, PipelineError, RegistryError) as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2 if isinstance(error, PlateauError) else 1
    except KeyboardInterrupt:
        print("interrupted: run the same command again to go on from what is finished", file=sys.stderr)
        return 130
    print(f"5/5  {_became(found)}: {found['reason']}")
    return int(found["status"])


def _became(found: Mapping[str, Any]) -> str:
    """Returns what became of today's model."""
    if found["outcome"] == "unchanged":
        return "nothing to promote"
    if not found["promote"]:
        return "not promoted"
    return "promoted" if found["promoted"] else "to be promoted"


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m plateau_cause.retraining", description=__doc__)
    parser.add_argument(
        "step", nargs="?", choices=("all", "promote"), default="all",
        help="promote: only do what reports/retrain.json has decided",
    )  # fmt: skip
    parser.add_argument("--no-promote", action="store_true", help="decide, and leave the champion in place")
    parser.add_argument("--outputs", type=Path, help="file that outcome, promote and version are added to")
    return parser.parse_args(arguments)


def _run(given: argparse.Namespace) -> dict[str, Any]:
    from plateau_cause.retraining.command import promote_decided, retrain

    found = promote_decided() if given.step == "promote" else retrain(promote=not given.no_promote)
    if given.outputs:
        with given.outputs.open("a", encoding="utf-8") as file:
            file.write(f"outcome={found['outcome']}\npromote={str(found['promote']).lower()}\n")
            file.write(f"version={found['challenger']['version']}\n")
    return found


if __name__ == "__main__":
    sys.exit(main())
