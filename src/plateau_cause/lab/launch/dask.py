"""`launcher: dask`: a Dask cluster (DASK_SCHEDULER_ADDRESS), or one that is started on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from plateau_cause.lab.launch.crew import (
    RETRIES,
    Crew,
    package,
    threads_asked,
    unreachable,
    workers_asked,
)
from plateau_cause.runtime import available_cpus


def start(device: str, folder: Path) -> Crew:
    """Returns Dask's own executor, as many arms at once as there are worker processes.

    Raises:
        PlateauError: the package is missing, or the scheduler cannot be reached.
    """
    distributed = package("dask")
    try:
        client = _client(distributed)
        threads_of = [one["nthreads"] for one in client.scheduler_info(n_workers=-1)["workers"].values()]
    except (OSError, ValueError, RuntimeError) as error:
        raise unreachable("dask", error) from error
    workers = workers_asked() or max(1, len(threads_of))
    threads = min([*threads_of, threads_asked()])
    executor = client.get_executor(pure=False, retries=RETRIES)
    died = (distributed.KilledWorker, distributed.client.FutureCancelledError)
    return Crew(executor, workers, threads, deaths=died)


def _client(distributed: Any) -> Any:
    """Returns a client of the scheduler that the configuration names, or of workers on this machine."""
    import dask

    if dask.config.get("scheduler-address", None):  # DASK_SCHEDULER_ADDRESS, or a file of Dask's
        return distributed.Client()
    cpus = available_cpus()
    workers = workers_asked() or max(1, cpus // threads_asked())
    return distributed.Client(
        n_workers=workers,
        threads_per_worker=max(1, cpus // workers),
        processes=True,
        dashboard_address=None,
    )
