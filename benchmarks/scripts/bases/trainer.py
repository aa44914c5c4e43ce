"""A Trainer class with a config, warm-up and cosine, gradient clipping, early stopping, a test at the end."""
from dataclasses import dataclass
from pathlib import Path

import timm
import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision.datasets import ImageFolder
from torchvision.transforms import v2


@dataclass
class Config:
    root: Path = Path("data")
    size: int = 48
    batch_size: int = 24
    epochs: int = 12
    base_lr: float = 0.02
    warmup_epochs: int = 1
    patience: int = 6
    smoothing: float = 0.1
    clip: float = 5.0


def make_transform(cfg, train):
    ops = [v2.ToImage(), v2.Resize((cfg.size, cfg.size), antialias=True)]
    if train:
        ops.append(v2.RandomHorizontalFlip(0.5))
    ops += [v2.ToDtype(torch.float32, scale=True)]
    ops += [v2.Normalize([0.5] * 3, [0.5] * 3)]
    return v2.Compose(ops)


class Trainer:
    def __init__(self, cfg):
        self.cfg = cfg
        self.train_set = ImageFolder(cfg.root / "train", make_transform(cfg, True))
        self.val_set = ImageFolder(cfg.root / "val", make_transform(cfg, False))
        self.train_loader = DataLoader(self.train_set, cfg.batch_size, shuffle=True)
        self.val_loader = DataLoader(self.val_set, 100)
        self.model = timm.create_model("test_resnet")
        state = torch.load("weights.pt", map_location="cpu")
        self.model.load_state_dict(state)
        self.model.fc = nn.Linear(self.model.fc.in_features, len(self.train_set.classes))
        self.criterion = nn.CrossEntropyLoss(label_smoothing=cfg.smoothing)
        self.optimizer = torch.optim.SGD(self.model.parameters(), cfg.base_lr, momentum=0.9, nesterov=True)
        steps = len(self.train_loader)
        warm = torch.optim.lr_scheduler.LinearLR(self.optimizer, 0.1, total_iters=cfg.warmup_epochs * steps)
        rest = torch.optim.lr_scheduler.CosineAnnealingLR(self.optimizer, (cfg.epochs - cfg.warmup_epochs) * steps)
        self.scheduler = torch.optim.lr_scheduler.SequentialLR(self.optimizer, [warm, rest], [cfg.warmup_epochs * steps])

    def run(self):
        best, bad = 0.0, 0
        for epoch in range(self.cfg.epochs):
            self.train_epoch()
            accuracy = self.validate()
            print(f"[{epoch}] val_acc={accuracy:.4f}")
            if accuracy > best:
                best, bad = accuracy, 0
                torch.save({"model": self.model.state_dict(), "epoch": epoch}, "best.pt")
            else:
                bad += 1
                if bad >= self.cfg.patience:
                    break
        self.model.load_state_dict(torch.load("best.pt")["model"])
        print(f"final accuracy: {self.validate():.4f}")

    def train_epoch(self):
        self.model.train()
        for x, y in self.train_loader:
            loss = self.criterion(self.model(x), y)
            self.optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(self.model.parameters(), self.cfg.clip)
            self.optimizer.step()
            self.scheduler.step()

    @torch.inference_mode()
    def validate(self):
        self.model.eval()
        hits = [(self.model(x).argmax(1) == y).float() for x, y in self.val_loader]
        return torch.cat(hits).mean().item()


if __name__ == "__main__":
    torch.manual_seed(3)
    Trainer(Config()).run()
