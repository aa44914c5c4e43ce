"""A trainer class in a script beside modules called utils, model and transforms; a frozen first layer? none."""
import torch
from model import build
from transforms import eval_transform, train_transform
from utils import AverageMeter, accuracy

from torchvision.datasets import ImageFolder


class Trainer:
    def __init__(self, epochs=2):
        self.train_loader = torch.utils.data.DataLoader(ImageFolder("data/train", train_transform), 8, shuffle=True)
        self.val_loader = torch.utils.data.DataLoader(ImageFolder("data/val", eval_transform), 8)
        self.model = torch.compile(build(3), backend="eager")
        self.criterion = torch.nn.NLLLoss()
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.02, momentum=0.9, nesterov=True)
        self.epochs = epochs

    def run(self):
        for self.epoch in range(self.epochs):
            self.train()
            print(self.epoch, self.validate())

    def train(self):
        self.model.train()
        for images, labels in self.train_loader:
            loss = self.criterion(self.model(images), labels)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()

    def validate(self):
        meter = AverageMeter()
        self.model.eval()
        with torch.no_grad():
            for images, labels in self.val_loader:
                meter.update(accuracy(self.model(images), labels), len(labels))
        return meter.average


if __name__ == "__main__":
    torch.manual_seed(8)
    Trainer().run()
