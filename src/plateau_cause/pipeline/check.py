"""Stage check: all of params.yaml is valid, said before anything heavy starts.

Writes data/params.ok, whose content never changes: the other stages wait for it and run again only
when something changed that they read.
"""

from __future__ import annotations

from plateau_cause import artifacts
from plateau_cause.config import params
from plateau_cause.pipeline import paths


def main() -> None:
    """Reads params.yaml; writes data/params.ok.

    Raises:
        PlateauError: something in params.yaml is wrong.
    """
    params.load(paths.PARAMS)
    artifacts.write_text(paths.PARAMS_OK, "params.yaml is valid\n")
