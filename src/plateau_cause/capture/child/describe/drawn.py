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
        items: their numbers there; None: all of them, or it is not known which.
    """

    of: int
    items: frozenset[int] | None

    def share_in(self, other: Drawn) -> float:
        """Returns which part of these items another one holds as well."""
        if self.of != other.of:
            return 0.0
        if self.items is None or other.items is None:
            return 1.0
        return len(self.items & other.items) / max(len(self.items), 1)


def drawn(loader: Any) -> Drawn:
    """Returns what a loader reads: all of its data set unless its sampler or a subset says which."""
    data_set, items = loader.dataset, positions(loader)
    while (kept := _numbers(getattr(data_set, "indices", None))) and hasattr(data_set, "dataset"):
        if len(kept) != len(data_set):  # not what torch calls a subset
            break
        items = kept if items is None else [kept[one] for one in items]
        data_set = data_set.dataset
    return Drawn(id(data_set), None if items is None else frozenset(items))


def unread(loader: Any, loaders: Sequence[Any]) -> dict[str, int] | None:
    """Returns how many items a loader reads, of how many, and how many of these no loader reads.

    None where it is not known which it reads, as of one that reads all.
    """
    own = drawn(loader)
    same = [one for one in map(drawn, loaders) if one.of == own.of]
    if own.items is None or any(one.items is None for one in same):
        return None
    data_set = loader.dataset
    while id(data_set) != own.of:
        data_set = data_set.dataset
    read = own.items.union(*(one.items for one in same if one.items is not None))
    return {"items": len(own.items), "of": len(data_set), "unread": len(data_set) - len(read)}


def positions(loader: Any) -> Sequence[int] | None:
    """Returns which items of its data set a loader's sampler names; None where it names none."""
    order = sampler_of(loader)
    return _numbers(order) or _numbers(getattr(order, "indices", None)) or None


def sampler_of(loader: Any) -> Any:
    """Returns what decides the order of a loader: its sampler, or what makes its batches without one."""
    batches = loader.batch_sampler
    return loader.sampler if batches is None else getattr(batches, "sampler", batches)


def _numbers(given: Any) -> Sequence[int]:
    """Returns the whole numbers that a list, an array or a tensor holds; none of anything else."""
    given = given.tolist() if hasattr(given, "tolist") else given
    is_list = isinstance(given, (list, tuple, range)) and all(isinstance(one, Integral) for one in given[:1])
    return given if is_list else ()
