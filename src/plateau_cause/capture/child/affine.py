"""Images from one normalisation into another."""

from __future__ import annotations

from typing import Any

from plateau_cause.capture.child.call import Call


def affine(call: Call, settings: dict[str, Any]) -> bool:
    """Changes the images that a call is given to `x * scale + shift`; returns whether there were any.

    Args:
        call: that is about to happen.
        settings: `scale` and `shift`, one number per channel of the result; `flips`: whether red and blue
            are exchanged first.
    """
    scale, shift = settings["scale"], settings["shift"]

    def change(images: Any) -> Any:
        if settings.get("flips"):
            images = images.flip(1)
        shape = (1, len(scale), 1, 1)
        return images * images.new_tensor(scale).view(shape) + images.new_tensor(shift).view(shape)

    return call.change_images(len(scale), change)
