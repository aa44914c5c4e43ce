"""One arm as a worker gets it: small and picklable. The worker opens the laboratory by itself."""

from __future__ import annotations

import os
import pickle
import socket
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from plateau_cause import runtime
from plateau_cause.errors import PlateauError

if TYPE_CHECKING:
    import numpy as np

    from plateau_cause.lab.arm import Arm
    from plateau_cause.lab.laboratory import Laboratory
    from plateau_cause.lab.launch.team import Open

# Seeds, threads and the current folder belong to the process: workers that are threads of one take turns.
_turn = threading.Lock()
_opened: dict[bytes, Laboratory] = {}


@dataclass(frozen=True)
class Job:
    """An arm to train.

    Attributes:
        opener: opens the laboratory over all images.
        folder: where the finished run is to lie.
        key: the arm's content key where it was asked for; a worker that comes to another one refuses.
        arm, name, keep_weights: as `Laboratory.run` takes them.
        rows: the manifest rows of the arm's training images.
        part: rows of all images, where the laboratory is one over a part of them.
        threads: to compute with; 0: as many as the worker has.
    """

    opener: Open
    folder: Path
    key: str
    arm: Arm
    name: str
    keep_weights: bool
    rows: np.ndarray
    part: np.ndarray | None = None
    threads: int = 0


@dataclass(frozen=True)
class Answer:
    """What a worker says: nothing but that the run lies in its folder, or what the user can mend."""

    mistakes: tuple[str, ...] = ()


def work(job: Job) -> Answer:
    """Trains the arm, unless its finished run is there, and leaves the run in the laboratory's folder.

    A PlateauError comes back as lines: exceptions lose their type on the way through some clusters.
    """
    with _turn:
        try:
            _work(job)
        except PlateauError as error:
            return Answer(error.lines)
        return Answer()


def _work(job: Job) -> None:
    if job.threads and "torch" not in sys.modules:
        os.environ["OMP_NUM_THREADS"] = str(job.threads)
    runtime.set_up_threads()
    lab = _laboratory(job)
    lab.folder, lab.shelves = job.folder, ()  # what lies on a shelf was not found missing
    import torch

    if job.threads:
        torch.set_num_threads(job.threads)
    lab.run(job.arm, job.name, job.keep_weights)


def _laboratory(job: Job) -> Laboratory:
    """Returns the job's laboratory, opened once, and again where the images have changed."""
    name = pickle.dumps((job.opener, job.part))
    for is_last in (False, True):
        if name not in _opened or is_last:
            _forget()
            whole = job.opener()
            _opened[name] = whole if job.part is None else whole.over(job.part)
        lab = _opened[name]
        lab.add_subset(job.arm.images, job.rows)
        if lab.key(job.arm) == job.key:
            return lab
    raise PlateauError(
        f"launcher: the worker on {socket.gethostname()} would train something else than what was asked for: "
        "its images, weights, code, version of plateau or device differ; allowed: the same project folder "
        "and installation on every machine, and workers that started after the last change"
    )


def _forget() -> None:
    """Forgets what was opened before, and the modules that the user's file imported from beside it.

    In a worker that outlives a diagnosis they may have changed since, and the current folder with them.
    """
    if not _opened:
        return
    _opened.clear()
    from plateau_cause import imports
    from plateau_cause.training.user_code import MODULE

    file = getattr(sys.modules.get(MODULE), "__file__", None)
    if file is None or not Path(file).is_file():
        return
    beside = {str(path.resolve()) for path in imports.closure([Path(file)], Path(file).absolute().parent)}
    for name, module in list(sys.modules.items()):
        if os.path.realpath(getattr(module, "__file__", None) or "") in beside:
            del sys.modules[name]
