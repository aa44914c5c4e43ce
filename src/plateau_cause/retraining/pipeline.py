"""What a retraining asks of DVC, in the current directory: bring in what is new, run what it changes."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from plateau_cause.errors import PlateauError
from plateau_cause.pipeline import lock


class PipelineError(Exception):
    """DVC failed and has said why; the message names the command."""


def pull() -> None:
    """Brings imported data up to date, and pulls data and run cache from the default remote, if there is one.

    Raises:
        PipelineError: DVC failed.
        PlateauError: there are remotes, and none is the default.
    """
    imported = imports()
    if imported:
        _dvc("update", *imported)
    remotes = _names()
    if not remotes:
        print("no DVC remote is configured: nothing to pull")
        return
    if subprocess.run(_command("remote", "default"), capture_output=True, check=False).returncode:
        raise PlateauError(
            f"DVC remote: none of {', '.join(remotes)} is the default; `dvc remote default NAME` makes it so"
        )
    # What the remote lacks, the pipeline makes again.
    _dvc("pull", "--run-cache", "--allow-missing")


def reproduce() -> None:
    """Runs every stage that is not up to date.

    Raises:
        PipelineError: a stage failed.
    """
    _dvc("repro")


def imports() -> list[str]:
    """Returns the .dvc files of data that `dvc import` or `import-url` brought in."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", "*.dvc"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    names = [name for name in listed.stdout.split("\0") if name and Path(name).is_file()]
    return sorted(name for name in names if _is_import(Path(name)))


def _is_import(path: Path) -> bool:
    """Returns whether the file describes imported data: frozen, and made from something elsewhere."""
    try:
        content: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError):  # DVC itself says what is wrong with it
        return False
    return isinstance(content, dict) and bool(content.get("frozen")) and bool(content.get("deps"))


def _names() -> list[str]:
    # Not `dvc remote list`: it breaks lines that are longer than the terminal.
    listed = subprocess.run(_command("config", "--list"), capture_output=True, text=True, check=False).stdout
    return re.findall(r"^remote\.(.+)\.url=", listed, re.MULTILINE)


def _dvc(*arguments: str) -> None:
    lock.clear_if_broken(Path())  # a scheduled job may have been killed, and nobody is there to mend it
    command = _command(*arguments)
    if subprocess.run(command, check=False).returncode:
        raise PipelineError(f"`dvc {' '.join(arguments)}` failed; what it said stands above")


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "dvc", *arguments]
