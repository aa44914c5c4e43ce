"""A folder of class folders; or of train, val and test folders with class folders inside."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from plateau.data.item import Item
from plateau.data.splits import ALIASES
from plateau.errors import PlateauError
from plateau.params import Data

NOT_DATA = {"thumbs.db", "desktop.ini", "__macosx"}


def read(data: Data) -> Iterable[Item]:
    """Returns every file below the class folders, sorted by path.

    Raises:
        PlateauError: the folder holds no class folder, or only some of its folders are splits.
    """
    root = Path(str(data.path))
    folders = _folders(root)
    if not folders:
        raise PlateauError(
            f"data.path: {data.path!r} holds no class folders (one folder per class, its images inside)"
        )
    if any(ALIASES.get(folder.name.lower()) == "train" and _folders(folder) for folder in folders):
        classes = [found for folder in folders for found in _split_classes(folder)]
    else:
        classes = [(folder, None) for folder in folders]
    return [item for folder, split in classes for item in _items(root, folder, split)]


def _split_classes(folder: Path) -> list[tuple[Path, str | None]]:
    if folder.name.lower() not in ALIASES:
        raise PlateauError(
            f"data.path: {str(folder)!r} lies beside a train folder and is none of train, val, test"
        )
    if not _folders(folder):
        raise PlateauError(f"data.path: {str(folder)!r} holds no class folders, as the train folder does")
    return [(inner, folder.name) for inner in _folders(folder)]


def _folders(root: Path) -> list[Path]:
    return sorted(entry for entry in root.iterdir() if entry.is_dir() and _is_data(entry.name))


def _is_data(name: str) -> bool:
    return not name.startswith(".") and name.lower() not in NOT_DATA


def _items(root: Path, folder: Path, split: str | None) -> Iterator[Item]:
    real_root = root.resolve()
    for path in sorted(_files(folder)):
        name = path.relative_to(root).as_posix()
        yield Item(name, str(path), folder.name, path.read_bytes, split, refused=_refused(path, real_root))


def _files(folder: Path) -> Iterator[Path]:
    """Yields the files below a folder; a linked folder is yielded itself and not entered."""
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if _is_data(name)]
        linked = [name for name in folders if Path(parent, name).is_symlink()]
        yield from (Path(parent, name) for name in (*files, *linked) if _is_data(name))


def _refused(path: Path, real_root: Path) -> str | None:
    """Returns why a path must not be read, or None."""
    if not path.resolve().is_relative_to(real_root):
        return "a link that leaves the folder"
    if path.is_dir():
        return "a link to a folder, which is not followed"
    if path.exists() and not path.is_file():
        return "not a regular file"  # reading a pipe would wait for ever
    return None
