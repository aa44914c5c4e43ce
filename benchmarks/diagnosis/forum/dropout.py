"""I read that dropout helps against overfitting."""

import timm
import torch
from torch import nn

WEIGHTS = "benchmarks/diagnosis/weights/resnet.pt"


def build_model(num_classes: int) -> nn.Module:
    model = timm.create_model("test_resnet")
    model.load_state_dict(torch.load(WEIGHTS, weights_only=True), strict=False)  # all but the classifier
    model.fc = nn.Sequential(nn.Dropout(0.97), nn.Linear(model.num_features, num_classes))
    return model


def on_train_start(model: nn.Module) -> None:
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()
