"""A head that begins as the linear probe's solution (LP-FT, Kumar et al. 2022)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from plateau_cause.errors import PlateauError
from plateau_cause.features.probes import linear_probe
from plateau_cause.lab.arm import Arm
from plateau_cause.training import model
from plateau_cause.training.evaluation import EVALUATION_BATCH
from plateau_cause.training.inputs import Inputs
from plateau_cause.training.outputs import forward
from plateau_cause.training.task import Rows

if TYPE_CHECKING:
    from plateau_cause.lab.laboratory import Laboratory


def solve(lab: Laboratory, arm: Arm, network: nn.Module, inputs: Inputs, linear: nn.Linear | None) -> None:
    """Puts the linear probe's solution into the network's last linear layer, in place.

    Raises:
        PlateauError: there is no such layer.
    """
    if linear is None:
        raise PlateauError(
            "recipe.head.initialization: linear_probe needs a linear layer with an output per class"
        )
    rows = lab.rows(arm)
    if isinstance(network, model.Classifier) and "transform" not in arm.own:
        features = lab.features(arm.recipe.preprocessing, arm.weights)
    else:
        features = _penultimate(network.to(lab.device), linear, inputs, rows, len(lab.dataset.manifest))
    probe = linear_probe(features, lab.dataset.targets, rows.train, rows.val, lab.num_classes)
    with torch.no_grad():
        linear.weight.copy_(torch.from_numpy(probe.weight))
        linear.bias.copy_(torch.from_numpy(probe.bias))


@torch.inference_mode()
def _penultimate(network: nn.Module, linear: nn.Linear, inputs: Inputs, rows: Rows, n: int) -> np.ndarray:
    """Returns what the last linear layer reads (N, D); rows that no split needs stay zero."""
    seen: list[torch.Tensor] = []
    handle = linear.register_forward_pre_hook(lambda _m, arguments: seen.append(arguments[0].float().cpu()))
    features = np.zeros((n, linear.in_features), np.float32)
    network.eval()
    try:
        for batch in torch.from_numpy(np.concatenate([rows.train, rows.val])).split(EVALUATION_BATCH):
            forward(network, inputs.evaluation(batch))
            features[batch.numpy()] = seen.pop().numpy()
    finally:
        handle.remove()
    return features
