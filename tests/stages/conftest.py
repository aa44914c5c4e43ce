"""A copy of the repository with a small image folder, in which the real pipeline runs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image

COPIED = ("src", "stages", "dvc.yaml", ".dvc/config", ".dvc/.gitignore", ".dvcignore", ".gitignore")
ESCAPED = "<b>x"  # a class name that a report must escape
COLOURS = {"amber": (200, 140, 40), "blue": (40, 80, 200), ESCAPED: (60, 170, 60)}
CHANGES: dict[str, Any] = {
    "data": {"source": "imagefolder", "path": "pictures", "stored_size": 32},
    "recipe": {"preprocessing": {"size": 32}, "optimizer": {"learning_rate": 1e-8}},
    "diagnosis": {"max_cost": 1.0},
}


def merged(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Returns the nested mapping with some of its entries changed."""
    return base | {
        key: merged(base[key], value)
        if isinstance(value, dict) and isinstance(base.get(key), dict)
        else value
        for key, value in changes.items()
    }


STAGES = {
    "check",
    "capture",
    "prepare_data",
    "dataset_stats",
    "embed",
    "feature_shift",
    "finetune@recipe",
    "finetune@reference",
    "finetune@script",
    "intervene",
    "summarize",
}
SHIPPED = yaml.safe_load((Path(__file__).parents[2] / "params.yaml").read_text(encoding="utf-8"))
PARAMS = merged(SHIPPED, CHANGES)


@dataclass(frozen=True)
class Project:
    """A copy of the repository."""

    folder: Path

    def run(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        """Runs a command in it; stdout and stderr are read together."""
        return subprocess.run(
            command, cwd=self.folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
        )

    def start(self, *command: str | Path) -> subprocess.Popen[str]:
        """Starts a command in it; stdout and stderr are read together."""
        return subprocess.Popen(
            command, cwd=self.folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )

    def dvc(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs dvc."""
        return self.run(Path(sys.prefix) / "bin/dvc", *arguments)

    def repro(self, *arguments: str) -> list[str]:
        """Runs `dvc repro`, which must succeed, and returns the names of the stages that ran."""
        done = self.dvc("repro", *arguments)
        assert done.returncode == 0, done.stdout[-3000:]
        return re.findall(r"Running stage '([^']+)'", done.stdout)

    def write(self, params: dict[str, Any] | str) -> None:
        """Writes params.yaml."""
        text = params if isinstance(params, str) else yaml.safe_dump(params)
        (self.folder / "params.yaml").write_text(text, encoding="utf-8")


def make_project(root: Path, folder: Path) -> Project:
    """Returns a copy of the repository under version control, its environment linked, nothing run."""
    for name in COPIED:
        source, target = root / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        else:
            shutil.copy(source, target)
    os.symlink(sys.prefix, folder / ".venv")
    project = Project(folder)
    project.write(PARAMS)
    project.run("git", "init", "-q")
    return project


def draw_pictures(folder: Path, per_class: int = 30, side: int = 32) -> None:
    """Draws noisy discs in one colour per class."""
    random = np.random.default_rng(0)
    row, column = np.mgrid[:side, :side]
    for name, colour in COLOURS.items():
        (folder / name).mkdir(parents=True)
        for index in range(per_class):
            middle, radius = random.integers(10, 22, 2), random.integers(6, 12)
            disc = (row - middle[0]) ** 2 + (column - middle[1]) ** 2 < radius**2
            image = random.normal(90, 20, (side, side, 3))
            image[disc] = random.normal(colour, 20, (int(disc.sum()), 3))
            Image.fromarray(image.clip(0, 255).astype(np.uint8)).save(folder / name / f"{index:02d}.png")


@pytest.fixture(scope="package")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The copy, with its pictures."""
    folder = tmp_path_factory.mktemp("project")
    made = make_project(Path(__file__).parents[2], folder)
    draw_pictures(folder / "pictures")
    return made


@pytest.fixture(scope="package")
def diagnosed(project: Project) -> Project:
    """The project after its first `dvc repro`."""
    assert set(project.repro()) == STAGES
    return project


@pytest.fixture(scope="module")
def finished(diagnosed: Project) -> Project:
    """The diagnosed project, as its first `dvc repro` left it: what an earlier file changed is undone."""
    diagnosed.write(PARAMS)
    diagnosed.repro()
    return diagnosed
