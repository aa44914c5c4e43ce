"""A folder of a script's own for every run: what it reads is there, what it writes stays there.

Files that hold images or are large are links; everything else is copied, so that a run that writes over a
file of the user's writes over a copy. Folders beyond what can be copied in seconds are links themselves. What
stands beside the folder, or a folder above, is there too where the script names it: `../input/train.csv`.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

LINKED = (
    ".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".npy", ".tar", ".parquet",
)  # fmt: skip
LARGE_BYTES = 64 * 2**20
MANY = 2000  # entries of one folder from which the whole folder is a link
LEFT_OUT = (".git", ".venv", "venv", "__pycache__", ".plateau", ".dvc", "mlruns", "wandb", "node_modules")
ABOVE = 2  # folders above in which a script may name something
UPWARD = re.compile(r"\.\.|parent|dirname|pardir")  # what a script that looks there has in its text
TEXTS = (".py", ".yaml", ".yml", ".json", ".toml", ".cfg", ".ini", ".sh")
MOST_TEXTS, LONGEST_TEXT = 300, 2**20  # files, bytes
WORKSPACE = ".plateau"  # ending of the folders in which scripts are diagnosed


@contextmanager
def overlay(folder: Path, arguments: Sequence[str] = ()) -> Iterator[Path]:
    """Yields a temporary folder with the content of another; it is removed afterwards.

    Args:
        folder: of the script.
        arguments: what the script is given, which may name what stands beside the folder.
    """
    source = folder.resolve()
    with tempfile.TemporaryDirectory(prefix="plateau-") as room:
        above = [one.name or "top" for one in list(source.parents)[:ABOVE]]
        own = Path(room).joinpath(*reversed(above), source.name or "script")
        own.parent.mkdir(parents=True)
        copying = Copying()
        copying.fill(source, own)
        copying.fill_beside(source, own, "\n".join([*arguments, *texts(own)]))
        yield own


def texts(folder: Path) -> Iterator[str]:
    """Yields the text of code and settings in a folder, but for folders of tools; of each the first."""
    waiting, found = [folder], 0
    while waiting and found < MOST_TEXTS:
        entries = list[os.DirEntry[str]]()
        with contextlib.suppress(OSError), os.scandir(waiting.pop(0)) as scanned:  # not the user's to read
            entries = list(itertools.islice(scanned, MANY))
        for entry in sorted(entries, key=lambda one: one.name):
            if entry.is_dir(follow_symlinks=False) and not is_left_out(entry.name):
                waiting.append(Path(entry.path))
            elif entry.name.endswith(TEXTS) and entry.is_file() and entry.stat().st_size <= LONGEST_TEXT:
                found += 1
                yield Path(entry.path).read_text(encoding="utf-8", errors="replace")


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

    def fill_beside(self, source: Path, target: Path, text: str) -> None:
        """Copies what stands beside a folder, or beside one above it, and is named in a text.

        Args:
            source: the folder.
            target: its copy, as deep below what was made for it.
            text: code, settings and arguments of the script.
        """
        if not UPWARD.search(text):
            return
        for above, own in zip(list(source.parents)[:ABOVE], target.parents, strict=False):
            with contextlib.suppress(OSError):  # not the user's to read
                for entry in [one for one in os.scandir(above) if _is_named(one.name, text)]:
                    path, copy = Path(entry.path), own / entry.name
                    is_own = (source / entry.name).exists() and f"../{entry.name}" not in text
                    if copy.exists() or is_left_out(entry.name) or is_own:
                        continue
                    if path.is_symlink() or (path.is_dir() and _is_crowded(path)):
                        copy.symlink_to(path.resolve())
                    elif path.is_dir():
                        self.fill(path, copy)
                    else:
                        self._place(path, copy)

    def _place(self, path: Path, target: Path) -> None:
        size = path.stat().st_size
        if path.suffix.lower() in LINKED or size > min(LARGE_BYTES, self.size):
            target.symlink_to(path)
            return
        self.size -= size
        shutil.copy2(path, target)


def _is_named(name: str, text: str) -> bool:
    """Returns whether a text has a name as a part of a path or in quotes, or imports it."""
    path = rf"[\"'/]{re.escape(name)}(?:[\"'/]|$)"
    module = rf"^\s*(?:import|from)\s+{re.escape(name.removesuffix('.py'))}\b"
    return re.search(f"{path}|{module}", text, re.MULTILINE) is not None


def _is_crowded(path: Path) -> bool:
    with os.scandir(path) as entries:
        return any(number >= MANY for number, _ in enumerate(entries))
