"""Which held-out images a model recognises, in an order that is the same in every replay."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plateau_cause.capture.keras_child import feeds, library
from plateau_cause.capture.keras_child.describe.probe import form
from plateau_cause.capture.keras_child.describe.training import activation
from plateau_cause.capture.keras_child.feeds import Feed
from plateau_cause.capture.keras_child.nested import arrays, class_numbers, picture


@dataclass
class Sheet:
    """The hits on the images of one split.

    Attributes:
        predicted: (n,) classes.
        labels: (n,) numbers of the classes.
    """

    predicted: Any
    labels: Any

    @property
    def hits(self) -> Any:
        """Returns (n,) uint8."""
        return (self.predicted == self.labels).astype("uint8")


def judge(model: Any, feed: Feed, labels: Callable[[Any], Any], is_shuffled: bool) -> Sheet:
    """Returns which images of a feed a model recognises.

    Args:
        model: as it is at the end of training.
        feed: images and labels.
        labels: returns the labels (n,) that images are judged by.
        is_shuffled: whether the images come in another order in every pass: they are then put into the order
            of a digest of their pixels.

    Raises:
        ValueError: no image with a label was read.
    """
    import numpy as np

    found, given, digests = [], [], []
    for x, y in feeds.batches(feed):
        numbers = class_numbers(y)
        if numbers is None:
            continue
        given.append(labels(numbers))
        found.append(predicted(model, x))
        digests += [hashlib.sha1(np.ascontiguousarray(one).tobytes()).hexdigest()
                    for one in picture(x)] if is_shuffled else []  # fmt: skip
    if not found:
        raise ValueError(
            "no held-out image with one class was read; several labels at a time have no accuracy"
        )
    order = np.argsort(digests, kind="stable") if is_shuffled else slice(None)
    return Sheet(np.concatenate(found)[order], np.concatenate(given)[order])


def predicted(model: Any, x: Any) -> Any:
    """Returns the class (n,) that a model finds most likely for each image of a batch."""
    output = model.predict_on_batch(x)
    output = next(iter(output.values())) if isinstance(output, dict) else output
    output = arrays(output[0] if isinstance(output, (list, tuple)) else output)
    if output.shape[-1] > 1:
        return output.argmax(-1)
    is_probability = activation(model) == "sigmoid" or form(output) == "between 0 and 1"
    return (output.reshape(len(output)) > (0.5 if is_probability else 0)).astype(int)


def write(path: Path, sheets: dict[str, Sheet]) -> None:
    """Writes one array per split, whole or not at all."""
    import numpy as np

    part = path.with_name(f".{path.name}")
    with part.open("wb") as file:
        np.savez(file, **{split: sheet.hits for split, sheet in sheets.items()})
    part.replace(path)


def built(model: Any) -> bool:
    """Returns whether a model has its variables."""
    return bool(getattr(model, "built", True)) and bool(library.variables(model))
