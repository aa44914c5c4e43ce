"""What the model reads through the user's own transform: in any order the same tensors for the same seeds."""

from __future__ import annotations

import pickle
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import numpy as np
import torch
from PIL import Image

from plateau_cause.errors import PlateauError
from plateau_cause.images.store import ImageStore
from plateau_cause.training.inputs import MOST_CACHED_BYTES
from plateau_cause.training.transforms import transformed
from plateau_cause.training.user_code import place

SAMPLED, SAMPLED_IF_DRAWN = 8, 64  # images on which a transform is judged; on more where it draws numbers

SAME_SPREAD, SAME_MEAN = 1.6, 0.5  # ratio of spreads, distance of means in spreads: what crops and jitter do


class TransformInputs:
    """The user's transform, called on PIL images; one without randomness is called once per image.

    Args:
        store: the images.
        transform: (image, train) -> tensor.
        augmented: whether training calls it with train=True.
        device: where the tensors go.
        apart: whether evaluation calls it with train=False; else as training does, randomness fixed.
    """

    def __init__(
        self,
        store: ImageStore,
        transform: Callable[..., Any],
        augmented: bool,
        device: torch.device,
        apart: bool = True,
    ):
        self.store, self.transform, self.device = store, transform, device
        self.augmented = augmented and self._is_random()
        self.train_flag = augmented
        self.evaluation_flag = augmented and not apart
        self._cache: dict[bool, dict[int, torch.Tensor]] = {True: {}, False: {}}

    @cached_property
    def is_fixed(self) -> bool:
        """Returns whether training sees exactly what evaluation sees, every epoch, judged on a few images."""
        if self.augmented or self.train_flag == self.evaluation_flag:
            return not self.augmented
        pairs = [(self._of(image, True), self._of(image, False)) for image in self._few()]
        return all(torch.equal(*pair) for pair in pairs)

    def training(self, rows: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Returns the transform's tensors for training (B, C, H, W)."""
        return self._batch(rows, self.train_flag, cached=not self.augmented)

    def evaluation(self, rows: torch.Tensor) -> torch.Tensor:
        """Returns the transform's tensors for evaluation (B, C, H, W)."""
        with fixed_random_numbers():
            return self._batch(rows, self.evaluation_flag, cached=True)

    def sides_differ(self) -> bool:
        """Returns whether evaluation is processed otherwise than training, beside what is random.

        Judged on a few images: tensors where nothing is random, else the mean and the spread of each channel.
        """
        if not self.augmented:
            return not self.is_fixed
        few = self._few(SAMPLED_IF_DRAWN)
        with fixed_random_numbers():
            train, other = ([self._of(image, flag) for image in few] for flag in (True, False))
        return moments_differ(torch.stack(train), torch.stack(other)) if _alike(train, other) else True

    def _batch(self, rows: torch.Tensor, train: bool, cached: bool) -> torch.Tensor:
        tensors = [self._one(int(row), train, cached) for row in rows]
        if len({tensor.shape for tensor in tensors}) > 1:
            shapes = sorted({tuple(tensor.shape) for tensor in tensors})[:3]
            where = place("transform", self.transform)
            raise PlateauError(f"recipe.code: {where} gives tensors of different shapes, such as {shapes}")
        return torch.stack(tensors).to(self.device)

    def _one(self, row: int, train: bool, cached: bool) -> torch.Tensor:
        cache = self._cache[train]
        if cached and row in cache:
            return cache[row]
        tensor = self._of(Image.fromarray(np.array(self.store.image(row))), train)
        if cached and len(cache) * tensor.numel() * 4 < MOST_CACHED_BYTES:
            cache[row] = tensor
        return tensor

    def _of(self, image: Image.Image, train: bool) -> torch.Tensor:
        return transformed(self.transform, image, train)

    def _few(self, count: int = SAMPLED) -> list[Image.Image]:
        rows = range(min(count, len(self.store)))
        return [Image.fromarray(np.array(self.store.image(row))) for row in rows]

    def _is_random(self) -> bool:
        """Returns whether the transform gives something else when it is called again.

        One that draws random numbers is given many chances: what it does to one image in ten may well leave
        a few as they are.
        """
        before = _random_states()
        if any(map(self._varies, self._few())):
            return True
        return _random_states() != before and any(map(self._varies, self._few(SAMPLED_IF_DRAWN)))

    def _varies(self, image: Image.Image) -> bool:
        return not torch.equal(self._of(image, True), self._of(image, True))


def moments_differ(tensors: torch.Tensor, others: torch.Tensor) -> bool:
    """Returns whether two sets of images (n, C, H, W) differ in a channel's mean or spread beyond crops.

    A missing scale or normalisation changes the spread by a factor of two and more.
    """
    (mean, spread), (other_mean, other_spread) = (
        (each.mean((0, 2, 3)), each.std((0, 2, 3)).clamp(min=1e-6)) for each in (tensors, others)
    )
    ratio = spread / other_spread
    apart = (mean - other_mean).abs() / torch.maximum(spread, other_spread)
    return bool(((ratio > SAME_SPREAD) | (ratio < 1 / SAME_SPREAD) | (apart > SAME_MEAN)).any())


def _alike(tensors: list[torch.Tensor], others: list[torch.Tensor]) -> bool:
    return len({tensor.shape for tensor in [*tensors, *others]}) == 1


@contextmanager
def fixed_random_numbers(seed: int = 0) -> Iterator[None]:
    """Draws the same random numbers whenever it is entered, and leaves the generators as they were."""
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
        torch.set_rng_state(states[2])


def _random_states() -> tuple[object, ...]:
    """Returns where the global random generators of Python, numpy and torch stand."""
    states = random.getstate(), np.random.get_state(), torch.get_rng_state().numpy()
    return tuple(map(pickle.dumps, states))
