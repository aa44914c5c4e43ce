"""What a model says of held-out images, as replay.json tells it: accuracy, and what is taken for what."""

from __future__ import annotations

from typing import Any

MOST_CLASSES = 200  # whose confusions are told


def told(predicted: Any, labels: Any) -> dict[str, Any]:
    """Returns the facts of an evaluation.

    Args:
        predicted: (n,) classes.
        labels: (n,) numbers of the classes.

    Returns:
        accuracy (0..1), images, classes (how many labels there are), majority (the share of the most frequent
        label) and confused: for each half of the images, every second one of a class, `[label, predicted,
        count]`; none where there are too many classes.
    """
    import numpy as np

    kinds, counts = np.unique(labels, return_counts=True)
    return {
        "accuracy": float((predicted == labels).mean()),
        "images": len(labels),
        "classes": len(kinds),
        "majority": float(counts.max() / len(labels)),
        "confused": _halves(predicted, labels, kinds) if len(kinds) <= MOST_CLASSES else [],
    }


def _halves(predicted: Any, labels: Any, kinds: Any) -> list[list[list[int]]]:
    import numpy as np

    of_class = [np.flatnonzero(labels == kind) for kind in kinds]
    halves = [np.concatenate([one[half::2] for one in of_class]) for half in (0, 1)]
    return [_counted(predicted[half], labels[half]) for half in halves]


def _counted(predicted: Any, labels: Any) -> list[list[int]]:
    import numpy as np

    pairs, counts = np.unique(np.stack([labels, predicted], 1).astype(int), axis=0, return_counts=True)
    return [[int(label), int(other), int(count)] for (label, other), count in zip(pairs, counts, strict=True)]
