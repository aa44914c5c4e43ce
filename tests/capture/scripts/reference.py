"""torchvision's reference style: param groups without decay for norms, warmup by SequentialLR, argparse, sampler."""
import argparse

import torch
import torchvision
from torch import nn
from torchvision.transforms import v2 as T


def get_args_parser():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data-path", default="data")
    parser.add_argument("--epochs", default=2, type=int)
    parser.add_argument("--lr", default=0.02, type=float)
    parser.add_argument("--norm-weight-decay", default=0.0, type=float)
    return parser


def preset(train):
    steps = [T.Resize((24, 24))]
    if train:
        steps += [T.RandomHorizontalFlip()]
    steps += [T.ToImage(), T.ToDtype(torch.float, scale=True)]
    steps += [T.Normalize(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))]
    return T.Compose(steps)


def set_weight_decay(model, decay, norm_decay):
    norms, others = [], []
    for module in model.modules():
        for parameter in module.parameters(recurse=False):
            (norms if isinstance(module, nn.BatchNorm2d) else others).append(parameter)
    return [{"params": norms, "weight_decay": norm_decay}, {"params": others, "weight_decay": decay}]


def train_one_epoch(model, criterion, optimizer, data_loader):
    model.train()
    for image, target in data_loader:
        output = model(image)
        loss = criterion(output, target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def evaluate(model, criterion, data_loader):
    model.eval()
    hits = 0
    with torch.inference_mode():
        for image, target in data_loader:
            output = model(image)
            criterion(output, target)
            hits += (output.argmax(1) == target).sum().item()
    return hits / len(data_loader.dataset)


def main(args):
    torch.manual_seed(0)
    dataset = torchvision.datasets.ImageFolder(f"{args.data_path}/train", preset(True))
    dataset_test = torchvision.datasets.ImageFolder(f"{args.data_path}/val", preset(False))
    train_sampler = torch.utils.data.RandomSampler(dataset)
    test_sampler = torch.utils.data.SequentialSampler(dataset_test)
    data_loader = torch.utils.data.DataLoader(dataset, batch_size=8, sampler=train_sampler)
    data_loader_test = torch.utils.data.DataLoader(dataset_test, batch_size=8, sampler=test_sampler)
    model = torchvision.models.shufflenet_v2_x0_5(num_classes=3)
    criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
    parameters = set_weight_decay(model, 1e-4, args.norm_weight_decay)
    optimizer = torch.optim.SGD(parameters, lr=args.lr, momentum=0.9)
    main_lr_scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=args.epochs)
    warmup = torch.optim.lr_scheduler.LinearLR(optimizer, start_factor=0.5, total_iters=1)
    lr_scheduler = torch.optim.lr_scheduler.SequentialLR(optimizer, [warmup, main_lr_scheduler], milestones=[1])
    for epoch in range(args.epochs):
        train_one_epoch(model, criterion, optimizer, data_loader)
        lr_scheduler.step()
        print(f"Acc@1 {evaluate(model, criterion, data_loader_test):.3f}")


if __name__ == "__main__":
    main(get_args_parser().parse_args())
