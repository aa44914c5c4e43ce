"""Says as JSON whether DVC's default remote can be listed; a program, so that one that hangs can be ended.

python -m plateau_cause.doctor.remote     # {"name": "storage", "url": "s3://bucket/folder", "reason": null}
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from plateau_cause.tracking.provenance import without_password


def probe() -> dict[str, str | None]:
    """Returns the remote's name and address, and why it cannot be used; all None where there is none."""
    from dvc.repo import Repo

    with Repo(".") as repo:
        name = repo.config["core"].get("remote")
        if name is None:
            return {"name": None, "url": None, "reason": None}
        url = without_password(str(repo.config["remote"][name]["url"]))
        try:
            reason = _reason(repo.cloud.get_remote(name=name))
        except Exception as error:  # each kind of storage has its own
            reason = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
    return {"name": name, "url": url, "reason": None if reason is None else without_password(reason)}


def _reason(remote: Any) -> str | None:
    """Returns why the storage cannot be used; a folder that is not there yet is made by `dvc push`."""
    if remote.fs.protocol == "local":
        path = Path(remote.path)
        place = next(folder for folder in (path, *path.parents) if folder.exists())
        return None if os.access(place, os.W_OK | os.X_OK) else f"no permission to write in {place}"
    try:
        remote.fs.ls(remote.path)
    except FileNotFoundError:
        return None
    return None


if __name__ == "__main__":
    print(json.dumps(probe()))
