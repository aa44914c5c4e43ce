"""Scripts with tiny data, and captures of them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import forks
import numpy as np
import pytest
from PIL import Image

SCRIPTS = Path(__file__).parent / "scripts"
COLOURS = {"amber": (200, 120, 30), "blue": (30, 60, 200), "green": (30, 180, 60)}
SIZES = {"train": 16, "val": 8, "test": 6}  # images per class


@pytest.fixture(scope="session")
def material(tmp_path_factory):
    """A folder with data/<split>/<class>/<n>.png, noisy colours of 24 px, and resnet18.pt."""
    folder = tmp_path_factory.mktemp("material")
    rng = np.random.default_rng(0)
    for split, count in SIZES.items():
        for name, colour in COLOURS.items():
            place = folder / "data" / split / name
            place.mkdir(parents=True)
            for number in range(count):
                noisy = np.array(colour) * rng.uniform(0.5, 1.2) + rng.normal(0, 30, (24, 24, 3))
                Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)).save(place / f"{number}.png")
    return folder


@pytest.fixture(scope="session")
def resnet18_file(material):
    """The weights of a ResNet-18 without its head."""
    import torch
    from torchvision.models import resnet18

    torch.manual_seed(0)
    state = {name: value for name, value in resnet18().state_dict().items() if not name.startswith("fc")}
    torch.save(state, material / "resnet18.pt")
    return material / "resnet18.pt"


@pytest.fixture
def prepare(material, tmp_path, request):
    """Returns a function that copies a script, its data beside it, with some of its text replaced."""

    def make(name: str, *edits: tuple[str, str], file: str | None = None) -> Path:
        folder = tmp_path / "work"
        source = SCRIPTS / name
        if source.is_dir():
            shutil.copytree(source, folder)
        else:
            folder.mkdir()
            shutil.copy(SCRIPTS / f"{name}.py", folder / "train.py")
        (folder / "data").symlink_to(material / "data")
        if name in ("weighted", "features"):
            (folder / "resnet18.pt").symlink_to(request.getfixturevalue("resnet18_file"))
        path = folder / (file or "train.py")
        for old, new in edits:
            text = path.read_text()
            assert text.count(old) == 1, (old, text.count(old))
            path.write_text(text.replace(old, new))
        return folder

    return make


@pytest.fixture(scope="session")
def zygote():
    """A process that runs captures, see zygote.py."""
    root = Path(__file__).parents[2]
    path = os.pathsep.join([str(root / "src"), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(Path(__file__).parent / "zygote.py")]
    with forks.started(command, environment) as process:
        yield process


@pytest.fixture
def capture(zygote, tmp_path):
    """Returns a function that captures the script of a folder: (exit status, what it printed, folder)."""

    def run(mode: str, folder: Path, target="train.py", arguments=(), is_module=False, **settings):
        out = tmp_path / mode
        out.mkdir(exist_ok=True)
        job = {"mode": mode, "target": target, "is_module": is_module, "arguments": list(arguments),
               "out": str(out), "folder": str(folder), "limit_s": 20.0, **settings}  # fmt: skip
        path = tmp_path / "job.json"
        path.write_text(json.dumps(job))
        zygote.stdin.write(f"{path}\n")
        zygote.stdin.flush()
        status = int(zygote.stdout.readline())
        return status, path.with_suffix(".log").read_text(), out

    return run


@pytest.fixture
def forked(zygote, tmp_path, monkeypatch):
    """Has every process that plateau starts for a script be a fork of the zygote."""
    from plateau_cause.capture import launch

    def run(given, out, job, variables=None, **streams):
        path = tmp_path / "job.json"
        about = {"target": given.target, "is_module": given.is_module, "arguments": list(given.arguments)}
        places = {"out": str(out.resolve()), "folder": str(given.folder.resolve())}
        path.write_text(json.dumps({**job, **about, **places}))
        zygote.stdin.write(f"{path}\n")
        zygote.stdin.flush()
        status = int(zygote.stdout.readline())
        return subprocess.CompletedProcess([], status, path.with_suffix(".log").read_text())

    monkeypatch.setattr(launch, "run", run)


@pytest.fixture
def repaired(capture):
    """Returns a function that replays the script of a folder with one change, which takes: the result."""

    def run(folder: Path, one):
        job = {"seed": 0, "interventions": [one.name], "settings": {one.name: one.settings}}
        status, printed, out = capture("replay", folder, **job)
        assert status == 0, printed
        result = json.loads((out / "replay.json").read_text())
        assert (result["error"], result["problems"]) == (None, [])
        assert result["interventions"][one.name].items() >= {"took": True, "words": None}.items()
        return result

    return run


@pytest.fixture
def peek(capture):
    """Returns a function that peeks at the script of a folder: the document."""

    def run(folder: Path, **given):
        status, printed, out = capture("peek", folder, **given)
        assert status == 0, printed
        content = json.loads((out / "peek.json").read_text())
        assert content["script"]["error"] is None, printed
        return content

    return run
