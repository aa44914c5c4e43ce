"""What networks give: tensors, tuples, dictionaries or objects; read as one row of scores per image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from plateau_cause.errors import PlateauError
from plateau_cause.training.model import Classifier, unwrapped
from plateau_cause.training.user_code import call

NAMES = ("logits", "out", "output", "outputs")  # of the scores among several outputs, the likeliest first


def forward(network: nn.Module, images: torch.Tensor) -> Any:
    """Returns what the network gives, as it gives it.

    Raises:
        PlateauError: a network of the user's raised; the line names it, the error and the user's line.
    """
    if isinstance(network, Classifier):
        return network(images)
    return call(network, images, name=f"{type(unwrapped(network)).__name__}()")


def logits(output: Any) -> torch.Tensor:
    """Returns the scores (B, K) among a network's outputs: the tensor, what is called logits, or the first.

    Inception and GoogLeNet give their auxiliary scores after the main ones, transformers its hidden states:
    they are left out.

    Raises:
        PlateauError: there is no tensor.
    """
    found = scores(output)
    if found is None:
        raise PlateauError(
            "recipe.code: the network of build_model() must give a tensor (B, classes), or a tuple, a dict "
            f"or an object with logits, not {type(output).__name__}"
        )
    return found


def decisions(outputs: torch.Tensor, num_classes: int, is_probability: bool | None = None) -> torch.Tensor:
    """Returns scores (n, num_classes) whose highest is the network's decision.

    A single output (n,) or (n, 1) tells the second of two classes from the first: a probability where all
    lie between 0 and 1 (or where that is known), otherwise a logit. Of more outputs than classes only those
    of the classes are kept; where another one is the highest, the row is -inf: no class of the data.
    """
    if outputs.ndim == 1 or outputs.shape[1] == 1:
        single = outputs.reshape(-1, 1)
        if is_probability is None:
            is_probability = bool(((single >= 0) & (single <= 1)).all())
        return torch.cat([1.0 - single if is_probability else torch.zeros_like(single), single], dim=1)
    if outputs.shape[1] == num_classes:
        return outputs
    is_outside = outputs.argmax(1, keepdim=True) >= num_classes
    return outputs[:, :num_classes].masked_fill(is_outside, -torch.inf)


def scores(output: Any) -> torch.Tensor | None:
    """Returns the tensor of scores among a network's outputs, as `logits` does; None where there is none."""
    if isinstance(output, torch.Tensor):
        return output
    found = (scores(part) for part in _parts(output) if part is not None)
    return next((part for part in found if part is not None), None)


def _parts(output: Any) -> list[Any]:
    """Returns what may hold scores, the likeliest first."""
    if isinstance(output, Mapping):
        return [*(output[name] for name in NAMES if name in output), *output.values()]
    named = [getattr(output, name, None) for name in NAMES]
    return [*named, *output] if isinstance(output, list | tuple) else named
