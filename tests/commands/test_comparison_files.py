"""A name is an arm, an MLflow run or a git revision; the revisions are real commits with real DVC data."""

import json
import subprocess

import pandas as pd
import pytest

from plateau_cause import artifacts
from plateau_cause.commands import comparison_files
from plateau_cause.commands.comparison import paired
from plateau_cause.errors import PlateauError
from plateau_cause.pipeline import paths

PREDICTIONS = "data/arms/recipe/predictions.parquet"


def git(folder, *arguments):
    identity = ["-c", "user.name=nobody", "-c", "user.email=nobody@localhost"]
    subprocess.run(["git", "-C", folder, *identity, *arguments], check=True, capture_output=True)


def commit(folder, repo, recipe, accuracy, hits):
    """Commits what a finished diagnosis of the recipe leaves, with its predictions in DVC."""
    (folder / "params.yaml").write_text(json.dumps({"recipe": recipe, "backbone": {"name": "tiny"}}))
    summary = {"plateau": {"train_accuracy": None, "val_accuracy": 0.5, "test_accuracy": accuracy}}
    artifacts.write_json(folder / "reports/plateau_cause.json", summary)
    table = pd.DataFrame({"image_id": [str(i) for i in range(len(hits))], "label": "a", "correct": hits})
    artifacts.write_parquet(folder / PREDICTIONS, table)
    repo.add(str(folder / "data/arms/recipe"))
    git(folder, "add", ".")
    git(folder, "commit", "-qm", recipe.get("trainable", "none"))


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    """Two commits of one project: a frozen recipe, then one that trains everything."""
    from dvc.repo import Repo

    folder = tmp_path_factory.mktemp("history")
    git(folder, "init", "-q")
    repo = Repo.init(str(folder))
    commit(folder, repo, {"trainable": "head"}, 0.5, [True, False, True, False])
    commit(folder, repo, {"trainable": "all", "no_longer": "a key"}, 0.75, [True, True, True, False])
    return folder


def test_revisions(history):
    before, after = (comparison_files.resolve(history, name) for name in ("HEAD~1", "HEAD"))
    assert before.settings["recipe.trainable"] == "head"
    assert before.settings["recipe.optimizer.name"] == "adamw", "defaults of keys that were left out"
    assert after.settings["recipe.trainable"] == "all", "also where a key is no longer known"
    assert (before.accuracy, after.accuracy) == ({"val": 0.5, "test": 0.5}, {"val": 0.5, "test": 0.75})
    change = paired(before, after)
    assert (change.images, change.effect.mean) == (4, 0.25)


def test_a_revision_whose_predictions_nobody_has(history, tmp_path):
    """A clone without DVC's cache and without a remote."""
    git(tmp_path, "clone", "-q", str(history), "clone")
    side = comparison_files.resolve(tmp_path / "clone", "HEAD")
    assert side.predictions is None
    assert side.accuracy["test"] == 0.75


def test_a_revision_without_reports(history, tmp_path):
    git(tmp_path, "init", "-q")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "empty")
    with pytest.raises(
        PlateauError, match=r"has no reports/plateau_cause.json; allowed: a commit that holds"
    ):
        comparison_files.resolve(tmp_path, "HEAD")


@pytest.mark.parametrize("name", ["--upload-pack=touch x", "HEAD:params.yaml", "", "nothing", "-h"])
def test_what_git_does_not_take_for_a_commit(history, name):
    with pytest.raises(PlateauError, match="no arm, MLflow run id or git revision"):
        comparison_files.resolve(history, name)


def test_an_arm_comes_before_a_revision_of_the_same_name(history):
    arms = {"HEAD": {"recipe": {"trainable": "last_block"}, "weights": "bundled", "seed": 0}}
    folder = history / paths.INTERVENTIONS
    artifacts.write_json(folder / "arms.json", arms)
    artifacts.write_json(folder / "findings.json", {"runs": [{"name": "HEAD", "test_accuracy": 1.0}]})
    table = pd.DataFrame({"arm": ["HEAD"], "image_id": ["0"], "label": ["a"], "correct": [True]})
    artifacts.write_parquet(folder / "arm_predictions.parquet", table)
    found = comparison_files.resolve(history, "HEAD")
    assert found.settings == {"recipe.trainable": "last_block", "weights": "bundled", "seed": "0"}
