"""Weights that were loaded into a model which is not the one that trains: a clone, a network built twice."""

from __future__ import annotations

from typing import Any

from plateau_cause.capture.keras_child import library
from plateau_cause.capture.keras_child.library import Held
from plateau_cause.capture.keras_child.loading import Loaded
from plateau_cause.capture.keras_child.scene import Scene

Pairs = list[tuple[Held, Held]]  # a variable with loaded values, and the one that stands in its place
Elsewhere = tuple[Loaded, Pairs]
LEAST, PART = 2, 0.5  # weight matrices that must stand in the place of loaded ones, and part of these


def elsewhere(model: Any, scene: Scene) -> Elsewhere | None:
    """Returns what was loaded into a twin of a model's layers, with the variables in its place.

    None where the model itself holds everything that was loaded, has no layers of the same shapes, or got
    the values otherwise (`set_weights`).

    Args:
        model: which is about to be trained.
        scene: knows what was loaded, and into what.
    """
    own = library.variables(model)
    ids = {id(one.variable) for one in own}
    filled = set[int]()
    for one in scene.loaded:
        filled |= {id(held.variable) for held in library.variables(one.model)} & ids
    empty = [one for one in own if id(one.variable) not in filled]
    for one in scene.loaded:
        source = library.variables(one.model)
        if one.matched and not one.is_late and not any(id(held.variable) in ids for held in source):
            pairs = _aligned(source, empty)
            if _are_others(pairs, len(_matrices(source))):
                return one, pairs
    return None


def _aligned(source: list[Held], target: list[Held]) -> Pairs:
    """Returns the longest run of variables of the same shapes: a base stands somewhere in the model."""
    best: Pairs = []
    for start in range(len(target)):
        run: Pairs = []
        for one, other in zip(source, target[start:], strict=False):
            if tuple(one.variable.shape) != tuple(other.variable.shape):
                break
            run.append((one, other))
        best = max(best, run, key=len)
    return best


def _are_others(pairs: Pairs, total: int) -> bool:
    """Returns whether most of the loaded matrices have a counterpart, with other values."""
    found = [(one, other) for one, other in pairs if _is_matrix(one)]
    if len(found) < max(LEAST, PART * total):
        return False
    apart = [one for one, other in found
             if (library.values(one.variable) != library.values(other.variable)).any()]  # fmt: skip
    return 2 * len(apart) > len(found)


def _matrices(held: list[Held]) -> list[Held]:
    return [one for one in held if _is_matrix(one)]


def _is_matrix(one: Held) -> bool:
    return one.is_weight and len(one.variable.shape) > 1
