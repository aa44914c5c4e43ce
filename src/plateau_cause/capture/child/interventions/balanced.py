"""Every class comes as often as any other in training: images of rare ones are drawn several times."""

from __future__ import annotations

from collections import Counter
from typing import Any

from plateau_cause.capture.child.describe.drawn import positions
from plateau_cause.capture.child.describe.samples import samples
from plateau_cause.capture.child.doors.decoding import Decoding
from plateau_cause.capture.child.interventions.shuffle import Shuffle


class Balanced(Shuffle):
    """Draws by weights; an epoch has as many images as before."""

    def order(self, loader: Any, data: Any) -> Any:
        """Returns a sampler that draws an image the more often the rarer its class is."""
        chosen = positions(loader) or range(len(loader.dataset))
        labels = self._labels(loader, chosen)
        counted = Counter(labels)
        weights = [0.0] * len(loader.dataset)
        for number, label in zip(chosen, labels, strict=True):
            weights[number] = 1.0 / counted[label]
        return data.WeightedRandomSampler(weights, len(chosen))

    def _labels(self, loader: Any, chosen: Any) -> list[Any]:
        """Returns the label of each image: as a list of the data set has them, else by reading all images."""
        listed = getattr(loader.dataset, "targets", getattr(loader.dataset, "labels", None))
        if listed is not None and len(listed) == len(loader.dataset):
            return [int(listed[number]) for number in chosen]
        hooks = self.changes.doors.hooks
        return [one.label for one in samples(loader, list(chosen), Decoding(hooks), hooks)]


CHANGE = Balanced
