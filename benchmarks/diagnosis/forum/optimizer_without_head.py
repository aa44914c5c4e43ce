"""I built the optimizer, then replaced the classifier."""

import torch
from torch import nn


def optimizer(model: nn.Module) -> torch.optim.Optimizer:
    head = {id(parameter) for parameter in list(model.parameters())[-2:]}  # the classifier that came later
    return torch.optim.AdamW([p for p in model.parameters() if id(p) not in head], lr=2e-3)
