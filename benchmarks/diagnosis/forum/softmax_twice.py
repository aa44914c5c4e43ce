"""My model ends in softmax and I train with nn.CrossEntropyLoss; the loss stops falling."""

import timm
import torch
from torch import nn

WEIGHTS = "benchmarks/diagnosis/weights/resnet.pt"


def build_model(num_classes: int) -> nn.Module:
    model = timm.create_model("test_resnet")
    model.load_state_dict(torch.load(WEIGHTS, weights_only=True), strict=False)  # all but the classifier
    model.fc = nn.Sequential(nn.Linear(model.num_features, num_classes), nn.Softmax(dim=1))
    return model


def on_train_start(model: nn.Module) -> None:
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()
