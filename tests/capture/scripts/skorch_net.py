"""skorch: a classifier with a schedule among its callbacks."""
import torch
from torch import nn
from torchvision import datasets, transforms

torch.manual_seed(3)
transform = transforms.Compose([transforms.Resize((20, 20)), transforms.ToTensor(), transforms.Normalize((0.5,) * 3, (0.5,) * 3)])
train_set = datasets.ImageFolder("data/train", transform)
val_set = datasets.ImageFolder("data/val", transform)
from skorch import NeuralNetClassifier
from skorch.callbacks import LRScheduler
from skorch.helper import predefined_split

net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 3))
classifier = NeuralNetClassifier(
    net, criterion=nn.CrossEntropyLoss, optimizer=torch.optim.Adam, lr=0.01, max_epochs=4, batch_size=8, classes=[0, 1, 2],
    iterator_train__shuffle=True, train_split=predefined_split(val_set), verbose=0,
    callbacks=[LRScheduler(policy=torch.optim.lr_scheduler.CosineAnnealingLR, T_max=4)],
)
classifier.fit(train_set, y=None)
print(classifier.history[:, "valid_acc"])
