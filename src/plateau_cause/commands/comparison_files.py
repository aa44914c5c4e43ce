"""Finds the runs to compare: by arm of the finished diagnosis, by MLflow run id, by git revision."""

from __future__ import annotations

import io
import json
import re
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plateau_cause import artifacts
from plateau_cause.commands.comparison import SPLITS, Side
from plateau_cause.config.schema import suggestion
from plateau_cause.errors import PlateauError
from plateau_cause.pipeline import paths
from plateau_cause.tracking.provenance import clean_text, flatten

if TYPE_CHECKING:
    import pandas as pd

RUN_ID = re.compile(r"[0-9a-f]{32}")
COMPARED = ("recipe.", "backbone.name", "weights", "images", "seed", "own_code")  # names, or how they begin


def resolve(root: Path, name: str) -> Side:
    """Returns the run that a name stands for: an arm first, then a run id, then a revision.

    Args:
        root: of the project.
        name: "reference - frozen_layers", 32 hexadecimal digits, or anything that git takes for a commit.

    Raises:
        PlateauError: it is none of them, or what it names has no finished diagnosis.
    """
    arms = arm_names(root)
    if name in arms:
        return _arm(root, name)
    if RUN_ID.fullmatch(name):
        return _run(name)
    commit = _commit(root, name)
    if commit is not None:
        return _revision(root, name, commit)
    known = f"arms here: {', '.join(arms)}" if arms else "no finished diagnosis here has arms"
    hint = suggestion(name, arms) or ";"
    raise PlateauError(f"{name!r}: no arm, MLflow run id or git revision{hint} {known}")


def arm_names(root: Path) -> list[str]:
    """Returns the arms of the finished diagnosis, in the order in which they ran; none without one."""
    path = root / paths.ARM_SETTINGS
    return list(artifacts.read_json(path)) if path.is_file() else []


def chosen(settings: Mapping[str, Any]) -> dict[str, str]:
    """Returns those settings that are compared, one level deep, as params.yaml shows them."""
    flat = {name: clean_text(value) for name, value in flatten(settings).items()}
    return {name: value for name, value in flat.items() if name.startswith(COMPARED)}


def _arm(root: Path, name: str) -> Side:
    settings = artifacts.read_json(root / paths.ARM_SETTINGS)[name]
    runs = artifacts.read_json(root / paths.FINDINGS)["runs"]
    table = artifacts.read_parquet(root / paths.ARM_PREDICTIONS)
    found = next(run for run in runs if run["name"] == name)
    origin = "arm of the finished diagnosis"
    return Side(name, origin, chosen(settings), _accuracy(found), table[table["arm"] == name])


def _run(run_id: str) -> Side:
    from plateau_cause.tracking import read

    run = read.run(run_id)
    origin = f"MLflow run {run.name}"
    return Side(run_id[:8], origin, chosen(run.params), _accuracy(run.metrics), run.predictions)


def _revision(root: Path, name: str, commit: str) -> Side:
    """Returns the user's recipe as its reports stand in that commit."""
    summary = json.loads(_show(root, commit, paths.SUMMARY))
    settings = _settings(_show(root, commit, paths.PARAMS))
    origin = f"the recipe in commit {commit[:10]}"
    return Side(name, origin, chosen(settings), _accuracy(summary["plateau"]), _pulled(root, commit))


def _settings(text: str) -> dict[str, Any]:
    """Returns the settings of a params.yaml, defaults filled in where its keys are still those of today."""
    import yaml

    from plateau_cause.config import params, schema

    given = yaml.safe_load(text) or {}
    with suppress(schema.SchemaError):
        given = params.dump(schema.build(params.Params, given))
    backbone = given.get("backbone") or {}
    named = {"name": backbone.get("name")}
    return {"recipe": given.get("recipe") or {}, "backbone": named, "weights": backbone.get("weights")}


def _accuracy(values: Mapping[str, Any]) -> dict[str, float]:
    known = {split: values.get(f"{split}_accuracy") for split in SPLITS}
    return {split: float(value) for split, value in known.items() if value is not None}


def _commit(root: Path, name: str) -> str | None:
    found = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    return found.strip() if found else None


def _show(root: Path, commit: str, path: Path) -> str:
    text = _git(root, "show", f"{commit}:./{path.as_posix()}")
    if text is None:
        raise PlateauError(f"{commit[:10]}: has no {path}; allowed: a commit that holds a finished diagnosis")
    return text


def _git(root: Path, *arguments: str) -> str | None:
    """Returns what git prints, None where it fails."""
    command = ["git", "-C", str(root), "--no-optional-locks", *arguments]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return None


def _pulled(root: Path, commit: str) -> pd.DataFrame | None:
    """Returns the predictions of the recipe at a commit, from DVC's cache or its remote; None without."""
    import pandas as pd
    from dvc.api import read

    try:
        content = read(paths.predictions("recipe").as_posix(), repo=str(root), rev=commit, mode="rb")
    except Exception:  # not tracked then, not pushed, no access: every storage has errors of its own
        return None
    return pd.read_parquet(io.BytesIO(content))
