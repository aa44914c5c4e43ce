"""Is a finished report still that of params.yaml as it stands?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from plateau_cause.config.schema import SchemaError
from plateau_cause.config.yaml_file import read_yaml
from plateau_cause.pipeline import paths
from plateau_cause.tracking.provenance import flatten

LOCK = Path("dvc.lock")  # where DVC keeps what each stage was run with
MOST_NAMED = 3  # keys
RENEWED = "`dvc repro` renews it"
Stages = Mapping[str, Mapping[str, Any]]


def remark(root: Path) -> str | None:
    """Returns one line on why the report is not that of params.yaml any more; None where it is.

    What the stages were run with decides; where DVC has no note of it, the times of the files.

    Args:
        root: of the project.
    """
    given, report = root / paths.PARAMS, root / paths.SUMMARY
    if not given.is_file() or not report.is_file():
        return None
    try:
        content, stages = read_yaml(given), _stages(root)
    except SchemaError as error:
        return f"whether this report is that of {paths.PARAMS} cannot be told: {error}"
    if not stages:
        is_old = report.stat().st_mtime_ns < given.stat().st_mtime_ns
        return f"this report is older than {paths.PARAMS}; {RENEWED}" if is_old else None
    changed = _changed(content, stages)
    if changed:
        named = ", ".join(changed[:MOST_NAMED]) + (", …" if len(changed) > MOST_NAMED else "")
        return f"this report is older than {paths.PARAMS}, where {named} changed since; {RENEWED}"
    if _is_unfinished(stages):
        return f"this report is older than what `dvc repro` began since; {RENEWED}"
    return None


def _stages(root: Path) -> Stages:
    """Returns what DVC notes of every stage; nothing where no stage has been run."""
    return (read_yaml(root / LOCK).get("stages") or {}) if (root / LOCK).is_file() else {}


def _changed(content: dict[Any, Any], stages: Stages) -> list[str]:
    """Returns the dotted keys that have another value than a stage was run with."""
    changed: dict[str, None] = {}
    for stage in stages.values():
        ran_with = stage.get("params", {}).get(str(paths.PARAMS), {})
        before = flatten(ran_with)
        now = flatten({key: _at(content, key) for key in ran_with})
        different = [key for key in {**before, **now} if _plain(before.get(key)) != _plain(now.get(key))]
        changed |= dict.fromkeys(different)
    return list(changed)


def _is_unfinished(stages: Stages) -> bool:
    """Returns whether a stage has made something that the stages after it have not seen yet."""
    made = {file["path"]: file.get("md5") for file in _files(stages, "outs")}
    return any(made.get(file["path"], file.get("md5")) != file.get("md5") for file in _files(stages, "deps"))


def _files(stages: Stages, kind: str) -> Iterable[Mapping[str, Any]]:
    return (file for stage in stages.values() for file in stage.get(kind, []))


def _at(content: Any, key: str) -> Any:
    """Returns the value under a dotted key; None where there is none."""
    for part in key.split("."):
        content = content.get(part) if isinstance(content, dict) else None
    return content


def _plain(value: Any) -> Any:
    """Returns a value so that 1e-3, which some YAML reads as text, equals 0.001."""
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value
