"""Names and facts as a tracking server takes them."""

import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from plateau_cause.config.params import Data
from plateau_cause.images.prepare import prepare
from plateau_cause.images.store import open_dataset
from plateau_cause.tracking import provenance


def test_git(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert provenance.facts() == {}
    (tmp_path / "a").write_text("1")
    identity = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
    for command in (["init", "-q"], ["add", "a"], [*identity, "commit", "-qm", "x"]):
        subprocess.run(["git", *command], check=True)
    facts = provenance.facts()
    assert (len(facts["git.commit"]), facts["git.dirty"]) == (40, "false")
    (tmp_path / "a").write_text("2")
    assert provenance.facts()["git.dirty"] == "true"


@pytest.mark.parametrize(
    ("changed", "dirty"),
    [
        ([], "false"),
        (["params.yaml"], "true"),
        (["new_train.py"], "true"),
        (["deleted"], "true"),
        (["dvc.lock", "reports/plateau_cause.json"], "false"),  # what the pipeline itself writes
        (["dvc.lock", "params.yaml"], "true"),
        (["data/image.png"], "false"),  # ignored
        (["../elsewhere.py"], "false"),  # another project of the same repository
    ],
)
def test_changes_that_were_not_committed(tmp_path, monkeypatch, changed, dirty):
    project = tmp_path / "project"
    for name in ("params.yaml", "dvc.lock", "reports/plateau_cause.json", "gone", "../elsewhere.py"):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text("1")
    (project / ".gitignore").write_text("data/\n")
    identity = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
    for command in (["init", "-q"], ["add", "."], [*identity, "commit", "-qm", "x"]):
        subprocess.run(["git", *command], check=True, cwd=tmp_path)
    monkeypatch.chdir(project)
    for name in changed:
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text("2")
    if "deleted" in changed:
        Path("gone").unlink()
        Path("deleted").unlink()
    assert provenance.facts()["git.dirty"] == dirty


def test_the_datas_digest_is_the_data_sets_own(tmp_path):
    assert "data_digest" not in provenance.facts(tmp_path)
    prepare(Data(max_images=50), tmp_path / "prepared")
    assert (
        provenance.facts(tmp_path / "prepared")["data_digest"] == open_dataset(tmp_path / "prepared").digest
    )


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("https://me:secret@host:5000/x", "https://host:5000/x"),
        ("https://host/a@b", "https://host/a@b"),
        ("sqlite:////a/mlflow.db", "sqlite:////a/mlflow.db"),
    ],
)
def test_passwords_are_left_out(uri, expected):
    assert provenance.without_password(uri) == expected


def test_flatten():
    nested = {"a": {"b": 1, "c": {"d": None}}, "e": [1]}
    assert provenance.flatten(nested) == {"a.b": 1, "a.c.d": None, "e": [1]}


def test_values_look_as_in_params_yaml():
    values = (None, True, False, 0.5, "x", [1])
    assert [provenance.clean_text(value) for value in values] == ["null", "true", "false", "0.5", "x", "[1]"]
    assert provenance.clean_text(np.array([1, 2])) == "[1 2]"


def test_column_types():
    table = pd.DataFrame({"a": [1], "b": [1.0], "c": ["x"], "d": [True]})
    assert [provenance.column_type(kind) for kind in table.dtypes] == ["long", "double", "string", "boolean"]
