"""plateau init: a project that DVC runs."""

import os
import subprocess
import sys

import pytest


@pytest.mark.slow
def test_the_first_stage_runs_in_it(call, tmp_path):
    ended = call("init", "mine")
    assert ended.status == 0
    assert "`plateau diagnose mine/params.yaml`" in ended.out
    environment = {**os.environ, "PLATEAU_PYTHON": sys.executable}
    command = [sys.executable, "-m", "dvc", "repro", "check"]
    repro = subprocess.run(command, cwd=tmp_path / "mine", env=environment, capture_output=True, text=True)
    assert repro.returncode == 0, repro.stdout + repro.stderr
    assert (tmp_path / "mine/data/inputs/recipe.json").exists()


def test_twice_is_one_line(call):
    assert call("init", "mine").status == 0
    ended = call("init", "mine")
    assert (ended.status, ended.err.count("\n")) == (2, 1)
    assert "mine: holds dvc.yaml already" in ended.err
