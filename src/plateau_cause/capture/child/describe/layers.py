"""Layers by name: the shortest way to say which parameters are meant."""

from __future__ import annotations

import re
from collections.abc import Collection


def prefixes(chosen: Collection[str], everything: Collection[str], at: str = "") -> list[str]:
    """Returns the fewest names of layers that cover exactly the chosen parameters.

    Args:
        chosen: names such as `layer1.0.conv1.weight`.
        everything: the names of all parameters of the model, in its order.
        at: the layer to look into; empty for the whole model.
    """
    inside = [name for name in everything if not at or name == at or name.startswith(f"{at}.")]
    picked = [name for name in inside if name in set(chosen)]
    if not picked:
        return []
    if len(picked) == len(inside) and at:
        return [at]
    depth = len(at.split(".")) + 1 if at else 1
    children = list(dict.fromkeys(".".join(name.split(".")[:depth]) for name in inside))
    return [layer for child in children for layer in prefixes(picked, inside, child)]


def worded(layers: list[str], most: int = 6) -> str:
    """Returns layers in words; runs of numbers are drawn together: `conv1, layer1 to layer4, fc`."""
    words: list[str] = []
    for group in _runs(layers):
        words += group if len(group) < 3 else [f"{group[0]} to {group[-1]}"]
    rest = len(words) - most
    return ", ".join(words) if rest <= 0 else f"{', '.join(words[:most])} and {rest} more"


def _runs(layers: list[str]) -> list[list[str]]:
    groups: list[list[str]] = []
    for layer in layers:
        if groups and _follows(groups[-1][-1], layer):
            groups[-1].append(layer)
        else:
            groups.append([layer])
    return groups


def _follows(first: str, second: str) -> bool:
    matches = [re.fullmatch(r"(.*?)(\d+)", name) for name in (first, second)]
    if matches[0] is None or matches[1] is None:
        return False
    same = matches[0][1] == matches[1][1]
    return same and int(matches[1][2]) == int(matches[0][2]) + 1
