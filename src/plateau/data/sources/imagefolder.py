"""A folder of class folders; or of train, val and test folders with class folders inside."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from plateau.data.item import Item
from plateau.data.splits import ALIASES
from plateau.errors import PlateauError
from plateau.params import Data

NOT_DATA = {"thumbs.db", "desktop.ini"}


def read(data: Data) -> Iterable[Item]:
    """Returns every file below the class folders, sorted by path.

    Raises:
        PlateauError: the folder holds no class folder.
    """
    root = Path(str(data.path))
    folders = _folders(root)
    if not folders:
        raise PlateauError(f"data.path: {data.path!r} holds no class folders (one folder per class, images inside)")
    if all(folder.name.lower() in ALIASES for folder in folders) and all(_folders(folder) for folder in folders):
        classes = [(inner, folder.name) for folder in folders for inner in _folders(folder)]
    else:
        classes = [(folder, None) for folder in folders]
    return [item for folder, split in classes for item in _items(root, folder, split)]


def _folders(root: Path) -> list[Path]:
    return sorted(entry for entry in root.iterdir() if entry.is_dir() and not entry.name.startswith("."))


def _items(root: Path, folder: Path, split: str | None) -> Iterator[Item]:
    for path in sorted(folder.rglob("*")):
        if path.name.startswith(".") or path.name.lower() in NOT_DATA or path.is_dir():
            continue
        name = path.relative_to(root).as_posix()
        inside = path.resolve().is_relative_to(root.resolve())
        refused = None if inside else "a link that leaves the folder"
        yield Item(name, str(path), folder.name, path.read_bytes, split, refused=refused)
