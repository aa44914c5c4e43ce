"""What the user's own files hold right now: digests of contents, each file read again only when it changed.

DVC must not look at these folders itself: it waits for ever at a FIFO, and stops at a link to nothing. Here
what is no file has a name and nothing else; whether that is an image is for the sources to say.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from plateau_cause import artifacts
from plateau_cause.errors import PlateauError

PART_BYTES = 1 << 20  # of a file, read at once
Known = dict[str, list[Any]]  # absolute path -> what _state says of it, SHA-256


class Fingerprints:
    """Digests of files, remembered on disk by size, time and inode; forgetting them costs time only."""

    def __init__(self, memory: Path | None = None) -> None:
        self._memory = memory
        self._known: Known = {} if memory is None else _recall(memory)
        self._used: Known = {}

    def of(self, top: Path) -> dict[str, Any]:
        """Returns `files`, how many there are, and `sha256` of all names and contents.

        Args:
            top: a file, or a folder with all below it but hidden files; links to folders are not followed.
        """
        whole, count = hashlib.sha256(), 0
        for name, path in _below(top):
            found = self.sha256(path)
            whole.update(b"%s\0%s\n" % (name, found.encode()))
            count += bool(found)
        return {"files": count, "sha256": whole.hexdigest()}

    def sha256(self, path: Path) -> str:
        """Returns the digest of a file's bytes; empty for what is no file, or must not be read."""
        try:
            state = _state(path)
            if state is None:
                return ""
            key = os.path.abspath(path).encode(errors="backslashreplace").decode()
            known = self._known.get(key, [])
            found = known[-1] if known[:-1] == state else _read(path)
        except OSError:
            return ""
        self._used[key] = [*state, found]
        return str(found)

    def keep(self) -> None:
        """Writes down what was used, for the next time."""
        if self._memory is not None and self._used != self._known:
            artifacts.write_json(self._memory, self._used)


def _below(top: Path) -> Iterator[tuple[bytes, Path]]:
    """Yields everything below a folder but folders, or the file itself, with its name from there, sorted."""
    if not top.is_dir():
        yield b"", top
        return
    for folder, folders, names in os.walk(top):
        linked = [name for name in folders if os.path.islink(os.path.join(folder, name))]
        folders[:] = sorted(name for name in folders if not _is_hidden(name))
        inside = os.path.relpath(folder, top)
        for name in sorted(name for name in [*names, *linked] if not _is_hidden(name)):
            yield os.fsencode(os.path.join(inside, name)), Path(folder, name)


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name == "__pycache__"


def _state(path: Path) -> list[int] | None:
    """Returns size, time of the last change (ns) and inode of a file; None for anything else."""
    found = path.stat()
    return [found.st_size, found.st_mtime_ns, found.st_ino] if stat.S_ISREG(found.st_mode) else None


def _read(path: Path) -> str:
    found = hashlib.sha256()
    with path.open("rb") as file:
        while part := file.read(PART_BYTES):
            found.update(part)
    return found.hexdigest()


def _recall(memory: Path) -> Known:
    try:
        found: Known = artifacts.read_json(memory)
    except PlateauError:
        return {}
    return found if isinstance(found, dict) and all(isinstance(v, list) for v in found.values()) else {}
