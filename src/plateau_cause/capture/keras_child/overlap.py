"""Whether images that a script evaluates are among those that it trains on: then they judge nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from plateau_cause.capture.keras_child import pipelines
from plateau_cause.capture.keras_child.describe import origins
from plateau_cause.capture.keras_child.feeds import Feed
from plateau_cause.capture.keras_child.scene import Scene

PARTS = ("take", "skip", "filter", "shard")  # steps behind which a pipeline is no longer all of its beginning
WORK = 10_000  # that is spent to know whether two arrays overlap


def is_trained_on(feed: Feed, trained: Sequence[Feed], scene: Scene) -> bool:
    """Returns whether a feed is one of training, or a part of one.

    Args:
        feed: what is evaluated.
        trained: what the script gave its fits, as they train on it.
        scene: where pipelines have their steps.
    """
    return any(feed.x is one.x or _is_within(feed, one, scene) for one in trained)


def _is_within(feed: Feed, trained: Feed, scene: Scene) -> bool:
    if feed.kind != trained.kind:
        return False
    if feed.kind == "arrays":
        return _overlap(feed.x, trained.x)
    if feed.kind == "tf.data":
        (start, _), (beginning, steps) = pipelines.root(feed.x, scene), pipelines.root(trained.x, scene)
        if start is beginning:
            return not any(step.by in PARTS for step in steps)
    return _reads_the_same(feed, trained, scene)


def _overlap(first: Any, second: Any) -> bool:
    import numpy as np

    if not isinstance(first, np.ndarray) or not isinstance(second, np.ndarray):
        return False
    try:
        return bool(np.shares_memory(first, second, max_work=WORK))  # type: ignore[arg-type]
    except Exception:  # too hard to tell, by whatever name this NumPy has for it
        return False


def _reads_the_same(first: Feed, second: Feed, scene: Scene) -> bool:
    """Returns whether both read one folder, and no split of it."""
    read = [origins.reader(one, scene) for one in (first, second)]
    told = [(one.arguments.get("directory"), one.arguments.get("subset")) for one in read if one is not None]
    return len(told) == 2 and told[0][0] is not None and told[0] == told[1]
