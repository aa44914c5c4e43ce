"""What the model reads: pixels, the user's transform, or cached activations of a frozen prefix."""

from __future__ import annotations

import pickle
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import torch
from PIL import Image

from plateau_cause.config.recipe import Preprocessing
from plateau_cause.errors import PlateauError
from plateau_cause.images.preprocessing import augment, normalize
from plateau_cause.images.store import ImageStore
from plateau_cause.training.user_code import call, place

MOST_CACHED_BYTES = 4 * 2**30
SAMPLED, SAMPLED_IF_DRAWN = 8, 64  # images on which a transform is judged; on more where it draws numbers
LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, as PIL's "L"

SAME_SPREAD, SAME_MEAN = 1.6, 0.5  # ratio of spreads, distance of means in spreads: what crops and jitter do


class Inputs(Protocol):
    """Model inputs by row of the manifest; rows (B,) int64 on the CPU, tensors (B, ...) on the device."""

    def training(self, rows: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Returns the batch as training sees it, augmented."""
        ...

    def evaluation(self, rows: torch.Tensor) -> torch.Tensor:
        """Returns the batch without augmentation."""
        ...

    @property
    def is_fixed(self) -> bool:
        """Whether training sees exactly what evaluation sees, in every epoch."""
        ...


class PixelInputs:
    """uint8 images resized once, moved as bytes, normalised and augmented on the device."""

    def __init__(
        self, images: np.ndarray, preprocessing: Preprocessing, augmentation: str, device: torch.device
    ):
        self.images = torch.from_numpy(images)  # (N, 3, S, S) uint8
        self.preprocessing, self.augmentation, self.device = preprocessing, augmentation, device
        if device.type == "cuda" and self.images.numel() < MOST_CACHED_BYTES:
            self.images = self.images.to(device)

    def training(self, rows: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Returns float images (B, 3, S, S), augmented before they are normalised."""
        return normalize(augment(self._batch(rows), self.augmentation, generator), self.preprocessing)

    def evaluation(self, rows: torch.Tensor) -> torch.Tensor:
        """Returns float images (B, 3, S, S)."""
        return normalize(self._batch(rows), self.preprocessing)

    @property
    def is_fixed(self) -> bool:
        """Returns whether nothing is augmented."""
        return self.augmentation == "none"

    def _batch(self, rows: torch.Tensor) -> torch.Tensor:
        return self.images[rows.to(self.images.device)].to(self.device, non_blocking=True)


class CachedInputs:
    """Activations of the frozen prefix, computed once."""

    is_fixed = True

    def __init__(self, activations: torch.Tensor):
        self.activations = activations  # (N, ...)

    def training(self, rows: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Returns activations (B, ...): a frozen prefix without augmentation gives the same every epoch."""
        return self.evaluation(rows)

    def evaluation(self, rows: torch.Tensor) -> torch.Tensor:
        """Returns activations (B, ...)."""
        return self.activations[rows.to(self.activations.device)]


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


class FittedInputs:
    """Other inputs with as many channels as a network reads that takes gray or colour images alone."""

    def __init__(self, inputs: Inputs, channels: int):
        self.inputs, self.channels = inputs, channels

    @property
    def is_fixed(self) -> bool:
        """Returns whether the other inputs are."""
        return self.inputs.is_fixed

    def training(self, rows: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Returns the batch as training sees it (B, channels, H, W)."""
        return fit_channels(self.inputs.training(rows, generator), self.channels)

    def evaluation(self, rows: torch.Tensor) -> torch.Tensor:
        """Returns the batch without augmentation (B, channels, H, W)."""
        return fit_channels(self.inputs.evaluation(rows), self.channels)


def fit_channels(images: torch.Tensor, channels: int) -> torch.Tensor:
    """Returns images (B, C, H, W) with this many channels: colours weighed by LUMA, gray repeated."""
    if images.shape[1] == channels:
        return images
    if channels == 1:
        return (images * torch.tensor(LUMA, device=images.device).view(1, 3, 1, 1)).sum(1, keepdim=True)
    return images.expand(-1, channels, -1, -1)


def transformed(transform: Callable[..., Any], image: Image.Image, train: bool) -> torch.Tensor:
    """Returns what the user's transform makes of an image, float32 (C, H, W), of one or three channels.

    Raises:
        PlateauError: it raised, or gives something else or what is no number; the line names function and
            line.
    """
    return as_tensor(call(transform, image, train), transform)


def coloured(transform: Callable[..., Any]) -> Callable[[Image.Image, bool], torch.Tensor]:
    """Returns the user's transform giving (3, H, W), gray repeated: what the declared backbone reads."""
    return lambda image, train: fit_channels(transformed(transform, image, train)[None], 3)[0]


def as_tensor(value: Any, transform: Callable[..., Any] | None = None) -> torch.Tensor:
    """Returns what the user's transform gave as float32 (C, H, W), of one or three channels.

    Raises:
        PlateauError: it is no such tensor, or holds what is no number.
    """
    if isinstance(value, np.ndarray):
        value = torch.from_numpy(value)
    named = place("transform", transform)
    if not isinstance(value, torch.Tensor) or value.ndim != 3 or value.shape[0] not in (1, 3):
        raise PlateauError(f"recipe.code: {named} must give a tensor (3, H, W), not {_described(value)}")
    tensor: torch.Tensor = value.float()
    if not tensor.isfinite().all():
        raise PlateauError(f"recipe.code: {named} gives values that are no numbers (NaN or infinite)")
    return tensor


def _described(value: Any) -> str:
    if not isinstance(value, torch.Tensor):
        return type(value).__name__
    shape = str(tuple(value.shape))
    is_channels_last = value.ndim == 3 and value.shape[-1] in (1, 3)
    return f"{shape}: its channels come last, permute(2, 0, 1) puts them first" if is_channels_last else shape


def _random_states() -> tuple[object, ...]:
    """Returns where the global random generators of Python, numpy and torch stand."""
    states = random.getstate(), np.random.get_state(), torch.get_rng_state().numpy()
    return tuple(map(pickle.dumps, states))
