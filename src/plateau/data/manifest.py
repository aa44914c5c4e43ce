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
from PIL import Image

from plateau import artifacts
from plateau.data import sources, splits
from plateau.data.decode import Decoded, UnreadableError, decode, shrink
from plateau.data.item import Item
from plateau.data.store import CLASSES, MANIFEST, PIXELS, QUARANTINE
from plateau.errors import PlateauError
from plateau.params import Data
from plateau.runtime import available_cpus, progress

AHEAD = 64  # decoded images that may wait for their turn: bounds the memory


@dataclass(frozen=True)
class PrepareResult:
    """What came of a source: numbers of images, classes, quarantined files and images per split."""

    images: int
    classes: int
    unreadable: int
    train: int
    val: int
    test: int


def prepare(data: Data, folder: Path) -> PrepareResult:
    """Writes pixels, manifest, quarantine and classes into the folder, all at once, and returns the counts.

    Raises:
        PlateauError: nothing readable, too much unreadable (data.max_unreadable), one class only, an empty split.
    """
    items = list(sources.read(data))
    if data.max_images is not None and len(items) > data.max_images:
        rows = splits.subsample([i.image_id for i in items], [_stratum(i) for i in items], data.max_images, data.split.seed)
        items = [items[row] for row in rows]
    with artifacts.atomic_folder(folder) as temporary:
        rows, unreadable = _write_pixels(items, data.stored_size, temporary / PIXELS)
        _check(data, rows, unreadable, len(items))
        manifest = _with_splits(data, pd.DataFrame(rows))
        classes = sorted(set(manifest["label"]))
        manifest["target"] = manifest["label"].map({name: i for i, name in enumerate(classes)}).astype(np.int64)
        artifacts.write_parquet(temporary / MANIFEST, manifest)
        artifacts.write_parquet(temporary / QUARANTINE, pd.DataFrame(unreadable, columns=["source", "reason"]))
        artifacts.write_json(temporary / CLASSES, classes)
    count = manifest["split"].value_counts()
    sizes = {name: int(count.get(name, 0)) for name in splits.SPLITS}
    return PrepareResult(len(manifest), len(classes), len(unreadable), **sizes)


def _stratum(item: Item) -> str:
    """Returns what a subsample keeps the proportions of: the class, within its split where one is given."""
    return item.label if item.split is None else f"{item.split}/{item.label}"


def _write_pixels(items: list[Item], longest_px: int, path: Path) -> tuple[list[dict[str, Any]], list[tuple[str, str]]]:
    rows: list[dict[str, Any]] = []
    unreadable: list[tuple[str, str]] = []
    offset = 0
    with path.open("wb") as file:
        for item, found in progress(_decoded(items, longest_px), len(items), "decode"):
            if isinstance(found, str):
                unreadable.append((item.source, found))
                continue
            content = np.ascontiguousarray(found.pixels).tobytes()
            file.write(content)
            rows.append(_row(item, found, content, offset))
            offset += len(content)
    return rows, unreadable


def _decoded(items: Iterable[Item], longest_px: int) -> Iterator[tuple[Item, Decoded | str]]:
    """Yields items in their order with what became of them, decoded in several threads a little ahead."""
    with ThreadPoolExecutor(max_workers=available_cpus()) as pool:
        waiting: deque[tuple[Item, Future[Decoded | str]]] = deque()
        for item in items:
            waiting.append((item, pool.submit(_decode_one, item, longest_px)))
            if len(waiting) > AHEAD:
                first, future = waiting.popleft()
                yield first, future.result()
        for first, future in waiting:
            yield first, future.result()


def _decode_one(item: Item, longest_px: int) -> Decoded | str:
    if item.refused is not None:
        return item.refused
    try:
        content = item.load()
        if isinstance(content, np.ndarray):
            return Decoded(shrink(Image.fromarray(content), longest_px), content.shape[1], content.shape[0])
        return decode(content, longest_px)
    except UnreadableError as error:
        return str(error)
    except OSError as error:
        return f"cannot be read: {error.strerror or error}"


def _row(item: Item, found: Decoded, content: bytes, offset: int) -> dict[str, Any]:
    height, width = found.pixels.shape[:2]
    return {
        "image_id": item.image_id,
        "source": item.source,
        "label": item.label,
        "split": item.split,
        "group": item.group,
        "sha256": hashlib.sha256(f"{height}x{width}".encode() + content).hexdigest(),
        "width": found.width,
        "height": found.height,
        "stored_width": width,
        "stored_height": height,
        "offset": offset,
    }


def _check(data: Data, rows: list[dict[str, Any]], unreadable: list[tuple[str, str]], total: int) -> None:
    if total == 0 or not rows:
        raise PlateauError(f"data.path: {data.path!r} holds no readable image")
    if len(unreadable) > data.max_unreadable * total:
        source, reason = unreadable[0]
        raise PlateauError(
            f"data.max_unreadable: {len(unreadable)} of {total} files cannot be used, allowed is a share of "
            f"{data.max_unreadable:g}; the first is {source} ({reason})"
        )
    labels = {row["label"] for row in rows}
    if len(labels) < 2:
        raise PlateauError(f"data: all images are of one class, {labels.pop()!r}; classification needs at least two")


def _with_splits(data: Data, manifest: pd.DataFrame) -> pd.DataFrame:
    columns = [manifest[name].tolist() for name in ("image_id", "label", "split", "group")]
    given = [[None if v is None or v != v else v for v in column] for column in columns[2:]]
    manifest["split"] = splits.assign(*columns[:2], *given, data.split.val, data.split.test, data.split.seed)
    manifest["group"] = given[1]
    return manifest
