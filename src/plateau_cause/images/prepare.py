"""From a source to the prepared folder: decode once, split, write the manifest and the store."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from plateau_cause import artifacts
from plateau_cause.config.params import Data
from plateau_cause.errors import PlateauError, shown
from plateau_cause.images import manifest as manifests
from plateau_cause.images import manifest_file, quarantine, sources, splits
from plateau_cause.images.blocks import slices
from plateau_cause.images.decode import Decoded, decode, quiet_pillow
from plateau_cause.images.item import Item, UnreadableError
from plateau_cause.images.listing import Streamed, in_order, listed
from plateau_cause.images.manifest_file import MANIFEST, Rows
from plateau_cause.images.store import CLASSES, PIXELS, QUARANTINE
from plateau_cause.images.subsample import subsample
from plateau_cause.runtime import available_cpus, progress

AHEAD = 16  # images per thread that may wait for their turn: bounds the memory
ROOM = 1.5  # of the size asked for: an aspect ratio of 4 to 3 and a crop of 7/8, as ImageNet's evaluation has
ROWS = "rows.arrow"  # while the folder is being written
USUAL_PX = 224  # what most weights expect


@dataclass(frozen=True)
class PrepareResult:
    """What came of a source: numbers of images, classes, quarantined files, images per split, groups."""

    images: int
    classes: int
    unreadable: int
    train: int
    val: int
    test: int
    groups: int


def stored_px(data: Data, asked_px: int) -> int:
    """Returns how long the longer side of a stored image is at most, pixels.

    Half more than what is asked for leaves room for a crop of an image that is not square, and for a
    transform that shrinks to a little more than it cuts out.

    Args:
        data: where `stored_size` decides, unless it is null.
        asked_px: the larger of the recipe's input and of the input that the weights expect.
    """
    return data.stored_size or round(ROOM * asked_px)


def prepare(
    data: Data, folder: Path, key: str = "data", for_training: bool = True, asked_px: int = USUAL_PX
) -> PrepareResult:
    """Writes pixels, manifest, quarantine and classes into the folder, all at once, and returns the counts.

    Rows are sorted by image id: the order in which a source lists its images changes nothing.

    Args:
        data: what to read; relative paths are taken from the current directory.
        folder: replaced as a whole on success, untouched on failure.
        key: section of params.yaml, for messages.
        for_training: False for images that are only looked at: they need neither two classes nor all splits.
        asked_px: what recipe and weights ask for, where `data.stored_size` is null.

    Raises:
        PlateauError: nothing readable, too much unreadable (max_unreadable), or no sensible splits.
    """
    items = _listed(data, key)
    with artifacts.atomic_folder(folder) as temporary:
        rows, unreadable = _write_pixels(items, stored_px(data, asked_px), temporary)
        _check(data, len(rows), unreadable, key)
        images = rows.table()
        parts = data.split.val, data.split.test, data.split.seed
        names = splits.assign(images, *parts, key) if for_training else splits.given(images)
        _write_manifest(rows, images, names, temporary)
        artifacts.write_parquet(temporary / QUARANTINE, quarantine.table(unreadable))
        artifacts.write_json(temporary / CLASSES, manifests.class_names(images["label"]))
        (temporary / ROWS).unlink(missing_ok=True)
    return _counts(images, names, len(unreadable))


def _listed(data: Data, key: str) -> list[Item] | Streamed:
    """Returns the items by id; of those that are to be chosen from, or come in any order, a list."""
    if data.max_images is not None:
        return _chosen(in_order(sources.read(data, key)), data, key)
    return listed(lambda: sources.read(data, key), key)


def _write_manifest(rows: Rows, images: pd.DataFrame, names: np.ndarray, folder: Path) -> None:
    classes = manifests.class_names(images["label"])
    if not rows.are_many:
        manifest = manifests.complete(images, names, classes)
        artifacts.write_parquet(folder / MANIFEST, manifest)
        return
    starts = slices(len(rows), manifest_file.HELD)
    parts = (manifests.complete(part, names[next(starts)], classes) for part in rows.parts())
    manifest_file.write(folder, parts, len(rows))


def divided(items: Iterable[Item], data: Data, key: str = "data") -> np.ndarray:
    """Returns the split (n,) that each of the items would have, if all of them could be read.

    Raises:
        PlateauError: there are no sensible splits, or too few images for `max_images`.
    """
    chosen = _chosen(in_order(items), data, key)
    columns = {
        name: [getattr(item, name) for item in chosen] for name in ("image_id", "label", "split", "group")
    }
    table = pd.DataFrame(columns, dtype=object)
    return splits.assign(table, data.split.val, data.split.test, data.split.seed, key)


def _chosen(items: list[Item], data: Data, key: str) -> list[Item]:
    """Returns all items, or a stratified subsample where max_images asks for one."""
    if data.max_images is None or len(items) <= data.max_images:
        return items
    columns = {
        "image_id": [item.image_id for item in items],
        "label": [item.label for item in items],
        "split": pd.Series([item.split for item in items], dtype=object),
    }
    rows = subsample(pd.DataFrame(columns), data.max_images, data.split.seed, key)
    return [items[row] for row in rows]


def _write_pixels(
    items: list[Item] | Streamed, longest_px: int, folder: Path
) -> tuple[Rows, list[tuple[str, str]]]:
    """Returns the rows of the manifest, and (source, reason) of what could not be read."""
    rows = Rows(folder / ROWS)
    unreadable: list[tuple[str, str]] = []
    offset = 0
    with (folder / PIXELS).open("wb") as file, quiet_pillow():
        for item, found in progress(_decoded(items, longest_px), len(items), "decode"):
            if isinstance(found, str):
                unreadable.append((item.source, found))
                continue
            content = np.ascontiguousarray(found.pixels).tobytes()
            file.write(content)
            rows.add(_row(item, found, content, offset))
            offset += len(content)
    return rows, unreadable


def _decoded(items: Iterable[Item], longest_px: int) -> Iterator[tuple[Item, Decoded | str]]:
    """Yields items in their order with what became of them, decoded in several threads a little ahead.

    Threads, not processes: Pillow releases Python's lock while it decodes and resizes.
    """
    waiting: deque[tuple[Item, Future[Decoded | str]]] = deque()
    coming = iter(items)
    workers = available_cpus()
    with ThreadPoolExecutor(max_workers=workers) as pool:
        try:
            for item in coming:
                waiting.append((item, pool.submit(decode_one, item, longest_px)))
                if len(waiting) >= AHEAD * workers:
                    yield _result(waiting)
            while waiting:
                yield _result(waiting)
        finally:  # an interrupted stage ends at once, not after all that waits
            pool.shutdown(wait=False, cancel_futures=True)


def _result(waiting: deque[tuple[Item, Future[Decoded | str]]]) -> tuple[Item, Decoded | str]:
    item, future = waiting.popleft()
    return item, future.result()


def decode_one(item: Item, longest_px: int) -> Decoded | str:
    """Returns the image as it is stored, or why it cannot be used."""
    if item.refused is not None:
        return item.refused
    try:
        return decode(item.load(), longest_px)
    except UnreadableError as error:
        return str(error)
    except (OSError, ValueError) as error:  # ValueError: a path with a zero byte
        return f"cannot be read: {getattr(error, 'strerror', None) or error}"


def _row(item: Item, found: Decoded, content: bytes, offset: int) -> dict[str, Any]:
    height, width = found.pixels.shape[:2]
    return {
        "image_id": item.image_id,
        "source": item.source,
        "label": item.label,
        "split": item.split,
        "group": item.group,
        "sha256": hashlib.sha256(f"{height}x{width}:".encode() + content).hexdigest(),
        "width": found.width,
        "height": found.height,
        "stored_width": width,
        "stored_height": height,
        "offset": offset,
    }


def _check(data: Data, readable: int, unreadable: list[tuple[str, str]], key: str) -> None:
    total = readable + len(unreadable)
    if total == 0:
        raise PlateauError(f"{key}.path: {shown(data.path)} holds no images")
    if line := quarantine.too_many(unreadable, total, data, key):
        raise PlateauError(line)
    if not readable:
        raise PlateauError(
            f"{key}.path: no image of {shown(data.path)} can be read: {': '.join(unreadable[0])}"
        )


def _counts(images: pd.DataFrame, names: np.ndarray, unreadable: int) -> PrepareResult:
    sizes = {name: int((names == name).sum()) for name in manifests.SPLITS}
    classes, groups = images["label"].nunique(), images["group"].nunique()
    return PrepareResult(len(images), int(classes), unreadable, **sizes, groups=int(groups))


def prepare_reference(data: Data | None, folder: Path, asked_px: int = USUAL_PX) -> dict[str, int]:
    """Prepares the reference data where there are any, and returns their counts.

    Without any the folder holds a note: DVC wants every output to be there, and restores no empty folder.

    Raises:
        PlateauError: as in prepare().
    """
    if data is None:
        with artifacts.atomic_folder(folder) as temporary:
            artifacts.write_json(temporary / "none.json", {"reference_data": None})
        return {}
    found = prepare(data, folder, "reference_data", for_training=False, asked_px=asked_px)
    return {"reference_images": found.images, "reference_unreadable": found.unreadable}
