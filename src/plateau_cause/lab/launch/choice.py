"""From the key `launcher` to who trains arms."""

from __future__ import annotations

from functools import partial

from plateau_cause.lab.launch import crew, dask, local, ray, slurm
from plateau_cause.lab.launch.team import Open, Team
from plateau_cause.runtime import available_cpus

REMOTE = {"ray": ray, "slurm": slurm, "dask": dask}


def team(name: str, opener: Open, device: str) -> Team | None:
    """Returns who trains arms that do not wait for each other; None for one at a time, in this process.

    Args:
        name: the key `launcher` of params.yaml.
        opener: opens the laboratory in a worker; it is pickled.
        device: what arms compute on: cpu, cuda (every card), cuda:N, mps.

    Raises:
        PlateauError: the launcher's package is missing, or PLATEAU_WORKERS is no number of workers.
    """
    crew.require(name)
    if name in REMOTE:
        return Team(opener, partial(REMOTE[name].start, device), is_here=False)
    places = local.places(device, available_cpus())
    return None if len(places) == 1 else Team(opener, partial(local.start, places), is_here=True)
