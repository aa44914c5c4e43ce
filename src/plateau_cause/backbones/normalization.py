"""Which normalisation layers a network holds: only batch norm remembers what it has seen."""

from __future__ import annotations

from collections import Counter

from torch import nn

KINDS = ("batch", "layer", "group", "instance", "rms")


def normalizations(module: nn.Module) -> dict[str, int]:
    """Returns how many layers of each kind there are, such as {"batch": 20}; kinds without any are left out.

    Libraries subclass torch's layers or write their own (timm's BatchNormAct2d, torchvision's
    FrozenBatchNorm2d, RmsNorm): the kind is in the name of the class or of one that it derives from.
    """
    found = Counter(kind for part in module.modules() if (kind := _kind(part)) is not None)
    return {kind: found[kind] for kind in KINDS if found[kind]}


def _kind(module: nn.Module) -> str | None:
    names = [cls.__name__.lower() for cls in type(module).__mro__]
    return next((kind for kind in KINDS for name in names if f"{kind}norm" in name), None)
