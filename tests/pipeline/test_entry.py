"""The frame of every stage: status 2 and one line for what the user can mend, a traceback for the rest."""

import os
import subprocess
import sys

import pytest

from plateau_cause.errors import PlateauError
from plateau_cause.pipeline import check
from plateau_cause.pipeline.entry import run_stage


@pytest.fixture
def stage(monkeypatch):
    """Returns a function that makes `check` do something else."""
    return lambda main: monkeypatch.setattr(check, "main", main)


def test_what_the_user_can_mend(capsys, stage):
    def main():
        raise PlateauError("data.path: got 'x';\nno such file")

    stage(main)
    with pytest.raises(SystemExit) as ended:
        run_stage("check")
    assert ended.value.code == 2
    assert capsys.readouterr().err == "error: data.path: got 'x'; no such file\n"


def test_success_is_silent(capsys, stage):
    stage(lambda: None)
    run_stage("check")
    assert capsys.readouterr() == ("", "")


def test_what_stands_on_the_command_line_is_given_on(stage):
    given = []
    stage(lambda *arguments: given.extend(arguments))
    run_stage("check", "recipe")
    assert given == ["recipe"]


def test_a_mistake_of_ours_keeps_its_traceback(stage):
    def main():
        raise ZeroDivisionError

    stage(main)
    with pytest.raises(ZeroDivisionError):
        run_stage("check")


def test_interruption(capsys, stage):
    def main():
        raise KeyboardInterrupt

    stage(main)
    with pytest.raises(SystemExit) as ended:
        run_stage("check")
    assert ended.value.code == 130
    assert "go on" in capsys.readouterr().err


def test_threads_are_set_up_before_a_stage_imports_anything_heavy(tmp_path):
    (tmp_path / "plateau_stage_that_looks.py").write_text(
        "import os, sys\n"
        "assert os.environ['OMP_WAIT_POLICY'] == 'PASSIVE', os.environ\n"
        "heavy = {'torch', 'numpy', 'pandas', 'mlflow', 'dvc', 'timm', 'umap'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "main = lambda: print('looked')\n"
    )
    code = (
        "import plateau_cause.pipeline, sys\n"
        "plateau_cause.pipeline.__path__.append(sys.argv[1])\n"
        "from plateau_cause.pipeline.entry import run_stage\n"
        "run_stage('plateau_stage_that_looks')\n"
    )
    env = {key: value for key, value in os.environ.items() if not key.startswith("OMP_")}
    ended = subprocess.run([sys.executable, "-c", code, tmp_path], env=env, capture_output=True, text=True)
    assert (ended.stdout, ended.stderr) == ("looked\n", "")


@pytest.mark.parametrize("module", ["plateau_cause", "plateau_cause.config.params", "plateau_cause.tracking"])
def test_importing_pulls_in_nothing_that_is_not_used(module):
    code = (
        f"import sys, {module}\n"
        "print({'mlflow', 'dvc', 'umap', 'numba', 'matplotlib', 'timm', 'torch'} & set(sys.modules))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout == "set()\n"
