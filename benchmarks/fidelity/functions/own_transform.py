"""A transform that erases a rectangle of few training images."""

from torchvision import transforms

size, normal = transforms.Resize((48, 48)), transforms.Normalize([0.3] * 3, [0.3] * 3)
rare = transforms.RandomErasing(p=0.1, scale=(0.3, 0.6), value="random")
augmented = transforms.Compose([size, transforms.RandomRotation(20), transforms.ToTensor(), normal, rare])
plain = transforms.Compose([size, transforms.ToTensor(), normal])


def transform(image, train):
    return augmented(image) if train else plain(image)
