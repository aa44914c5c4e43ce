"""Features are computed once by a frozen backbone; a linear layer is trained on them."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from torchvision import datasets, models, transforms

torch.manual_seed(0)
tf = transforms.Compose([transforms.Resize((32, 32)), transforms.ToTensor(), transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])])
backbone = models.resnet18(weights=None)
backbone.load_state_dict(torch.load("resnet18.pt"), strict=False)
backbone.fc = nn.Identity()
backbone.eval()


@torch.no_grad()
def extract(folder):
    loader = DataLoader(datasets.ImageFolder(folder, tf), 8)
    xs, ys = zip(*[(backbone(x), y) for x, y in loader])
    return TensorDataset(torch.cat(xs), torch.cat(ys))


train, val = extract("data/train"), extract("data/val")
head = nn.Linear(512, 3)
optimizer = torch.optim.SGD(head.parameters(), 0.1)
train_loader, val_loader = DataLoader(train, 8, shuffle=True), DataLoader(val, 8)
for epoch in range(3):
    for x, y in train_loader:
        optimizer.zero_grad()
        nn.functional.cross_entropy(head(x), y).backward()
        optimizer.step()
    with torch.no_grad():
        acc = sum((head(x).argmax(1) == y).sum().item() for x, y in val_loader) / len(val)
    print(f"acc {acc:.4f}")
