"""Functions and a main guard; the model's optimizer is built by a helper; a validation that is a function."""
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms
from torchvision.models import mobilenet_v3_small

NORMALIZE = transforms.Normalize((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


def get_loaders(batch_size):
    train_tf = transforms.Compose([transforms.Resize(32), transforms.RandomCrop(28), transforms.ToTensor(), NORMALIZE])
    test_tf = transforms.Compose([transforms.Resize(32), transforms.CenterCrop(28), transforms.ToTensor(), NORMALIZE])
    train_set = datasets.ImageFolder("data/train", transform=train_tf)
    test_set = datasets.ImageFolder("data/val", transform=test_tf)
    return DataLoader(train_set, batch_size, shuffle=True), DataLoader(test_set, batch_size)


def build_model(num_classes):
    net = mobilenet_v3_small(num_classes=num_classes)
    return net


def configure(net):
    return torch.optim.AdamW(net.parameters(), lr=1e-3, weight_decay=0.01)


def train(net, loader, opt):
    net.train()
    for x, y in loader:
        out = net(x)
        loss = F.cross_entropy(out, y)
        opt.zero_grad()
        loss.backward()
        opt.step()


def test(net, loader):
    net.eval()
    correct = 0
    with torch.inference_mode():
        for x, y in loader:
            correct += (net(x).argmax(dim=1) == y).sum().item()
    return correct / len(loader.dataset)


def main():
    torch.manual_seed(1)
    net = build_model(3)
    opt = configure(net)
    train_loader, test_loader = get_loaders(8)
    for epoch in range(1, 3):
        train(net, train_loader, opt)
        print(f"epoch {epoch}: test accuracy {test(net, test_loader):.3f}")


if __name__ == "__main__":
    main()
