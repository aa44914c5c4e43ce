"""The average of the weights is what is evaluated."""
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torchvision import datasets, transforms


class Classifier(nn.Module):
    def __init__(self, backbone, classes):
        super().__init__()
        self.backbone = backbone
        self.fc = nn.Linear(16, classes)

    def forward(self, x):
        return self.fc(self.backbone(x).flatten(1))


def transform(train):
    steps = [transforms.Resize((20, 20))]
    if train:
        steps.append(transforms.RandomHorizontalFlip())
    steps += [transforms.ToTensor(), transforms.Normalize((0.5,) * 3, (0.5,) * 3)]
    return transforms.Compose(steps)


torch.manual_seed(4)
train_data = datasets.ImageFolder("data/train", transform(True))
val_data = datasets.ImageFolder("data/val", transform(False))
train_iter = torch.utils.data.DataLoader(train_data, batch_size=8, shuffle=True)
val_iter = torch.utils.data.DataLoader(val_data, batch_size=8)
backbone = nn.Sequential(nn.Conv2d(3, 16, 3), nn.BatchNorm2d(16), nn.ReLU(), nn.AdaptiveAvgPool2d(1))
model = Classifier(backbone, 3)
ema_model = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.5), use_buffers=True)
optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-3)

for epoch in range(2):
    for x, y in train_iter:
        optimizer.zero_grad()
        loss = nn.CrossEntropyLoss()(model(x), y)
        loss.backward()
        optimizer.step()
        ema_model.update_parameters(model)
    ema_model.eval()
    hits = 0
    with torch.no_grad():
        for x, y in val_iter:
            hits += (ema_model(x).argmax(1) == y).sum().item()
    print(hits / len(val_data))
