"""weight_decay=50 copied from a place where it was divided by the number of images."""

import torch
from torch import nn


def optimizer(model: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=50.0)
