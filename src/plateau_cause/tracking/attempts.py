"""Attempts at a stage that DVC knows nothing of: a kill, a failure or Ctrl-C cut them off.

DVC runs such a stage again, also where the kill came between the stage's end and DVC's own note of it. In
MLflow the attempt that succeeds takes the place of those before it. So the keys of a stage's attempts are
kept in `.plateau/attempts/<stage>`, beside the dvc.lock that DVC writes when it has taken note of a stage.
Outside DVC every run stands for itself.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from plateau_cause import artifacts

ATTEMPTS, NOTE = Path(".plateau/attempts"), Path("dvc.lock")


def begun(name: str, key: str) -> list[str]:
    """Returns the keys of the attempts that this one takes the place of, and notes its own.

    Args:
        name: of the stage, with its arm.
        key: of its run.
    """
    if not os.environ.get("DVC_STAGE"):
        return []
    path = ATTEMPTS / name
    earlier = path.read_text(encoding="utf-8").split() if _is_open(path) else []
    with suppress(OSError):  # a disk that takes nothing has been reported already
        artifacts.write_text(path, "\n".join([*earlier, key]))
    return earlier


def finished(name: str) -> None:
    """Notes that the stage has ended: what DVC writes from now on says that it knows."""
    with suppress(OSError):
        if os.environ.get("DVC_STAGE"):
            (ATTEMPTS / name).touch()


def _is_open(path: Path) -> bool:
    """Returns whether there are attempts, and DVC has written nothing since the last of them."""
    if not path.exists():
        return False
    return not NOTE.exists() or NOTE.stat().st_mtime_ns < path.stat().st_mtime_ns
