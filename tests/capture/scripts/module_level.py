"""Everything at module level, as an exported notebook: random_split, a Sequential with an nn.Linear at its end."""
import torch
from torch import nn
from torch.utils.data import DataLoader, random_split
from torchvision import datasets, transforms

transform = transforms.Compose([
    transforms.Resize((16, 16)),
    transforms.ToTensor(),
    transforms.Normalize([0.5] * 3, [0.25] * 3),
])
full = datasets.ImageFolder("data/train", transform)
train_set, val_set = random_split(full, [36, 12], torch.Generator().manual_seed(42))
train_loader = DataLoader(train_set, batch_size=6, shuffle=True)
val_loader = DataLoader(val_set, batch_size=6)

# %%
model = nn.Sequential(
    nn.Conv2d(3, 8, 3, stride=2), nn.BatchNorm2d(8), nn.ReLU(), nn.Dropout(0.2),
    nn.Flatten(),
    nn.Linear(8 * 7 * 7, 3),
)
loss_fn = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.002)

# %%
for epoch in range(2):
    model.train()
    for xb, yb in train_loader:
        optimizer.zero_grad()
        loss = loss_fn(model(xb), yb)
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        accuracy = sum((model(xb).argmax(1) == yb).sum().item() for xb, yb in val_loader) / len(val_set)
    print(epoch, accuracy)
