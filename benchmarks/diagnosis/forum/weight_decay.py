"""weight_decay=0.5 copied from somewhere, with SGD."""

import torch
from torch import nn


def optimizer(model: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9, weight_decay=0.5)
