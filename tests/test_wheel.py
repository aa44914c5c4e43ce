"""`pip install .` gives the command, and the wheel holds all that a project is started from."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from .conftest import NO_NETWORK

pytestmark = pytest.mark.slow


def run(*command, folder=None):
    environment = {**os.environ, "PYTHONPATH": str(NO_NETWORK), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    ended = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout[-2000:] + ended.stderr[-2000:]
    return ended.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """An environment of its own: the wheel of this tree, and the other packages of this environment."""
    folder = tmp_path_factory.mktemp("wheel")
    root = NO_NETWORK.parents[1]
    listed = run("git", "-C", root, "ls-files", "--cached", "--others", "--exclude-standard").splitlines()
    for name in [name for name in listed if (root / name).is_file()]:
        (folder / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / name, folder / "tree" / name)
    pip = [sys.executable, "-m", "pip"]
    run(*pip, "wheel", "--no-deps", "--no-build-isolation", "--no-index", "-w", folder, folder / "tree")
    venv.create(folder / "env", symlinks=True)
    python = folder / "env/bin/python"
    places = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
    (Path(places) / "shared.pth").write_text(sysconfig.get_path("purelib"))
    run(*pip, "--python", python, "install", "--no-deps", "--no-index", *folder.glob("*.whl"))
    return folder / "env"


def test_the_command_is_there_and_runs_the_installed_code(installed):
    assert run(installed / "bin/plateau", "--version").startswith("plateau ")
    where = run(installed / "bin/python", "-c", "import plateau_cause; print(plateau_cause.__file__)")
    assert where.startswith(str(installed))


def test_a_project_of_the_wheel_is_that_of_the_clone(installed, tmp_path, root):
    run(installed / "bin/plateau", "init", "mine", folder=tmp_path)
    made = {path.relative_to(tmp_path / "mine") for path in (tmp_path / "mine").rglob("*") if path.is_file()}
    assert {str(name) for name in made} >= {
        "dvc.yaml",
        "params.yaml",
        "stages/run",
        "requirements.lock",
    }
    for name in made:
        if name.parts[0] not in (".dvc", "build"):
            assert (tmp_path / "mine" / name).read_bytes() == (root / name).read_bytes(), name
    packed = {str(name) for name in made}
    for path in (root / "src/plateau_cause").rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            assert str(path.relative_to(root)) in packed


def test_its_first_stage_runs(installed, tmp_path):
    run(installed / "bin/plateau", "init", "mine", folder=tmp_path)
    python = installed / "bin/python"
    run("env", f"PLATEAU_PYTHON={python}", python, "-m", "dvc", "repro", "check", folder=tmp_path / "mine")
    assert (tmp_path / "mine/data/inputs/recipe.json").exists()
