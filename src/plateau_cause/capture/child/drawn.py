"""Which items a loader reads, of the data set behind its subsets: training and validation may share one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any


@dataclass(frozen=True)
class Drawn:
    """Items of a data set.

    Attributes:
        of: the data set's identity.
        items: their numbers there.
    """

    of: int
    items: frozenset[int]

    def overlaps(self, other: Drawn) -> bool:
        """Returns whether both hold one item."""
        return self.of == other.of and not self.items.isdisjoint(other.items)


def drawn(loader: Any) -> Drawn | None:
    """Returns what a loader reads: all of its data set unless its sampler says which; None of a stream."""
    data_set = loader.dataset
    try:
        length = len(data_set)
    except (TypeError, NotImplementedError):
        return None
    order = getattr(loader.batch_sampler, "sampler", loader.sampler)
    items = _numbers(order) or _numbers(getattr(order, "indices", None)) or range(length)
    while (kept := _numbers(getattr(data_set, "indices", None))) and hasattr(data_set, "dataset"):
        items = [kept[one] for one in items]
        data_set = data_set.dataset
    return Drawn(id(data_set), frozenset(items))


def _numbers(given: Any) -> Sequence[int]:
    """Returns the whole numbers that a list, an array or a tensor holds; none of anything else."""
    given = given.tolist() if hasattr(given, "tolist") else given
    is_list = isinstance(given, (list, tuple, range)) and all(isinstance(one, Integral) for one in given[:1])
    return given if is_list else ()
