"""Batch norms around a trained network: their running statistics move as those of a batch do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from plateau_cause.training import model


def follow(network: nn.Module, moved: Sequence[nn.Parameter]) -> None:
    """Lets the running statistics of the batch norms that were moved follow the batch that passes.

    The first batch is the one that belongs to the running statistics as they are: under the same weights it
    finds them unchanged. Under other weights the mean moves by as much as the batch's, the variance by the
    same factor.
    """
    ours = {id(parameter) for parameter in moved}
    for module in network.modules():
        is_moved = any(id(parameter) in ours for parameter in module.parameters(recurse=False))
        if isinstance(module, model.BATCH_NORMS) and is_moved and module.running_mean is not None:
            module.register_forward_pre_hook(_Followed(module))


class _Followed:
    """Sets a batch norm's statistics before each pass."""

    def __init__(self, module: Any) -> None:
        self.running = module.running_mean.clone(), module.running_var.clone()
        self.first: tuple[torch.Tensor, torch.Tensor] | None = None

    @torch.no_grad()
    def __call__(self, module: Any, inputs: tuple[torch.Tensor, ...]) -> None:
        batch = inputs[0]
        var, mean = torch.var_mean(batch, [0, *range(2, batch.ndim)], correction=0)
        if self.first is None:
            self.first = mean, var
        own_mean, own_var = self.running
        grown = (var + module.eps) / (self.first[1] + module.eps)
        module.running_mean.copy_(own_mean + (mean - self.first[0]))
        module.running_var.copy_((own_var + module.eps) * grown - module.eps)
