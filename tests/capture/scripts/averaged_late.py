"""An average of the weights that begins late, with update_bn before it is judged."""
import torch
from torch import nn
from torch.optim.swa_utils import SWALR, AveragedModel, update_bn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

torch.manual_seed(0)
tf = transforms.Compose([transforms.Resize((32, 32)), transforms.ToTensor(), transforms.Normalize([0.5] * 3, [0.5] * 3)])
loader = DataLoader(datasets.ImageFolder("data/train", tf), 8, shuffle=True)
test_loader = DataLoader(datasets.ImageFolder("data/val", tf), 8)
model = nn.Sequential(nn.Conv2d(3, 8, 3, 2), nn.BatchNorm2d(8), nn.ReLU(), nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(128, 3))
optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
swa_model = AveragedModel(model)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=3)
swa_start = 1
swa_scheduler = SWALR(optimizer, swa_lr=0.005)
loss_fn = nn.CrossEntropyLoss()


def evaluate(net):
    net.eval()
    with torch.no_grad():
        return sum((net(x).argmax(1) == y).sum().item() for x, y in test_loader) / 24


for epoch in range(3):
    model.train()
    for input, target in loader:
        optimizer.zero_grad()
        loss_fn(model(input), target).backward()
        optimizer.step()
    if epoch > swa_start:
        swa_model.update_parameters(model)
        swa_scheduler.step()
    else:
        scheduler.step()
    print(f"acc {evaluate(model):.4f}")
update_bn(loader, swa_model)
print(f"acc {evaluate(swa_model):.4f}")
