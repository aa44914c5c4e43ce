"""Whether a script reads so many images that its replays should read a part of them, and how many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from plateau_cause.lab.scale import images_of_part

FIXED = 0.05  # of a run: what reading fewer images does not save, such as starting; set by hand


@dataclass(frozen=True)
class Part:
    """Training images of the replays, and in all."""

    images: int
    of: int

    @property
    def price(self) -> float:
        """Returns what a replay on the part costs, in runs of the script."""
        return min(1.0, self.images / self.of + FIXED)


def part_of(content: dict[str, Any]) -> Part | None:
    """Returns the part for the script of a peek; None where it reads few images, or not by a DataLoader."""
    loaders = [one for one in content.get("loaders", []) if one.get("role") == "train"]
    lengths = [one.get("data_set", {}).get("length") for one in loaders]
    if len(lengths) != 1 or not isinstance(lengths[0], int):
        return None
    classes = loaders[0].get("labels", {}).get("classes") or ()
    images = images_of_part(lengths[0], max(2, len(classes)))
    return None if images is None else Part(images, lengths[0])
