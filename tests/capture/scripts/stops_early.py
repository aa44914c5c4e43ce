"""EarlyStopping, the best weights again, three sets, a schedule by validation loss."""
import copy
import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, random_split
from torchvision import datasets, models, transforms


class EarlyStopping:
    def __init__(self, patience=2, delta=0, path='checkpoint.pt'):
        self.patience, self.delta, self.path = patience, delta, path
        self.counter, self.best_score, self.early_stop = 0, None, False

    def __call__(self, val_loss, model):
        score = -val_loss
        if self.best_score is None or score >= self.best_score + self.delta:
            self.best_score = score
            self.counter = 0
            self.state = copy.deepcopy(model.state_dict())
            torch.save(model.state_dict(), self.path)
        else:
            self.counter += 1
            self.early_stop = self.counter >= self.patience


device = 'cpu'
tf = transforms.Compose([transforms.Resize((32, 32)), transforms.ToTensor(), transforms.Normalize((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))])
full = datasets.ImageFolder('data/train', transform=tf)
n_val = int(0.25 * len(full))
train_data, valid_data = random_split(full, [len(full) - n_val, n_val], generator=torch.Generator().manual_seed(3))
test_data = datasets.ImageFolder('data/test', transform=tf)
train_loader = DataLoader(train_data, batch_size=6, shuffle=True, num_workers=0)
valid_loader = DataLoader(valid_data, batch_size=6)
test_loader = DataLoader(test_data, batch_size=6)
torch.manual_seed(0)
model = models.shufflenet_v2_x0_5(weights=None)
model.fc = nn.Linear(model.fc.in_features, 3)
if torch.cuda.device_count() > 1:
    model = nn.DataParallel(model)
model.to(device)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(filter(lambda p: p.requires_grad, model.parameters()), lr=0.001)
scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, mode='min', factor=0.5, patience=1)
stopper = EarlyStopping(patience=2)
for epoch in range(1, 40 + 1):
    train_losses, valid_losses = [], []
    model.train()
    for batch, (data, target) in enumerate(train_loader, 1):
        optimizer.zero_grad()
        output = model(data)
        loss = criterion(output, target)
        loss.backward()
        optimizer.step()
        train_losses.append(loss.item())
    model.eval()
    hit = 0
    for data, target in valid_loader:
        output = model(data)
        loss = criterion(output, target)
        valid_losses.append(loss.item())
        hit += (output.argmax(1) == target).sum().item()
    scheduler.step(np.average(valid_losses))
    print(f'acc {hit / len(valid_data):.4f}')
    stopper(np.average(valid_losses), model)
    if stopper.early_stop:
        print("Early stopping")
        break
model.load_state_dict(stopper.state)
model.eval()
hit = 0
with torch.no_grad():
    for data, target in test_loader:
        hit += (model(data).argmax(1) == target).sum().item()
print(f'acc {hit / len(test_data):.4f}')
