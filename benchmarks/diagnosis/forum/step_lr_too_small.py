"""StepLR(step_size=1, gamma=1e-3): from the second epoch on the rate is this."""

import torch
from torch import nn


def optimizer(model: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.AdamW(model.parameters(), lr=5e-7)
