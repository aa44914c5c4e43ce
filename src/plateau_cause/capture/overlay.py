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
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from plateau_cause.capture import repository

LINKED = (
    ".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".npy", ".tar", ".parquet",
)  # fmt: skip
LARGE_BYTES = 64 * 2**20
MANY = 10_000  # entries of one folder from which the whole folder is a link
MOST_ENTRIES = 50_000  # that are copied, or looked through for texts
LEFT_OUT = (".git", ".venv", "venv", "__pycache__", ".plateau", ".dvc", "mlruns", "wandb", "node_modules")
ABOVE = 2  # folders above in which a script may name something
BESIDE = re.compile(r"\.\./(?:\.\./)*([^/\s\"'`:*?,;)\]}]+)")  # ../name, ../../name
UPWARD = re.compile(r"[\"']\.\.[\"'/]|pardir|\.parents?\b|dirname\(")  # other ways to look there
QUOTED = re.compile(r"[\"']([^/\"'\s][^/\"'\n]{0,99})(?:/[^\"'\n]*)?[\"']")  # "name", "name/of/more"
IMPORTED = re.compile(r"^\s*(?:import|from)\s+(\w+)", re.MULTILINE)
TEXTS = (".py", ".yaml", ".yml", ".json", ".toml", ".cfg", ".ini", ".sh")
MOST_TEXTS, LONGEST_TEXT, MOST_TEXT = 300, 2**20, 2**23  # files, bytes of one, bytes of all
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
        own.parent.mkdir(parents=True, exist_ok=True)
        copying = Copying()
        copying.fill(source, own)
        for path, depth in beside(source, arguments):
            copying.place(path, own.parents[depth] / path.name)
        repository.lend(source, own)
        yield own


def beside(folder: Path, arguments: Sequence[str] = ()) -> list[tuple[Path, int]]:
    """Returns what stands beside a script's folder, or beside that, and is named by the script.

    Args:
        folder: of the script, resolved.
        arguments: what the script is given.

    Returns:
        Each file or folder, and of which folder above it is a part: 0 the parent, 1 the next.
    """
    names = named("\n".join([*arguments, *texts(folder)]), {entry.name for entry in _entries(folder)})
    found = []
    for depth, above in enumerate(list(folder.parents)[:ABOVE]):
        if above in (Path(above.anchor), Path.home().parent, Path(tempfile.gettempdir())):
            break
        within = {folder, *folder.parents}
        found += [(Path(entry.path), depth) for entry in _entries(above)
                  if entry.name in names and Path(entry.path) not in within]  # fmt: skip
    return found


def named(text: str, own: Collection[str] = ()) -> set[str]:
    """Returns the names of files and folders that code and settings look for above their own folder.

    Args:
        text: of all of them.
        own: what stands in their own folder: meant by a name that is not written with its way up.
    """
    names = set(BESIDE.findall(text))
    if UPWARD.search(text):
        quoted, imported = QUOTED.findall(text), IMPORTED.findall(text) if "sys.path" in text else []
        names |= {
            name for name in (*quoted, *imported, *(f"{one}.py" for one in imported)) if name not in own
        }
    return {name for name in names if not is_left_out(name) and name not in (".", "..")}


def texts(folder: Path) -> Iterator[str]:
    """Yields the text of code, then of settings, in a folder, but for folders of tools; of each the first."""
    waiting, found, looked_at = [folder], list[Path](), 0
    while waiting and looked_at < MOST_ENTRIES:
        entries = _entries(waiting.pop(0), MANY)
        looked_at += len(entries)
        for entry in entries:
            if entry.is_dir(follow_symlinks=False) and not is_left_out(entry.name):
                waiting.append(Path(entry.path))
            elif entry.name.endswith(TEXTS) and os.path.isfile(entry.path):
                found.append(Path(entry.path))
    left = MOST_TEXT
    for path in sorted(found, key=lambda one: one.suffix != ".py")[:MOST_TEXTS]:
        with contextlib.suppress(OSError):  # gone meanwhile, or not the user's to read
            size = path.stat().st_size
            if size <= min(LONGEST_TEXT, left):
                left -= size
                yield path.read_text(encoding="utf-8", errors="replace")


def _entries(folder: Path, most: int | None = None) -> list[os.DirEntry[str]]:
    """Returns what a folder holds, by name, or some of it; nothing of one that may not be read."""
    with contextlib.suppress(OSError), os.scandir(folder) as scanned:
        return sorted(itertools.islice(scanned, most), key=lambda one: one.name)
    return []


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

    entries: int = MOST_ENTRIES
    size: int = 512 * 2**20

    def fill(self, source: Path, target: Path) -> None:
        """Copies a folder's content, nearest files first."""
        target.mkdir()
        found = [entry for entry in _entries(source) if not is_left_out(entry.name)]
        for entry in sorted(found, key=lambda one: os.path.isdir(one.path)):
            self.entries -= 1
            self.place(Path(entry.path), target / entry.name)

    def place(self, path: Path, target: Path) -> None:
        """Copies a file or a folder to a place where nothing is yet."""
        with contextlib.suppress(OSError, RuntimeError):  # not the user's to read; links in a circle
            if target.exists():
                return
            if path.is_symlink() or (path.is_dir() and (self.entries < 0 or _is_crowded(path))):
                target.symlink_to(path.resolve())
            elif path.is_dir():
                self.fill(path, target)
            elif path.is_file():
                self._place(path, target)

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
