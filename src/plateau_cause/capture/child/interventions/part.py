"""Every large data set is read in part: what a change costs shows on a part of the images as on all.

Not a repair: a replay of a large script is given it so that many of them are affordable.
"""

from __future__ import annotations

import functools
import inspect
import random
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from plateau_cause.capture.child.interventions.base import Intervention

SEED = 0  # which images are drawn: the same in every replay


class Part(Intervention):
    """Draws from the data set of every DataLoader that is built; settings: `images` and `judged`, at most.

    Loaders in order, as those of evaluation are, read `judged` of their images where that is more than
    `images`. A loader that batches by itself, or that streams, reads all.
    """

    def install(self, torch: ModuleType) -> None:
        """Wraps the construction of loaders."""
        loader_class: Any = torch.utils.data.DataLoader
        original = loader_class.__init__
        signature = inspect.signature(original)

        @functools.wraps(original)
        def __init__(loader: Any, *arguments: Any, **named: Any) -> None:  # noqa: N807
            given = signature.bind(loader, *arguments, **named)
            try:
                self._draw(given.arguments, torch.utils.data)
            except Exception as error:
                self.failed = f"{type(error).__name__}: {error}"
            original(*given.args, **given.kwargs)

        loader_class.__init__ = __init__

    def is_drawn_from(self, given: dict[str, Any], data: Any) -> bool:
        """Returns whether a loader of these arguments asks for its images one by one, by position."""
        is_counted = hasattr(given["dataset"], "__len__") and given.get("batch_sampler") is None
        return is_counted and not isinstance(given["dataset"], data.IterableDataset)

    def _draw(self, given: dict[str, Any], data: Any) -> None:
        """Puts a sampler of a part in the place of what orders all images."""
        if not self.is_drawn_from(given, data):
            return
        order, n = ordered_by(given, data), len(given["dataset"])
        is_shuffled = order is None or not isinstance(order, data.SequentialSampler)
        most = self.settings["images"]
        most = most if is_shuffled else max(most, self.settings["judged"])
        batch = given.get("batch_size") or 1
        most -= most % batch if most > batch else 0  # no last batch of one image, on which batch norms fail
        if n <= most:
            return
        kept = sorted(random.Random(SEED).sample(range(n), most))
        inner = smaller(order, kept, given, data)
        if inner is None:
            return
        given["sampler"] = Drawn(inner, kept)
        given["shuffle"] = None
        self.times += 1


class Drawn:
    """Yields positions of a part, `indices`: what a sampler of so many says, translated."""

    def __init__(self, inner: Any, indices: list[int]) -> None:
        self.inner, self.indices = inner, indices

    def __iter__(self) -> Iterator[int]:
        return (self.indices[position] for position in self.inner)

    def __len__(self) -> int:
        return len(self.inner)


def ordered_by(given: dict[str, Any], data: Any) -> Any:
    """Returns the sampler that a loader is given, or would make of `shuffle`: None for a random one."""
    if given.get("sampler") is not None:
        return given["sampler"]
    return None if given.get("shuffle") else data.SequentialSampler(given["dataset"])


def smaller(order: Any, kept: list[int], given: dict[str, Any], data: Any) -> Any:
    """Returns a sampler of these images that orders as this one does; None where it is of another kind."""
    images = len(kept)
    if order is None:
        return data.RandomSampler(range(images), generator=given.get("generator"))
    if type(order) is data.SequentialSampler:
        return data.SequentialSampler(range(images))
    if type(order) is data.RandomSampler:
        return data.RandomSampler(range(images), generator=order.generator)
    if type(order) is data.WeightedRandomSampler:
        drawn = max(1, round(order.num_samples * images / len(order.weights)))
        return data.WeightedRandomSampler(order.weights[kept], drawn, order.replacement, order.generator)
    return None


CHANGE = Part
