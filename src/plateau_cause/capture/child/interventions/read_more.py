"""Training reads more images of its data set: some that no loader reads."""

from __future__ import annotations

from typing import Any

from plateau_cause.capture.child.describe.drawn import drawn, sampler_of
from plateau_cause.capture.child.interventions.base import AtFirstRead


class ReadMore(AtFirstRead):
    """Extends a subset, or a sampler's list; settings besides: `times` as many images."""

    def change(self, loader: Any, data: Any) -> bool:
        """Adds images, evenly spread over those that nothing reads; a subset within another stays."""
        holders = (sampler_of(loader), loader.dataset)
        holder = next((one for one in holders if hasattr(one, "indices")), None)
        inner = getattr(holder, "dataset", loader.dataset)
        own = drawn(loader)
        if holder is None or own.of != id(inner) or own.items is None:
            return False
        known = (drawn(one.loader) for one in self.changes.doors.course.loaders)
        read = own.items.union(*(one.items or () for one in known if one.of == own.of))
        left = sorted({*range(len(inner))} - read)
        count = min(round((self.settings["times"] - 1) * len(own.items)), len(left))
        added = [left[number * len(left) // count] for number in range(count)]
        holder.indices = [*holder.indices, *added]
        return bool(added)


CHANGE = ReadMore
