"""A folder of a script's own for every run: what it reads is there, what it writes stays there.

Files that hold images or are large are links; everything else is copied, so that a run that writes over a
file of the user's writes over a copy.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LINKED = (
    ".png",
    ".jpg",
    ".jpeg",
    ".bmp",
    ".gif",
    ".webp",
    ".tif",
    ".tiff",
    ".ppm",
    ".npy",
    ".tar",
    ".parquet",
)
LARGE_BYTES = 64 * 2**20
MANY = 2000  # entries of one folder from which the whole folder is a link
LEFT_OUT = (".git", ".venv", "venv", "__pycache__", ".plateau", ".dvc", "mlruns", "wandb", "node_modules")
WORKSPACE = ".plateau"  # ending of the folders in which scripts are diagnosed


@contextmanager
def overlay(folder: Path) -> Iterator[Path]:
    """Yields a temporary folder with the content of another; it is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="plateau-") as room:
        own = Path(room) / (folder.resolve().name or "script")
        _fill(folder.resolve(), own)
        yield own


def _fill(source: Path, target: Path) -> None:
    target.mkdir()
    for entry in os.scandir(source):
        if entry.name in LEFT_OUT or entry.name.endswith(WORKSPACE):
            continue
        path = Path(entry.path)
        if entry.is_symlink() or (entry.is_dir() and _is_crowded(path)):
            (target / entry.name).symlink_to(path.resolve())
        elif entry.is_dir():
            _fill(path, target / entry.name)
        elif entry.is_file():
            _place(path, target / entry.name)


def _place(path: Path, target: Path) -> None:
    if path.suffix.lower() in LINKED or path.stat().st_size > LARGE_BYTES:
        target.symlink_to(path)
    else:
        shutil.copy2(path, target)


def _is_crowded(path: Path) -> bool:
    with os.scandir(path) as entries:
        return any(number >= MANY for number, _ in enumerate(entries))
