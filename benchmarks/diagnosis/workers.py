"""Cases over the CPUs, one process on each: two small networks use two CPUs better than one does."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import chain
from typing import Any

from benchmarks.diagnosis.cases import Case
from plateau_cause import runtime

Work = Callable[..., dict[str, Any]]


def groups(cases: Iterable[Case]) -> list[list[Case]]:
    """Returns the cases by image set and backbone, the largest group first: inside one, runs are shared."""
    found: dict[tuple[str, str], list[Case]] = {}
    for case in cases:
        found.setdefault((case.set, case.backbone), []).append(case)
    return sorted(found.values(), key=lambda group: (group[0].backbone != "lite0", -len(group)))


def spread(work: Work, parts: Sequence[list[Case]], jobs: int, *arguments: Any) -> dict[str, Any]:
    """Returns what `work(part, *arguments)` returns for every part, joined; parts run side by side."""
    if jobs <= 1 or len(parts) <= 1:
        return dict(chain.from_iterable(work(part, *arguments).items() for part in parts))
    context = multiprocessing.get_context("spawn")
    cpus = context.SimpleQueue()
    for cpu in _cpus(jobs):
        cpus.put(cpu)
    with ProcessPoolExecutor(jobs, context, _start, (cpus,)) as pool:
        waiting = [pool.submit(work, part, *arguments) for part in parts]
        return dict(chain.from_iterable(future.result().items() for future in waiting))


def _cpus(jobs: int) -> list[int | None]:
    """Returns a CPU per process, in turn; None where the system does not pin processes."""
    if not hasattr(os, "sched_getaffinity"):
        return [None] * jobs
    allowed = sorted(os.sched_getaffinity(0))
    return [allowed[number % len(allowed)] for number in range(jobs)]


def _start(cpus: Any) -> None:
    cpu = cpus.get()
    if cpu is not None:
        os.sched_setaffinity(0, {cpu})
    os.environ["OMP_NUM_THREADS"] = "1"
    runtime.set_up_threads()
