"""`pip install .` gives the command, and the wheel holds all that a project is started from."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
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


def test_a_script_in_an_empty_folder_is_peeked_at_and_watched(installed, tmp_path):
    (tmp_path / "train.py").write_text(SCRIPT)
    plateau = installed / "bin/plateau"
    assert "optim.SGD, rate 0.5" in run(plateau, "peek", "train.py", folder=tmp_path)
    assert "Accuracy of each epoch" in run(plateau, "watch", "train.py", folder=tmp_path)


def test_a_script_in_an_empty_folder_is_diagnosed(installed, tmp_path):
    (tmp_path / "train.py").write_text(SCRIPT.replace("        opt.zero_grad()\n", ""))
    said = json.loads(run(installed / "bin/plateau", "diagnose", "--json", "train.py", folder=tmp_path))
    assert said["subject"] == "script" and said["verdict"] in ("plateau", "healthy", "inconclusive")
    assert (tmp_path / "train.plateau/reports/plateau_cause.html").exists()
    assert not (tmp_path / ".git").exists()


def test_the_source_distribution_builds_the_same_wheel(installed, tmp_path):
    build = "import setuptools.build_meta as b; b.build_sdist('made')"
    tree = installed.parent / "tree"
    run(sys.executable, "-c", build, folder=tree)
    pip = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index"]
    run(*pip, "-w", tmp_path, next((tree / "made").glob("*.tar.gz")))
    wheels = next(installed.parent.glob("*.whl")), next(tmp_path.glob("*.whl"))
    assert zipfile.ZipFile(wheels[0]).namelist() == zipfile.ZipFile(wheels[1]).namelist()


SCRIPT = """
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
data, held = (TensorDataset(torch.randn(n, 3, 8, 8), torch.arange(n) % 2) for n in (32, 64))
train, val = DataLoader(data, 8, shuffle=True), DataLoader(held, 8)
net = nn.Sequential(nn.Flatten(), nn.Linear(192, 2))
opt = torch.optim.SGD(net.parameters(), 0.5)
for epoch in range(2):
    for xb, yb in train:
        opt.zero_grad()
        nn.functional.cross_entropy(net(xb), yb).backward()
        opt.step()
    with torch.no_grad():
        hits = sum((net(xb).argmax(1) == yb).sum().item() for xb, yb in val)
"""
