"""Flags, one function for an epoch and one for the evaluation: the style of many repositories."""
import argparse
import random

import numpy as np
import timm
import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader
from torchvision import transforms as T
from torchvision.datasets import ImageFolder


def get_args():
    parser = argparse.ArgumentParser(description="Fine-tune a classifier")
    parser.add_argument("--data-root", default="data")
    parser.add_argument("--arch", default="test_resnet")
    parser.add_argument("--weights", default="weights.pt")
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--weight-decay", type=float, default=1e-4)
    parser.add_argument("--linear-probe", action="store_true", help="train the classifier only")
    parser.add_argument("--seed", type=int, default=42)
    return parser.parse_args()


def build_loaders(args):
    mean, std = (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)
    train_tf = T.Compose([T.Resize(52), T.RandomCrop(48), T.ToTensor(), T.Normalize(mean, std)])
    eval_tf = T.Compose([T.Resize(52), T.CenterCrop(48), T.ToTensor(), T.Normalize(mean, std)])
    train_ds = ImageFolder(f"{args.data_root}/train", transform=train_tf)
    val_ds = ImageFolder(f"{args.data_root}/val", transform=eval_tf)
    train_loader = DataLoader(train_ds, args.batch_size, shuffle=True, drop_last=True)
    val_loader = DataLoader(val_ds, 64)
    return train_loader, val_loader, len(train_ds.classes)


def build_model(args, num_classes):
    model = timm.create_model(args.arch, checkpoint_path=args.weights)
    if args.linear_probe:
        model.requires_grad_(False)
    model.reset_classifier(num_classes)
    return model


def train_one_epoch(model, loader, optimizer, scheduler, device):
    model.train()
    total, correct, loss_sum = 0, 0, 0.0
    for images, targets in loader:
        images, targets = images.to(device), targets.to(device)
        optimizer.zero_grad(set_to_none=True)
        logits = model(images)
        loss = F.cross_entropy(logits, targets)
        loss.backward()
        optimizer.step()
        scheduler.step()
        loss_sum += loss.item() * len(images)
        correct += (logits.argmax(1) == targets).sum().item()
        total += len(images)
    return loss_sum / total, correct / total


@torch.no_grad()
def evaluate(model, loader, device):
    model.eval()
    correct = total = 0
    for images, targets in loader:
        logits = model(images.to(device))
        correct += (logits.argmax(1).cpu() == targets).sum().item()
        total += len(targets)
    return correct / total


def main():
    args = get_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    train_loader, val_loader, num_classes = build_loaders(args)
    model = build_model(args, num_classes).to(device)
    params = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(params, lr=args.lr, weight_decay=args.weight_decay)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=args.epochs * len(train_loader))
    for epoch in range(args.epochs):
        loss, train_acc = train_one_epoch(model, train_loader, optimizer, scheduler, device)
        val_acc = evaluate(model, val_loader, device)
        print(f"epoch {epoch + 1:3d} loss {loss:.4f} train {100 * train_acc:.2f}% val {100 * val_acc:.2f}%")
    torch.save(model.state_dict(), "last.pt")


if __name__ == "__main__":
    main()
