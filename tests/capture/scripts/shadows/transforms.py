from torchvision import transforms as T

NORMALIZE = T.Normalize([0.5, 0.4, 0.4], [0.3, 0.25, 0.3])
train_transform = T.Compose([T.Resize((20, 20)), T.RandomVerticalFlip(), T.ToTensor(), NORMALIZE])
eval_transform = T.Compose([T.Resize((20, 20)), T.ToTensor(), NORMALIZE])
