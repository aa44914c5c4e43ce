"""Transforms without chance: what changes images at random is left out, a random crop is the middle.

Transforms are told by their names, which torchvision's two generations, timm and most others share.
"""

from __future__ import annotations

import copy
import sys
from types import FunctionType
from typing import Any

WIDER = 8 / 7  # of the crop's side: what images are resized to before the middle is cut out
AT_RANDOM = frozenset({
    "AugMix", "AutoAugment", "ColorJitter", "ElasticTransform", "GaussianBlur", "GaussianNoise",
    "RandAugment", "ScaleJitter", "TrivialAugmentWide",
})  # fmt: skip
DEPTH = 4  # of data sets in data sets, transforms in transforms


def clean(transform: Any, depth: int = DEPTH) -> Any:
    """Returns the transform without chance: itself where there is none in it, None where nothing is left."""
    kind = type(transform)
    if not kind.__module__.startswith(("torchvision.", "timm.", "torch.nn.")):
        return _holder(transform, depth)
    if kind.__name__.startswith("Random") or kind.__name__ in AT_RANDOM:
        return _middle(transform)
    if kind.__name__ == "Sequential":
        kept = _kept(transform, depth)
        return transform if kept is None else kind(*kept)
    steps = getattr(transform, "transforms", None)
    if isinstance(steps, (list, tuple)) and (kept := _kept(steps, depth)) is not None:
        cleaned = copy.copy(transform)
        cleaned.transforms = kept
        return cleaned if kept else None
    inner = getattr(transform, "transform", None)  # torchvision's StandardTransform holds that of the image
    if kind.__name__ == "StandardTransform" and (one := clean(inner, depth - 1)) is not inner:
        cleaned = copy.copy(transform)
        cleaned.transform = one
        return cleaned
    return transform


def _holder(holder: Any, depth: int) -> Any:
    """Returns an object of the user's whose transforms are without chance; itself where they are."""
    held = vars(holder) if hasattr(holder, "__dict__") and not isinstance(holder, FunctionType) else {}
    if depth <= 0 or isinstance(holder, type) or not callable(holder):
        return holder
    pipelines = {
        name: one for name, one in held.items() if isinstance(getattr(one, "transforms", None), list)
    }
    cleaned = {name: made for name, one in pipelines.items() if (made := clean(one, depth - 1)) is not one}
    if not cleaned:
        return holder
    other = copy.copy(holder)
    vars(other).update({name: _as_it_is if made is None else made for name, made in cleaned.items()})
    return other


def _kept(steps: Any, depth: int) -> list[Any] | None:
    """Returns the steps without chance; None where there is none in any."""
    if depth <= 0:
        return None
    kept = [one for step in steps if (one := clean(step, depth - 1)) is not None]
    is_same = len(kept) == len(steps) and all(a is b for a, b in zip(kept, steps, strict=True))
    return None if is_same else kept


def _middle(transform: Any) -> Any:
    """Returns what a random crop is without chance; None for every other change."""
    size = getattr(transform, "size", None)
    if "Crop" not in type(transform).__name__ or size is None:
        return None
    transforms: Any = sys.modules[type(transform).__module__.rpartition(".")[0]]
    if not hasattr(transforms, "CenterCrop"):
        transforms = sys.modules["torchvision.transforms"]
    height, width = (size, size) if isinstance(size, int) else (size[0], size[-1])
    crop = transforms.CenterCrop((height, width))
    if "Resized" not in type(transform).__name__:
        return crop
    return transforms.Compose([transforms.Resize(round(WIDER * min(height, width))), crop])


def changed(data_set: Any, depth: int = DEPTH) -> list[tuple[Any, str, Any, Any]]:
    """Returns where a data set holds transforms with chance: holder, attribute, it, and it without chance."""
    found = []
    for name, value in list(vars(data_set).items()) if hasattr(data_set, "__dict__") else []:
        inner = value if isinstance(value, (list, tuple)) else [value]
        if name in ("dataset", "datasets") and depth > 0:
            found += [one for data in inner for one in changed(data, depth - 1)]
        elif (cleaned := clean(value)) is not value:
            found.append((data_set, name, value, _as_it_is if cleaned is None else cleaned))
    return found


def without_chance(data_set: Any, depth: int = DEPTH) -> Any:
    """Returns a data set that reads the same items, those within it too, without chance in its transforms."""
    other = copy.copy(data_set)
    for name, value in list(vars(other).items()):
        if name == "dataset" and depth > 0:
            setattr(other, name, without_chance(value, depth - 1))
        elif name == "datasets" and depth > 0:
            setattr(other, name, [without_chance(one, depth - 1) for one in value])
        elif (cleaned := clean(value)) is not value:
            setattr(other, name, _as_it_is if cleaned is None else cleaned)
    return other


def _as_it_is(image: Any) -> Any:
    """Stands where nothing is left: data sets call their transform without asking whether there is one."""
    return image
