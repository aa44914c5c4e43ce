"""The project: can be written, says something valid, has data that can be read."""

from __future__ import annotations

import os
import tempfile
from itertools import islice
from pathlib import Path

from plateau import params
from plateau.doctor.check import FAIL, OK, WARN, Check
from plateau.errors import PlateauError

WRITTEN = (
    ".",
    "data",
    "reports",
    "reports/runs",
    ".dvc",
    ".dvc/tmp",
    ".dvc/cache",
    ".plateau",
    ".plateau/runs",
)
SAMPLE = 16  # images that are decoded


def writing() -> Check:
    """Checks that the stages may write where they have to."""
    closed = [name for name in WRITTEN if Path(name).exists() and not os.access(name, os.W_OK | os.X_OK)]
    if closed:
        return Check(
            FAIL, f"no permission to write in {', '.join(closed)}", f"sudo chown -R $USER {Path().resolve()}"
        )
    with tempfile.NamedTemporaryFile(
        dir="."
    ):  # a read-only or full disk grants the permission and still refuses
        pass
    return Check(OK, f"{Path().resolve()} can be written")


def parameters() -> Check:
    """Checks params.yaml as the first stage does."""
    given = params.load()
    factors = given.diagnosis.factors
    tested = "all causes" if factors == "all" else f"{len(factors)} causes"
    return Check(OK, f"params.yaml: {given.data.source}, {given.backbone.name}, {tested}")


def data() -> Check:
    """Lists the images and decodes a few, spread over the whole list."""
    from plateau.data import sources
    from plateau.data.decode import quiet_pillow

    given = params.load().data
    items = list(sources.read(given))
    if not items:
        raise PlateauError(f"data.path: {given.path!r} holds no images")
    chosen = list(islice(items, 0, None, max(1, len(items) // SAMPLE)))[:SAMPLE]
    with quiet_pillow():
        damaged = [reason for item in chosen if (reason := _reason(item))]
    found = f"{len(items):,} images in {len({item.label for item in items}):,} classes"
    if damaged:
        mend = f"replace it, or raise data.max_unreadable (now {given.max_unreadable:g})"
        return Check(
            WARN, f"{found}; {len(damaged)} of {len(chosen)} tried cannot be read: {damaged[0]}", mend
        )
    return Check(OK, f"{found}; {len(chosen)} tried, all readable")


def _reason(item: object) -> str:
    """Returns why an image cannot be read, in a few words; empty where it can."""
    from plateau.data.decode import decode
    from plateau.data.item import Item, UnreadableError

    assert isinstance(item, Item)
    if item.refused:
        return f"{item.image_id}: {item.refused}"
    try:
        decode(item.load(), 64)
    except (UnreadableError, OSError) as error:
        return f"{item.image_id}: {error}"
    return ""
