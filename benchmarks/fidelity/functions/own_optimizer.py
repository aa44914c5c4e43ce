"""The head learns at fifty times the rate of the body."""

import torch


def optimizer(model):
    names = dict(model.named_parameters())
    head = [parameter for name, parameter in names.items() if name.startswith(("head", "fc"))]
    body = [parameter for name, parameter in names.items() if not name.startswith(("head", "fc"))]
    groups = [{"params": body, "lr": 2e-4}, {"params": head, "weight_decay": 1e-3}]
    return torch.optim.SGD(groups, lr=1e-2, momentum=0.9, nesterov=True)
