"""A Dataset of its own over a list of files, one folder split by hand, a small class around a frozen trunk's head."""
import glob
import os

import timm
import torch
from PIL import Image
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

torch.manual_seed(7)
DEVICE = "cpu"
EPOCHS = 8
BATCH = 20

paths = sorted(glob.glob("data/*/*/*.png"))
train_paths, valid_paths = train_test_split(paths, test_size=0.6, random_state=0)
CLASSES = sorted({os.path.basename(os.path.dirname(p)) for p in paths})


class ShapesDataset(Dataset):
    def __init__(self, paths, transform=None, classes=None):
        self.paths = paths
        self.transform = transform
        self.label_of = {name: i for i, name in enumerate(classes or CLASSES)}

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, idx):
        path = self.paths[idx]
        image = Image.open(path).convert("RGB")
        label = self.label_of[path.split(os.sep)[-2]]
        if self.transform:
            image = self.transform(image)
        return image, label


to_input = [transforms.Resize((48, 48)), transforms.ToTensor()]
norm = transforms.Normalize(mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
train_transform = transforms.Compose([transforms.RandomHorizontalFlip(), *to_input, norm])
valid_transform = transforms.Compose([*to_input, norm])

train_data = ShapesDataset(train_paths, train_transform)
valid_data = ShapesDataset(valid_paths, valid_transform)
train_loader = DataLoader(train_data, batch_size=BATCH, shuffle=True)
valid_loader = DataLoader(valid_data, batch_size=BATCH, shuffle=False)


class Net(nn.Module):
    def __init__(self, num_classes):
        super().__init__()
        self.backbone = timm.create_model("test_resnet", checkpoint_path="weights.pt")
        width = self.backbone.num_features
        self.backbone.fc = nn.Identity()
        self.classifier = nn.Sequential(nn.Linear(width, 64), nn.ReLU(), nn.Dropout(0.2), nn.Linear(64, num_classes))

    def forward(self, x):
        return self.classifier(self.backbone(x))


model = Net(len(CLASSES)).to(DEVICE)
loss_fn = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)

for epoch in range(EPOCHS):
    epoch_loss = 0
    epoch_accuracy = 0
    model.train()
    for data, label in train_loader:
        data = data.to(DEVICE)
        label = label.to(DEVICE)
        output = model(data)
        loss = loss_fn(output, label)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        acc = (output.argmax(dim=1) == label).float().mean()
        epoch_accuracy += acc / len(train_loader)
        epoch_loss += loss.item() / len(train_loader)

    model.eval()
    with torch.no_grad():
        right = 0
        for data, label in valid_loader:
            val_output = model(data.to(DEVICE))
            right += (val_output.argmax(dim=1) == label.to(DEVICE)).sum().item()
    print(f"Epoch : {epoch + 1} - loss : {epoch_loss:.4f} - acc: {epoch_accuracy:.4f} - val_acc: {right / len(valid_data):.4f}")
