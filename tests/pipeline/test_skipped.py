"""Without a script nothing is captured; with one, the stages of images and recipes have nothing to do."""

from __future__ import annotations

import json

import pytest
import yaml

from plateau_cause.pipeline.skipped import is_skipped, write_nothing


@pytest.fixture
def project(tmp_path, monkeypatch, root):
    (tmp_path / "dvc.yaml").write_text((root / "dvc.yaml").read_text())
    (tmp_path / "train.py").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


SCRIPT = "data: {source: script}\nrecipe: {script: train.py}\n"


@pytest.mark.parametrize(
    ("params", "stage", "arm", "expected"),
    [
        ("data: {source: digits}\n", "capture", None, True),
        ("data: {source: digits}\n", "finetune", "script", True),
        ("data: {source: digits}\n", "finetune", "recipe", False),
        ("data: {source: digits}\n", "intervene", None, False),
        (SCRIPT, "capture", None, False),
        (SCRIPT, "finetune", "script", False),
        (SCRIPT, "finetune", "recipe", True),
        (SCRIPT, "embed", None, True),
        (SCRIPT, "check", None, False),
        (SCRIPT, "summarize", None, False),
        ("data: {source: nowhere}\n", "embed", None, False),  # the stage says what is wrong
    ],
)
def test_which_stages_are_skipped(project, params, stage, arm, expected):
    (project / "params.yaml").write_text(params)
    assert is_skipped(stage, arm) == expected


def test_a_skipped_stage_leaves_every_output_that_is_declared(project):
    declared = yaml.safe_load((project / "dvc.yaml").read_text())["stages"]
    arms = {"finetune": ("recipe", "script")}
    for stage in set(declared) - {"check"}:
        for arm in arms.get(stage, (None,)):
            write_nothing(stage, arm)
    for name in ("data/prepared", "data/arms/script", "reports/plots/dataset", "data/capture"):
        assert (project / name).is_dir()
    record = json.loads((project / "reports/runs/finetune@script.json").read_text())
    assert record["run_id"] is None
    assert (project / "reports/plots/curves_recipe.csv").read_text().startswith("epoch")
