"""Attempts at a stage that DVC knows nothing of: a kill, a failure or Ctrl-C cut them off.

DVC runs such a stage again, also where the kill came between the stage's end and DVC's own note of it. In
MLflow the next attempt takes the place of those before it. So `.plateau/attempts/<stage>` keeps a line for
each: the key of its run and, once it has ended, the MD5 of its record, by which DVC's own notes are
recognised (a record names its run, so there are no two alike). Outside DVC every run stands for itself.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path

from plateau_cause import artifacts

ATTEMPTS = Path(".plateau/attempts")
LOCK, CACHE = Path("dvc.lock"), Path(".dvc/cache")  # what DVC writes when a stage has ended


def begun(name: str, key: str) -> list[str]:
    """Returns the keys of the attempts that this one takes the place of, and notes its own.

    Args:
        name: of the stage, with its arm.
        key: of its run.
    """
    if not os.environ.get("DVC_STAGE"):
        return []
    lines = _lines(name)
    known = [number for number, line in enumerate(lines, 1) if _is_known(line)]
    earlier = lines[known[-1] :] if known else lines
    _write(name, [*earlier, key])
    return [line.split()[0] for line in earlier]


def finished(name: str, record: Path) -> None:
    """Notes that the last attempt has ended, and left this record."""
    lines = _lines(name) if os.environ.get("DVC_STAGE") else []
    if lines:
        md5 = hashlib.md5(record.read_bytes(), usedforsecurity=False).hexdigest()
        _write(name, [*lines[:-1], f"{lines[-1]} {md5}"])


def _lines(name: str) -> list[str]:
    with suppress(OSError):
        return (ATTEMPTS / name).read_text(encoding="utf-8").splitlines()
    return []


def _write(name: str, lines: list[str]) -> None:
    with suppress(OSError):  # a disk that takes nothing has been reported already
        artifacts.write_text(ATTEMPTS / name, "\n".join(lines))


def _is_known(line: str) -> bool:
    """Returns whether DVC has taken note of an attempt, be it in a dvc.lock that is no longer there."""
    _, _, md5 = line.partition(" ")
    if not md5:
        return False
    if LOCK.is_file() and md5 in LOCK.read_text(encoding="utf-8"):
        return True
    if not CACHE.is_dir():  # it is elsewhere, so nobody can tell: better twice than gone
        return True
    return any(md5 in path.read_text(encoding="utf-8") for path in CACHE.glob("runs/*/*/*"))
