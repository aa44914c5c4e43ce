"""The scale of the loss under mixed precision, which begins so high that the first steps are skipped."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from plateau_cause.capture.keras_child import library

SCALE = 16.0  # for a few steps that have to count


@contextlib.contextmanager
def hardly_scaled(optimizer: Any) -> Iterator[None]:
    """Keeps a loss that mixed precision scales from overflowing: such steps are skipped by design."""
    kept = getattr(optimizer, "initial_scale", None)
    if kept is None or not hasattr(optimizer, "inner_optimizer"):
        yield
        return
    scale = getattr(optimizer, "dynamic_scale", None)  # a variable, once there has been a step
    now = None if scale is None else library.values(scale).copy()
    _scaled(optimizer, SCALE, SCALE)
    try:
        yield
    finally:
        _scaled(optimizer, kept, kept if now is None else now)


def _scaled(optimizer: Any, first: Any, now: Any) -> None:
    with contextlib.suppress(AttributeError):  # the legacy Keras holds it elsewhere
        optimizer.initial_scale = first
        if getattr(optimizer, "dynamic_scale", None) is not None:
            optimizer.dynamic_scale.assign(now)
