"""What a loader's data set returns, with the raw image behind every tensor."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from plateau_cause.capture.child.chance import chance_kept, seeded
from plateau_cause.capture.child.describe.facts import are_shares, by_likelihood
from plateau_cause.capture.child.doors.decoding import Decoding, Raw
from plateau_cause.capture.child.doors.hooks import Hooks
from plateau_cause.capture.child.linking import tensors
from plateau_cause.capture.child.passes import Loader

AGAIN = 8  # items to read twice
OTHER_SEED = 20_011


@dataclass
class Sample:
    """One item of a data set, as the loader would put it into a batch."""

    index: int
    raw: Raw | None  # None: nothing was decoded, the data set holds tensors
    tensor: Any  # (C, H, W), or None
    label: int | None


@dataclass
class Sampled:
    """A loader with items of its data set."""

    loader: Loader
    seen: list[Sample]
    varies: bool | None  # whether chance changes them; None: not known


def spread(data_set: Any, count: int) -> list[int]:
    """Returns at most `count` positions, evenly spread; none where the data set cannot be indexed."""
    try:
        length = len(data_set)
        data_set[0]
    except (TypeError, NotImplementedError, KeyError, IndexError):
        return []
    count = min(count, length)
    return sorted({round(number * (length - 1) / max(count - 1, 1)) for number in range(count)})


def samples(loader: Any, indices: list[int], decoding: Decoding, hooks: Hooks) -> Iterator[Sample]:
    """Yields items of a loader's data set; every generator of chance is as before afterwards."""
    was_paused, hooks.paused = hooks.paused, True
    try:
        with chance_kept(), _kinds_of_tensors():
            for index in indices:
                yield _sample(loader, index, decoding)
    finally:
        hooks.paused = was_paused


def _kinds_of_tensors() -> AbstractContextManager[Any]:
    """Lets classes of tensors, fastai's say, act as such: in a method, where a peek may end, none does."""
    import torch

    enabled = getattr(torch._C, "_EnableTorchFunction", None)
    return nullcontext() if enabled is None else enabled()


def _sample(loader: Any, index: int, decoding: Decoding) -> Sample:
    decoding.found, decoding.listening = [], True
    try:
        item = loader.dataset[index]
        batch = _collated(loader, item) if loader.batch_sampler is not None else item
    finally:
        decoding.listening = False
    images = [one for one in tensors(batch) if one.ndim >= 2 and one.numel() > 1]
    image = max(images, key=lambda one: one.ndim, default=None)  # beside it one-hot labels, perhaps
    label = _label(batch, image)
    if image is not None and loader.batch_sampler is not None:
        image = image[0]
    return Sample(index, decoding.found[0] if decoding.found else _remembered(image, decoding), image, label)


def _remembered(image: Any, decoding: Decoding) -> Raw | None:
    """Returns the file that an image in memory was read from before, without its pixels."""
    path = decoding.album.path_of(image.detach().cpu()) if decoding.album and image is not None else None
    return None if path is None else Raw(None, path)


def _collated(loader: Any, item: Any) -> Any:
    """Returns a batch of one item; of the same twice where pairs of images are mixed."""
    try:
        return loader.collate_fn([item])
    except (AssertionError, ValueError):
        return loader.collate_fn([item, item])


def _label(batch: Any, image: Any) -> int | None:
    """Returns the first number behind the image, a dict's label first; else the largest share of classes."""
    found = by_likelihood(batch)
    behind = next((number for number, one in enumerate(found) if one is image), -1) + 1
    ordered = found if hasattr(batch, "items") else [*found[behind:], *found[:behind]]
    numbers = [int(one) for one in ordered if one.numel() == 1]
    shares = [int(one.argmax()) for one in ordered if one is not image and one.shape[-1:].numel() > 1
              and one.numel() == one.shape[-1] and are_shares(one)]  # fmt: skip
    items = batch if isinstance(batch, (tuple, list)) else ()
    plain = [item for item in reversed(items) if isinstance(item, int)]
    return next(iter([*numbers, *shares, *plain]), None)


def varies(loader: Any, seen: list[Sample], decoding: Decoding, hooks: Hooks) -> bool | None:
    """Returns whether chance changes the items: they are read again under another seed."""
    again = [one for one in seen if one.tensor is not None][:AGAIN]
    if not again:
        return None
    with seeded(OTHER_SEED):
        second = list(samples(loader, [one.index for one in again], decoding, hooks))
    pairs = [(one.tensor, other.tensor) for one, other in zip(again, second, strict=True)]
    return any(a.shape != b.shape or bool((a != b).any()) for a, b in pairs)


def normalisation(pairs: list[Sample]) -> dict[str, Any] | None:
    """Returns how tensors follow from raw images, channel by channel: `(x / 255 - mean) / std`.

    Returns:
        channels ("rgb" or "bgr"), mean and std (3 numbers each); None where the channel means of raw images
        and tensors do not lie on a line, or there are too few images.
    """
    import numpy as np

    fit = [one for one in pairs if one.raw is not None and one.raw.image is not None
           and one.tensor is not None and len(one.tensor) == 3]  # fmt: skip
    if len(fit) < 4:
        return None
    raw = np.stack([_three(one.raw.image).reshape(-1, 3).mean(0) / 255 for one in fit if one.raw])  # (n, 3)
    seen = np.stack([one.tensor.float().flatten(1).mean(1).numpy() for one in fit])  # (n, 3)
    lines = {"rgb": raw, "bgr": raw[:, ::-1]}
    fitted = {name: [_line(given[:, c], seen[:, c]) for c in range(3)] for name, given in lines.items()}
    misses = {name: 1 - min(row[2] for row in rows) for name, rows in fitted.items()}
    best = "bgr" if misses["bgr"] < misses["rgb"] / 2 else "rgb"  # of grey images crops alone decide
    if misses[best] > 0.05 or any(row[0] <= 0 for row in fitted[best]):
        return None
    slopes, offsets = [row[0] for row in fitted[best]], [row[1] for row in fitted[best]]
    mean = [round(-b / a, 3) for a, b in zip(slopes, offsets, strict=True)]
    return {"channels": best, "mean": mean, "std": [round(1 / a, 4) for a in slopes]}


def _line(x: Any, y: Any) -> tuple[float, float, float]:
    """Returns slope, offset and correlation."""
    import numpy as np

    if x.std() < 1e-6 or y.std() < 1e-9:
        return 0.0, 0.0, 0.0
    slope, offset = np.polyfit(x, y, 1)
    return float(slope), float(offset), float(np.corrcoef(x, y)[0, 1])


def _three(image: Any) -> Any:
    """Returns an image with three channels."""
    import numpy as np

    return np.repeat(image[..., None], 3, 2) if image.ndim == 2 else image[..., :3]
