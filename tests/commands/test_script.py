"""A script given to plateau diagnose: the workspace beside it says how it is run, and nothing else."""

from __future__ import annotations

import pytest

from plateau_cause.commands.script import make_workspace
from plateau_cause.config import params
from plateau_cause.errors import PlateauError


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "work/train.py"
    path.parent.mkdir()
    path.write_text("import sys\n")
    return path


def test_the_workspace_says_how_the_script_is_run(script):
    folder = script.with_suffix(".plateau")
    make_workspace(str(script), ("--lr", "0.01", "--lr", "0.1"), folder, None)
    given = params.load(folder / "params.yaml")
    assert (given.data.source, given.recipe.script, given.recipe.folder) == ("script", "../train.py", "..")
    assert given.recipe.arguments == ("--lr", "0.01", "--lr", "0.1")
    assert script.read_text() == "import sys\n"


def test_a_module_keeps_its_name(script):
    folder = script.with_suffix(".plateau")
    make_workspace("package.train", (), folder, None, runs_in=script.parent)
    assert params.load(folder / "params.yaml").recipe.script == "package.train"


def test_a_script_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(PlateauError, match=r"nowhere\.py: no such file"):
        make_workspace(str(tmp_path / "nowhere.py"), (), tmp_path / "nowhere.plateau", None)
    assert not (tmp_path / "nowhere.plateau").exists()
