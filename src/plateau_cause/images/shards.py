"""Data sets in several large files: which files a folder or a pattern means, and the split of each."""

from __future__ import annotations

import glob
import re
from collections.abc import Sequence
from pathlib import Path

from plateau_cause.errors import PlateauError
from plateau_cause.images.splits import ALIASES

WILDCARDS = "*?["


def is_pattern(path: Path) -> bool:
    """Returns whether a path stands for several; a file or folder of that very name wins."""
    return not path.exists() and any(sign in str(path) for sign in WILDCARDS)


def find(path: Path, suffix: str, key: str) -> list[Path]:
    """Returns the shards, sorted: the file itself, all below a folder, or what a pattern matches.

    Args:
        path: a file, a folder, or a pattern such as shards/train-*.tar.
        suffix: such as ".tar"; hidden files are no data.
        key: section of params.yaml, for messages.

    Raises:
        PlateauError: there is none.
    """
    if path.is_file():
        return [path]
    top = folder(path)
    found = path.rglob(f"*{suffix}") if path.is_dir() else map(Path, glob.glob(str(path), recursive=True))
    shards = sorted(file for file in found if file.is_file() and not _is_hidden(file.relative_to(top)))
    if not shards:
        raise PlateauError(f"{key}.path: {str(path)!r} holds no {suffix} files")
    return shards


def folder(path: Path) -> Path:
    """Returns the folder that holds all shards: of a pattern, its part before the first wildcard."""
    if path.is_dir():
        return path
    while is_pattern(path):
        path = path.parent
    return path.parent if path.is_file() else path


def watched(path: Path) -> Path:
    """Returns the file or folder whose change is a change of the shards."""
    return path if path.is_file() else folder(path)


def split_names(shards: Sequence[Path], top: Path) -> list[str | None]:
    """Returns each shard's split by its folder or name, such as train/0.tar or pets-train-0.tar.

    All shards have one, or none counts: "train-0.tar" beside "bus-0.tar" is a class.
    """
    names = [_split_name(shard.relative_to(top)) for shard in shards]
    return names if all(names) else [None] * len(names)


def _split_name(shard: Path) -> str | None:
    words = [*shard.parts[:-1], *re.split(r"[-_.]", shard.name)]
    found = {ALIASES[word.lower()] for word in words if word.lower() in ALIASES}
    return found.pop() if len(found) == 1 else None


def _is_hidden(file: Path) -> bool:
    return any(part.startswith(".") for part in file.parts)
