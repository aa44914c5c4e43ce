"""The project: can be written, says something valid, has data that can be read."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from plateau_cause.config import params
from plateau_cause.doctor.check import FAIL, OK, WARN, Check
from plateau_cause.pipeline import paths

WRITTEN = (
    ".",
    paths.DATA,
    paths.REPORTS,
    paths.RUN_RECORDS,
    ".dvc",
    ".dvc/tmp",
    ".dvc/cache",
    paths.KEPT,
    paths.FINISHED,
)
SMALL_PX = 64  # images are decoded to be seen at all


def writing() -> Check:
    """Checks that the stages may write where they have to."""
    closed = [str(name) for name in WRITTEN if Path(name).exists() and not os.access(name, os.W_OK | os.X_OK)]
    if closed:
        return Check(
            FAIL, f"no permission to write in {', '.join(closed)}", f"sudo chown -R $USER {Path().resolve()}"
        )
    # A read-only or full disk grants the permission and still refuses
    with tempfile.NamedTemporaryFile(dir="."):
        pass
    return Check(OK, f"{Path().resolve()} can be written")


def parameters() -> Check:
    """Tries everything that params.yaml leads to, as the first stage does; one line for each mistake."""
    from plateau_cause import trial

    tried = trial.check(paths.PARAMS)
    if tried.mistakes:
        return Check(FAIL, "\n".join(tried.mistakes))
    if tried.notes:
        return Check(WARN, "\n".join(tried.notes))
    given = tried.params
    factors = given.diagnosis.factors
    tested = "all causes" if factors == "all" else f"{len(factors)} causes"
    return Check(OK, f"{paths.PARAMS}: {given.data.source}, {given.backbone.name}, {tested}")


def data() -> Check:
    """Lists the images and decodes a few, spread over the list; what is not here yet is not downloaded."""
    from plateau_cause.trial.images import survey

    given = params.load(paths.PARAMS).data
    sample = survey(given, "data", SMALL_PX)
    if not sample.is_here:
        return Check(
            WARN, f"{given.source} {given.path} is not on this machine: the first stage downloads it"
        )
    count = (
        f"{len(sample.items):,} images" if sample.is_complete else f"more than {len(sample.items):,} images"
    )
    found = f"{count} in {len(sample.classes):,} classes"
    if sample.unreadable:
        number, first = len(sample.unreadable), ": ".join(sample.unreadable[0])
        mend = f"replace it, or raise data.max_unreadable (now {given.max_unreadable:g})"
        return Check(WARN, f"{found}; {number} of {sample.tried} tried cannot be read: {first}", mend)
    return Check(OK, f"{found}; {sample.tried} tried, all readable")
