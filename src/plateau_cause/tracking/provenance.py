"""Where a run comes from, in words that a tracking server takes: git, DVC, data, user, clean names."""

from __future__ import annotations

import getpass
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from plateau_cause.errors import PlateauError

PREPARED = Path("data/prepared")
DVC_NAMES = {"dvc.stage": "DVC_STAGE", "dvc.exp": "DVC_EXP_NAME", "dvc.baseline": "DVC_EXP_BASELINE_REV"}
GIT = ("git.commit", "git.dirty")
WRITTEN = (":!dvc.lock", ":!reports")  # git's way to say: but these
MAX_VALUE = 6000  # characters of a parameter or tag that MLflow stores
MAX_NAME = 250


def facts(prepared: Path = PREPARED) -> dict[str, str]:
    """Returns tags: git commit, whether the tree is dirty, DVC's names, the data's digest; what is known."""
    dvc = {tag: os.environ[name] for tag, name in DVC_NAMES.items() if os.environ.get(name)}
    return {**_git_facts(), **dvc, **_data_facts(prepared)}


def _data_facts(prepared: Path) -> dict[str, str]:
    from plateau_cause.images.store import open_dataset

    try:
        return {"data_digest": open_dataset(prepared).digest}
    except PlateauError:  # before prepare_data has run
        return {}


def _git_facts() -> dict[str, str]:
    """Returns the commit, and whether anything is not in it but what the pipeline itself writes.

    New files count, because a training script may be one; ignored ones do not.
    """
    commit, status = _git("rev-parse", "HEAD"), _git("status", "--porcelain", "--", ".", *WRITTEN)
    if not commit or status is None:
        return {}
    return dict(zip(GIT, (commit, "true" if status else "false"), strict=True))


def _git(*arguments: str) -> str | None:
    """Returns what git prints, None where there is no git or no repository."""
    command = ["git", "--no-optional-locks", *arguments]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None


def user() -> str:
    """Returns the name of the user, or "unknown" in a container that has none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"


def without_password(text: str) -> str:
    """Returns the text with every address in it stripped of user name and password."""
    return re.sub(r"(?<=://)[^/@\s]*@", "", text)


def one_line(error: Exception) -> str:
    """Returns what an error says, in one line of moderate length and without passwords."""
    return without_password(" ".join(str(error).split()) or type(error).__name__)[:300]


def flatten(nested: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Returns one level, nested names joined by dots."""
    flat: dict[str, Any] = {}
    for key, value in nested.items():
        flat |= flatten(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return flat


def clean_name(text: str) -> str:
    """Returns a name that MLflow takes: letters, digits and `_-. :/` only."""
    return re.sub(r"[^\w\-. :/]", "_", text, flags=re.ASCII)[:MAX_NAME]


def clean_text(value: Any) -> str:
    """Returns a value as params.yaml would show it, cut to what MLflow stores."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)[:MAX_VALUE]


def column_type(kind: Any) -> str:
    """Returns MLflow's name for a pandas dtype."""
    return {"i": "long", "f": "double", "b": "boolean"}.get(getattr(kind, "kind", "O"), "string")
