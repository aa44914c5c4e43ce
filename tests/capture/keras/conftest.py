"""Keras scripts with tiny data, run by an interpreter that has TensorFlow.

PLATEAU_KERAS_PYTHON names it (`make setup-keras` makes one); the tests are skipped where it is not set.
Scripts on JAX are skipped where it lacks JAX; those on torch run in plateau's own environment.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import forks
import pytest

HERE = Path(__file__).parent
WEIGHTS = ("tiny.keras", "tiny.h5", "saved_model", "mobilenet.weights.h5")
QUIET = {"CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3", "OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="session")
def keras_python():
    """The interpreter that has TensorFlow."""
    found = os.environ.get("PLATEAU_KERAS_PYTHON")
    if not found:
        pytest.skip("PLATEAU_KERAS_PYTHON names no interpreter with TensorFlow (make setup-keras)")
    return found


@pytest.fixture(scope="session")
def keras_material(material, keras_python):
    """The material of every capture test, and weights for the Keras scripts beside it."""
    subprocess.run([keras_python, str(HERE / "material.py"), str(material)], check=True, capture_output=True,
                   env={**os.environ, **QUIET, "KERAS_BACKEND": "tensorflow"})  # fmt: skip
    return material


@pytest.fixture(autouse=True)
def no_backend(monkeypatch):
    """Forgets the backend that networks of plateau's own loop have chosen for this process."""
    monkeypatch.delenv("KERAS_BACKEND", raising=False)


@pytest.fixture
def prepare(keras_material, tmp_path):
    """Returns a function that copies a script, data and weights beside it, some of its text replaced."""

    def make(name, edits=()):
        folder = tmp_path / "work"
        folder.mkdir()
        shutil.copy(HERE / "scripts/arrays.py", folder)
        for one in (*WEIGHTS, "data"):
            (folder / one).symlink_to(keras_material / one)
        text = (HERE / f"scripts/{name}.py").read_text()
        for old, new in edits:
            assert text.count(old) == 1, (old, text.count(old))
            text = text.replace(old, new)
        (folder / "train.py").write_text(text)
        return folder

    return make


@pytest.fixture(scope="session")
def zygotes(keras_python):
    """Returns a function that gives the process that runs captures on a backend, see zygote.py."""
    with contextlib.ExitStack() as stack:
        started = {}

        def on(backend):
            if backend not in started:
                python = sys.executable if backend == "torch" else keras_python  # which plateau needs anyway
                if subprocess.run([python, "-c", f"import {backend}"], capture_output=True).returncode:
                    pytest.skip(f"{python} has no {backend}")
                environment = {**os.environ, **QUIET, "KERAS_BACKEND": backend}
                command = [python, str(HERE / "zygote.py")]
                process = forks.started(command, environment, stderr=subprocess.DEVNULL)
                started[backend] = stack.enter_context(process)
            return started[backend]

        yield on


@pytest.fixture
def capture(zygotes, tmp_path):
    """Returns a function that captures the script of a folder: (exit status, what it printed, folder)."""

    def run(mode, folder, backend="tensorflow", **settings):
        out = tmp_path / f"{mode}{len(list(tmp_path.iterdir()))}"
        out.mkdir()
        job = {"mode": mode, "target": "train.py", "is_module": False, "arguments": [], "out": str(out),
               "folder": str(folder), "limit_s": 60.0, **settings}  # fmt: skip
        path = tmp_path / "job.json"
        path.write_text(json.dumps(job))
        process = zygotes(backend)
        process.stdin.write(f"{path}\n")
        process.stdin.flush()
        status = int(process.stdout.readline())
        return status, path.with_suffix(".log").read_text(), out

    return run


@pytest.fixture
def peek(capture):
    """Returns a function that peeks at the script of a folder: the document."""

    def run(folder, backend="tensorflow"):
        status, printed, out = capture("peek", folder, backend)
        assert status == 0, printed
        content = json.loads((out / "peek.json").read_text())
        assert content["script"]["error"] is None, printed
        return content

    return run


@pytest.fixture
def replay(capture):
    """Returns a function that replays the script of a folder with interventions: (the result, its hits)."""
    import numpy as np

    def run(folder, interventions=None, backend="tensorflow", seed=0):
        named = interventions or {}
        job = {"seed": seed, "interventions": sorted(named), "settings": named}
        status, printed, out = capture("replay", folder, backend, **job)
        assert status == 0, printed
        result = json.loads((out / "replay.json").read_text())
        assert (result["error"], result["is_trained"]) == (None, True), printed
        with np.load(out / "hits.npz") as hits:
            return result, {name: hits[name] for name in hits.files}

    return run
