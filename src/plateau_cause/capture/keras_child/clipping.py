"""What an optimizer's clipping leaves of the gradient, measured at the steps of a peek."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from plateau_cause.capture.keras_child import library

CLIPS = ("clipnorm", "global_clipnorm", "clipvalue")
CUT = "_clip_gradients"  # the optimizer's own, in Keras 3 and its predecessor alike


@contextlib.contextmanager
def measured(optimizer: Any) -> Iterator[list[float]]:
    """Yields a list that is filled with how many times longer gradients are before clipping than after.

    It stays empty where the optimizer does not clip, or where steps run in a graph.
    """
    found: list[float] = []
    cut = getattr(optimizer, CUT, None)
    if cut is None or not any(getattr(optimizer, name, None) for name in CLIPS):
        yield found
        return

    def cut_and_measured(gradients: Any) -> Any:
        left = cut(gradients)
        with contextlib.suppress(Exception):  # symbols have no values
            before, after = _norm(gradients), _norm(left)
            if before > 0:
                found.append(before / max(after, 1e-38))
        return left

    setattr(optimizer, CUT, cut_and_measured)
    try:
        yield found
    finally:
        with contextlib.suppress(AttributeError):
            delattr(optimizer, CUT)


def _norm(gradients: Any) -> float:
    import numpy as np

    values = [library.values(one) for one in gradients if one is not None and not library.is_symbolic(one)]
    return float(np.sqrt(sum((one.astype(np.float64) ** 2).sum() for one in values)))
