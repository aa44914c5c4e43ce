"""Which normalisation the weights of a known network were trained under."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plateau_cause.capture.child import facts
from plateau_cause.capture.child.architecture import architecture

if TYPE_CHECKING:
    from plateau_cause.capture.child.peek import Peek

IMAGENET = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}


def expected(peek: Peek) -> dict[str, list[float]] | None:
    """Returns mean and std of 0..1 images, as timm's own settings or torchvision say; None elsewhere."""
    for call in peek.training:
        found = architecture(facts.unwrapped(call.module)[0])
        if found is not None:
            settings: Any = getattr(found[1], "pretrained_cfg", None) or getattr(found[1], "default_cfg", {})
            told = {name: settings.get(name) for name in ("mean", "std")} if hasattr(settings, "get") else {}
            return (
                {name: list(value) for name, value in told.items()}
                if all(told.values()) and told
                else IMAGENET
            )
    return None
