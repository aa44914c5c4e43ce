"""A folder of class folders; or of train, val and test folders with class folders inside."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

from plateau_cause.config.params import Data
from plateau_cause.errors import PlateauError, shown
from plateau_cause.images.item import Item, plain_text, read_file
from plateau_cause.images.splits import ALIASES

# What file managers, notebooks and network drives leave behind.
NOT_DATA = ("thumbs.db", "desktop.ini", "icon\r", "__macosx", "@eadir", "$recycle.bin", "__pycache__")
# What people keep beside images, and no image is.
SIDE_FILES = (
    ".txt", ".csv", ".tsv", ".json", ".jsonl", ".xml", ".yaml", ".yml", ".md", ".html", ".log", ".ini", ".db",
    ".py", ".ipynb", ".xlsx", ".docx", ".mat", ".sha256", ".md5",
)  # fmt: skip
ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".7z", ".rar")


def read(data: Data, key: str = "data") -> Iterable[Item]:
    """Yields every file below the class folders, at any depth, in the order of the paths; hidden are no data.

    Links are followed only to files inside the folder.

    Raises:
        PlateauError: no class folders, split folders beside others, or a folder that is a link elsewhere.
    """
    root = Path(str(data.path))
    folders = _folders(root, root, key)
    if not folders:
        raise PlateauError(
            f"{key}.path: {shown(data.path)} holds no class folders{_instead(root)}; "
            "allowed: a folder per class, images inside"
        )
    splits = [folder for folder in folders if _is_split(folder, root, key)]
    if len(splits) < len(folders):
        _refuse_mixture(splits, folders, key)
        _refuse_misspelled(folders, root, key)
        return (item for folder in folders for item in _items(root, folder, None, key))
    return (
        item
        for folder in splits
        for inner in _folders(folder, root, key)
        for item in _items(root, inner, ALIASES[folder.name.lower()], key)
    )


def empty(data: Data, key: str = "data") -> list[str]:
    """Returns the class folders that hold nothing, relative to the folder: no class comes of them."""
    root = Path(str(data.path))
    folders = _folders(root, root, key)
    if folders and all(_is_split(folder, root, key) for folder in folders):
        folders = [inner for folder in folders for inner in _folders(folder, root, key)]
    return [plain_text(folder.relative_to(root).as_posix()) for folder in folders
            if next(_files(folder, root, key), None) is None]  # fmt: skip


def local_files(data: Data, key: str = "data") -> Path | None:
    """Returns the folder."""
    return Path(str(data.path))


def _instead(root: Path) -> str:
    """Returns what a folder holds in place of class folders, where that says what to do."""
    names = sorted(entry.name for entry in os.scandir(root) if not _is_folder(entry))
    archives = [name for name in names if name.lower().endswith(ARCHIVES)]
    if archives:
        return f", but {plain_text(archives[0])}, an archive: unpack it"
    others = [name for name in names if not _is_side_file(name)]
    return f", but {len(others):,} files, such as {plain_text(others[0])}" if others else ""


def _is_split(folder: Path, root: Path, key: str) -> bool:
    """Returns whether a folder is called like a split and holds class folders only."""
    if folder.name.lower() not in ALIASES:
        return False
    files = [entry for entry in os.scandir(folder) if not _is_folder(entry) and not _is_side_file(entry.name)]
    return not files and bool(_folders(folder, root, key))


def _refuse_mixture(splits: list[Path], folders: list[Path], key: str) -> None:
    """Raises for train and test beside other folders; a single "train" among vehicles is a class."""
    if len({ALIASES[folder.name.lower()] for folder in splits}) > 1:
        others = [folder.name for folder in folders if folder not in splits]
        raise PlateauError(
            f"{key}.path: split folders ({', '.join(f.name for f in splits)}) stand beside others "
            f"({', '.join(others[:3])}); allowed: class folders only, or split folders only"
        )


def _refuse_misspelled(folders: list[Path], root: Path, key: str) -> None:
    """Raises where all folders hold the same class folders and are called nearly as splits are."""
    inner = [{one.name for one in _folders(folder, root, key)} for folder in folders]
    if len(folders) < 2 or not inner[0] or any(one != inner[0] for one in inner):
        return
    near = {
        folder.name: difflib.get_close_matches(folder.name.lower(), ALIASES, n=1, cutoff=0.7)
        for folder in folders
    }
    wrong = [f"{name} (did you mean {meant[0]}?)" for name, meant in near.items()
             if meant and name.lower() not in ALIASES]  # fmt: skip
    if wrong and all(near.values()):
        raise PlateauError(
            f"{key}.path: the folders {', '.join(near)} hold the same class folders, as splits do; "
            f"got {', '.join(wrong)}; allowed: {', '.join(ALIASES)}"
        )


def _is_ignored(name: str) -> bool:
    return name.startswith(".") or name.lower() in NOT_DATA


def _is_side_file(name: str) -> bool:
    return _is_ignored(name) or name.lower().endswith(SIDE_FILES)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Returns whether an entry is a folder or leads to one; a link in a circle leads nowhere."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def _folders(folder: Path, root: Path, key: str) -> list[Path]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: f"{entry.name}/")  # as paths sort
    except OSError as error:
        name = plain_text(str(folder))
        raise PlateauError(f"{key}.path: {name!r} cannot be read: {error.strerror}") from None
    found = [Path(entry) for entry in entries if _is_folder(entry) and not _is_ignored(entry.name)]
    for path in found:
        if path.is_symlink():
            _refuse_link(path, root, key)
    return found


def _refuse_link(path: Path, root: Path, key: str) -> None:
    """Raises for a link to a folder: one elsewhere is refused, one inside would give its images twice."""
    name = plain_text(path.relative_to(root).as_posix())
    where = "which is inside it already" if _is_inside(path, root) else "outside it"
    raise PlateauError(f"{key}.path: {name!r} is a link to a folder {where}; allowed: real folders")


def _is_inside(path: Path, root: Path) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root))


def _items(root: Path, folder: Path, split: str | None, key: str) -> Iterator[Item]:
    label = plain_text(folder.name)
    for path in _files(folder, root, key):
        refused = _refused(path, root) if path.is_symlink() else None
        image_id = plain_text(path.relative_to(root).as_posix())
        yield Item(image_id, plain_text(str(path)), label, partial(read_file, path), split, refused=refused)


def _files(folder: Path, root: Path, key: str) -> Iterator[Path]:
    inner = {f"{path.name}/": path for path in _folders(folder, root, key)}
    files = [e.name for e in os.scandir(folder) if not _is_folder(e) and not _is_side_file(e.name)]
    for name in sorted([*files, *inner]):
        if name in inner:
            yield from _files(inner[name], root, key)
        else:
            yield folder / name


def _refused(link: Path, root: Path) -> str | None:
    if not os.path.exists(link):
        return "a link to nothing, or in a circle"
    return None if _is_inside(link, root) else "a link that leaves the folder"
