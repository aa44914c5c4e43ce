"""Is a finished report still that of params.yaml as it stands?"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from plateau_cause import artifacts
from plateau_cause.config import params, schema
from plateau_cause.config.schema import SchemaError
from plateau_cause.config.yaml_file import read_yaml
from plateau_cause.pipeline import paths
from plateau_cause.tracking.provenance import flatten

MOST_NAMED = 3  # keys
# Where the stage `check` has written each section of params.yaml down, by the stage or arm that reads it.
WRITTEN = {
    "data": "prepare_data",
    "reference_data": "prepare_data",
    "backbone": "recipe",
    "recipe": "recipe",
    "diagnosis": "intervene",
    "tracking": "summarize",
}
RENEWED = "`dvc repro` renews it"
Stages = Mapping[str, Mapping[str, Any]]


def remark(root: Path) -> str | None:
    """Returns one line on why the report is not that of params.yaml any more; None where it is.

    What the stages started from decides; where DVC has no note of them, the times of the files.

    Args:
        root: of the project.
    """
    given, report = root / paths.PARAMS, root / paths.SUMMARY
    if not given.is_file() or not report.is_file():
        return None
    try:
        stages, changed = _stages(root), _changed(root, read_yaml(given))
    except SchemaError as error:
        return f"whether this report is that of {paths.PARAMS} cannot be told: {error}"
    if not stages:
        is_old = report.stat().st_mtime_ns < given.stat().st_mtime_ns
        return f"this report is older than {paths.PARAMS}; {RENEWED}" if is_old else None
    if changed:
        named = ", ".join(changed[:MOST_NAMED]) + (", …" if len(changed) > MOST_NAMED else "")
        return f"this report is older than {paths.PARAMS}, where {named} changed since; {RENEWED}"
    if _is_unfinished(root, stages):
        return f"this report is older than what `dvc repro` began since; {RENEWED}"
    return None


def _stages(root: Path) -> Stages:
    """Returns what DVC notes of every stage; nothing where no stage has been run."""
    notes = root / paths.DVC_NOTES
    return (read_yaml(notes).get("stages") or {}) if notes.is_file() else {}


def _changed(root: Path, content: dict[Any, Any]) -> list[str]:
    """Returns the dotted keys that have another value than the stage `check` has written down."""
    built = schema.build(params.Params, content)
    before: dict[str, Any] = {}
    for section, stage in WRITTEN.items():
        path = root / paths.inputs(stage)
        if path.is_file():
            before[section] = artifacts.read_json(path).get(section)
    now = artifacts.plain({name: _dumped(getattr(built, name)) for name in before})
    ran_with, given = flatten(before), flatten(now)
    return [key for key in {**ran_with, **given} if ran_with.get(key) != given.get(key)]


def _is_unfinished(root: Path, stages: Stages) -> bool:
    """Returns whether something was made that the stages after it have not seen yet."""
    made = {file["path"]: file.get("md5") for file in _files(stages, "outs")}
    for file in _files(stages, "deps"):
        path = root / file["path"]
        if path.parent == root / paths.INPUTS and path.is_file():
            made[file["path"]] = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
    return any(made.get(file["path"], file.get("md5")) != file.get("md5") for file in _files(stages, "deps"))


def _files(stages: Stages, kind: str) -> Iterable[Mapping[str, Any]]:
    return (file for stage in stages.values() for file in stage.get(kind, []))


def _dumped(section: Any) -> Any:
    return None if section is None else params.dump(section)
