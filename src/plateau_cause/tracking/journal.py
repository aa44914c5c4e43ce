"""What one stage says about its runs, kept on disk until the tracking server has it.

A journal is a folder of the outbox: `journal.jsonl`, one entry per line in the order in which things were
said, and `files/` with copies of what goes along. Whoever holds the lock on `journal.jsonl` works on it: the
stage that writes it, or whoever sends it. A lock ends with its process and leaves nothing behind, so what a
killed stage has said can be sent by the next.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import uuid
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, TextIO

Entry = dict[str, Any]
LINES, FILES = "journal.jsonl", "files"


def outbox() -> Path:
    """Returns the folder of journals, at the repository's root (see `store.tracking_uri` for DVC_ROOT)."""
    return Path(os.environ.get("DVC_ROOT") or ".").resolve() / ".plateau/outbox"


def waiting(folder: Path | None = None) -> list[Journal]:
    """Returns the journals in which something was said, the oldest first; those of running stages too."""
    return [journal for journal in every(folder) if journal.read()]


def every(folder: Path | None = None) -> list[Journal]:
    """Returns all journals on disk, the oldest first; one is empty where its stage was killed at once."""
    return [Journal(path.parent) for path in sorted((folder or outbox()).glob(f"*/{LINES}"))]


def is_waiting(key: str, folder: Path) -> bool:
    """Returns whether a run's own journal is still on disk."""
    opened = f'"kind": "start", "run": "{key}"'
    return any(opened in path.read_text(encoding="utf-8") for path in folder.glob(f"*/{LINES}"))


class Journal:
    """One journal; see above."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lines = folder / LINES
        self._locked: TextIO | None = None

    @classmethod
    def create(cls, name: str, folder: Path | None = None) -> Journal:
        """Returns a new journal, locked, whose folder begins with the time, so that names sort by age."""
        time, plain = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%S.%f"), re.sub(r"[^\w@-]", "_", name)
        journal = cls((folder or outbox()) / f"{time}-{plain}-{uuid.uuid4().hex[:6]}")
        while True:  # somebody may take it for abandoned, and remove it, before it is locked
            (journal.folder / FILES).mkdir(parents=True, exist_ok=True)
            if journal._lock(journal._lines.open("a", encoding="utf-8"), fcntl.LOCK_EX):
                return journal

    @property
    def name(self) -> str:
        """Returns the time and the stage."""
        return self.folder.name

    @property
    def uri(self) -> str:
        """Returns where the stage would have sent it, without user name and password."""
        return next((str(entry["uri"]) for entry in self.read() if "uri" in entry), "")

    @property
    def changed_ms(self) -> int:
        """Returns when the last entry was written, milliseconds since 1970."""
        return int(self._lines.stat().st_mtime * 1000)

    def add(self, entry: Entry) -> None:
        """Appends an entry."""
        with self._lines.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")

    def room(self) -> Path:
        """Returns a new folder inside, for the files of one entry."""
        made = self.folder / FILES / f"{len(list((self.folder / FILES).iterdir())):04d}"
        made.mkdir()
        return made

    def read(self) -> list[Entry]:
        """Returns all entries; a line that was cut off, by a kill or a full disk, is left out."""
        entries = []
        for line in self._lines.read_text(encoding="utf-8").splitlines():
            with suppress(ValueError):
                entries.append(json.loads(line))
        return entries

    def take(self) -> bool:
        """Returns whether the journal is there and nobody else works on it; it is locked then."""
        try:
            file = self._lines.open(encoding="utf-8")
        except FileNotFoundError:
            return False
        return self._lock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _lock(self, file: TextIO, how: int) -> bool:
        with suppress(BlockingIOError):
            fcntl.flock(file, how)
            if self._lines.exists():  # and nobody has removed it in the meantime
                self._locked = file
                return True
        file.close()
        return False

    def remove(self) -> None:
        """Removes the journal, which is there whole or not at all, and unlocks it."""
        self._lines.unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)
        self.release()

    def release(self) -> None:
        """Unlocks the journal."""
        if self._locked is not None:
            self._locked.close()
            self._locked = None
