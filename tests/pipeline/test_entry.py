"""The frame of every stage: status 2 and one line for what the user can mend, a traceback for the rest."""

import os
import subprocess
import sys

import pytest

from plateau_cause.errors import PlateauError
from plateau_cause.pipeline import entry as cli


def test_what_the_user_can_mend(capsys):
    def main():
        raise PlateauError("data.path: got 'x';\nno such file")

    with pytest.raises(SystemExit) as ended:
        cli.stage(main)
    assert ended.value.code == 2
    assert capsys.readouterr().err == "error: data.path: got 'x'; no such file\n"


def test_success_is_silent(capsys):
    cli.stage(lambda: None)
    assert capsys.readouterr() == ("", "")


def test_a_mistake_of_ours_keeps_its_traceback():
    def main():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        cli.stage(main)


def test_interruption(capsys):
    def main():
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as ended:
        cli.stage(main)
    assert ended.value.code == 130
    assert "go on" in capsys.readouterr().err


def test_threads_are_set_up_before_anything_heavy_is_imported():
    code = (
        "import os, sys; from plateau_cause.pipeline import entry as cli\n"
        "def main():\n"
        "    assert os.environ['OMP_WAIT_POLICY'] == 'PASSIVE', os.environ\n"
        "    heavy = {'torch', 'numpy', 'pandas', 'mlflow', 'dvc', 'timm', 'umap'} & set(sys.modules)\n"
        "    assert not heavy, heavy\n"
        "cli.stage(main)"
    )
    env = {key: value for key, value in os.environ.items() if not key.startswith("OMP_")}
    ended = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    assert ended.stderr == ""


@pytest.mark.parametrize("module", ["plateau_cause", "plateau_cause.config.params", "plateau_cause.tracking"])
def test_importing_pulls_in_nothing_that_is_not_used(module):
    code = (
        f"import sys, {module}\n"
        "print({'mlflow', 'dvc', 'umap', 'numba', 'matplotlib', 'timm', 'torch'} & set(sys.modules))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout == "set()\n"
