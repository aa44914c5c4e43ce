"""One-hot labels from __getitem__, BCE over them; accuracy by argmax on both sides."""
import os
import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, Dataset

CLASSES = sorted(os.listdir("data/train"))


class Pictures(Dataset):
    def __init__(self, split, augment):
        self.items = [(os.path.join("data", split, c, f), i) for i, c in enumerate(CLASSES) for f in sorted(os.listdir(f"data/{split}/{c}"))]
        self.augment = augment

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        path, label = self.items[i]
        img = Image.open(path).convert("RGB").resize((20, 20))
        x = np.asarray(img).astype("float32") / 127.5 - 1
        if self.augment and np.random.rand() < 0.5:
            x = x[:, ::-1].copy()
        y = np.zeros(len(CLASSES), dtype="float32")
        y[label] = 1
        return {"image": x.transpose(2, 0, 1), "target": y, "path": path}


torch.manual_seed(0)
train_dl = DataLoader(Pictures("train", True), batch_size=8, shuffle=True)
val_dl = DataLoader(Pictures("val", False), batch_size=8)
model = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Dropout(0.2), nn.Linear(128, 3))
criterion = nn.BCEWithLogitsLoss()
optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-3)
for epoch in range(2):
    model.train()
    tr_hit = 0
    for batch in train_dl:
        optimizer.zero_grad()
        out = model(batch["image"])
        loss = criterion(out, batch["target"])
        loss.backward()
        optimizer.step()
        tr_hit += (out.argmax(1) == batch["target"].argmax(1)).sum().item()
    model.eval()
    hit = 0
    with torch.no_grad():
        for batch in val_dl:
            hit += (model(batch["image"]).argmax(1) == batch["target"].argmax(1)).sum().item()
    print(f"train Acc: {tr_hit / 48:.4f} val Acc: {hit / 24:.4f}")
