"""From a source to the prepared folder: decode once, split, write the manifest and the store."""

from __future__ import annotations

import hashlib
import warnings
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

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


class Quarantined(NamedTuple):
    """A file that is left out, and why."""

    source: str
    reason: str


def prepare(data: Data, folder: Path, section: str = "data") -> PrepareResult:
    """Writes pixels, manifest, quarantine and classes into the folder, all at once, and returns the counts.

    Args:
        data: what to read; relative paths are taken from the current folder.
        folder: replaced as a whole, or not touched.
        section: of params.yaml, for error messages.

    Raises:
        PlateauError: nothing readable, more unreadable than data.max_unreadable, one class, an empty split.
    """
    try:
        return _prepare(data, folder)
    except PlateauError as error:
        raise PlateauError(f"{section}{str(error).removeprefix('data')}") from None


def _prepare(data: Data, folder: Path) -> PrepareResult:
    items = _chosen(list(sources.read(data)), data)
    with artifacts.atomic_folder(folder) as temporary:
        rows, quarantine = _write_pixels(items, data.stored_size, temporary / PIXELS)
        _check(data, rows, quarantine)
        manifest = _manifest(data, rows)
        artifacts.write_parquet(temporary / MANIFEST, manifest)
        artifacts.write_parquet(temporary / QUARANTINE, pd.DataFrame(quarantine, columns=Quarantined._fields))
        artifacts.write_json(temporary / CLASSES, sorted(set(manifest["label"])))
    sizes = Counter(manifest["split"])
    counts = {name: sizes[name] for name in splits.SPLITS}
    return PrepareResult(len(manifest), manifest["label"].nunique(), len(quarantine), **counts)


def _chosen(items: list[Item], data: Data) -> list[Item]:
    """Returns the items, or a subsample that keeps the share of each class in each split."""
    if data.max_images is None or len(items) <= data.max_images:
        return items
    classes = len({item.label for item in items})
    if data.max_images < classes:
        raise PlateauError(f"data.max_images: got {data.max_images}, fewer than the {classes} classes")
    strata = [f"{item.split}/{item.label}" for item in items]
    kept = splits.subsample([item.image_id for item in items], strata, data.max_images, data.split.seed)
    return [items[row] for row in kept]


def _write_pixels(
    items: list[Item], longest_px: int, path: Path
) -> tuple[list[dict[str, Any]], list[Quarantined]]:
    rows: list[dict[str, Any]] = []
    quarantine: list[Quarantined] = []
    offset = 0
    # Decoders warn of what is quarantined anyway. Filters are no thread's own: one place for all of them.
    with path.open("wb") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for item, found in progress(_decoded(items, longest_px), len(items), "decode"):
            if isinstance(found, str):
                quarantine.append(Quarantined(item.source, found))
                continue
            content = found.pixels.tobytes()
            file.write(content)
            rows.append(_row(item, found, content, offset))
            offset += len(content)
    return rows, quarantine


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
    """Returns the image, or the reason why there is none."""
    if item.refused is not None:
        return item.refused
    try:
        content = item.load()
        if isinstance(content, bytes):
            return decode(content, longest_px)
        return Decoded(shrink(Image.fromarray(content), longest_px), content.shape[1], content.shape[0])
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


def _check(data: Data, rows: list[dict[str, Any]], quarantine: list[Quarantined]) -> None:
    total = len(rows) + len(quarantine)
    first = f"; the first: {quarantine[0].source} ({quarantine[0].reason})" if quarantine else ""
    if not rows:
        raise PlateauError(f"data.path: {data.path!r} holds no readable image{first}")
    if len(quarantine) > data.max_unreadable * total:
        raise PlateauError(
            f"data.max_unreadable: got {data.max_unreadable:g}, but {len(quarantine)} of {total} files "
            f"cannot be used{first}"
        )
    labels = {row["label"] for row in rows}
    if len(labels) < 2:
        raise PlateauError(f"data: all images are of one class, {labels.pop()!r}; at least two are needed")


def _manifest(data: Data, rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Returns the rows in the order of the source, with split and target."""
    ids, labels, given, groups = (
        [row[key] for row in rows] for key in ("image_id", "label", "split", "group")
    )
    fractions = {"val": data.split.val, "test": data.split.test}
    _, targets = np.unique(np.array(labels, object), return_inverse=True)  # in the order of sorted()
    return pd.DataFrame(rows).assign(
        split=splits.assign(ids, labels, given, groups, fractions, data.split.seed),
        group=np.array(groups, object),
        target=targets.astype(np.int64),
    )
