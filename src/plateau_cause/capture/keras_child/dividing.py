"""Training images divided: most are trained on, a part is held out; the same part in every run."""

from __future__ import annotations

import copy
import random
from collections.abc import Sequence
from dataclasses import replace
from types import ModuleType
from typing import Any

from plateau_cause.capture.keras_child import pipelines
from plateau_cause.capture.keras_child.describe import origins
from plateau_cause.capture.keras_child.feeds import Feed, length, taken
from plateau_cause.capture.keras_child.scene import Built, Scene

SEED = 20_029
COMPARED = 16  # elements of two passes
# What Keras' own iterators hold an entry of for each image, whatever they read from.
ENTRIES = ("x", "y", "sample_weight", "filenames", "_filepaths", "classes", "labels", "_targets",
           "_sample_weight")  # fmt: skip
NO_CHANGES = {"brightness_range": None, "zoom_range": [1, 1], "rotation_range": 0, "width_shift_range": 0,
              "height_shift_range": 0, "shear_range": 0, "channel_shift_range": 0, "horizontal_flip": False,
              "vertical_flip": False}  # fmt: skip


def divided(feed: Feed, share: float, scene: Scene, keras: ModuleType) -> tuple[Feed, Feed]:
    """Returns what is trained on and what is held out, the latter in a fixed order without random changes.

    Args:
        feed: what a fit trains on.
        share: 0..1, of the images, that is held out.
        scene: where pipelines have their steps.
        keras: the library of the model.

    Raises:
        ValueError: the images cannot be told apart before they are read.
    """
    if feed.kind == "arrays":
        total = length(feed) or 0
        kept, held = _drawn(total, share, feed.batch_size or 32)
        return taken(feed, kept), replace(taken(feed, held), shuffle=False)
    if feed.kind == "tf.data":
        return _of_pipeline(feed, share, scene, keras)
    if hasattr(feed.x, "index_array") and hasattr(feed.x, "_flow_index"):
        return _of_iterator(feed, share, scene)
    raise ValueError(f"{type(feed.x).__name__} reads its images in a way of its own")


def _drawn(total: int, share: float, batch: int = 1) -> tuple[list[int], list[int]]:
    """Returns which of so many images are kept and which are held out; no last batch of one is left."""
    most = total - max(round(share * total), 1)
    most -= most % batch == 1 and most > batch
    if most < 1:
        raise ValueError(f"{total} images are too few to hold some out")
    kept = sorted(random.Random(SEED).sample(range(total), most))
    return kept, sorted({*range(total)} - {*kept})


def _of_pipeline(feed: Feed, share: float, scene: Scene, keras: ModuleType) -> tuple[Feed, Feed]:
    beginning, steps = pipelines.root(feed.x, scene)
    read = scene.readers.of(beginning)
    roots = _read_again(read, share, keras) if read and _orders_by_chance(read) else _masked(
        beginning, share, origins.batch_size(feed, scene) if read else None)  # fmt: skip
    trained = pipelines.built(roots[0], steps, _forgetting)
    quietly = pipelines.quietly(feed, scene) or pipelines.plainly
    held = pipelines.built(roots[1], steps, lambda so_far, step: _in_order(so_far, step, quietly))
    return replace(feed, x=trained, steps=_affordable(feed.steps, trained)), Feed(held, shuffle=False)


def _orders_by_chance(read: Built) -> bool:
    return bool(read.arguments.get("shuffle", True))


def _read_again(read: Built, share: float, keras: ModuleType) -> tuple[Any, Any]:
    """Returns a folder read twice, a part each: Keras draws it by a seed."""
    given = read.arguments
    if given.get("subset") not in (None, "training"):
        raise ValueError(f"{read.by} was given subset={given['subset']!r}")
    seed = SEED if given.get("seed") is None else given["seed"]
    given = {**given, "validation_split": given.get("validation_split") or share, "seed": seed}
    reader = getattr(keras.utils, read.by)
    return reader(**{**given, "subset": "training"}), reader(**{**given, "subset": "validation"})


def _masked(beginning: Any, share: float, batched: int | None) -> tuple[Any, Any]:
    """Returns the elements of a pipeline's beginning, divided by their number."""
    import tensorflow as tf

    single = beginning if batched is None else beginning.unbatch()
    total = int(single.cardinality())
    if total == tf.data.INFINITE_CARDINALITY:
        raise ValueError("its pipeline begins without end")
    if _first(single) != _first(single):
        raise ValueError("its pipeline begins in another order in every pass")
    total = total if total >= 0 else sum(1 for _ in single)
    parts = []
    for part in _drawn(total, share):
        mask = [False] * total
        for number in part:
            mask[number] = True
        pairs = tf.data.Dataset.zip((tf.data.Dataset.from_tensor_slices(mask), single))
        chosen = pairs.filter(lambda is_in, _: is_in).map(lambda _, element: element)
        chosen = chosen.apply(tf.data.experimental.assert_cardinality(len(part)))
        parts.append(chosen if batched is None else chosen.batch(batched))
    return parts[0], parts[1]


def _first(data: Any) -> list[bytes]:
    """Returns the first elements of a pipeline."""
    import tensorflow as tf

    elements = (tf.nest.flatten(element) for element in data.take(COMPARED))
    return [b"".join(tf.io.serialize_tensor(one).numpy() for one in parts) for parts in elements]


def _forgetting(so_far: Any, step: Built) -> Any:
    """Returns a pipeline behind a step; what it keeps in a file is another's."""
    return so_far.cache() if step.by == "cache" else pipelines.plainly(so_far, step)


def _in_order(so_far: Any, step: Built, quietly: pipelines.Redo) -> Any:
    """Returns a pipeline that is read once, in its order and whole."""
    if step.by in ("shuffle", "repeat", "cache"):
        return so_far
    whole = step.by == "batch" and step.arguments.get("drop_remainder")
    return pipelines.plainly(so_far, step, drop_remainder=False) if whole else quietly(so_far, step)


def _affordable(steps: int | None, data: Any) -> int | None:
    """Returns how many steps an epoch has: no more than there are batches."""
    batches = int(data.cardinality())
    return steps if steps is None or batches < 0 else min(steps, batches)


def _of_iterator(feed: Feed, share: float, scene: Scene) -> tuple[Feed, Feed]:
    kept, held = _drawn(feed.x.n, share, feed.x.batch_size)
    trained, judged = _reduced(feed.x, kept), _reduced(feed.x, held)
    judged.shuffle = False
    if origins.generator(feed, scene) is not None:
        judged.image_data_generator = unchanged(feed.x.image_data_generator)
    steps = None if feed.steps is None else min(feed.steps, len(trained))
    return replace(feed, x=trained, steps=steps), Feed(judged, shuffle=False)


def unchanged(generator: Any) -> Any:
    """Returns an ImageDataGenerator that changes nothing at random."""
    found = copy.copy(generator)
    vars(found).update(NO_CHANGES)
    return found


def _reduced(iterator: Any, numbers: Sequence[int]) -> Any:
    """Returns an iterator of Keras over some of its images."""
    import numpy as np

    found = copy.copy(iterator)
    total, inside = iterator.n, vars(iterator)
    for name in ENTRIES:
        entries = inside.get(name)
        if entries is not None and hasattr(entries, "__len__") and len(entries) == total:
            is_array = hasattr(entries, "shape")
            setattr(
                found, name, np.asarray(entries)[numbers] if is_array else [entries[one] for one in numbers]
            )
    found.n = found.samples = len(numbers)
    found.index_array, found.batch_index, found.total_batches_seen = None, 0, 0
    found.index_generator = found._flow_index()
    return found
