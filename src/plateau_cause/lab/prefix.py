"""The frozen prefix of a declared network: its outputs are computed once where that changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from plateau_cause.images.blocks import Gathered
from plateau_cause.lab.arm import Arm
from plateau_cause.training import model
from plateau_cause.training.evaluation import EVALUATION_BATCH
from plateau_cause.training.inputs import CachedInputs, Inputs, PixelInputs

if TYPE_CHECKING:
    from plateau_cause.lab.laboratory import Laboratory


def cached(
    lab: Laboratory, arm: Arm, network: nn.Module, inputs: Inputs, optimizer: torch.optim.Optimizer | None
) -> Inputs:
    """Returns the frozen prefix's outputs in the place of images, where that changes nothing."""
    if not (isinstance(network, model.Classifier) and inputs.is_fixed) or statistics_move(arm):
        return inputs
    if lab.code.on_train_start is not None and "batch_norm" in arm.own and _holds_frozen(optimizer):
        return inputs  # the user's function may thaw later what their optimizer holds already
    depth = _frozen_depth(network)
    if depth == len(network.stages) and isinstance(inputs, PixelInputs):
        activations = torch.from_numpy(lab.features(arm.recipe.preprocessing, arm.weights))
    elif depth >= len(network.stages) - 1:
        activations = _activations(lab, network.stages[:depth], inputs)
    else:
        return inputs
    network.entry = depth
    return CachedInputs(activations.to(lab.device))


def statistics_move(arm: Arm) -> bool:
    """Returns whether frozen batch norms may be in training mode: then no prefix stands still."""
    return arm.recipe.batch_norm == model.TRAIN_FROZEN_TOO or (
        "batch_norm" in arm.own and arm.recipe.batch_norm != "frozen"
    )


def _holds_frozen(optimizer: torch.optim.Optimizer | None) -> bool:
    groups = [] if optimizer is None else optimizer.param_groups
    return any(not parameter.requires_grad for group in groups for parameter in group["params"])


def _frozen_depth(network: model.Classifier) -> int:
    frozen = [not any(p.requires_grad for p in stage.parameters()) for stage in network.stages]
    return frozen.index(False) if False in frozen else len(frozen)


@torch.inference_mode()
def _activations(lab: Laboratory, prefix: nn.Module, inputs: Inputs) -> torch.Tensor:
    prefix.eval()
    found = Gathered(len(lab.dataset.manifest), lab.pixels)
    for batch in torch.arange(len(lab.dataset.manifest)).split(EVALUATION_BATCH):
        found.add(prefix(inputs.evaluation(batch)).cpu().numpy())
    return torch.from_numpy(found.array())
