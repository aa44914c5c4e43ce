"""What every launcher gives: an executor, how many arms it trains at once, each on how many threads."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from plateau_cause import runtime
from plateau_cause.errors import PlateauError, shown

PACKAGES = {"ray": "ray", "slurm": "submitit", "dask": "distributed"}  # an extra brings each
WORKERS = "PLATEAU_WORKERS"  # variable that says how many arms at once
MOST_WORKERS = 1024
# Threads of one arm where nobody says otherwise. Set by hand: networks at 32 to 224 px gain little from more.
THREADS = 4
REMOTE_WORKERS = 4  # arms at once where the cluster does not say how large it is; set by hand
RETRIES = 2  # how often a run is started again whose worker died

Start = Callable[[Path], "Crew"]


@dataclass(frozen=True)
class Crew:
    """Workers that stand ready.

    Attributes:
        executor: what they are given their work by.
        workers: how many arms they train at once.
        threads: of each arm; 0: as the worker finds them.
        deaths: what the executor raises where a worker died, and the work may be done by another.
    """

    executor: Executor
    workers: int
    threads: int
    deaths: tuple[type[BaseException], ...]


def require(launcher: str) -> None:
    """Checks that a launcher's package is installed; nothing is imported, started or connected.

    Raises:
        PlateauError: it is missing; the line names the extra that brings it.
    """
    package = PACKAGES.get(launcher)
    if package is not None and find_spec(package) is None:
        raise PlateauError(
            f"launcher: {launcher} needs the package `{package}`, which is not installed; "
            f"pip install '.[{launcher}]' adds it"
        )


def package(launcher: str) -> Any:
    """Returns a launcher's package, imported.

    Raises:
        PlateauError: it is missing.
    """
    require(launcher)
    return import_module(PACKAGES[launcher])


def unreachable(launcher: str, error: BaseException) -> PlateauError:
    """Returns what to say of a cluster that cannot be reached."""
    return PlateauError(f"launcher: {launcher} cannot be reached: {type(error).__name__}: {error}")


def workers_asked() -> int | None:
    """Returns how many arms at once PLATEAU_WORKERS asks for; None where it says nothing.

    Raises:
        PlateauError: it is no number of workers.
    """
    given = os.environ.get(WORKERS, "")
    if not given:
        return None
    if not (given.isascii() and given.isdecimal() and 1 <= int(given) <= MOST_WORKERS):
        raise PlateauError(f"{WORKERS}: got {shown(given)}; allowed: a number from 1 to {MOST_WORKERS}")
    return int(given)


def threads_asked() -> int:
    """Returns the threads of one arm on a cluster: the user's OMP_NUM_THREADS, or THREADS."""
    given = runtime.users_environment().get("OMP_NUM_THREADS", "")
    return int(given) if given.isdecimal() and int(given) else THREADS
