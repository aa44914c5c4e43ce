"""The project: can be written, says something valid, has data that can be read."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from plateau_cause.config import params
from plateau_cause.doctor.check import FAIL, OK, WARN, Check
from plateau_cause.errors import PlateauError
from plateau_cause.pipeline import paths

if TYPE_CHECKING:
    from plateau_cause.images.item import Item

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
SAMPLE = 16  # images that are decoded
LISTING_S = 5.0  # of a set that is larger, the first part is enough


def writing() -> Check:
    """Checks that the stages may write where they have to."""
    closed = [str(name) for name in WRITTEN if Path(name).exists() and not os.access(name, os.W_OK | os.X_OK)]
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
    """Lists the images and decodes a few, spread over the list; what is not here yet is not downloaded."""
    from plateau_cause.images import sources
    from plateau_cause.images.decode import quiet_pillow

    given = params.load().data
    if not _is_here(given):
        return Check(
            WARN, f"{given.source} {given.path} is not on this machine: the first stage downloads it"
        )
    items, is_complete = _listed(sources.read(given))
    if not items:
        raise PlateauError(f"data.path: {given.path!r} holds no images")
    chosen = list(islice(items, 0, None, max(1, len(items) // SAMPLE)))[:SAMPLE]
    with quiet_pillow():
        damaged = [reason for item in chosen if (reason := _reason(item))]
    count = f"{len(items):,} images" if is_complete else f"more than {len(items):,} images"
    found = f"{count} in {len({item.label for item in items}):,} classes"
    if damaged:
        mend = f"replace it, or raise data.max_unreadable (now {given.max_unreadable:g})"
        return Check(
            WARN, f"{found}; {len(damaged)} of {len(chosen)} tried cannot be read: {damaged[0]}", mend
        )
    return Check(OK, f"{found}; {len(chosen)} tried, all readable")


def _is_here(given: params.Data) -> bool:
    """Returns whether reading the images needs no download."""
    if given.source == "torchvision":
        from plateau_cause.images.sources.torchvision import KNOWN

        known = KNOWN.get(str(given.path))
        folder = Path(given.root) / (known.folder if known else "")
        return known is None or (folder.is_dir() and any(folder.iterdir()))  # an unknown name: read() says so
    return given.source != "huggingface" or Path(str(given.path)).exists()


def _listed(items: Iterable[Item]) -> tuple[list[Item], bool]:
    """Returns the items that are listed within a few seconds, and whether they are all."""
    end, found = time.monotonic() + LISTING_S, []
    for item in items:
        found.append(item)
        if time.monotonic() > end:
            return found, False
    return found, True


def _reason(item: Item) -> str:
    """Returns why an image cannot be read, in a few words; empty where it can."""
    from plateau_cause.images.decode import decode
    from plateau_cause.images.item import UnreadableError

    if item.refused:
        return f"{item.image_id}: {item.refused}"
    try:
        decode(item.load(), 64)
    except (UnreadableError, OSError) as error:
        return f"{item.image_id}: {error}"
    return ""
