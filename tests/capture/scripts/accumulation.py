"""Gradient accumulation under autocast, with a scaler and clipping; images are read by torchvision.io."""
import glob
import os

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset
from torchvision.io import read_image
from torchvision.transforms import v2

CLASSES = sorted(os.listdir("data/train"))


class Images(Dataset):
    def __init__(self, split, transform):
        self.files = sorted(glob.glob(f"data/{split}/*/*.png"))
        self.transform = transform

    def __len__(self):
        return len(self.files)

    def __getitem__(self, i):
        image = self.transform(read_image(self.files[i]))
        return {"image": image, "label": CLASSES.index(self.files[i].split(os.sep)[-2])}


def main(accumulation=2, epochs=2):
    torch.manual_seed(11)
    tf = v2.Compose([v2.Resize((24, 24)), v2.ToDtype(torch.float32, scale=True), v2.Normalize([0.5] * 3, [0.5] * 3)])
    train_dl = DataLoader(Images("train", tf), batch_size=4, shuffle=True)
    val_dl = DataLoader(Images("val", tf), batch_size=8)
    model = nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=2), nn.GroupNorm(2, 8), nn.ReLU(), nn.Conv2d(8, 16, 3, stride=2), nn.BatchNorm2d(16),
        nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 3),
    )
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    scaler = torch.amp.GradScaler("cpu", enabled=False)
    criterion = nn.CrossEntropyLoss()
    for epoch in range(epochs):
        model.train()
        optimizer.zero_grad()
        for step, batch in enumerate(train_dl):
            with torch.autocast("cpu", dtype=torch.bfloat16):
                logits = model(batch["image"])
                loss = criterion(logits, batch["label"]) / accumulation
            scaler.scale(loss).backward()
            if (step + 1) % accumulation == 0:
                scaler.unscale_(optimizer)
                nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                scaler.step(optimizer)
                scaler.update()
                optimizer.zero_grad()
        model.eval()
        hits = 0
        with torch.no_grad():
            for batch in val_dl:
                hits += (model(batch["image"]).argmax(1) == batch["label"]).sum().item()
        print(epoch, hits / len(val_dl.dataset))


main()
