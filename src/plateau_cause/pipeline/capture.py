"""Stage capture: what the training script really does, after two of its steps, and what could be changed."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from plateau_cause import artifacts, tracking
from plateau_cause.capture import launch, untrained
from plateau_cause.capture.launch import Script
from plateau_cause.capture.possible.script import possible
from plateau_cause.capture.rules.every import observe
from plateau_cause.config import params
from plateau_cause.errors import PlateauError
from plateau_cause.pipeline import paths, scripts


def main() -> None:
    """Peeks at the script; writes data/capture."""
    given = params.load(paths.PARAMS)
    script = scripts.script_of(given.recipe)
    with tracking.stage_run(given, "capture") as run, artifacts.atomic_folder(paths.CAPTURE) as folder:
        content = peeked(script, folder)
        artifacts.write_json(folder / paths.PEEK.name, content)
        for one in content["observations"]:
            print(f"note: {one['words']}", file=sys.stderr)
        run.log_artifact(folder / paths.PEEK.name)


def peeked(script: Script, out: Path) -> dict[str, Any]:
    """Returns a peek with what stands out in it and what could be changed.

    Raises:
        PlateauError: the script does not train, or classifies nothing.
    """
    content = launch.peek(script, out)
    if (why := untrained.not_classes(content.get("loss"))) is not None:
        raise PlateauError(f"{script.target}: {why}")
    found = observe(content, script.folder)
    content["observations"] = [asdict(one) for one in found]
    if "interventions" not in content:  # the child of another framework lists them itself
        content["interventions"] = [asdict(one) for one in possible(content, script.folder, found)]
    return content
