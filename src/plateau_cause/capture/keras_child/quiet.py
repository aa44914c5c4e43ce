"""A step of a tf.data pipeline done again without chance: what `tf.image` draws is left as it is."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

CROPS = ("random_crop", "stateless_random_crop")


@contextmanager
def without_chance() -> Iterator[None]:
    """Has the random functions of `tf.image` give back their image, and a random crop the middle.

    A pipeline traces the function of a step when it is given it: what is given here stays without chance.
    """
    tf: Any = sys.modules["tensorflow"]
    names = [name for name in dir(tf.image) if name.startswith(("random_", "stateless_random_"))]
    owners = [(tf.image, name) for name in names if name not in CROPS]
    owners += [(owner, name) for owner in (tf.image, tf) for name in CROPS if hasattr(owner, name)]
    before = [(owner, name, getattr(owner, name)) for owner, name in owners]
    for owner, name, _ in before:
        setattr(owner, name, _middle if name in CROPS else _as_it_is)
    try:
        yield
    finally:
        for owner, name, function in before:
            setattr(owner, name, function)


def plain(function: Any) -> Any:
    """Returns the function behind a `tf.function`, whose graph is drawn already."""
    return getattr(function, "python_function", function)


def _as_it_is(image: Any = None, *arguments: Any, **named: Any) -> Any:
    return image


def _middle(value: Any = None, size: Any = None, *arguments: Any, **named: Any) -> Any:
    """Returns the middle of an image or of a stack of them, as large as `size` says."""
    tf: Any = sys.modules["tensorflow"]
    value = named.get("image", value)
    before = (tf.shape(value) - size) // 2
    return tf.slice(value, before, size)
