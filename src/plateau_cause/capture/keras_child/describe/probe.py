"""One batch through the model, looked at: what reaches its pretrained part, what comes out."""

from __future__ import annotations

from typing import Any

from plateau_cause.capture.keras_child import library
from plateau_cause.capture.keras_child.describe.base import Base
from plateau_cause.capture.keras_child.doors import Doors


def probe(doors: Doors, model: Any, base: Base | None, x: Any) -> dict[str, Any]:
    """Returns what one batch does in a model as it is evaluated: images given, images at the base, output.

    Returns:
        given, entering (facts of images, see `picture_facts`; entering is None without a base) and output
        (an array (N, C)).
    """
    from plateau_cause.capture.keras_child.nested import arrays, picture

    entering: list[Any] = []
    entry = {id(one) for one in base.entry} if base else set()

    def tap(layer: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        if id(layer) in entry and not entering:
            given = arguments[0] if arguments else named.get("inputs")
            if not library.is_symbolic(given):
                entering.append(arrays(given))
        return arguments, named

    doors.taps.append(tap)
    try:
        output = arrays(model(x, training=False))
    finally:
        doors.taps.remove(tap)
    return {
        "given": picture_facts(picture(x)),
        "entering": picture_facts(picture(entering[0])) if entering else None,
        "output": output if hasattr(output, "ndim") else None,
    }


def picture_facts(images: Any) -> dict[str, Any]:
    """Returns size, range and moments of a batch of images (N, H, W, C), or of any other shape."""
    import numpy as np

    numbers = np.asarray(images, np.float32)
    facts = {"shape": list(images.shape), "dtype": str(images.dtype),
             "least": float(numbers.min()), "most": float(numbers.max())}  # fmt: skip
    channels = numbers.reshape(-1, numbers.shape[-1]) if numbers.ndim == 4 else numbers.reshape(-1, 1)
    return facts | {"mean": channels.mean(0).tolist(), "std": channels.std(0).tolist()}


def form(output: Any) -> str | None:
    """Returns what an output (N, C) looks like: logits, probabilities, or one probability each."""
    import numpy as np

    if output is None or output.ndim != 2 or not np.isfinite(output).all():
        return None
    if output.min() < 0 or output.max() > 1 + 1e-5:
        return "logits"
    if output.shape[1] > 1 and np.abs(output.sum(1) - 1).max() < 1e-3:
        return "probabilities"
    return "between 0 and 1"
