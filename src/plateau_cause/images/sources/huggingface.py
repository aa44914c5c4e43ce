"""A data set of the Hugging Face Hub, or a local one in its forms; read with the package `datasets`.

Local: a folder of Parquet files, of images in class folders, or what `save_to_disk` wrote. Images stay
encoded, in files that are memory-mapped, until each is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from plateau_cause.config.params import Data
from plateau_cause.errors import PlateauError
from plateau_cause.images import columns
from plateau_cause.images.item import Item, plain_text
from plateau_cause.images.parquet import image_bytes
from plateau_cause.images.splits import ALIASES

HUB_NAME = re.compile(r"(?P<path>[^:@]+)(:(?P<name>[^:@]+))?(@(?P<revision>[^:@]+))?")
USUAL = {"image": (("image", "img"), "Image"), "label": (("label", "labels"), "ClassLabel")}  # names, type
Cells = list[str | None]
SAVED = ("dataset_dict.json", "state.json")  # what save_to_disk leaves: of several splits, of one


def read(data: Data, key: str = "data") -> Iterable[Item]:
    """Yields the rows of all splits; a split that is none of train, validation, test is divided as usual.

    Raises:
        PlateauError: the package is missing, the data set is not there, or columns do not fit.
    """
    for name, part in _load(data, key).items():
        yield from _items(part, str(name), data, key)


def local_files(data: Data, key: str = "data") -> Path | None:
    """Returns the local file or folder; None for a data set of the hub.

    Raises:
        PlateauError: the package `datasets` is missing.
    """
    _package(key)
    path = Path(str(data.path))
    return path if path.exists() else None


def _package(key: str) -> Any:
    try:
        return import_module("datasets")
    except ImportError:
        raise PlateauError(
            f"{key}.source: huggingface needs the package `datasets`, which is not installed; "
            "pip install '.[huggingface]' adds it"
        ) from None


def _load(data: Data, key: str) -> dict[str, Any]:
    """Returns split name -> datasets.Dataset."""
    datasets, given = _package(key), str(data.path)
    path = Path(given)
    try:
        if any((path / name).is_file() for name in SAVED):
            found = datasets.load_from_disk(given)
        elif path.is_file():
            found = datasets.load_dataset("parquet", data_files=str(path.resolve()))
        elif path.is_dir():
            found = datasets.load_dataset(str(path.resolve()))
        else:
            match = HUB_NAME.fullmatch(given)
            found = datasets.load_dataset(**(match.groupdict() if match else {"path": given}))
    except Exception as error:  # the library raises a great many
        raise PlateauError(_not_loaded(given, path.exists(), error, key)) from None
    return dict(found) if isinstance(found, dict) else {str(found.split or "all"): found}


def _not_loaded(given: str, is_there: bool, error: Exception, key: str) -> str:
    reason = " ".join(str(error).split())[:200] or type(error).__name__
    if is_there:
        return f"{key}.path: {given!r} cannot be read as a data set: {reason}"
    return (
        f"{key}.path: {given!r} is nothing on this machine, and the hub does not give it: {reason}; allowed: "
        "owner/name[:configuration][@revision], a folder of Parquet files or of class folders, or what "
        "save_to_disk wrote"
    )


def _items(part: Any, split: str, data: Data, key: str) -> Iterator[Item]:
    names = columns.find(part.column_names, data.columns, key, _guesses(part.features), "the data set")
    cells = {role: _texts(part, role, name, key) for role, name in names.items() if role != "image"}
    nothing: Cells = [None] * len(part)
    splits: Cells = [ALIASES.get(split.lower())] * len(part)
    if "split" in cells:
        splits = columns.splits(cells["split"], key)
    images, folder = _encoded(part, names["image"], key), _folder(data)
    rows = zip(_paths(images, folder), cells["label"], splits, cells.get("group", nothing), strict=True)
    for row, (path, label, given, group) in enumerate(rows):
        name = plain_text(path or f"{split}/{row:07d}")
        refused = "no label" if label is None else None
        load, source = partial(_read, images, row, folder), plain_text(f"{data.path}: {name}")
        yield Item(name, source, plain_text(label or ""), load, given, group, refused)


def _folder(data: Data) -> Path:
    """Returns the folder that relative paths start from."""
    path = Path(str(data.path)).resolve()
    return path if path.is_dir() else path.parent


def _guesses(features: Any) -> dict[str, list[str]]:
    """Returns role -> columns that could play it: by their usual names, or else by their type."""
    found = {}
    for role, (usual, kind) in USUAL.items():
        named = [name for name in usual if name in features]
        found[role] = named or [name for name, feature in features.items() if _kind(feature) == kind]
    return found


def _kind(feature: Any) -> str:
    """Returns what a column holds: image, class, path, bytes, struct, or the name of another type."""
    name = type(feature).__name__
    if name in ("Image", "ClassLabel"):
        return name
    if isinstance(feature, dict) and {"bytes", "path"} <= set(feature):
        return "struct"
    kind = str(getattr(feature, "dtype", name))
    return {"string": "path", "large_string": "path", "binary": "bytes", "large_binary": "bytes"}.get(
        kind, kind
    )


def _texts(part: Any, role: str, name: str, key: str) -> Cells:
    """Returns a column as text; class labels by their names, None for a label that is withheld (-1)."""
    feature = part.features[name]
    if type(feature).__name__ not in ("Value", "ClassLabel"):
        raise PlateauError(
            f"{key}.columns.{role}: {name!r} holds {_kind(feature)} values; allowed: a column of one text or "
            "number per image"
        )
    values = part.select_columns([name])[:][name]
    if _kind(feature) != "ClassLabel":
        return [columns.text(value) for value in values]
    classes = list(feature.names)
    return [None if value is None or value < 0 else classes[value] for value in values]


def _encoded(part: Any, name: str, key: str) -> Any:
    """Returns the data set with nothing but its images, not decoded: bytes, paths, or structs of both."""
    feature = part.features[name]
    if _kind(feature) == "Image":
        return part.select_columns([name]).cast_column(name, type(feature)(decode=False))
    if _kind(feature) not in ("struct", "path", "bytes"):
        raise PlateauError(
            f"{key}.columns.image: {name!r} holds {_kind(feature)} values; allowed: a column of images, of "
            "their bytes or of their paths"
        )
    return part.select_columns([name])


def _paths(images: Any, folder: Path) -> Cells:
    """Returns for each image its path below the data set's own folder: stable when others are added."""
    (name,) = images.column_names
    kind = _kind(images.features[name])
    if kind == "bytes":
        return [None] * len(images)
    if kind != "path":  # without the bytes beside it, which may be many
        images, name = images.flatten(), f"{name}.path"
    return [_below(path, folder) for path in images.select_columns([name])[:][name]]


def _below(path: str | None, folder: Path) -> str | None:
    if not path or not Path(path).is_absolute() or not Path(path).is_relative_to(folder):
        return None
    return Path(path).relative_to(folder).as_posix()


def _read(images: Any, row: int, folder: Path) -> bytes:
    (value,) = images[row].values()
    return image_bytes(value, folder)
