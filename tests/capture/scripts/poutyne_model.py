"""poutyne: a Model with generators."""
import torch
from torch import nn
from torchvision import datasets, transforms

torch.manual_seed(3)
transform = transforms.Compose([transforms.Resize((20, 20)), transforms.ToTensor(), transforms.Normalize((0.5,) * 3, (0.5,) * 3)])
train_set = datasets.ImageFolder("data/train", transform)
val_set = datasets.ImageFolder("data/val", transform)
from poutyne import Model

train_loader = torch.utils.data.DataLoader(train_set, batch_size=8, shuffle=True)
val_loader = torch.utils.data.DataLoader(val_set, batch_size=8)
net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 3))
model = Model(net, torch.optim.Adam(net.parameters(), lr=0.01), "cross_entropy", batch_metrics=["accuracy"])
model.fit_generator(train_loader, val_loader, epochs=3, progress_options={"coloring": False}, verbose=False)
