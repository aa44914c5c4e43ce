"""Two outputs in training and a sum of two losses, torch.compile, accuracy from scikit-learn."""
import torch
from sklearn.metrics import accuracy_score
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms


class Aux(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.ReLU())
        self.aux = nn.Linear(8, 3)
        self.more = nn.Sequential(nn.Conv2d(8, 16, 3, 2, 1), nn.BatchNorm2d(16), nn.ReLU())
        self.fc = nn.Linear(16, 3)

    def forward(self, x):
        a = self.body(x)
        b = self.fc(self.more(a).mean((2, 3)))
        if self.training:
            return b, self.aux(a.mean((2, 3)))
        return b


def evaluate(model, loader):
    model.eval()
    ys, ps = [], []
    with torch.no_grad():
        for x, y in loader:
            ps += model(x).softmax(-1).argmax(-1).tolist()
            ys += y.tolist()
    return {"accuracy": accuracy_score(ys, ps)}


torch.manual_seed(0)
tf = transforms.Compose([transforms.Resize(24), transforms.ToTensor(), transforms.Normalize([0.5] * 3, [0.5] * 3)])
train_loader = DataLoader(datasets.ImageFolder("data/train", tf), 8, shuffle=True)
val_loader = DataLoader(datasets.ImageFolder("data/val", tf), 8)
test_loader = DataLoader(datasets.ImageFolder("data/test", tf), 8)
net = Aux()
model = torch.compile(net, backend="eager")
loss_fn = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), 1e-2)
for epoch in range(2):
    model.train()
    for x, y in train_loader:
        out, aux = model(x)
        loss = loss_fn(out, y) + 0.3 * loss_fn(aux, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print("acc", round(evaluate(model, val_loader)["accuracy"], 4))
print("acc", round(evaluate(net, test_loader)["accuracy"], 4))
