"""WebDataset shards: .tar files in which the files of one sample share their name up to the first dot.

    pets-train-0000.tar:  0001.jpg 0001.cls 0002.jpg 0002.cls ...

The standard library's tarfile says where in the shard each image lies, and it is read from there: in any
order, by any thread, one at a time. (The package `webdataset` streams shards from end to end, for training.)
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from plateau_cause.config.params import Data
from plateau_cause.errors import PlateauError
from plateau_cause.images import columns, shards
from plateau_cause.images.item import Item, UnreadableError, distinct_names, plain_text, refuse_large
from plateau_cause.images.splits import split_name
from plateau_cause.runtime import progress

CLASS_NAMES = "classnames.txt"  # beside the shards or one folder up: the name of class 0, of class 1, ...
IMAGES = (
    "avif", "bmp", "dib", "gif", "ico", "jp2", "jpeg", "jpg", "pbm", "pcx", "pgm", "png", "pnm", "ppm", "tga",
    "tif", "tiff", "webp", "img", "image",
)  # fmt: skip
MOST_TEXT_BYTES = 2**20  # of a label or of metadata


class _Shard(NamedTuple):
    """A .tar file, its name among the others, and its split."""

    path: Path
    name: str
    split: str | None


@dataclass
class _Sample:
    """The files of one sample.

    Attributes:
        name: what they share.
        images: ending -> (offset, size) in the shard, bytes.
        texts: ending -> content of .cls and .json, and of what columns.label names.
    """

    name: str
    images: dict[str, tuple[int, int]] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)


def read(data: Data, key: str = "data") -> Iterable[Item]:
    """Yields the samples of all shards in their order.

    Raises:
        PlateauError: no shards, or one that cannot be read as an uncompressed tar file.
    """
    path = Path(str(data.path))
    found, top = shards.find(path, ".tar", key), shards.folder(path)
    classes = _class_names(top)
    splits = zip(found, shards.split_names(found, top), strict=True)
    for shard, split in progress(splits, len(found), "read shards"):
        place = _Shard(shard, plain_text(shard.relative_to(top).as_posix()), split)
        for sample in _samples(shard, data, key):
            yield _item(place, sample, classes, data, key)


def local_files(data: Data, key: str = "data") -> Path | None:
    """Returns the shard, or the folder of all of them."""
    return shards.watched(Path(str(data.path)))


def _class_names(top: Path) -> list[str] | None:
    for folder in (top, top.parent):
        if (folder / CLASS_NAMES).is_file():
            lines = (folder / CLASS_NAMES).read_text(encoding="utf-8-sig").splitlines()
            return distinct_names([plain_text(line.strip()) for line in lines])
    return None


def _samples(shard: Path, data: Data, key: str) -> Iterator[_Sample]:
    """Yields the samples of a shard: runs of files with one name."""
    sample = _Sample("")
    for member, archive in _members(shard, key):
        folder, _, file = member.name.removeprefix("./").rpartition("/")
        stem, _, ending = file.partition(".")
        name = f"{folder}/{stem}" if folder else stem
        if not member.isfile() or not stem:  # a folder, or hidden
            continue
        if name != sample.name:
            if sample.name:
                yield sample
            sample = _Sample(name)
        _add(sample, ending.lower(), member, archive, data)
    if sample.name:
        yield sample


def _members(shard: Path, key: str) -> Iterator[tuple[tarfile.TarInfo, tarfile.TarFile]]:
    try:
        with tarfile.open(shard, "r:") as archive:
            for member in archive:
                yield member, archive
            if shard.stat().st_size < archive.offset + tarfile.BLOCKSIZE:  # an archive ends in zeros
                raise tarfile.ReadError("unexpected end of data")
    except (tarfile.TarError, OSError) as error:
        reason = " ".join(str(error).split())[:120]
        raise PlateauError(
            f"{key}.path: {str(shard)!r} cannot be read as an uncompressed .tar file: {reason}"
        ) from None


def _add(sample: _Sample, ending: str, member: tarfile.TarInfo, archive: tarfile.TarFile, data: Data) -> None:
    if ending in ("cls", "json", data.columns.label) and member.size <= MOST_TEXT_BYTES:
        content = archive.extractfile(member)
        sample.texts[ending] = content.read().decode("utf-8", "replace") if content else ""
    elif ending == data.columns.image or ending.rpartition(".")[2] in IMAGES:
        sample.images[ending] = (member.offset_data, member.size)


def _item(shard: _Shard, sample: _Sample, classes: list[str] | None, data: Data, key: str) -> Item:
    metadata = _metadata(sample)
    label, chosen = _label(sample, metadata, classes, data), _image(sample, data, key)
    split = columns.text(metadata.get(data.columns.split))
    return Item(
        image_id=f"{shard.name}/{plain_text(sample.name)}",
        source=plain_text(f"{shard.path}: {sample.name}"),
        label=plain_text(label or ""),
        load=partial(_read_at, shard.path, *(chosen or (0, 0))),
        split=split_name(split, f"{key}.columns.split") if split else shard.split,
        group=columns.text(metadata.get(data.columns.group)),
        refused="no image" if chosen is None else "no label" if label is None else None,
    )


def _metadata(sample: _Sample) -> dict[str, Any]:
    try:
        content = json.loads(sample.texts.get("json", "{}"))
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _label(sample: _Sample, metadata: dict[str, Any], classes: list[str] | None, data: Data) -> str | None:
    """Returns the class: of the file that columns.label names, of .cls, or of that entry of .json."""
    column = data.columns.label
    found = sample.texts.get(column, sample.texts.get("cls", metadata.get(column)))
    label = columns.text(found)
    if label is None or classes is None or not label.isdecimal():
        return label
    return classes[int(label)] if int(label) < len(classes) else None


def _image(sample: _Sample, data: Data, key: str) -> tuple[int, int] | None:
    """Returns (offset, size) of the image: the one that columns.image names, or the only one."""
    if data.columns.image in sample.images:
        return sample.images[data.columns.image]
    if len(sample.images) > 1:
        raise PlateauError(
            f"{key}.columns.image: got {data.columns.image!r}, but sample {sample.name!r} has several "
            f"images; allowed: one of their endings ({', '.join(sample.images)})"
        )
    return next(iter(sample.images.values()), None)


def _read_at(shard: Path, offset: int, size: int) -> bytes:
    refuse_large(size)
    with shard.open("rb") as file:
        file.seek(offset)
        content = file.read(size)
    if len(content) < size:
        raise UnreadableError("truncated shard")
    return content
