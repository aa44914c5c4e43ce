"""The lock in which DVC notes who reads and writes which output."""

from __future__ import annotations

import json
from pathlib import Path

from plateau_cause.pipeline import paths


def clear_if_broken(root: Path) -> None:
    """Removes a lock that is half written, for DVC was killed at it: DVC itself would stop at it for ever."""
    lock = root / paths.DVC_LOCK
    try:
        json.loads(lock.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return
    except ValueError:
        lock.unlink(missing_ok=True)
