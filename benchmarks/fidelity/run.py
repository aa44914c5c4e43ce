"""Recipe arm against plain script, recipe by recipe: test accuracies over three seeds.

python -m benchmarks.fidelity.run [--recipes 'own_*'] [--seeds 0 1 2] [--page docs/fidelity_results.md]

Exit status 1 where more than one recipe in 24 disagrees.
"""

from __future__ import annotations

import argparse
import fnmatch
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from plateau_cause import artifacts, runtime

if TYPE_CHECKING:
    from benchmarks.fidelity.trial import Trial

WORK = Path(".plateau/fidelity")
MOST_DISAGREEING = 1 / 24
COLUMNS = ("recipe", "plain script", "recipe arm", "difference, points", "spread, points", "")
HEAD = f"| {' | '.join(COLUMNS)} |\n{'|---' * len(COLUMNS)}|"


def main() -> int:
    """Trains every chosen recipe both ways, prints a line each; returns the exit status."""
    given = _arguments()
    runtime.set_up_threads()
    from benchmarks.fidelity import data, trial
    from plateau_cause.config.params import Data
    from plateau_cause.images.prepare import prepare

    images = data.write(WORK / "images")
    if not (WORK / "prepared").exists():
        prepare(Data(source="imagefolder", path=str(images)), WORK / "prepared")
    chosen = {
        name: recipe
        for name, recipe in trial.recipes().items()
        if any(fnmatch.fnmatch(name, pattern) for pattern in given.recipes)
    }
    print(HEAD, flush=True)
    trials = []
    for name, recipe in chosen.items():
        trials.append(trial.run(name, recipe, images, WORK / "prepared", given.seeds))
        print(line(trials[-1]), flush=True)
    agreeing = sum(found.agrees for found in trials)
    print(f"\n{agreeing} of {len(trials)} agree within the spread of {len(given.seeds)} seeds")
    if given.page:
        artifacts.write_text(given.page, "\n".join([HEAD, *map(line, trials)]) + "\n")
    return 0 if passes([found.agrees for found in trials]) else 1


def line(found: Trial) -> str:
    """Returns one row of the table: accuracies in percent, differences in points."""
    script, arm = (" ".join(f"{100 * value:.1f}" for value in side) for side in (found.script, found.arm))
    said = "" if found.agrees else "**differs**"
    numbers = f"{100 * found.difference:+.1f} | {100 * found.spread:.1f}"
    return f"| {found.name} | {script} | {arm} | {numbers} | {said} |"


def passes(agreements: Sequence[bool]) -> bool:
    """Returns whether no more than one recipe in 24 disagrees."""
    return agreements.count(False) <= MOST_DISAGREEING * len(agreements)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--recipes", nargs="+", default=["*"], help="shell patterns of recipe names")
    parser.add_argument(
        "--seeds", type=int, nargs="+", default=[0, 1, 2], help="one training of each kind per seed"
    )
    parser.add_argument("--page", type=Path, help="write the table as Markdown too")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
