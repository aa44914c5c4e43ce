"""ignite: a trainer and an evaluator, a schedule stepped by an event."""
import torch
from torch import nn
from torchvision import datasets, transforms

torch.manual_seed(3)
transform = transforms.Compose([transforms.Resize((20, 20)), transforms.ToTensor(), transforms.Normalize((0.5,) * 3, (0.5,) * 3)])
train_set = datasets.ImageFolder("data/train", transform)
val_set = datasets.ImageFolder("data/val", transform)
from ignite.engine import Events, create_supervised_evaluator, create_supervised_trainer
from ignite.handlers import LRScheduler
from ignite.metrics import Accuracy

train_loader = torch.utils.data.DataLoader(train_set, batch_size=8, shuffle=True)
val_loader = torch.utils.data.DataLoader(val_set, batch_size=8)
net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 3))
optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
trainer = create_supervised_trainer(net, optimizer, nn.CrossEntropyLoss())
evaluator = create_supervised_evaluator(net, metrics={"accuracy": Accuracy()})
trainer.add_event_handler(Events.EPOCH_STARTED, LRScheduler(torch.optim.lr_scheduler.StepLR(optimizer, 2, gamma=0.2)))


@trainer.on(Events.EPOCH_COMPLETED)
def judge(engine):
    evaluator.run(val_loader)
    print(f"acc {evaluator.state.metrics['accuracy']:.4f}")


trainer.run(train_loader, max_epochs=4)
