"""`launcher: slurm`: one batch job per arm, through submitit; Slurm's own SBATCH_* variables say the rest."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from plateau_cause.lab.launch.crew import (
    REMOTE_WORKERS,
    Crew,
    package,
    threads_asked,
    unreachable,
    workers_asked,
)

T = TypeVar("T")
CLUSTER = "slurm"  # submitit has others, for trying out
LIMIT_MIN = 24 * 60  # of one arm; SBATCH_TIMELIMIT wins
LOGS = "slurm"  # folder beside that of the finished runs


def start(device: str, folder: Path) -> Crew:
    """Returns an executor that submits a job per arm, at most PLATEAU_WORKERS at once.

    Raises:
        PlateauError: the package is missing, or this machine has no Slurm.
    """
    submitit = package("slurm")
    workers, threads = workers_asked() or REMOTE_WORKERS, threads_asked()
    try:
        jobs = submitit.AutoExecutor(folder=(folder.parent / LOGS).resolve(), cluster=CLUSTER)
    except RuntimeError as error:
        raise unreachable("slurm", error) from error
    cards = {"gpus_per_node": 1} if device.startswith("cuda") else {}
    jobs.update_parameters(name="plateau", timeout_min=LIMIT_MIN, cpus_per_task=threads, **cards)
    died = submitit.core.utils.UncompletedJobError
    return Crew(Jobs(jobs, workers), workers, threads, deaths=(died,))


class Jobs(Executor):
    """Calls functions in batch jobs; a thread each waits for them, for submitit's jobs are no futures."""

    def __init__(self, jobs: Any, workers: int) -> None:
        self._jobs = jobs
        self._running: list[Any] = []
        self._threads = ThreadPoolExecutor(workers)

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Returns the future of a call; it raises UncompletedJobError where the job ended without answer."""
        job = self._jobs.submit(fn, *args, **kwargs)
        self._running.append(job)
        return self._threads.submit(job.result)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Ends when all is done, or cancels every job that is not (wait=False)."""
        if not wait:
            for job in self._running:
                if not job.done():
                    job.cancel(check=False)
        self._threads.shutdown(wait=wait, cancel_futures=cancel_futures)
