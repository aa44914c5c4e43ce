"""Stage check: what is wrong is said before anything heavy starts; and what the other stages start from.

It runs every time, and looks at the user's files itself. DVC sees only what it writes down, so that a stage
runs again when something changed that it reads: keys of params.yaml, images, weights, the user's code and
what that imports. The reference does not train again when the recipe changes. What was tried already and has
not changed is not tried again: then the stage takes less than a second.
"""

from __future__ import annotations

import os
import sys

from plateau_cause import artifacts, trial
from plateau_cause.config import params
from plateau_cause.errors import PlateauError
from plateau_cause.fingerprint import Fingerprints
from plateau_cause.pipeline import entry, inputs, paths

LOOKED_AT = ("prepare_data", "recipe")  # whose inputs hold everything that a trial looks at


def main() -> None:
    """Reads params.yaml and the files that it names, tries them; writes data/inputs.

    Raises:
        PlateauError: something in params.yaml is wrong, or in what it names: a line for each mistake.
    """
    files = Fingerprints(paths.FINGERPRINTS)
    found = _collected(files)
    if entry.TRIED not in os.environ and not _is_known(found):
        for note in trial.require(paths.PARAMS):
            print(f"note: {note}", file=sys.stderr)
    with artifacts.atomic_folder(paths.INPUTS) as folder:
        for stage, values in found.items():
            artifacts.write_json(folder / paths.inputs(stage).name, values)
    files.keep()


def _collected(files: Fingerprints) -> dict[str, inputs.Values]:
    """Returns what each stage starts from; where that fails, every other mistake is said with it."""
    try:
        return inputs.collect(params.load(paths.PARAMS), files)
    except PlateauError:
        trial.require(paths.PARAMS)
        raise


def _is_known(found: dict[str, inputs.Values]) -> bool:
    """Returns whether all of this was tried already, and found to work: then it was written down."""
    written = {name: paths.inputs(name) for name in LOOKED_AT}
    return all(
        path.exists() and artifacts.read_json(path) == artifacts.plain(found[name])
        for name, path in written.items()
    )
