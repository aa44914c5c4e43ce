"""The training images come in a new order in every pass."""

from __future__ import annotations

from typing import Any

from plateau_cause.capture.child.describe.drawn import positions
from plateau_cause.capture.child.interventions.base import AtFirstRead


class Shuffle(AtFirstRead):
    """Exchanges the sampler of a loader."""

    def change(self, loader: Any, data: Any) -> bool:
        """Gives the loader another order."""
        loader.batch_sampler.sampler = self.order(loader, data)
        return True

    def order(self, loader: Any, data: Any) -> Any:
        """Returns a sampler of the images that the loader reads: all, or those that its own names."""
        chosen = positions(loader)
        return data.RandomSampler(loader.dataset) if chosen is None else data.SubsetRandomSampler(chosen)


CHANGE = Shuffle
