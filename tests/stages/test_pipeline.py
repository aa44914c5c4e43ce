"""The real `dvc repro`, end to end, in a copy of the repository with a small image folder.

The tests of the finished pipeline run in the order of this file: one leads to the next.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest

from plateau_cause.report.schema import validate

from .conftest import COLOURS, ESCAPED, PARAMS, merged

# Saves after every epoch, so that a run of a few seconds has something to go on from.
SAVING_OFTEN = (
    "import runpy, sys; from plateau_cause.training import checkpoint; checkpoint.SAVE_EVERY_S = 0.0; "
    "sys.argv = ['finetune.py', 'recipe']; runpy.run_path('stages/finetune.py', run_name='__main__')"
)
WRONG = {
    "unknown": ({"recipe": {"optimiser": {}}}, "recipe.optimiser: unknown key; did you mean optimizer?"),
    "misspelt": (
        {"recipe": {"trainable": "lastblock"}},
        "recipe.trainable: got 'lastblock'; did you mean last_block?",
    ),
    "out of range": ({"recipe": {"head": {"dropout": 1.5}}}, "recipe.head.dropout: got 1.5"),
    "wrong type": ({"recipe": {"schedule": {"epochs": "many"}}}, "recipe.schedule.epochs: got 'many'"),
    "missing folder": (
        {"data": {"source": "imagefolder", "path": "nowhere"}},
        "data.path: got 'nowhere'; no such folder",
    ),
    "missing code": ({"recipe": {"code": "mine.py"}}, "recipe.code: got 'mine.py'; no such file"),
    "missing weights": ({"backbone": {"weights": "mine.pt"}}, "backbone.weights: got 'mine.pt'"),
    "no mapping": ("- 1\n", "params.yaml"),
    "no YAML": ("recipe: [1\n", "params.yaml"),
}
pytestmark = pytest.mark.slow


def read(project, name):
    return json.loads((project.folder / name).read_text())


def test_writes_reports_that_satisfy_the_contract(finished):
    summary = read(finished, "reports/plateau_cause.json")
    validate(summary)
    assert summary["verdict"] in ("plateau", "healthy", "inconclusive")
    for name in ("plateau_cause.md", "plateau_cause.html"):
        assert summary["headline"].split(":")[0] in (finished.folder / "reports" / name).read_text()
    counts = read(finished, "reports/prepare_data.json")
    assert (counts["images"], counts["classes"], counts["unreadable"]) == (90, 3, 0)
    predictions = pd.read_parquet(finished.folder / "data/arms/recipe/predictions.parquet")
    assert set(predictions["label"]) <= set(COLOURS)
    assert predictions["correct"].mean() == pytest.approx(summary["verified"]["before"])


def test_the_rate_that_is_far_too_low_is_found(finished):
    summary = read(finished, "reports/plateau_cause.json")
    assert summary["levels"]["reference"] > summary["verified"]["before"]
    assert summary["verdict"] == "plateau"
    assert "learning_rate_low" in {cause["cause"] for cause in summary["causes"]}
    assert summary["verified"]["after"] >= 0.9


def test_names_from_the_data_are_escaped(finished):
    pages = [finished.folder / "reports/plateau_cause.html", *finished.folder.glob("reports/plots/**/*.html")]
    for page in pages:
        assert ESCAPED not in page.read_text()


def test_again_with_nothing_changed_runs_nothing(finished):
    assert finished.repro() == ["check"]


def test_what_is_removed_comes_back_from_the_cache(finished):
    page = finished.folder / "reports/plateau_cause.html"
    before = page.read_bytes()
    page.unlink()
    assert finished.repro() == ["check"]
    assert page.read_bytes() == before


def test_dvc_shows_metrics_and_stages(finished):
    assert "finetune@recipe" in finished.dvc("dag").stdout
    shown = json.loads(finished.dvc("metrics", "show", "--json").stdout)
    values = shown[""]["data"]["reports/finetune_recipe.json"]["data"]
    assert values == read(finished, "reports/finetune_recipe.json")
    assert set(shown[""]["data"]) == {
        "reports/finetune_recipe.json",
        "reports/finetune_reference.json",
        "reports/finetune_script.json",  # empty: the recipe is no script
        "reports/intervene.json",
        "reports/plateau_cause.json",
    }
    stages = [file["data"] for name, file in shown[""]["data"].items() if "plateau_cause" not in name]
    columns = [name for data in stages for name in data]
    assert len(columns) <= 20  # few enough to compare
    assert all("accuracy" in name or name.startswith("effect_") for name in columns)
    effects = shown[""]["data"]["reports/intervene.json"]["data"]
    assert effects["test_accuracy_recipe"] == values["test_accuracy"]
    assert (
        effects["test_accuracy_recommended"]
        == read(finished, "reports/plateau_cause.json")["verified"]["after"]
    )


def test_the_landscape_can_be_switched_off_and_never_counts_as_diagnosis(finished):
    before, pictures = read(finished, "reports/plateau_cause.json"), finished.folder / "reports/plots/summary"
    drawn = {path.stem for path in pictures.iterdir()}
    assert {"landscape_line", "landscape_planes", "gradient_flow", "fit", "confusion"} <= drawn
    finished.write(merged(PARAMS, {"diagnosis": {"landscape": False}}))
    assert set(finished.repro()) == {"check", "intervene", "summarize"}
    left = {path.stem for path in pictures.iterdir()}
    assert drawn - left == {"landscape_line", "landscape_planes"}
    assert read(finished, "reports/plateau_cause.json")["cost"] == before["cost"]
    finished.write(PARAMS)
    assert "intervene" not in finished.repro()  # it comes back from the cache
    assert {path.stem for path in pictures.iterdir()} == drawn


def test_killed_and_started_again_it_gives_the_same(finished):
    finished.write(merged(PARAMS, {"recipe": {"trainable": "all", "head": {"dropout": 0.2}}}))
    assert set(finished.repro("finetune@recipe")) == {"check", "finetune@recipe"}
    metrics = read(finished, "reports/finetune_recipe.json")
    (key,) = read(finished, "data/arms/recipe/arm.json")["keys"]
    predictions = pd.read_parquet(finished.folder / "data/arms/recipe/predictions.parquet")
    runs = finished.folder / ".plateau/runs"
    for file in runs.glob(f"{key}*"):
        file.unlink()
    shutil.rmtree(finished.folder / "data/arms/recipe")
    _kill_when_it_saves(finished, runs / f"{key}.checkpoint.pt")
    assert finished.repro("--force", "--single-item", "finetune@recipe") == ["finetune@recipe"]
    assert not (runs / f"{key}.checkpoint.pt").exists()
    assert read(finished, "reports/finetune_recipe.json") == metrics
    again = pd.read_parquet(finished.folder / "data/arms/recipe/predictions.parquet")
    pd.testing.assert_frame_equal(again, predictions)
    finished.write(PARAMS)


def _kill_when_it_saves(project, checkpoint, patience_s=60.0):
    """Starts the stage and kills it, without a chance to clean up, as soon as it has saved an epoch."""
    environment = {**os.environ, "PYTHONPATH": f"{project.folder / 'src'}:{os.environ['PYTHONPATH']}"}
    process = subprocess.Popen([sys.executable, "-c", SAVING_OFTEN], cwd=project.folder, env=environment)
    end = time.monotonic() + patience_s
    while not checkpoint.exists() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert checkpoint.exists(), "the stage ended before it was killed"


def test_another_learning_rate_does_not_embed_again(finished):
    finished.write(merged(PARAMS, {"recipe": {"optimizer": {"learning_rate": 1e-7}}}))
    assert set(finished.repro("finetune@recipe", "feature_shift", "finetune@reference")) == {
        "check",
        "finetune@recipe",
    }
    finished.write(PARAMS)


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_key_is_one_clear_line(project, wrong):
    content, message = WRONG[wrong]
    project.write(content if isinstance(content, str) else merged(PARAMS, content))
    try:
        ended = project.run("sh", "stages/run", "check")
    finally:
        project.write(PARAMS)
    assert ended.returncode == 2
    assert ended.stdout.startswith("error: ")
    assert message in ended.stdout
    assert ended.stdout.count("\n") == 1


def test_dvc_stops_at_a_wrong_key(project):
    project.write(merged(PARAMS, {"recipe": {"trainable": "everything"}}))
    try:
        ended = project.dvc("repro")
    finally:
        project.write(PARAMS)
    assert ended.returncode != 0
    assert "error: recipe.trainable: got 'everything'" in ended.stdout
    assert "Running stage 'prepare_data'" not in ended.stdout
