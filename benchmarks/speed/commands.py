"""What a user waits for when there is nothing to do."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.speed.measure import Measured, in_turn, seconds

START_S = 0.2  # what --help may take beyond Python itself


def measures(rounds: int) -> Iterator[Measured]:
    """Yields a line for --help, and one for `dvc repro` where this project has been run to its end."""
    tools = Path(sys.executable).parent
    pairs = in_turn(
        (lambda: _s(tools / "plateau", "--help"), lambda: _s(sys.executable, "-c", "pass")), rounds
    )
    ratios = tuple(ours / (bare + START_S) for ours, bare in pairs)
    yield Measured("`plateau --help`", f"`python -c pass` + {START_S} s", ratios, 1.0, at_most=True)
    if not Path("dvc.lock").exists():
        print("dvc repro: not measured, `make repro` has not been run here", file=sys.stderr)
        return
    pairs = in_turn((lambda: _s(tools / "dvc", "repro"), lambda: _s(tools / "dvc", "status")), rounds)
    ratios = tuple(ours / bare for ours, bare in pairs)
    yield Measured("`dvc repro`, nothing to do", "`dvc status`", ratios, 1.5, at_most=True)


def _s(*command: str | Path) -> float:
    return seconds(lambda: subprocess.run(command, check=True, capture_output=True))
