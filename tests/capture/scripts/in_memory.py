"""Arrays in memory, TensorDataset, one output for two classes; evaluation with gradients on; several workers none."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

rng = np.random.default_rng(0)
labels = np.arange(64) % 2
images = (rng.normal(0, 1, (64, 1, 12, 12)) + labels[:, None, None, None] * 0.8).astype("float32")
x, y = torch.from_numpy(images), torch.from_numpy(labels).float()
train_loader = DataLoader(TensorDataset(x[:48], y[:48]), batch_size=16, shuffle=True)
test_loader = DataLoader(TensorDataset(x[48:], y[48:]), batch_size=16)


class SmallNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 6, 3)
        self.norm = nn.BatchNorm2d(6)
        self.drop = nn.Dropout(0.1)
        self.out = nn.Linear(6, 1)

    def forward(self, x):
        x = torch.relu(self.norm(self.conv(x)))
        x = self.drop(x.mean((2, 3)))
        return self.out(x)


torch.manual_seed(9)
net = SmallNet()
criterion = nn.BCEWithLogitsLoss()
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
n_epochs = 2
for epoch in range(n_epochs):
    net.train()
    for xb, yb in train_loader:
        logits = net(xb).squeeze(1)
        loss = criterion(logits, yb)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    net.eval()
    hits = 0
    for xb, yb in test_loader:
        hits += ((net(xb).squeeze(1) > 0).float() == yb).sum().item()
    print(epoch, hits / 16)
