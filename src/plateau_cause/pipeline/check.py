"""Stage check: what is wrong is said before anything heavy starts; and what the other stages start from.

It runs every time, and looks at the user's files itself. DVC sees only what it writes down, so that a stage
runs again when something changed that it reads: keys of params.yaml, images, weights, the user's code and
what that imports. The reference does not train again when the recipe changes. What was tried already and has
not changed is not tried again: then the stage takes less than a second.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from plateau_cause import artifacts, trial
from plateau_cause.config import params
from plateau_cause.errors import PlateauError
from plateau_cause.fingerprint import Fingerprints
from plateau_cause.pipeline import entry, inputs, lock, paths
from plateau_cause.trial import sizes

LOOKED_AT = ("prepare_data", "recipe")  # whose inputs hold everything that a trial looks at


def main() -> None:
    """Reads params.yaml and the files that it names, tries them; writes data/inputs.

    Raises:
        PlateauError: something in params.yaml is wrong, or in what it names: a line for each mistake.
    """
    lock.clear_if_broken(Path())
    files = Fingerprints(paths.FINGERPRINTS)
    given, found = _collected(files)
    if given.recipe.script is None:
        found["prepare_data"]["asked_px"] = _asked_px(given, found)
    with artifacts.atomic_folder(paths.INPUTS) as folder:
        for stage, values in found.items():
            artifacts.write_json(folder / paths.inputs(stage).name, values)
    files.keep()


def _asked_px(given: params.Params, found: dict[str, inputs.Values]) -> int:
    """Returns the size that images are asked for, pixels; what was tried before is not tried again."""
    asked_px = _known(found)
    if asked_px is None:
        asked_px = _tried(given)
        artifacts.write_json(paths.TRIED, {**_looked_at(found), "asked_px": asked_px})
    return asked_px


def _collected(files: Fingerprints) -> tuple[params.Params, dict[str, inputs.Values]]:
    """Returns what each stage starts from; where that fails, every other mistake is said with it."""
    try:
        given = params.load(paths.PARAMS)
        return given, inputs.collect(given, files)
    except PlateauError:
        trial.require(paths.PARAMS)
        raise


def _tried(given: params.Params) -> int:
    """Returns the size that images are asked for, pixels, after everything was tried.

    Raises:
        PlateauError: something does not work: a line for each mistake.
    """
    if entry.TRIED not in os.environ:
        for note in trial.require(paths.PARAMS):
            print(f"note: {note}", file=sys.stderr)
    return sizes.asked_px(given)


def _known(found: dict[str, inputs.Values]) -> int | None:
    """Returns that size where exactly this was tried before, and worked."""
    before = artifacts.read_json(paths.TRIED) if paths.TRIED.exists() else {}
    asked_px: int | None = before.pop("asked_px", None)
    return asked_px if before == _looked_at(found) else None


def _looked_at(found: dict[str, inputs.Values]) -> dict[str, Any]:
    return {name: artifacts.plain(found[name]) for name in LOOKED_AT}
