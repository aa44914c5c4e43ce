"""Layers that drop features or whole paths at random while a model trains."""

from __future__ import annotations

from typing import Any

PATHS = ("DropPath", "StochasticDepth")  # what names end in: of timm, Hugging Face, torchvision


def share_of(module: Any) -> str | None:
    """Returns which attribute of a module says how much it drops; None where it drops nothing."""
    from torch.nn.modules.dropout import _DropoutNd

    drops = isinstance(module, _DropoutNd) or type(module).__name__.endswith(PATHS)
    return next((name for name in ("p", "drop_prob") if drops and getattr(module, name, None)), None)
