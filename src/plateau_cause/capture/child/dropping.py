"""Layers that drop features or whole paths at random while a model trains."""

from __future__ import annotations

from typing import Any

SHARES = {"DropPath": "drop_prob", "StochasticDepth": "p"}  # timm's and torchvision's, by their names


def share_of(module: Any) -> str | None:
    """Returns which attribute of a module says how much it drops; None where it drops nothing."""
    from torch.nn.modules.dropout import _DropoutNd

    name = "p" if isinstance(module, _DropoutNd) else SHARES.get(type(module).__name__)
    return name if name is not None and getattr(module, name, None) else None
