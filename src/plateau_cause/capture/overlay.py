"""A folder of a script's own for every run: what it reads is there, what it writes stays there.

Files that hold images or are large are links; everything else is copied, so that a run that writes over a
file of the user's writes over a copy. Folders beyond what can be copied in seconds are links themselves.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

LINKED = (
    ".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".npy", ".tar", ".parquet",
)  # fmt: skip
LARGE_BYTES = 64 * 2**20
MANY = 2000  # entries of one folder from which the whole folder is a link
LEFT_OUT = (".git", ".venv", "venv", "__pycache__", ".plateau", ".dvc", "mlruns", "wandb", "node_modules")
WORKSPACE = ".plateau"  # ending of the folders in which scripts are diagnosed


@contextmanager
def overlay(folder: Path) -> Iterator[Path]:
    """Yields a temporary folder with the content of another; it is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="plateau-") as room:
        own = Path(room) / (folder.resolve().name or "script")
        Copying().fill(folder.resolve(), own)
        yield own


def is_left_out(name: str) -> bool:
    """Returns whether a folder or file belongs to tools, not to a script."""
    return name in LEFT_OUT or name.endswith(WORKSPACE)


@dataclass
class Copying:
    """A copy under way, and what it may still take.

    Attributes:
        entries: files and folders.
        size: of the copied files, bytes.
    """

    entries: int = 50_000
    size: int = 512 * 2**20

    def fill(self, source: Path, target: Path) -> None:
        """Copies a folder's content, nearest files first."""
        target.mkdir()
        found = [entry for entry in os.scandir(source) if not is_left_out(entry.name)]
        for entry in sorted(found, key=lambda one: one.is_dir()):
            self.entries -= 1
            path = Path(entry.path)
            if entry.is_symlink() or (entry.is_dir() and (self.entries < 0 or _is_crowded(path))):
                (target / entry.name).symlink_to(path.resolve())
            elif entry.is_dir():
                self.fill(path, target / entry.name)
            elif entry.is_file():
                self._place(path, target / entry.name)

    def _place(self, path: Path, target: Path) -> None:
        size = path.stat().st_size
        if path.suffix.lower() in LINKED or size > min(LARGE_BYTES, self.size):
            target.symlink_to(path)
            return
        self.size -= size
        shutil.copy2(path, target)


def _is_crowded(path: Path) -> bool:
    with os.scandir(path) as entries:
        return any(number >= MANY for number, _ in enumerate(entries))
