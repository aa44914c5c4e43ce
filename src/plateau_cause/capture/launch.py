"""Starts a capture: the user's interpreter, the user's script, and what comes back."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from plateau_cause import runtime
from plateau_cause.capture import doors, overlay, untrained
from plateau_cause.capture.possible.keras import interventions
from plateau_cause.capture.rules.every import observe
from plateau_cause.errors import PlateauError

START = Path(__file__).parent / "child/start.py"
LIMIT_S = 15.0  # how long a peek waits for an evaluation once training has begun


@dataclass(frozen=True)
class Script:
    """A training script and how it is run.

    Attributes:
        target: path of the file, relative to `folder` or absolute; with `is_module` a dotted name.
        arguments: its command line.
        folder: the folder it runs in.
        python: the interpreter.
        is_module: whether it is run as `python -m target`.
    """

    target: str
    arguments: tuple[str, ...] = ()
    folder: Path = Path()
    python: str = sys.executable
    is_module: bool = False


def script(
    target: str, arguments: tuple[str, ...] = (), folder: Path | None = None, python: str | None = None,
    is_module: bool = False,
) -> Script:  # fmt: skip
    """Returns a script to run; by default in its own folder, by the interpreter that plateau runs in.

    Raises:
        PlateauError: there is no such file, folder or interpreter.
    """
    place = folder if folder is not None else Path() if is_module else Path(target).parent
    file = Path(target)
    if not is_module and not file.is_file():
        raise PlateauError(f"{target}: no such file; expected a Python script")
    if not place.is_dir():
        raise PlateauError(f"recipe.folder: {place} is not a folder")
    if python is not None and not Path(python).is_file():
        raise PlateauError(f"recipe.python: {python} is not there; expected the path of an interpreter")
    given = target if is_module else os.path.relpath(file, place)
    if given.startswith(os.pardir) and not is_module:  # a copy of the folder does not hold it
        given = os.path.abspath(file)
    return Script(given, arguments, place, os.path.abspath(python) if python else sys.executable, is_module)


def peek(given: Script, out: Path, limit_s: float = LIMIT_S, quiet: bool = True) -> dict[str, Any]:
    """Returns what a script really does, after two steps and one evaluation batch.

    Args:
        given: the script.
        out: a folder for peek.json and the pieces; made where it is missing.
        limit_s: how long to wait for an evaluation once training has begun.
        quiet: whether what the script prints is shown only where it fails.

    Raises:
        PlateauError: the script failed before it trained, or never trained.
    """
    out.mkdir(parents=True, exist_ok=True)
    (out / "peek.json").unlink(missing_ok=True)
    job = {"mode": "peek", "limit_s": limit_s, "cloudpickle": _cloudpickle()}
    output = subprocess.PIPE if quiet else None
    with overlay.overlay(given.folder, given.arguments) as own:  # nothing of the user's is written over
        there = replace(given, folder=own)
        ended = run(there, out, job, stdout=output, stderr=subprocess.STDOUT if quiet else None)
    if not (out / "peek.json").is_file():
        raise PlateauError(f"{given.target}: ended before anything was seen: {last_line(ended.stdout)}")
    content: dict[str, Any] = json.loads((out / "peek.json").read_text(encoding="utf-8"))
    refuse_untrained(given, content, ended.stdout)
    if content.get("framework") == "keras":
        found = observe(content, given.folder)
        content["interventions"] = interventions(content, found)
    return content


def _cloudpickle() -> str:
    """Returns the folder of a package that the script's own environment may lack."""
    found = importlib.util.find_spec("cloudpickle")
    assert found is not None and found.origin is not None
    return str(Path(found.origin).parent)


def watch(given: Script, out: Path) -> dict[str, Any]:
    """Returns every epoch of a script that runs to its end, writing to this terminal.

    Args:
        given: the script.
        out: a folder for watch.json, which is written whole after every epoch.

    Raises:
        PlateauError: no epoch of training was seen.
    """
    out.mkdir(parents=True, exist_ok=True)
    (out / "watch.json").unlink(missing_ok=True)
    ended = run(given, out, {"mode": "watch"})
    if not (out / "watch.json").is_file():
        raise PlateauError(f"{given.target}: ended with status {ended.returncode} before anything was seen")
    content: dict[str, Any] = json.loads((out / "watch.json").read_text(encoding="utf-8"))
    if not any(epoch["training"] for epoch in content["epochs"]):
        raise PlateauError(
            f"{given.target}: no epoch of training was seen (status {ended.returncode}): "
            f"{untrained.reason(content['seen']) if 'seen' in content else untrained.without_fit(None)}"
        )
    return content | {"status_of_script": ended.returncode}


def run(
    given: Script, out: Path, job: dict[str, Any], variables: Mapping[str, str] | None = None, **streams: Any
) -> subprocess.CompletedProcess[str]:
    """Runs a script under the hooks, up to the end of its process.

    Args:
        given: the script.
        out: where the capture is written.
        job: what kind of capture (docs/capture.md).
        variables: of the environment, where the user's own does not set them.
        streams: of the process.
    """
    full = {**job, "target": given.target, "is_module": given.is_module,
            "arguments": list(given.arguments), "out": str(out.resolve())}  # fmt: skip
    with tempfile.TemporaryDirectory() as room:
        path = Path(room) / "job.json"
        path.write_text(json.dumps(full), encoding="utf-8")
        is_keras = doors.is_keras(given.target, given.folder, given.is_module)
        command = [given.python, str(START), str(path), *(["keras"] if is_keras else [])]
        environment = {**(variables or {}), **runtime.users_environment()}
        return subprocess.run(
            command, cwd=given.folder, env=environment, text=True, errors="replace", **streams
        )


def refuse_untrained(given: Script, content: dict[str, Any], printed: str | None) -> None:
    """Raises one line where there is nothing to diagnose; `printed` is what the script said.

    Raises:
        PlateauError: the script raised, or took no backward call through a model.
    """
    error = content["script"]["error"]
    if content["seen"].get("refused"):
        raise PlateauError(f"{given.target}: {content['seen']['refused']}")
    if error is not None and "'estimator'" in error["message"] and content.get("framework") == "keras":
        raise PlateauError(
            f"{given.target}: tf.estimator is not read; expected a keras.Model with compile and fit"
        )
    if error is not None and error["class"] == "SystemExit":
        raise PlateauError(f"{given.target} ended with status {error['message']}: {last_line(printed)}")
    if error is not None:
        where = f" at {error['place']['file']}:{error['place']['line']}" if error["place"] else ""
        hint = untrained.about_torchrun(error["message"])
        raise PlateauError(f"{given.target} raised {error['class']}{where}: {error['message']}{hint}")
    seen = content["seen"]
    if content.get("framework") == "keras" and not seen["fits"]:
        raise PlateauError(f"{given.target}: {untrained.without_fit(seen['tape'], seen['by_batch'])}")
    if not content["seen"]["backward_calls"] or "model" not in content:
        raise PlateauError(f"{given.target}: no training was seen: {untrained.reason(content['seen'])}")


def last_line(text: str | None) -> str:
    """Returns the last line that says something."""
    lines = [line.strip() for line in (text or "").splitlines() if line.strip()]
    return lines[-1][:300] if lines else "it printed nothing"
