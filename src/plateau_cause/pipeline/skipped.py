"""Stages that have nothing to do: a script brings its own data, and without one nothing is captured.

DVC expects the outputs of every stage: those of one that is skipped are there and hold nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from plateau_cause.config import params
from plateau_cause.errors import PlateauError
from plateau_cause.pipeline import paths

Values = dict[str, Any]
OF_SCRIPTS = ("capture", "finetune@script")
OF_BOTH = ("check", "intervene", "summarize")
EMPTY = {
    ".json": "{}\n",
    ".csv": "epoch,train_accuracy,val_accuracy\n",
    ".html": "<!doctype html>\n<title>nothing to do: see recipe.script</title>\n",
}


def is_skipped(stage: str, arm: str | None) -> bool:
    """Returns whether a stage has nothing to do; False where params.yaml is wrong, as the stage says so."""
    name = stage if arm is None else f"{stage}@{arm}"
    if name in OF_BOTH:
        return False
    try:
        is_script = params.load(paths.PARAMS).recipe.script is not None
    except PlateauError:
        return False
    return is_script != (name in OF_SCRIPTS)


def write_nothing(stage: str, arm: str | None) -> None:
    """Writes every output that dvc.yaml declares for a stage, empty."""
    declared = yaml.safe_load(Path("dvc.yaml").read_text(encoding="utf-8"))["stages"][stage]
    for kind in ("outs", "metrics", "plots"):
        for out in declared.get(kind, []):
            _empty(Path(_named(out).replace("${item.arm}", arm or "")))


def _named(out: Any) -> str:
    return str(next(iter(out))) if isinstance(out, dict) else str(out)


def _empty(path: Path) -> None:
    from plateau_cause import artifacts  # numpy comes with it: a stage's threads are set up before

    if path.parent == paths.RUN_RECORDS:
        nowhere: dict[str, Any] = {
            "run_id": None,
            "tracking_uri": None,
            "experiment_id": None,
            "children": {},
        }
        artifacts.write_json(path, {"name": path.stem, **nowhere})
    elif path.suffix:
        artifacts.write_text(path, EMPTY.get(path.suffix, ""))
    else:
        with artifacts.atomic_folder(path) as folder:
            if path.is_relative_to(paths.DATA):  # DVC warns of folders that hold nothing
                (folder / "skipped.txt").write_text("nothing to do: see recipe.script\n", encoding="utf-8")
