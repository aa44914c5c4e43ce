"""Only the classifier is trained, yet the frozen backbone drifts (model.train() at each epoch)."""

import timm
import torch
from torch import nn

WEIGHTS = "benchmarks/diagnosis/weights/resnet.pt"


def build_model(num_classes: int) -> nn.Module:
    model = timm.create_model("test_resnet")
    model.load_state_dict(torch.load(WEIGHTS, weights_only=True), strict=False)  # all but the classifier
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 0.9
    for parameter in model.parameters():
        parameter.requires_grad = False
    model.fc = nn.Linear(model.num_features, num_classes)
    return model
