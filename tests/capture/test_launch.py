"""A captured script runs as it runs alone, and what cannot be captured is said in one line."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from plateau_cause.capture import launch
from plateau_cause.errors import PlateauError

TELL = """
import json, os, sys
import utils
told = [sys.argv, sys.path, __name__, __file__, __package__, os.getcwd(), sorted(os.environ), utils.__file__,
        sys.modules["__main__"].__dict__ is globals(), sorted(set(sys.modules) & {"torch", "numpy", "PIL"})]
print(json.dumps(told))
"""


@pytest.fixture
def folder(tmp_path):
    """A folder with train.py, pkg/train.py and modules that have names of ours."""
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg/__init__.py").touch()
    for file in ("train.py", "pkg/train.py"):
        (tmp_path / file).write_text(TELL)
    for name in ("utils", "hooks", "program", "model", "main"):
        (tmp_path / f"{name}.py").touch()
    return tmp_path


@pytest.mark.parametrize(
    "command", [["train.py", "--lr", "0.1", "-m"], ["pkg/train.py"], ["-m", "pkg.train", "x"]], ids="".join
)
def test_a_script_sees_what_python_would_show_it(command, folder):
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    alone = subprocess.run([sys.executable, *command], cwd=folder, env=environment, capture_output=True,
                           text=True, check=True).stdout  # fmt: skip
    is_module = command[0] == "-m"
    target, *arguments = command[1:] if is_module else command
    job = {"mode": "watch", "target": target, "is_module": is_module, "arguments": arguments,
           "out": str(folder)}  # fmt: skip
    (folder / "job.json").write_text(json.dumps(job))
    captured = subprocess.run([sys.executable, str(launch.START), str(folder / "job.json")], cwd=folder,
                              env=environment, capture_output=True, text=True, check=True).stdout  # fmt: skip
    assert json.loads(captured) == json.loads(alone)


def test_the_environment_is_the_users_own(folder, monkeypatch):
    from plateau_cause import runtime

    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(runtime, "_before", {})
    runtime.set_up_threads()
    assert "OMP_NUM_THREADS" in os.environ
    given = launch.script(str(folder / "train.py"))
    printed = launch.run(given, folder, {"mode": "watch"}, stdout=subprocess.PIPE).stdout
    assert "OMP_NUM_THREADS" not in json.loads(printed)[6]
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


def test_the_status_of_the_script_is_kept(folder):
    (folder / "train.py").write_text("import sys; sys.exit(7)")
    given = launch.script(str(folder / "train.py"))
    assert launch.run(given, folder, {"mode": "watch"}).returncode == 7


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1\nraise ValueError('no data\\nhere')\n", "train.py raised ValueError at train.py:2: no data"),
        ("import argparse as a\np = a.ArgumentParser()\np.add_argument('--d', required=True)\np.parse_args()",
         "train.py ended with status 2: train.py: error: the following arguments are required: --d"),
        ("print('done')\n", "train.py: no training was seen"),
        ("import utils.nothing\n", "train.py raised ModuleNotFoundError at train.py:1: No module named"),
    ],
)  # fmt: skip
def test_what_does_not_train_is_said_in_one_line(text, said, folder):
    (folder / "train.py").write_text(text)
    with pytest.raises(PlateauError) as raised:
        launch.peek(launch.script(str(folder / "train.py")), folder / "out")
    assert str(raised.value).startswith(said)
    assert "\n" not in str(raised.value)


def test_what_is_not_there_is_named(tmp_path):
    (tmp_path / "train.py").touch()
    for given, said in (
        ({"target": "no.py"}, "no.py: no such file"),
        ({"target": str(tmp_path / "train.py"), "folder": tmp_path / "no"}, "recipe.folder: "),
        ({"target": str(tmp_path / "train.py"), "python": "no/python"}, "recipe.python: no/python"),
    ):
        with pytest.raises(PlateauError, match=said):
            launch.script(**given)


def test_the_scripts_environment_needs_torch_and_little_else(tmp_path):
    """Everything that plateau itself is built on is hidden; cloudpickle is brought along."""
    blocker = f"""
import importlib.machinery
_find = importlib.machinery.PathFinder.find_spec
def find_spec(name, path=None, target=None):
    return None if name.partition(".")[0] in {HIDDEN!r} else _find(name, path, target)
importlib.machinery.PathFinder.find_spec = staticmethod(find_spec)
"""
    (tmp_path / "environment").mkdir()
    (tmp_path / "environment/sitecustomize.py").write_text(blocker)
    (tmp_path / "train.py").write_text(IN_MEMORY)
    given = launch.script(str(tmp_path / "train.py"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(tmp_path / "environment"))
        content = launch.peek(given, tmp_path / "out")
    assert content["problems"] == []
    assert content["optimizers"][0]["groups"][0]["lr"] == 0.5


HIDDEN = (
    "click", "yaml", "pandas", "sklearn", "scipy", "mlflow", "dvc", "timm", "tqdm", "pyarrow", "cloudpickle",
    "matplotlib", "safetensors", "joblib", "numba", "umap",
)  # fmt: skip
IN_MEMORY = """
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
x, y = torch.randn(32, 3, 8, 8), torch.arange(32) % 2
train, val = DataLoader(TensorDataset(x, y), 8, shuffle=True), DataLoader(TensorDataset(x, y), 8)
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


TRAINS = """
import torch
model = torch.nn.Linear(4, 2)
optimizer = torch.optim.SGD(model.parameters(), 0.1)
x, y = torch.randn(8, 4), torch.arange(8) % 2
"""
STEP = "torch.nn.functional.cross_entropy(model(x), y).backward(); optimizer.step()"
SPAWNS = f"""{TRAINS}
def worker(rank):
    while True:
        pass
if __name__ == "__main__":
    torch.multiprocessing.spawn(worker, nprocs=2)
"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (SPAWNS, r"trains in processes that it starts \(train\.py:11\)"),
        (f"{TRAINS}model(x); model(x)", "called 2 times .* give it the arguments with which it trains"),
        ("import os; os.environ['LOCAL_RANK']", "KeyError at train.py:1: 'LOCAL_RANK'; torchrun sets this: "),
        ("import sys, types; sys.modules['jax'] = types.ModuleType('jax')", "it imports jax; expected"),
    ],
)
def test_what_a_peek_cannot_see_is_said_with_what_to_do(text, said, folder):
    (folder / "train.py").write_text(text)
    with pytest.raises(PlateauError, match=said):
        launch.peek(launch.script(str(folder / "train.py")), folder / "out")


def test_a_training_without_a_loader_is_told_what_it_needs(folder):
    (folder / "train.py").write_text(f"{TRAINS}{STEP}")
    with pytest.raises(PlateauError, match=r"wrap them: DataLoader\(TensorDataset"):
        launch.watch(launch.script(str(folder / "train.py")), folder / "out")
