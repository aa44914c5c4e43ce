"""`launcher: ray`: tasks on a Ray cluster (RAY_ADDRESS), or on one that is started on this machine."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any, TypeVar

from plateau_cause.lab.launch.crew import RETRIES, Crew, package, threads_asked, unreachable, workers_asked

T = TypeVar("T")
KNOCK_S = 10.0


def start(device: str, folder: Path) -> Crew:
    """Returns tasks on the cluster that RAY_ADDRESS names, as many at once as it has CPUs or cards for.

    Raises:
        PlateauError: the package is missing, or the cluster cannot be reached.
    """
    ray = package("ray")
    try:
        _knock(os.environ.get("RAY_ADDRESS", ""))
        ray.init(ignore_reinit_error=True)  # RAY_ADDRESS, or what `ray start` left on this machine, or new
        nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    except (OSError, ValueError, RuntimeError) as error:
        raise unreachable("ray", error) from error
    cpus = [int(node.get("CPU", 0)) for node in nodes]
    cards = int(sum(node.get("GPU", 0) for node in nodes)) if device.startswith("cuda") else 0
    threads = max(1, min(threads_asked(), *(count for count in cpus if count), 2**10))
    workers = workers_asked() or cards or max(1, sum(count // threads for count in cpus))
    asked = {"num_cpus": threads, "num_gpus": min(1.0, cards / workers), "max_retries": RETRIES}
    errors = ray.exceptions
    died = (errors.WorkerCrashedError, errors.NodeDiedError, errors.ObjectLostError, errors.OutOfMemoryError)
    return Crew(Tasks(ray, asked), workers, threads, deaths=(*died, errors.TaskUnschedulableError))


def _knock(address: str) -> None:
    """Checks that somebody listens there: Ray itself tries for minutes (measured: nine)."""
    host, _, port = address.rpartition(":")
    if host and port.isdecimal() and "/" not in host:
        socket.create_connection((host, int(port)), timeout=KNOCK_S).close()


class Tasks(Executor):
    """Calls functions as Ray tasks; Ray itself starts those again whose worker or node died."""

    def __init__(self, ray: Any, asked: dict[str, Any]) -> None:
        self._task = ray.remote(**asked)(_call)

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Returns the future of a call; the arguments are pickled."""
        found: Future[T] = self._task.remote(fn, args, kwargs).future()
        return found


def _call(fn: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any]) -> T:
    return fn(*args, **kwargs)
