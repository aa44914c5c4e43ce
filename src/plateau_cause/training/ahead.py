"""Batches made in worker processes, ahead of the step: the same tensors as without them, bit for bit."""

from __future__ import annotations

import multiprocessing
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset

from plateau_cause.errors import PlateauError
from plateau_cause.runtime import available_cpus

Item = tuple[int, int]  # row of the manifest, seed of what is random about it
Make = Callable[[Sequence[Item]], torch.Tensor]
LEAST_WORK_S = 2.0  # of an epoch's transforms: starting processes takes a good part of a second
MOST_WORKERS = 16
PREFETCHED = 2  # batches per worker
SHARED_MEMORY = Path("/dev/shm")  # where batches cross from process to process


def workers_that_pay(work_s: float, batch_bytes: int, device: torch.device) -> int:
    """Returns how many processes to make batches in; 0 where the step itself is the place for it.

    Beside a GPU every CPU but one is free. A step on the CPU uses them all, so that a quarter is taken away
    from it, and none where there are fewer than four.

    Args:
        work_s: seconds that one process would need for an epoch.
        batch_bytes: of one batch.
        device: where the step runs.
    """
    if work_s < LEAST_WORK_S or not _can_fork():
        return 0
    cpus = available_cpus()
    count = min(MOST_WORKERS, cpus // 4 if device.type == "cpu" else cpus - 1)
    return min(count, _room_bytes() // max(1, (PREFETCHED + 1) * batch_bytes))


class Ahead:
    """Worker processes that stay from epoch to epoch.

    They are copies of this process from the moment in which the first batch is asked for: what changes here
    later, they do not see.

    Args:
        make: batch from its items; what it returns depends on them alone.
        workers: processes, at least one.
        device: batches for CUDA come in pinned memory.
    """

    def __init__(self, make: Make, workers: int, device: torch.device) -> None:
        self._order = _Order()
        self._loader: DataLoader[Any] = DataLoader(
            _Batches(make),
            batch_sampler=self._order,
            num_workers=workers,
            collate_fn=_as_it_is,
            pin_memory=device.type == "cuda",
            persistent_workers=True,
            prefetch_factor=PREFETCHED,
            multiprocessing_context="fork",
            generator=torch.Generator(),  # not the global one: dropout draws from that
        )

    def epoch(self, batches: Sequence[list[Item]]) -> Iterator[torch.Tensor]:
        """Yields the batches in their order.

        Raises:
            PlateauError: what `make` raised.
        """
        self._order.batches = batches
        for made in self._loader:
            if isinstance(made, _Failure):
                raise PlateauError(made.line)
            yield made


@dataclass(frozen=True)
class _Failure:
    line: str


class _Order:
    """What the next epoch consists of; read anew at its start."""

    batches: Sequence[list[Item]] = ()

    def __iter__(self) -> Iterator[list[Item]]:
        return iter(self.batches)

    def __len__(self) -> int:
        return len(self.batches)


class _Batches(Dataset[Any]):
    def __init__(self, make: Make) -> None:
        self._make = make

    def __getitems__(self, items: Sequence[Item]) -> torch.Tensor | _Failure:
        try:
            return self._make(items)
        except PlateauError as error:  # torch would put the worker's whole traceback into its message
            return _Failure(str(error))


def _as_it_is(made: Any) -> Any:
    return made


def _can_fork() -> bool:
    """Returns whether processes can be copied: elsewhere the user's file would have to be loaded again."""
    can = "fork" in multiprocessing.get_all_start_methods()
    return can and not multiprocessing.current_process().daemon


def _room_bytes() -> int:
    """Returns half of the shared memory that is left: containers often have no more than 64 MiB."""
    return shutil.disk_usage(SHARED_MEMORY).free // 2 if SHARED_MEMORY.exists() else 0
