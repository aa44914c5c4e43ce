"""What a peek leaves beside its document: initial weights, images with their tensors, pickled pieces."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from plateau_cause.capture.child.describe.samples import Sampled

if TYPE_CHECKING:
    from plateau_cause.capture.child.peek import Peek

PAIRS = 8  # images kept per loader


def write(out: Path, peek: Peek, data: list[Sampled]) -> dict[str, Any]:
    """Writes the pieces into a folder, and returns their file names.

    `weights.pt`: state dicts before the first training step, one per part of the model. `images/`: for each
    loader some raw images as PNG and the tensors that follow from them, one `.npy` each.
    """
    images = [_write_pairs(out, number, one) for number, one in enumerate(data)]
    return {"weights": _write_weights(out, peek), "images": images}


def _write_weights(out: Path, peek: Peek) -> str | None:
    import torch

    states = [peek.initial[id(one.module)][1] for one in peek.training if id(one.module) in peek.initial]
    if not states:
        return None
    save = getattr(torch.save, "__wrapped__", torch.save)
    save(states, out / "weights.pt")
    return "weights.pt"


def _write_pairs(out: Path, number: int, data: Sampled) -> str | None:
    import numpy as np
    from PIL import Image

    kept = [one for one in data.seen if one.tensor is not None][:PAIRS]
    if not kept:
        return None
    folder = (
        out
        / "images"
        / f"{number}_{''.join(c if c.isalnum() else '_' for c in data.loader.name or 'loader')}"
    )
    folder.mkdir(parents=True, exist_ok=True)
    for one in kept:
        np.save(folder / f"{one.index}.npy", one.tensor.float().numpy())
        if one.raw is not None and one.raw.image is not None:
            Image.fromarray(one.raw.image).save(folder / f"{one.index}.png")
    return str(folder.relative_to(out))
