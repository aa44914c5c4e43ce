"""Cats and dogs: one output, labels from file names, transforms in the data set by phase, no training at epoch 0."""
import glob
import os.path as osp
import random
import numpy as np
import torch
import torch.nn as nn
import torch.optim as optim
import torch.utils.data as data
from PIL import Image
from torchvision import models, transforms
from tqdm import tqdm

torch.manual_seed(1234)
np.random.seed(1234)
random.seed(1234)


class ImageTransform():
    def __init__(self, resize, mean, std):
        self.data_transform = {
            'train': transforms.Compose([
                transforms.RandomResizedCrop(resize, scale=(0.5, 1.0)),
                transforms.RandomHorizontalFlip(),
                transforms.ToTensor(),
                transforms.Normalize(mean, std)
            ]),
            'val': transforms.Compose([
                transforms.Resize(resize),
                transforms.CenterCrop(resize),
                transforms.ToTensor(),
                transforms.Normalize(mean, std)
            ])
        }

    def __call__(self, img, phase='train'):
        return self.data_transform[phase](img)


def make_datapath_list(phase="train"):
    return sorted(glob.glob(osp.join("data", phase, "[ab]*", "*.png")))


class CatsDogs(data.Dataset):
    def __init__(self, file_list, transform=None, phase='train'):
        self.file_list = file_list
        self.transform = transform
        self.phase = phase

    def __len__(self):
        return len(self.file_list)

    def __getitem__(self, index):
        img_path = self.file_list[index]
        img = Image.open(img_path)
        img_transformed = self.transform(img, self.phase)
        label = 1.0 if "blue" in img_path else 0.0
        return img_transformed, label


size = 32
mean = (0.485, 0.456, 0.406)
std = (0.229, 0.224, 0.225)
train_dataset = CatsDogs(make_datapath_list("train"), ImageTransform(size, mean, std), 'train')
val_dataset = CatsDogs(make_datapath_list("val"), ImageTransform(size, mean, std), 'val')
dataloaders_dict = {
    "train": data.DataLoader(train_dataset, batch_size=8, shuffle=True),
    "val": data.DataLoader(val_dataset, batch_size=8, shuffle=False),
}
net = models.mobilenet_v2(weights=None)
net.classifier[1] = nn.Linear(1280, 1)
net.train()
criterion = nn.BCEWithLogitsLoss()
optimizer = optim.Adam([
    {'params': net.features.parameters(), 'lr': 1e-4},
    {'params': net.classifier.parameters(), 'lr': 1e-3},
])


def train_model(net, dataloaders_dict, criterion, optimizer, num_epochs):
    for epoch in range(num_epochs):
        for phase in ['train', 'val']:
            if phase == 'train':
                net.train()
            else:
                net.eval()
            epoch_loss = 0.0
            epoch_corrects = 0
            if (epoch == 0) and (phase == 'train'):
                continue
            for inputs, labels in tqdm(dataloaders_dict[phase], disable=True):
                labels = labels.float().unsqueeze(1)
                optimizer.zero_grad()
                with torch.set_grad_enabled(phase == 'train'):
                    outputs = net(inputs)
                    loss = criterion(outputs, labels)
                    preds = (torch.sigmoid(outputs) > 0.5).float()
                    if phase == 'train':
                        loss.backward()
                        optimizer.step()
                    epoch_loss += loss.item() * inputs.size(0)
                    epoch_corrects += torch.sum(preds == labels.data)
            epoch_acc = epoch_corrects.double() / len(dataloaders_dict[phase].dataset)
            print('{} Loss: {:.4f} Acc: {:.4f}'.format(phase, epoch_loss, epoch_acc))


train_model(net, dataloaders_dict, criterion, optimizer, num_epochs=3)
