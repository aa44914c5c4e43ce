"""All five functions."""

from pathlib import Path

import timm
import torch
from torch import nn
from torchvision import transforms

WEIGHTS = Path(__file__).parents[2] / "diagnosis/weights/resnet.pt"


def pretrained(num_classes):
    model = timm.create_model("test_resnet", num_classes=num_classes)
    model.load_state_dict(torch.load(WEIGHTS, weights_only=True), strict=False)
    return model


class Net(nn.Module):
    def __init__(self, num_classes):
        super().__init__()
        self.body = pretrained(10)
        for parameter in self.body.layer1.parameters():
            parameter.requires_grad = False
        self.head = nn.Sequential(nn.Linear(96, 64), nn.ReLU(), nn.Dropout(0.3), nn.Linear(64, num_classes))

    def forward(self, x):
        return self.head(self.body.forward_head(self.body.forward_features(x), pre_logits=True))


size, normal = transforms.Resize((48, 48)), transforms.Normalize([0.5] * 3, [0.5] * 3)
augmented = transforms.Compose([size, transforms.RandomAffine(10, (0.1, 0.1)), transforms.ToTensor(), normal])
plain = transforms.Compose([size, transforms.ToTensor(), normal])


def transform(image, train):
    return augmented(image) if train else plain(image)


def build_model(num_classes):
    return Net(num_classes)


def loss(output, target):
    return nn.functional.cross_entropy(output, target, label_smoothing=0.1)


def optimizer(model):
    return torch.optim.NAdam((p for p in model.parameters() if p.requires_grad), lr=1e-3)


def on_train_start(model):
    for module in model.body.layer1.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()
