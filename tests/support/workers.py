"""How a worker opens the tiny laboratory: by itself, in a process of its own."""

from __future__ import annotations

import os
import tempfile
import time
from functools import partial
from pathlib import Path

import torch
from tiny import tiny_backbone, tiny_dataset

from plateau_cause.lab import laboratory
from plateau_cause.training.user_code import load_user_code


def opener(folder: Path, code: Path | None = None):
    """Returns what opens the laboratory in a worker, picklable."""
    return partial(_open, folder, code)


def dying_opener(folder: Path, marks: Path, deaths: int = 1):
    """Returns an opener whose process ends so many times in the middle of its work."""
    return partial(_die, folder, marks, deaths)


def slow_opener(folder: Path, marks: Path, seconds: float = 1.5):
    """Returns an opener after which every arm takes its time, and leaves a mark when it begins."""
    return partial(_slow, folder, marks, seconds)


def idle_opener(folder: Path):
    """Returns an opener of a laboratory that leaves its runs nowhere: as a folder that is not shared."""
    return partial(_idle, folder)


def _idle(folder: Path) -> laboratory.Laboratory:
    lab = _open(folder)
    lab.run = lambda *_: None
    return lab


def _open(folder: Path, code: Path | None = None) -> laboratory.Laboratory:
    laboratory.load_backbone = tiny_backbone
    data = Path(tempfile.mkdtemp(prefix="worker-", dir=folder.parent))
    return laboratory.Laboratory(
        tiny_dataset(data), "tiny", "bundled", load_user_code(code), torch.device("cpu"), folder
    )


def _die(folder: Path, marks: Path, deaths: int) -> laboratory.Laboratory:
    marks.mkdir(exist_ok=True)
    if len(list(marks.iterdir())) < deaths:
        (marks / f"{os.getpid()}-{time.monotonic_ns()}").touch()
        os._exit(3)
    return _open(folder)


def _slow(folder: Path, marks: Path, seconds: float) -> laboratory.Laboratory:
    lab = _open(folder)
    marks.mkdir(exist_ok=True)
    run = lab.run

    def slowly(arm, name="train", keep_weights=False):
        (marks / f"{name}-{os.getpid()}-{time.monotonic_ns()}").touch()
        time.sleep(seconds)
        return run(arm, name, keep_weights)

    lab.run = slowly
    return lab
