"""What `fit` and `evaluate` are fed with, whatever it is: its kind, its batches, its labels as arrays."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from plateau_cause.capture.keras_child.nested import arrays, chosen, first_array, joined, rows

KINDS = ("arrays", "tf.data", "sequence", "torch", "generator")
WAIT_S = 4.0  # how long batches are read to know labels and values


@dataclass
class Feed:
    """Images and labels as they were given to `fit` or `evaluate`.

    Attributes:
        x: images, or what yields batches of images and labels.
        y: labels; None where `x` yields them.
        weight: a weight per image, or None.
        batch_size: as it was given.
        steps: how many batches are read; None: all.
        shuffle: whether `fit` shuffles arrays.
    """

    x: Any
    y: Any = None
    weight: Any = None
    batch_size: int | None = None
    steps: int | None = None
    shuffle: bool = True

    @property
    def kind(self) -> str:
        """Returns one of `KINDS`."""
        cls = type(self.x)
        bases = {base.__name__ for base in cls.__mro__}
        if hasattr(self.x, "element_spec"):
            return "tf.data"
        if bases & {"PyDataset", "Sequence"} and hasattr(self.x, "__getitem__") and self.y is None:
            return "sequence"
        if cls.__module__.startswith("torch.utils.data"):
            return "torch"
        return "generator" if hasattr(self.x, "__next__") else "arrays"


def training_feed(given: dict[str, Any]) -> Feed:
    """Returns what a call of `fit` trains on, its own validation split left out."""
    x, y, weight = given.get("x"), given.get("y"), given.get("sample_weight")
    feed = Feed(x, y, weight, given.get("batch_size"), _whole_number(given.get("steps_per_epoch")),
                bool(given.get("shuffle", True)))  # fmt: skip
    share = given.get("validation_split") or 0
    if share and given.get("validation_data") is None and feed.kind == "arrays":
        return _part(feed, 0, _cut(feed, share))
    return feed


def validation_feed(given: dict[str, Any]) -> Feed | None:
    """Returns what a call of `fit` validates on; None where it does not."""
    data, share = given.get("validation_data"), given.get("validation_split") or 0
    size = given.get("validation_batch_size") or given.get("batch_size")
    if data is not None:
        parts = list(data) if isinstance(data, (tuple, list)) else [data]
        x, y, weight = [*parts, None, None][:3]
        return Feed(x, y, weight, size, _whole_number(given.get("validation_steps")), False)
    whole = Feed(given.get("x"), given.get("y"), given.get("sample_weight"), size, None, False)
    if not share or whole.kind != "arrays":
        return None
    return _part(whole, _cut(whole, share), None)


def evaluation_feed(given: dict[str, Any]) -> Feed:
    """Returns what a call of `evaluate` or `predict` reads."""
    return Feed(given.get("x"), given.get("y"), given.get("sample_weight"), given.get("batch_size"),
                _whole_number(given.get("steps")), False)  # fmt: skip


def _whole_number(given: Any) -> int | None:
    """Returns a count as Python's own number: scripts compute theirs by NumPy and TensorFlow."""
    return None if given is None else int(given)


def batches(feed: Feed) -> Iterator[tuple[Any, Any]]:
    """Yields batches of one pass as arrays: images (nested as they are), labels or None."""
    limit = feed.steps if feed.kind != "arrays" else None
    for batch in itertools.islice(_batches(feed), limit):
        parts = batch if isinstance(batch, (tuple, list)) else (batch,)
        yield arrays(parts[0]), arrays(parts[1]) if len(parts) > 1 else None


def some(feed: Feed, most: int, wait_s: float = WAIT_S, goes_on: bool = False) -> list[tuple[Any, Any]]:
    """Returns the first batches of a pass, as many as come within a few seconds, at least one.

    Args:
        feed: what is read.
        most: how many batches at most.
        wait_s: seconds after which no further one is asked for.
        goes_on: whether the script goes on reading afterwards. A pipeline with `cache()` keeps what a pass
            has read, and one that ends early may be all that the next ones see: it is read to its end then.
    """
    started_s, found = time.monotonic(), []
    reading = batches(feed)
    for batch in reading:
        found.append(batch)
        if len(found) >= most or time.monotonic() - started_s > wait_s:
            break
    if goes_on and feed.kind == "tf.data" and feed.steps is None:
        for _ in reading:
            pass
    return found


def whole(feed: Feed) -> tuple[Any, Any]:
    """Returns all images and labels of one pass, in its order."""
    found = list(batches(feed))
    if not found:
        raise ValueError("no batch was read")
    return joined([x for x, _ in found]), joined([y for _, y in found])


def length(feed: Feed) -> int | None:
    """Returns how many images a pass has, where that is known without reading it."""
    x = feed.x
    if feed.kind == "arrays":
        return len(first_array(x))
    for owner, name in ((x, "n"), (x, "samples"), (x, "num_samples")):
        if isinstance(getattr(owner, name, None), int):
            return int(getattr(owner, name))
    if feed.kind == "torch":
        return len(x.dataset)
    return None


def count(feed: Feed) -> int | None:
    """Returns how many batches a pass has, where that is known."""
    if feed.steps is not None:
        return feed.steps
    if feed.kind == "arrays":
        return -(-len(first_array(feed.x)) // (feed.batch_size or 32))
    try:
        found = len(feed.x)
    except (TypeError, AttributeError):
        return None
    return found if found >= 0 else None


def total(feed: Feed, wait_s: float = WAIT_S) -> int:
    """Returns how many images a pass has, read to its end where nothing says so.

    What takes longer than a few seconds is told from its number of batches: the last may be smaller.
    """
    known, size = length(feed), getattr(feed.x, "batch_size", None)
    if known is None:
        started_s, found = time.monotonic(), list[int]()
        for x, _ in batches(feed):
            found.append(len(first_array(x)))
            if time.monotonic() - started_s > wait_s:
                return found[0] * max(count(feed) or 0, len(found))
        return sum(found)
    if feed.kind == "arrays" or feed.steps is None or not isinstance(size, int):
        return known
    return min(known, feed.steps * size)


def _batches(feed: Feed) -> Iterator[Any]:
    if feed.kind == "arrays":
        size, total = feed.batch_size or 32, len(first_array(feed.x))
        for start in range(0, total, size):
            yield rows(feed.x, start, start + size), rows(feed.y, start, start + size)
    elif feed.kind == "sequence":
        for number in range(len(feed.x)):
            yield feed.x[number]
    else:
        yield from feed.x


def taken(feed: Feed, numbers: Sequence[int]) -> Feed:
    """Returns some of the images of arrays, by their numbers."""
    x, y, weight = (chosen(value, numbers) for value in (feed.x, feed.y, feed.weight))
    return replace(feed, x=x, y=y, weight=weight)


def _cut(feed: Feed, share: float) -> int:
    """Returns where Keras divides arrays: the last part is for validation."""
    return int(len(first_array(feed.x)) * (1 - share))


def _part(feed: Feed, start: int, stop: int | None) -> Feed:
    x, y, weight = (rows(value, start, stop) for value in (feed.x, feed.y, feed.weight))
    return Feed(x, y, weight, feed.batch_size, feed.steps, feed.shuffle)
