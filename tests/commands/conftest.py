"""Commands called as a user calls them, and a project whose diagnosis is finished."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest

from plateau_cause import artifacts
from plateau_cause.commands.main import main

SUMMARIES = Path(__file__).parents[1] / "report/summaries"
LABELS = ["amber", "blue"] * 10


class Ended(NamedTuple):
    """What a command left behind."""

    status: int
    out: str
    err: str


@pytest.fixture
def call(monkeypatch, capsys, tmp_path):
    """Returns a function that runs `plateau` with arguments in an empty folder, up to its exit."""
    monkeypatch.chdir(tmp_path)
    for name in ("DVC_ROOT", "PLATEAU_PYTHON"):  # commands set them: this way they are gone after the test
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)

    def run(*arguments: object) -> Ended:
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        return Ended(ended.value.code, *capsys.readouterr())

    return run


def predictions(hits: list[bool]) -> pd.DataFrame:
    ids = [f"{number:02d}.png" for number in range(len(hits))]
    return pd.DataFrame({"image_id": ids, "label": LABELS[: len(hits)], "predicted": "blue", "correct": hits})


def write_diagnosis(folder: Path, summary: str = "plateau") -> None:
    """Writes what the stages would have left: two arms on 20 test images, 10 hits and 18 hits."""
    for name in ("dvc.yaml", "stages/summarize.py"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    content = json.loads((SUMMARIES / f"{summary}.json").read_text(encoding="utf-8"))
    artifacts.write_json(folder / "reports/plateau_cause.json", content)
    settings = {"weights": "bundled", "images": "all", "seed": 0, "backbone": {"name": "tiny"}}
    arms = {
        "recipe": {"recipe": {"trainable": "head", "preprocessing": {"mean": None}}, **settings},
        "reference": {"recipe": {"trainable": "all", "preprocessing": {"mean": None}}, **settings},
    }
    tables = {"recipe": [True] * 10 + [False] * 10, "reference": [True] * 18 + [False] * 2}
    runs = [{"name": name, "train_accuracy": 0.6, "val_accuracy": None, "test_accuracy": sum(hits) / 20}
            for name, hits in tables.items()]  # fmt: skip
    artifacts.write_json(folder / "data/interventions/arms.json", arms)
    artifacts.write_json(folder / "data/interventions/findings.json", {"runs": runs})
    everything = pd.concat([predictions(hits).assign(arm=name) for name, hits in tables.items()])
    artifacts.write_parquet(folder / "data/interventions/arm_predictions.parquet", everything)


@pytest.fixture
def finished(tmp_path):
    """The current folder of `call`, as a project whose diagnosis is finished."""
    write_diagnosis(tmp_path)
    return tmp_path


@pytest.fixture
def executable(tmp_path_factory, root):
    """A folder with an executable `plateau`, for a PATH."""
    import sys

    folder = tmp_path_factory.mktemp("bin")
    program = folder / "plateau"
    program.write_text(
        f'#!/bin/sh\nPYTHONPATH="{root}/src:$PYTHONPATH" exec {sys.executable} -m plateau_cause "$@"\n'
    )
    program.chmod(0o755)
    assert shutil.which("plateau", path=str(folder))
    return folder
