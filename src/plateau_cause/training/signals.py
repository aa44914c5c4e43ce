"""What training tells about itself: gradient norm and update ratio per block."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True)
class BlockSignal:
    """One block at one step.

    Attributes:
        gradient_norm: L2 norm of the gradient; 0 where no gradient arrived.
        update_ratio: L2 norm of the step's change over that of the weights, about 1e-3 in healthy training.
    """

    block: str
    gradient_norm: float
    update_ratio: float


Blocks = list[tuple[str, list[nn.Parameter]]]


def snapshot(blocks: Blocks) -> list[list[torch.Tensor]]:
    """Returns copies of the weights, block by block."""
    return [[parameter.detach().clone() for parameter in group] for _, group in blocks]


def compare(blocks: Blocks, before: list[list[torch.Tensor]]) -> list[BlockSignal]:
    """Returns one signal per block for the step between the snapshot and now."""
    return [_signal(name, group, old) for (name, group), old in zip(blocks, before, strict=True)]


def _signal(name: str, group: list[nn.Parameter], old: list[torch.Tensor]) -> BlockSignal:
    gradients = [parameter.grad for parameter in group if parameter.grad is not None]
    moved = _norm([new.detach() - previous for new, previous in zip(group, old, strict=True)])
    return BlockSignal(name, _norm(gradients), moved / max(_norm(old), 1e-12))


def _norm(tensors: list[torch.Tensor]) -> float:
    if not tensors:
        return 0.0
    return float(
        torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(t.float()) for t in tensors]))
    )
