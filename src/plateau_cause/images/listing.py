"""The images of a source in the order of their ids: few are held, many come one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import chain, islice, pairwise
from typing import TYPE_CHECKING

from plateau_cause.errors import PlateauError
from plateau_cause.images.blocks import slices
from plateau_cause.images.item import Item

if TYPE_CHECKING:
    import pandas as pd

MOST_HELD = 20_000  # half a kilobyte each

Read = Callable[[], Iterable[Item]]


class Streamed:
    """The items of a source that lists them in the order of their ids; read anew when they are asked for."""

    def __init__(self, read: Read, count: int, key: str) -> None:
        self._read, self._count, self._key = read, count, key

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Item]:
        """Yields the items.

        Raises:
            PlateauError: they are not those that were counted.
        """
        last, number = "", 0
        for number, item in enumerate(self._read(), 1):
            if number > 1 and item.image_id <= last:
                break
            last = item.image_id
            yield item
        else:
            if number == self._count:
                return
        raise PlateauError(f"{self._key}.path: the images changed while they were read; run it again")


def listed(read: Read, key: str) -> list[Item] | Streamed:
    """Returns the items by id; only sources that list many in another order are held as a whole.

    Args:
        read: lists the items of the source.
        key: section of params.yaml, for messages.
    """
    coming = iter(read())
    first = list(islice(coming, MOST_HELD + 1))
    if len(first) <= MOST_HELD:
        return in_order(first)
    count, last = 0, ""
    for count, item in enumerate(chain(first, coming), 1):
        if count > 1 and item.image_id <= last:
            return in_order(read())
        last = item.image_id
    return Streamed(read, count, key)


def in_order(items: Iterable[Item]) -> list[Item]:
    """Returns the items by id; an id that comes again (a table may list an image twice) is numbered."""
    ordered = sorted(items, key=lambda i: (i.image_id, i.label, i.split or "", i.group or ""))
    seen: Counter[str] = Counter()
    result = []
    for item in ordered:
        seen[item.image_id] += 1
        count = seen[item.image_id]
        result.append(replace(item, image_id=f"{item.image_id}#{count}") if count > 1 else item)
    return result


def are_ascending(ids: pd.Series) -> bool:
    """Returns whether texts are sorted already, a few at a time: as Python's own they take much memory."""
    for some in slices(len(ids)):
        texts = ids.iloc[max(0, some.start - 1) : some.stop].tolist()
        if any(one > other for one, other in pairwise(texts)):
            return False
    return True
