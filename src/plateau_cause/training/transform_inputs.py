"""What the model reads through the user's own transform: in any order the same tensors for the same seeds."""

from __future__ import annotations

import pickle
import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import numpy as np
import torch
from PIL import Image

from plateau_cause.errors import PlateauError
from plateau_cause.images.store import ImageStore
from plateau_cause.training.ahead import Ahead, Item, workers_that_pay
from plateau_cause.training.inputs import MOST_CACHED_BYTES
from plateau_cause.training.transforms import transformed
from plateau_cause.training.user_code import place, plain_state

LARGEST_SEED = 2**32
SAMPLED, SAMPLED_IF_DRAWN = 8, 64  # images on which a transform is judged; on more where it draws numbers

SAME_SPREAD, SAME_MEAN = 1.6, 0.5  # ratio of spreads, distance of means in spreads: what crops and jitter do


class TransformInputs:
    """The user's transform, called on PIL images; one without randomness is called once per image.

    Args:
        store: the images.
        transform: (image, train) -> tensor.
        augmented: whether training draws anew what is random.
        device: where the tensors go.
        apart: whether evaluation calls it with train=False; else as training does, randomness fixed.
        differ: whether both sides differ in more than chance: training calls it with train=True even where
            nothing is drawn anew.
    """

    def __init__(
        self,
        store: ImageStore,
        transform: Callable[..., Any],
        augmented: bool,
        device: torch.device,
        apart: bool = True,
        differ: bool = False,
    ):
        self.store, self.transform, self.device = store, transform, device
        self.augmented = augmented and self._is_random()
        self.train_flag = augmented or differ
        self.evaluation_flag = self.train_flag and not apart
        self._cache: dict[bool, dict[int, torch.Tensor]] = {True: {}, False: {}}
        self._ahead: Ahead | None = None
        self._count: int | None = None  # of worker processes; None: not judged yet
        self._state: object = None  # of the user's file when they were started

    @cached_property
    def is_fixed(self) -> bool:
        """Returns whether training sees exactly what evaluation sees, every epoch, judged on a few images."""
        if self.augmented or self.train_flag == self.evaluation_flag:
            return not self.augmented
        pairs = [(self._of(image, True), self._of(image, False)) for image in self._few()]
        return all(torch.equal(*pair) for pair in pairs)

    def training(self, rows: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Returns the transform's tensors for training (B, C, H, W); what is random is drawn as seeded."""
        if not self.augmented:
            return self._kept(rows, self.train_flag)
        return self._made(self._seeded(rows, generator)).to(self.device)

    def training_batches(
        self, batches: Sequence[torch.Tensor], generator: torch.Generator
    ) -> Iterator[torch.Tensor]:
        """Yields what `training` gives for each batch in turn, made in other processes where that pays."""
        ahead = None if self._are_kept(batches) else self._workers(batches)
        if ahead is None:
            yield from (self.training(rows, generator) for rows in batches)
            return
        items = [self._seeded(rows, generator) for rows in batches]
        for rows, tensors in zip(batches, ahead.epoch(items), strict=True):
            if not self.augmented:
                self._keep(rows.tolist(), tensors, self.train_flag)
            yield tensors.to(self.device, non_blocking=True)

    def evaluation(self, rows: torch.Tensor) -> torch.Tensor:
        """Returns the transform's tensors for evaluation (B, C, H, W)."""
        return self._kept(rows, self.evaluation_flag)

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

    def _seeded(self, rows: torch.Tensor, generator: torch.Generator) -> list[Item]:
        """Returns each row with the seed of what is random about it."""
        if not self.augmented:
            return [(row, row) for row in rows.tolist()]
        seeds = torch.randint(LARGEST_SEED, (len(rows),), generator=generator)
        return list(zip(rows.tolist(), seeds.tolist(), strict=True))

    def _made(self, items: Sequence[Item]) -> torch.Tensor:
        """Returns the tensors for training (B, C, H, W), on the CPU: they depend on the items alone."""
        return self._stacked(self._tensors(items, self.train_flag))

    def _kept(self, rows: torch.Tensor, train: bool) -> torch.Tensor:
        """Returns tensors (B, C, H, W) on the device, each made once."""
        cache = self._cache[train]
        missing = [row for row in dict.fromkeys(rows.tolist()) if row not in cache]
        fresh = dict(zip(missing, self._tensors([(row, row) for row in missing], train), strict=True))
        self._keep(missing, list(fresh.values()), train)
        tensors = [fresh[row] if row in fresh else cache[row] for row in rows.tolist()]
        return self._stacked(tensors).to(self.device)

    def _keep(self, rows: Sequence[int], tensors: Iterable[torch.Tensor], train: bool) -> None:
        cache = self._cache[train]
        for row, tensor in zip(rows, tensors, strict=True):
            if len(cache) * tensor.numel() * 4 < MOST_CACHED_BYTES:
                cache[row] = tensor

    def _tensors(self, items: Sequence[Item], train: bool) -> list[torch.Tensor]:
        with kept_random_numbers():
            return [self._drawn(row, seed, train) for row, seed in items]

    def _drawn(self, row: int, seed: int, train: bool) -> torch.Tensor:
        seed_random_numbers(seed)
        return self._of(Image.fromarray(np.array(self.store.image(row))), train)

    def _stacked(self, tensors: list[torch.Tensor]) -> torch.Tensor:
        if len({tensor.shape for tensor in tensors}) > 1:
            shapes = sorted({tuple(tensor.shape) for tensor in tensors})[:3]
            where = place("transform", self.transform)
            raise PlateauError(f"recipe.code: {where} gives tensors of different shapes, such as {shapes}")
        return torch.stack(tensors)

    def _are_kept(self, batches: Sequence[torch.Tensor]) -> bool:
        cache = self._cache[self.train_flag]
        return not self.augmented and all(row in cache for rows in batches for row in rows.tolist())

    def _workers(self, batches: Sequence[torch.Tensor]) -> Ahead | None:
        """Returns processes that make the batches; None where they do not pay, or would give others."""
        if self._count is None:
            self._count = self._worth(batches)
        state = plain_state(self.transform) if self._count else None
        if self._count and (self._ahead is None or self._state != state):
            self._ahead = Ahead(self._made, self._count, self.device)  # copies of the file as it is now
            self._state = state
        return self._ahead

    def _worth(self, batches: Sequence[torch.Tensor]) -> int:
        """Returns how many processes pay, judged by what a few images take here."""
        few = batches[0][:SAMPLED].tolist()
        started = time.perf_counter()
        tensors = self._tensors([(row, row) for row in few], self.train_flag)
        image_s = (time.perf_counter() - started) / len(few)
        batch_bytes = tensors[0].nbytes * len(batches[0])
        count = workers_that_pay(image_s * sum(map(len, batches)), batch_bytes, self.device)
        return count if count and self._is_seedable() else 0

    def _is_seedable(self) -> bool:
        """Returns whether a seed decides what the transform gives, and calling it leaves no trace.

        One with a generator of its own, or that counts its calls, is called here and in order.
        """
        before = plain_state(self.transform)
        items = [(row, row) for row in range(min(SAMPLED_IF_DRAWN, len(self.store)))]
        pairs = zip(*(self._tensors(items, self.train_flag) for _ in range(2)), strict=True)
        is_same = all(torch.equal(first, again) and first.device.type == "cpu" for first, again in pairs)
        return is_same and plain_state(self.transform) == before

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
    with kept_random_numbers():
        seed_random_numbers(seed)
        yield


@contextmanager
def kept_random_numbers() -> Iterator[None]:
    """Leaves the global generators of the CPU as they were."""
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
        torch.set_rng_state(states[2])


def seed_random_numbers(seed: int) -> None:
    """Seeds the global generators of the CPU; a GPU's, which dropout draws from, stays as it is."""
    random.seed(seed)
    np.random.seed(seed)
    torch.default_generator.manual_seed(seed)


def _random_states() -> tuple[object, ...]:
    """Returns where the global random generators of Python, numpy and torch stand."""
    states = random.getstate(), np.random.get_state(), torch.get_rng_state().numpy()
    return tuple(map(pickle.dumps, states))
