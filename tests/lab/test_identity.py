"""Plateau's own code in the key of a run: what trains counts, what only shows does not."""

import shutil
import subprocess
import sys

import pytest

from plateau_cause.lab import identity

ASK = "from plateau_cause.lab import identity; print(identity.own_code())"
TRAIN = (
    "training/loop.py",
    "training/optimizer.py",
    "lab/build.py",
    "images/preprocessing.py",
    "backbones/stages.py",
    "features/probes.py",
    "config/recipe.py",
)
ONLY_SHOW = (
    "report/summary.py",
    "commands/main.py",
    "tracking/run.py",
    "diagnosis/reference.py",
    "causes/head.py",
    "pipeline/finetune.py",
    "retraining/drift.py",
    "doctor/machine.py",
    "images/sources/table.py",
    "images/statistics.py",
    "lab/landscape.py",
    "config/params.py",
)


@pytest.fixture
def copy(root, tmp_path):
    """A copy of the package beside a library of another name."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(root / "src/plateau_cause", tmp_path / "plateau_cause", ignore=ignored)
    (tmp_path / "yaml_of_another_name.py").write_text("x = 1")
    return tmp_path


def digest(copy):
    environment = {"PYTHONPATH": str(copy)}
    done = subprocess.run([sys.executable, "-c", ASK], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_copy_of_the_same_code_is_the_same(copy):
    assert digest(copy) == identity.own_code()


def edit(path):
    path.write_text(path.read_text() + "\n# edited\n")


@pytest.mark.parametrize("name", TRAIN)
def test_what_trains_counts(copy, name):
    edit(copy / "plateau_cause" / name)
    assert digest(copy) != identity.own_code()


def test_what_does_not_train_counts_for_nothing(copy):
    for name in ONLY_SHOW:
        edit(copy / "plateau_cause" / name)
    assert digest(copy) == identity.own_code()
