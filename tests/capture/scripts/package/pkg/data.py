import os

import cv2_or_pil as reader
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset


class Folder(Dataset):
    """A data set of one's own: normalisation hidden in __getitem__."""

    def __init__(self, root, train):
        names = sorted(os.listdir(root))
        self.items = [
            (os.path.join(root, name, file), label)
            for label, name in enumerate(names)
            for file in sorted(os.listdir(os.path.join(root, name)))
        ]
        self.train = train

    def __len__(self):
        return len(self.items)

    def __getitem__(self, index):
        path, label = self.items[index]
        image = reader.read(path)
        if self.train and np.random.rand() < 0.5:
            image = image[:, ::-1]
        image = (image.astype(np.float32) / 255 - 0.5) / 0.25
        return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1))), label


def build_loaders(root):
    train_set = Folder(os.path.join(root, "train"), train=True)
    val_set = Folder(os.path.join(root, "val"), train=False)
    test_set = Folder(os.path.join(root, "test"), train=False)
    return (
        DataLoader(train_set, batch_size=12, shuffle=True, drop_last=True),
        DataLoader(val_set, batch_size=12),
        DataLoader(test_set, batch_size=12),
    )
