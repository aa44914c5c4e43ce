"""Training and evaluation mode, set for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def in_mode(module: Any, training: bool) -> Iterator[int]:
    """Sets the mode of every part of a module; yields how many it changed, and restores them."""
    before = [(part, part.training) for part in module.modules()]
    try:
        for part, _ in before:
            part.training = training
        yield sum(mode != training for _, mode in before)
    finally:
        for part, mode in before:
            part.training = mode
