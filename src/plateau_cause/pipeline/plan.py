"""Stage plan: what the other stages start from, written down, so that each runs again only when that changes.

The reference arm must not train again when the recipe changes: data/inputs/<arm>.json. DVC follows the links
in data/watched/ to the user's images; where there are none, as for a data set of a hub, a note stands there.
"""

from __future__ import annotations

from plateau_cause import artifacts
from plateau_cause.config import params
from plateau_cause.images import sources
from plateau_cause.pipeline import paths


def main() -> None:
    """Reads params.yaml and the user's code; writes data/inputs and data/watched.

    Raises:
        PlateauError: the images are not there.
    """
    given = params.load(paths.PARAMS)
    for arm in params.ARMS:
        artifacts.write_json(paths.inputs(arm), params.arm_inputs(given, arm))
    for key, data in (("data", given.data), ("reference_data", given.reference_data)):
        found = sources.local_files(data, key) if data else None
        artifacts.write_link(paths.WATCHED / key, found)
