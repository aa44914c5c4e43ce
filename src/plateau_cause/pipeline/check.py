"""Stage check: params.yaml is valid, said before anything heavy starts; and what the other stages start from.

It runs every time, in less than a second, and looks at the user's files itself. DVC sees only what it
writes down, so that a stage runs again when something changed that it reads: keys of params.yaml, images,
weights, the user's code and what that imports. The reference does not train again when the recipe changes.
"""

from __future__ import annotations

from plateau_cause import artifacts
from plateau_cause.config import params
from plateau_cause.fingerprint import Fingerprints
from plateau_cause.pipeline import inputs, paths


def main() -> None:
    """Reads params.yaml and the files that it names; writes data/inputs.

    Raises:
        PlateauError: something in params.yaml is wrong, or what it names is not there.
    """
    given = params.load(paths.PARAMS)
    files = Fingerprints(paths.FINGERPRINTS)
    found = inputs.collect(given, files)
    with artifacts.atomic_folder(paths.INPUTS) as folder:
        for stage, values in found.items():
            artifacts.write_json(folder / paths.inputs(stage).name, values)
    files.keep()
