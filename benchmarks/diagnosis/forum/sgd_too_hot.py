"""SGD with the learning rate of training from scratch, on a pretrained network."""

import torch
from torch import nn


def optimizer(model: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.SGD(model.parameters(), lr=0.5, momentum=0.9)
