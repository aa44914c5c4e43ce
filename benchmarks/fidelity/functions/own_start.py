"""The batch norms of a frozen body train at a high momentum."""

from torch import nn


def on_train_start(model):
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 0.5
