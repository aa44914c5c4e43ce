"""What is measured on a GPU runs on a CPU at toy size, with no package that such a machine lacks."""

import os
import subprocess
import sys

import pytest

from benchmarks.generated import digits, stripes

# What a machine with torch, torchvision, timm and scikit-learn may well not have.
ABSENT = ("pandas", "pyarrow", "mlflow", "dvc", "umap", "matplotlib", "jinja2", "jsonschema", "click")
WITHOUT = f"""
import runpy, sys
from importlib.machinery import PathFinder

found = PathFinder.find_spec

def find(name, *others):
    return None if name.partition(".")[0] in {ABSENT} else found(name, *others)

PathFinder.find_spec = staticmethod(find)
sys.argv = ["gpu", "--toy"]
runpy.run_module("benchmarks.gpu", run_name="__main__")
"""


@pytest.mark.slow
def test_every_part_runs_at_toy_size(root):
    path = os.pathsep.join([str(root / "src"), os.environ["PYTHONPATH"]])
    command = [sys.executable, "-c", WITHOUT]
    found = subprocess.run(
        command, cwd=root, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path}
    )
    assert found.returncode == 0, found.stdout + found.stderr
    titles = [line for line in found.stdout.splitlines() if line.startswith("## ")]
    assert [title.split()[1] for title in titles] == ["Digits:", "test_resnet", "test_vit", "Diagnosis:"]
    assert "Causes: learning_rate_low" in found.stdout  # the planted one first


@pytest.mark.parametrize("data", [stripes(60, 24, 4), digits(32, 60)], ids=["stripes", "digits"])
def test_generated_images(data):
    assert len(data.pixels) == len(data.targets) == len(data) == 60
    assert set(data.targets) == set(range(len(data.classes)))
    rows = [data.indices(split) for split in ("train", "val", "test")]
    assert [len(part) for part in rows] == [36, 12, 12]
    assert len(set().union(*map(set, rows))) == 60
    assert (data.image(5) == data.pixels[5]).all()
